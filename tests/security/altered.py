"""Models as an attacker hands them on: altered, with digests that fit; and code that tells."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from vidfit.model import note_known

BEFORE = Path(__file__).parent / "before"
"""A model of a transformer and motion, a store and a plan, written by an earlier vidfit
(a9ef316), and what that one answered."""

MODEL = BEFORE / "model"
CONFIG, SPEC = "backbones/0/config.json", "backbones/0/spec.json"
WEIGHTS, HEAD = "backbones/0/model.safetensors", "head.safetensors"


def copy(to: Path, model: Path = MODEL) -> Path:
    return Path(shutil.copytree(model, to))


def rehash(model: Path) -> Path:
    """Put the digests of all files into ``model.json``."""
    document = json.loads((model / "model.json").read_text())
    document["files"] = {
        path.relative_to(model).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(model.rglob("*"))
        if path.is_file() and path.name != "model.json"
    }
    (model / "model.json").write_text(json.dumps(document))
    return model


def with_json(model: Path, name: str, change: Callable[[dict], object]) -> Path:
    """Alter a JSON file of a model in place: ``change`` alters it, or returns another."""
    path = model / name
    document = json.loads(path.read_text())
    changed = change(document)
    path.write_text(json.dumps(document if changed is None else changed))
    return rehash(model) if name != "model.json" else model


def with_arrays(model: Path, name: str, change: Callable[[dict], object]) -> Path:
    """Alter the arrays of a safetensors file in place; a spec then names the new weights."""
    arrays = load_file(model / name)
    change(arrays)
    save_file(arrays, model / name)
    return rehash(model)


def revised(model: Path) -> Path:
    """Let the spec of the first member name the weights that lie beside it."""
    from vidfit.backbones import saved, weights
    from vidfit.backbones.hub import models

    place = model / "backbones" / "0"
    network = models.restore(place, saved._read_spec(place / saved.SPEC_FILE)).network
    digest = weights.digest(network.state_dict())
    return with_json(model, SPEC, lambda spec: spec.update(revision=digest))


def trusted(model: Path) -> Path:
    """Note a model as written here, so that no child is asked."""
    note_known(model)
    return model


def plant(folder: Path) -> Path:
    """Write modules that leave a file behind when they run; return that file."""
    folder.mkdir(parents=True, exist_ok=True)
    canary = folder / "canary"
    code = f"from pathlib import Path\nPath({str(canary)!r}).touch()\nclass Evil: ...\n"
    for name in ("evil", "torch", "json", "numpy", "onnx", "transformers", "sitecustomize"):
        (folder / f"{name}.py").write_text(code)
    return canary


def setting(**values) -> Callable[[dict], None]:
    return lambda document: document.update(values)


def full(value: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda array: np.full_like(array, value)
