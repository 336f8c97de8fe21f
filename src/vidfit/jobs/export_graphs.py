"""The members of a model, and all of it where it can be one graph, written and compared.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens of a view,
M tokens of a clip, D features, X numbers of a clip, K classes.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from vidfit import __version__
from vidfit.contracts import (
    Backbone,
    BackboneSpec,
    Floats,
    Frames,
    GraphBackbone,
    Progress,
    TorchBackbone,
)
from vidfit.errors import ModelError
from vidfit.fusion.linear import Linear
from vidfit.jobs import heads
from vidfit.jobs.exported_facts import member_facts, preprocessing
from vidfit.jobs.exported_files import (
    OPENERS,
    check_parity,
    difference,
    first_cause,
    reference,
    to_openvino,
)
from vidfit.jobs.exported_graph import Part, classifier, input_names, linear_head, write_graph
from vidfit.metrics import probabilities
from vidfit.model import Model

_CLIPS = 2
"""Random clips that an export and vidfit must agree on."""

_CLASSIFIER = "classifier.onnx"


@dataclass(frozen=True)
class _Seen:
    """A member's file, random clips [B, V, T, H, W, C], and its tokens [B, M, D] of them."""

    part: Part
    frames_BVTHWC: Frames
    tokens_BMD: Floats


def write_graphs(
    model: Model,
    members: Sequence[Backbone],
    format: str,  # noqa: A002
    told: tuple[Path, list[str], Progress | None],
) -> dict[str, float]:
    """Write the networks, the classifier where there can be one, and what feeds them.

    Parameters
    ----------
    told
        The folder to write to, notes to add to, and who is told.

    Returns
    -------
    dict
        File names, and their differences to vidfit's own way.

    Raises
    ------
    ModelError
        If a network cannot be written, or an export differs from vidfit.
    """
    folder, notes, progress = told
    networks = [m for m in members if isinstance(m, TorchBackbone | GraphBackbone)]
    files = _file_names([member.spec.name for member in networks])
    if progress:
        progress.start("export", 2 * len(networks) + 1)
    seen: list[_Seen] = []
    for member, file in zip(networks, files, strict=True):
        seen.append(_exported(member, folder / file, format))
        if progress:
            progress.advance()
    head, reason = _head(model, members, [one.part for one in seen], folder)
    notes += [f"no classifier: {reason}"] if reason else []
    suffix = ".onnx" if format == "onnx" else ".xml"
    written = {m.spec.name: Path(f).with_suffix(suffix).name for m, f in zip(networks, files, strict=True)}
    facts = _facts(model, [member.spec for member in members], written)
    (folder / "preprocessing.json").write_text(
        json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    props = {
        "made_with": f"vidfit {__version__}",
        "classes": json.dumps(model.classes, ensure_ascii=False),
        "preprocessing": json.dumps(facts, ensure_ascii=False),
    }
    if head is not None:
        whole = classifier([one.part for one in seen], head, len(model.classes))
        write_graph(whole, folder / _CLASSIFIER, props)
    for one in seen:
        write_graph(onnx.load(one.part.path), one.part.path, props)
    return _compared(model, seen, (folder, format, head is not None), progress)
