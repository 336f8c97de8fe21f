"""The job `fuse`: whether models are better together, and how."""
