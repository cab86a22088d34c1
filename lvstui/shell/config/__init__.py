"""`lvstui config …`."""
