"""Long searches for input that breaks the reading of keepalived.conf: `python -m tests.fuzz`."""
