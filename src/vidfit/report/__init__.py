"""The frame of every page, its charts, its words, and how values become JSON."""
