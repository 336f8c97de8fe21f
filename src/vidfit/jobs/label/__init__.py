"""The job `label`: which clips to label next."""
