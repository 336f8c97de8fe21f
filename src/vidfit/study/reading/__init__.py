"""What jobs that read share: passages of texts, answers in them, and the directory of a reader."""
