"""New clips, drawn from what was learned of others, and how near to them they are."""
