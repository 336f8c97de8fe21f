"""Values of a compression; filled in by `vidfit.jobs.compress`."""
