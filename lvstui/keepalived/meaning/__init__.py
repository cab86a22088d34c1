"""What a tree means to keepalived: typed views, defaults, inheritance."""
