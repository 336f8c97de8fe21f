"""Videos made larger, frame by frame."""
