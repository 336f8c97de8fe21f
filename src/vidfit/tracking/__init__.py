"""Boxes of frames joined to objects over time, and what is counted of them."""
