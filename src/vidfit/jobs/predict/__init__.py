"""The job `predict`: answers over time."""
