"""Indexes of shots that `vidfit search` wrote: found, read, asked."""
