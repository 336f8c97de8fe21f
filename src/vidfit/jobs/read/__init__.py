"""Train a reader on questions about texts, and measure it on articles that it has not seen."""
