"""Jobs: what a user asks for, as about ten calls from top to bottom."""
