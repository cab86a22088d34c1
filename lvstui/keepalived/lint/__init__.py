"""What is wrong with a configuration, before keepalived gets to see it."""
