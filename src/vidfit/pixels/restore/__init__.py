"""Frames made larger: degradations, networks, figures of pictures."""
