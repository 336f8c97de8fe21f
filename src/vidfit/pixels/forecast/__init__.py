"""The next frames, with a probability for each pixel."""
