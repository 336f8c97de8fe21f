"""Samples of shards for a training loop, in an order that does not depend on who reads.

::

    samples = Samples("shards/", split="train", seed=0)
    for batch in SampleLoader(samples, batch_size=32, workers=2):
        ...
        save(samples.state_dict())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from vidfit.errors import StoreError, VidfitError
from vidfit.shards.order import Order, Spans, joined, share, total, without
from vidfit.shards.samples import IndexRows, Sample


class Samples(IterableDataset[Any]):
    """The samples of shards, here or at a URL; each of ranks and workers reads its own.

    In every epoch all ranks and workers together read each sample once, and their numbers
    differ by at most 1. Through a plain `torch.utils.data.DataLoader`, call `set_epoch` before
    each epoch; `SampleLoader` does that, and its state counts what was handed out only.

    Parameters
    ----------
    folder
        Of shards, or its URL.
    split
        Only samples of that split; ``None`` takes all.
    shuffle
        Whether shards, and samples within ``window`` shards, are permuted anew in each epoch.
    seed
        With the epoch it decides on the order.
    rank, world
        Number of this process, and how many processes read different samples.
    window
        Shards whose samples are mixed.
    buffer_bytes
        Read at once, at most, by each worker.
    transform
        `Sample` -> what is handed out.

    Raises
    ------
    ManifestError
        If there are no finished shards.
    """

    def __init__(  # noqa: PLR0913  (as a dataset is configured)
        self,
        folder: str | Path,
        *,
        split: str | None = None,
        shuffle: bool = True,
        seed: int = 0,
        rank: int = 0,
        world: int = 1,
        window: int = 8,
        buffer_bytes: int = 8 << 20,
        transform: Callable[[Sample], Any] | None = None,
    ) -> None:
        if not 0 <= rank < world or window < 1:
            raise VidfitError(f"rank {rank} of {world} with a window of {window} shards is none")
        self.rank, self.world, self.transform = rank, world, transform
        self.shuffle, self.seed, self.window, self.buffer_bytes = (
            shuffle,
            seed,
            window,
            buffer_bytes,
        )
        self._rows = IndexRows.read(str(folder).rstrip("/"), split)
        self.set_epoch(0)

    @property
    def count(self) -> int:
        """How many samples an epoch has, for all ranks together."""
        return int(self._rows.starts_S[-1])

    @property
    def left(self) -> int:
        """How many samples of this epoch this rank has yet to hand out."""
        return total(self._left())

    def set_epoch(self, epoch: int) -> None:
        """Begin an epoch."""
        self.epoch = epoch
        self._base: Spans = []  # what all ranks had read when their number changed
        self._done: Spans = []

    def __iter__(self) -> Iterator[Any]:
        if get_worker_info() is not None:  # a worker's copy counts nothing: it may live on
            yield from (item for _, item in self.placed())
            return
        epoch = self.epoch
        for place, item in self.placed():
            self.mark([place])
            yield item
        self.set_epoch(epoch + 1)

    def placed(self) -> Iterator[tuple[int, Any]]:
        """Yield what this process has yet to read, each with its place in the epoch.

        Nothing is marked: only who hands a sample out knows that it did.
        """
        info = get_worker_info()
        spans = self._left()
        if info is not None:
            spans = share(spans, info.id, info.num_workers)
        for sample in self._read(spans):
            yield sample.place, self.transform(sample) if self.transform else sample

    def mark(self, places: Sequence[int]) -> None:
        """Count samples as handed out."""
        for place in places:
            if self._done and self._done[-1][1] == place:
                self._done[-1] = (self._done[-1][0], place + 1)
            else:
                self._done = joined([*self._done, (place, place + 1)])

    def _left(self) -> Spans:
        own = share(without([(0, self.count)], self._base), self.rank, self.world)
        return without(own, self._done)

    # ------------------------------------------------------------ state

    def state_dict(self) -> dict[str, Any]:
        """Return where this rank stands; plain values, a few numbers for each worker."""
        return {
            "order": self._identity, "epoch": self.epoch, "rank": self.rank, "world": self.world,
            "base": [list(span) for span in self._base],
            "done": [list(span) for span in self._done],
        }  # fmt: skip

    def load_state_dict(self, state: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Go on where this rank stood, or, given the states of all ranks, with another number.

        Raises
        ------
        StoreError
            If the state is of other shards or another order, or of another number of ranks.
        """
        states = [state] if isinstance(state, Mapping) else list(state)
        if any(one["order"] != self._identity for one in states):
            raise StoreError(
                "this state is of other shards, or of another seed, split or window; give the "
                "same, or begin the epoch anew"
            )
        first = states[0]
        if len(states) == 1 and (first["rank"], first["world"]) == (self.rank, self.world):
            self.set_epoch(first["epoch"])
            self._base, self._done = joined(first["base"]), joined(first["done"])
            return
        ranks = sorted(one["rank"] for one in states)
        alike = {(one["epoch"], one["world"], str(one["base"])) for one in states}
        if ranks != list(range(first["world"])) or len(alike) > 1:
            raise StoreError(
                f"rank {self.rank} of {self.world} cannot go on from the states of ranks {ranks} "
                f"of {first['world']}; give those of all ranks, taken in one epoch"
            )
        self.set_epoch(first["epoch"])
        self._base = joined([*first["base"], *(span for one in states for span in one["done"])])

    @property
    def _identity(self) -> str:
        return f"{self.seed if self.shuffle else None} {self.window} {self._rows.identity}"

    def _read(self, spans: Spans) -> Iterator[Sample]:
        order = Order(
            self._rows.starts_S, self.seed if self.shuffle else None, self.epoch, self.window
        )
        for place, samples_N in order.samples(spans):
            yield from self._rows.read_samples(place, samples_N, self.buffer_bytes)


class SampleLoader:
    """Batches of samples, read by worker processes; its state counts what was handed out.

    Parameters
    ----------
    samples
        Their `state_dict` is exact after each batch, however far workers have read ahead.
    batch_size
        Samples of a batch; the last of each worker may be smaller.
    workers
        Processes that read; 0 reads between batches.
    collate
        Makes a batch of a list of what samples give; a list when not given.
    """

    def __init__(
        self,
        samples: Samples,
        batch_size: int,
        workers: int = 0,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        self.samples, self.batch_size, self.workers, self.collate = (
            samples, batch_size, workers, collate,
        )  # fmt: skip

    def __iter__(self) -> Iterator[Any]:
        epoch = self.samples.epoch
        loader: DataLoader[Any] = DataLoader(
            _Placed(self.samples),
            batch_size=self.batch_size,
            num_workers=self.workers,
            collate_fn=_as_it_is,
        )
        for pairs in loader:
            items = [item for _, item in pairs]
            batch = self.collate(items) if self.collate else items
            self.samples.mark([place for place, _ in pairs])
            yield batch
        self.samples.set_epoch(epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Return where this rank stands."""
        return self.samples.state_dict()

    def load_state_dict(self, state: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> None:
        """Go on from a state; see `Samples.load_state_dict`."""
        self.samples.load_state_dict(state)


class _Placed(IterableDataset[Any]):
    """Samples with their places."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples

    def __iter__(self) -> Iterator[Any]:
        return self.samples.placed()


def _as_it_is(items: list[Any]) -> list[Any]:
    return items
