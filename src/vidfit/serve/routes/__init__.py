"""What is answered at which path: one file a subject, each with its table of endpoints."""
