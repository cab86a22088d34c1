"""What people look at. No I/O and no decisions about the world."""
