"""This process: its rights, what it believes of its surroundings, what it may write and print."""
