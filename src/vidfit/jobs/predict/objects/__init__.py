"""Objects in videos: boxes of a detector, followed over time."""
