"""What jobs share: clips opened, candidates measured and compared, tables, folds, copies."""
