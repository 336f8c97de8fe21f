"""Measurements against the usual ways, each run as ``python -m benchmarks.NAME``."""
