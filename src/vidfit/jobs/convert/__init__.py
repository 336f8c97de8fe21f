"""`vidfit convert`: boxes and masks from one format to another."""
