"""What people look at: the console on Textual. Nothing else imports Textual."""
