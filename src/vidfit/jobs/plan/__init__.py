"""The job `plan`: what fits a machine, and how long training takes."""
