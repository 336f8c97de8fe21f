"""Work that runs anywhere: a `Workload` says what is done with items, a `Launcher` where."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from vidfit.progress import SILENT, Progress

Given = TypeVar("Given")
Found = TypeVar("Found", covariant=True)

Work = Callable[[Iterable[Given]], Iterator[Found]]


class Workload(Protocol[Given, Found]):
    """What is done with items: a frozen dataclass, all of which can be sent to other processes.

    ``item`` and ``result`` are the types of both: dataclasses whose fields are text, numbers,
    tuples, dictionaries with text keys, and dataclasses of these.
    """

    @property
    def item(self) -> type[Given]:
        """What it takes."""
        ...

    @property
    def result(self) -> type[Found]:
        """What it gives."""
        ...

    def open(self, workers: int) -> Work[Given, Found]:
        """Initialise once per process; return the worker function, which may use threads.

        It yields one result an item. What cannot be done with an item is told in its result.
        """
        ...


class Launcher(Protocol):
    """A place where work runs: this machine, or a cluster."""

    @property
    def workers(self) -> int:
        """How many items are worked on at once."""
        ...

    def map(
        self, task: Workload[Given, Found], items: Iterable[Given], progress: Progress = SILENT
    ) -> Iterator[Found]:
        """Yield the result of each item, once; in their order where the task keeps it.

        Raises
        ------
        VidfitError
            If the place fails, such as a cluster that is gone.
        """
        ...

    def processes(
        self, module: str, arguments: Sequence[str], count: int, look: Callable[[], bool]
    ) -> None:
        """Run ``python -m module arguments`` in processes that know of one another (torchrun).

        Parameters
        ----------
        look
            Called again and again while they run; when it returns ``True`` they are asked to end.

        Raises
        ------
        VidfitError
            If one died and restarts did not help.
        """
        ...
