"""What is known: frozen dataclasses and pure functions. No I/O, nothing of ours imported."""
