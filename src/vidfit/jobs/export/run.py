"""A model for other programs: ONNX, OpenVINO or safetensors, held against vidfit's own answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from vidfit import __version__
from vidfit.contracts import Backbone, GraphBackbone, TorchBackbone
from vidfit.errors import ModelError
from vidfit.jobs.export.facts import config, write_json
from vidfit.model import Model, replaced
from vidfit.progress import SILENT, Progress
from vidfit.runtime import TOLERANCE
from vidfit.study.model_card import model_card_markdown
from vidfit.study.opened_model import check_answers_one, open_model

if TYPE_CHECKING:
    from torch import Tensor

Format = Literal["onnx", "openvino", "safetensors"]

DOCUMENT = "export.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Exported:
    """What was written, and how far it is from vidfit.

    Parameters
    ----------
    parity
        By file name, the largest difference to vidfit's own way on random frames, relative to
        the largest value; 0 for weights, which are the same to the bit.
    notes
        What could not be written, and why.
    """

    directory: Path
    format: Format
    parity: dict[str, float]
    notes: tuple[str, ...]


def run_export(
    directory: Path,
    output: Path,
    format: Format = "onnx",
    own: Sequence[str] = (),
    progress: Progress | None = None,
) -> Exported:
    """Write a model so that programs without vidfit can run or read it.

    ``onnx`` and ``openvino`` give a file for each member that is a network, uint8 ``frames``
    [B, T, H, W, C] to ``tokens`` [B, N, D], and, where all of the model can be one graph,
    ``classifier``, from ``frames`` [B, V, T, H, W, C] to ``probabilities`` [B, K] and
    ``novelty`` [B]. ``safetensors`` gives the weights. What is written is compared with vidfit
    before it appears in ``output``, whole or not at all.

    Parameters
    ----------
    directory
        A model that `fit`, `fuse`, `train` or `compress` wrote.
    output
        A new or empty directory, or an earlier export, which is replaced.
    own
        ``FILE.py:NAME`` of encoders of one's own in the model, as for `load`.

    Raises
    ------
    ModelError
        If the model is damaged or has no network, an export differs from it, ``output`` is
        something else, or the disk is full.
    BackboneError
        If a member cannot run here.
    """
    if format not in get_args(Format):
        raise ModelError(f"there is no format {format!r}; valid are {', '.join(get_args(Format))}")
    opened = open_model(directory, own)
    check_answers_one(opened.model, "export")
    model, members = opened.model, opened.members
    _check(directory, model, members)
    notes = [
        f"{member.spec.name} is an algorithm of vidfit and no network: there is no file for it"
        for member in members
        if not isinstance(member, TorchBackbone | GraphBackbone)
    ]
    with replaced(output, DOCUMENT, "export") as new:
        parity = _written(model, members, format, (new, notes, progress or SILENT))
        write_json(new / "card.json", dict(model.card))
        (new / "README.md").write_text(model_card_markdown(model), encoding="utf-8")
        facts = {"vidfit": __version__, "format": format, "parity": parity}
        write_json(new / DOCUMENT, {**facts, "tolerance": TOLERANCE, "notes": notes})
    return Exported(output, format, parity, tuple(notes))


def _check(directory: Path, model: Model, members: Sequence[Backbone]) -> None:
    if any(member.spec.reads for member in members):
        raise ModelError(
            f"{directory} reads words beside frames, and graphs take frames alone. Run it with "
            "`vidfit predict`, or train without words: `subject.vocabulary` 0 in plan.json."
        )
    if not any(isinstance(member, TorchBackbone | GraphBackbone) for member in members):
        raise ModelError(
            f"{directory} answers by {', '.join(model.members)}, which is an algorithm of vidfit "
            "and no network: there is nothing that another program could run. Run it with "
            "`vidfit predict`, or fit a model with a network: `vidfit fit CLIPS --network-only`."
        )


def _written(
    model: Model,
    members: Sequence[Backbone],
    format: Format,
    told: tuple[Path, list[str], Progress],
) -> dict[str, float]:
    """Write the files of a format into a folder and return their differences to vidfit."""
    folder, notes, progress = told
    if format == "safetensors":
        return {WEIGHTS: _write_weights(model, members, folder)}
    from vidfit.jobs.export.graphs import Graphs

    return Graphs(model, tuple(members), format, folder, notes, progress).write()


def _write_weights(model: Model, members: Sequence[Backbone], folder: Path) -> float:
    """Write the weights of all members, and the head's arrays; 0 as they read the same."""
    import torch

    from vidfit.backbones import weights

    graphs = [member.spec.name for member in members if isinstance(member, GraphBackbone)]
    if graphs:
        raise ModelError(
            f"{', '.join(graphs)} is an ONNX graph, whose weights mean nothing without it; "
            "use --format onnx"
        )
    state: dict[str, Tensor] = {
        f"head.{name}": torch.from_numpy(np.array(array)) for name, array in model.arrays.items()
    }
    for i, member in enumerate(members):
        if isinstance(member, TorchBackbone):
            tensors = member.network.state_dict()
            state |= {f"members.{i}.{name}": tensor for name, tensor in tensors.items()}
    weights.write(state, folder / WEIGHTS)
    written = weights.read(folder / WEIGHTS)
    if weights.digest(written) != weights.digest(state):
        raise ModelError(f"{WEIGHTS} reads otherwise than it was written; is the disk damaged?")
    write_json(folder / "config.json", config(model, [member.spec for member in members]))
    return 0.0
