"""A trained reader as a directory: config, weights, tokenizer, and what is known of it.

::

    model/
      reader.json          thresholds, what it learned from, its figures, sha256 of all files
      config.json          of the network
      model.safetensors    weights
      tokenizer.json

Nothing in it is code, and loading runs none.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vidfit.backbones.reading import SpanNetwork, read_reader
from vidfit.documents import FieldRule, Rules, read_json, to_json, value_of
from vidfit.errors import ModelError
from vidfit.model.directory import check_files, digests, replaced

READER = "reader.json"
_FORMAT = 1


@dataclass(frozen=True)
class NoAnswerThreshold:
    """``rate`` of the questions without an answer get one above this ``log_probability``."""

    rate: float
    log_probability: float


@dataclass(frozen=True)
class ReaderDocument:
    """``reader.json``."""

    format: int
    thresholds: tuple[NoAnswerThreshold, ...]
    card: dict[str, Any]
    files: dict[str, str]


@dataclass(frozen=True)
class TrainedReader:
    """A reader, above which log-probability it answers, and what a reader should know of it."""

    network: SpanNetwork
    thresholds: dict[float, float]
    card: dict[str, Any]

    def threshold(self, rate: float) -> float | None:
        """Return the threshold of the largest known rate up to ``rate``; ``None`` of none."""
        known = [one for one in self.thresholds if one <= rate + 1e-9]
        return self.thresholds[max(known)] if known else None


_RULES: Rules = {
    (NoAnswerThreshold, "rate"): FieldRule(lambda x: 0 < x < 1, "a share between 0 and 1"),
    (NoAnswerThreshold, "log_probability"): FieldRule(lambda x: x <= 0, "0 or less"),
}


def save_reader(reader: TrainedReader, directory: Path) -> None:
    """Write a reader; whoever reads it sees the old one or the whole new one.

    Raises
    ------
    ModelError
        If the disk is full or the directory cannot be written.
    """
    with replaced(directory, READER, "reader") as new:
        reader.network.save(new)
        limits = tuple(NoAnswerThreshold(*one) for one in sorted(reader.thresholds.items()))
        document = ReaderDocument(_FORMAT, limits, reader.card, digests(new))
        text = to_json(asdict(document), indent=1, ascii_only=False)
        (new / READER).write_text(text, encoding="utf-8")


def load_trained(directory: Path) -> TrainedReader:
    """Read a reader and check every file against its digest.

    Raises
    ------
    ModelError
        If it is no reader, of a newer format, incomplete or altered.
    BackboneError
        If its network cannot be read.
    """
    path = directory / READER
    if not path.is_file():
        raise ModelError(
            f"{directory} is no reader: it has no {READER}; give what `vidfit fit --task read` "
            "wrote"
        )
    try:
        found = read_json(path)
        if isinstance(found, dict) and found.get("format") != _FORMAT:
            raise ModelError(f"{path} has a format that this vidfit does not read; update vidfit")
        document = value_of(ReaderDocument, found, _RULES)
        check_files(directory, document.files, READER)
    except (OSError, ValueError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
    thresholds = {one.rate: one.log_probability for one in document.thresholds}
    return TrainedReader(read_reader(directory), thresholds, document.card)
