"""The job `export`: a model for other programs."""
