"""What an operator can do: plans as data, applied, read back, recorded, undone."""
