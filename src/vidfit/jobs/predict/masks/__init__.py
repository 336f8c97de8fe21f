"""Masks of videos: the class of each pixel, over time."""
