"""Language models: texts as documents, pieces of words, what a model says of them, and peers."""
