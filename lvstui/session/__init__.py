"""What one sitting of an operator knows and has under way. No Textual."""
