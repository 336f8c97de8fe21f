"""Say what a source of clips was read as, before any work."""

from __future__ import annotations

from vidfit.manifest import Manifest, told
from vidfit.progress import Progress


def say(manifest: Manifest, progress: Progress, row: str = "clip") -> None:
    """Say what was read, what was lost, and what looks odd, a line each."""
    for line in told(manifest, row):
        progress.note(line)
