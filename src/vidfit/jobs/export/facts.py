"""What another program must know to feed an export and to read its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidfit.contracts import BackboneSpec
from vidfit.documents import to_json
from vidfit.model import Model

HOW = {
    "frames": "uint8 RGB, upright. A clip is cut into `views` equal parts. Without "
    "`interval_seconds`, the frames of a view are the centres of `frames_a_view` equal pieces "
    "of its part; with it, they stand that far apart, centred in the part and shifted into the "
    "clip. Each moment is answered by the frame on screen: the last that is not later; "
    "with `keyframes`, by the keyframe of the clip that is nearest to that frame, where it has "
    "any.",
    "size": "Antialiased bilinear, to height x width: the whole frame, or, with "
    "`short_side_pixels`, its shorter side to that and the centre cut out.",
    "normalisation": "None: mean and deviation are inside the network.",
    "answer": "The class of the largest probability; declined if that is below "
    "unknown.probability or the novelty is above unknown.novelty. Temperature is inside.",
}


def unknown(model: Model) -> dict[str, float | None]:
    """Return the thresholds of an answer that is given, and those that decline earlier."""
    return {
        "probability": model.unknown_probability,
        "novelty": model.unknown_novelty,
        "strict_probability": model.strict_probability,
        "strict_novelty": model.strict_novelty,
    }


def preprocessing(model: Model, members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return ``preprocessing.json``: classes, members with their sampling, thresholds.

    Parameters
    ----------
    members
        What `member_facts` gives.
    """
    return {
        "classes": list(model.classes),
        "members": list(members),
        "temperature": model.temperature,
        "unknown": unknown(model),
        "window_seconds": model.window_seconds,
        "longest_seconds": model.longest_seconds,
        "how": HOW,
    }


def member_facts(spec: BackboneSpec, file: str | None, classifier_input: str) -> dict[str, Any]:
    """Return how a member is fed.

    Parameters
    ----------
    file
        Its network; ``None`` when it has none.
    classifier_input
        Under which name the classifier takes its frames.
    """
    size = spec.preprocessing
    return {
        "name": spec.name,
        "file": file,
        "classifier_input": classifier_input,
        "views": spec.sampling.num_clips,
        "frames_a_view": spec.sampling.clip_len,
        "interval_seconds": spec.sampling.interval_seconds,
        **({"keyframes": True} if spec.sampling.keyframes else {}),
        "height_pixels": size.height_pixels,
        "width_pixels": size.width_pixels,
        "short_side_pixels": size.short_side_pixels,
    }


def config(model: Model, specs: Sequence[BackboneSpec]) -> dict[str, Any]:
    """Return ``config.json`` of exported weights, with the keys that torch users know."""
    return {
        "model_type": "vidfit",
        "id2label": {str(i): name for i, name in enumerate(model.classes)},
        "label2id": {name: i for i, name in enumerate(model.classes)},
        "head": model.head,
        "temperature": model.temperature,
        "unknown": unknown(model),
        "window_seconds": model.window_seconds,
        "longest_seconds": model.longest_seconds,
        "members": [asdict(spec) | {"prefix": f"members.{i}."} for i, spec in enumerate(specs)],
        "card": dict(model.card),
    }


def write_json(path: Path, content: object) -> None:
    """Write JSON for people and programs."""
    path.write_text(to_json(content, indent=1, ascii_only=False) + "\n", encoding="utf-8")
