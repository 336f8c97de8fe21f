"""Fit a forecaster to videos: the frames ahead, with a probability for each pixel."""
