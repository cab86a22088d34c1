"""Where facts come from: one module for each place.

Each source is a class with a blocking `run(context)` that a thread of its own executes; it
pushes observations and never reads another source. What it cannot see it says once, as a
`Missing` fact with the way to get it.
"""
