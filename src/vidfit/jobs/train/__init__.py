"""The job `train`: a plan carried out."""
