"""keepalived.conf: bytes to a tree of statements, and back without losing one."""
