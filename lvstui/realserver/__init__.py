"""Real servers: what they run, what the wire shows of them, and how to put them right."""
