"""Models of the hub and of folders like it, one file for what a model gives."""
