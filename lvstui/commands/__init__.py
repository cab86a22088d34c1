"""What an operator can do: one small class for each thing.

A command gives its key, its place in the footer, its line in the palette and in the help, the
reason why it can not be used now, and its twin on the shell.
"""
