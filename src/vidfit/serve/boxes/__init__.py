"""Boxes in frames: what a list or a run says of them, and what people make of that."""
