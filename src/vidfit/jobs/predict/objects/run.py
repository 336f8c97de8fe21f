"""Find objects in videos and follow them."""

from __future__ import annotations

from collections.abc import Iterator

from vidfit.errors import VidfitError
from vidfit.jobs.predict.by_task import AskedOfTask, ToldOfVideo


def run_objects(asked: AskedOfTask) -> Iterator[ToldOfVideo]:
    """Yield what is found in each video."""
    raise VidfitError(f"{asked.model} finds objects; this is not built yet")
