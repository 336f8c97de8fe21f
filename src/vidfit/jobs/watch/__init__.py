"""The job `watch`: new videos of a folder are answered as they appear."""
