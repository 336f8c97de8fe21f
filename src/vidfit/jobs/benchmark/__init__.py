"""The job `benchmark`: a model on every engine of this machine."""
