"""The job `compare`: architectures on one data set, with the same folds and the same budget."""
