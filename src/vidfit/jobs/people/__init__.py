"""People who are known: somebody is forgotten, and pairs of pictures are compared."""
