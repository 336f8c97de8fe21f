"""The job `compress`: a smaller or faster model, and what it loses."""
