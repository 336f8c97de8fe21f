"""Train a network that makes videos larger, and measure it on recordings it has not seen."""
