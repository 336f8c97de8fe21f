"""Tries a model under limits: ``python -P -m vidfit.study.trial DIRECTORY [FILE.py:NAME]...``.

Every member sees a view of noise, on the engine that a graph was made for, and the head answers.
Limits hold from when the libraries are loaded. They grow with the model, as far as a large one
is known to need: memory with its files, time with the multiply-accumulates that it claims.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vidfit.backbones.saved import SPEC_FILE
from vidfit.contracts import Backbone, BackboneSpec, Floats, GraphBackbone
from vidfit.documents import read_json, to_json
from vidfit.errors import ModelError, VidfitError
from vidfit.model import load_model
from vidfit.runtime import cache, open_engine
from vidfit.runtime.choice import Run
from vidfit.study import heads
from vidfit.study.opened_model import OpenedModel, parts_of

SECONDS, SECONDS_A_GMAC, MOST_GMACS = 10, 0.1, 5_000
"""Of the processor; a core computes some 20 GMACs a second."""

BYTES, BYTES_A_BYTE = 2**30, 5
"""Beside what the libraries hold; of weights there are copies, and activations beside them."""


def run_trial(directory: Path, own: Sequence[str] = ()) -> None:
    """Open a model and answer noise with it.

    Raises
    ------
    VidfitError
        If it cannot be opened, or its answers are no probabilities.
    """
    opened = parts_of(directory, load_model(directory), own)
    pool = heads.pooling(opened.model.head, opened.task)
    blocks = [pool.of(member)(_tokens(member))[None] for member in opened.members]
    _check_answer(opened, blocks)


def _check_answer(opened: OpenedModel, blocks: Sequence[Floats]) -> None:
    model, head = opened.model, opened.head
    answer_1K = opened.task.kind.stated(head.log_probabilities(blocks), model.temperature)
    numbers = (*answer_1K.ravel(), *head.novelty(blocks))
    if (
        answer_1K.shape != (1, opened.task.kind.width(model.classes))
        or not np.isfinite(numbers).all()
    ):
        raise ModelError("its answers to noise are no probabilities or numbers")


def _tokens(member: Backbone) -> Floats:
    """Return tokens [N, D] of as many views as a clip has, all of them alike."""
    spec = member.spec
    size = spec.preprocessing.height_pixels, spec.preprocessing.width_pixels
    shape = (1, spec.sampling.clip_len, *size, 3)
    frames_BTHWC = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    tokens_BND = np.asarray(_run_of(member)(frames_BTHWC))
    _check_tokens(tokens_BND, spec)
    tokens_ND: Floats = np.tile(tokens_BND[0], (spec.sampling.num_clips, 1))
    return tokens_ND


def _run_of(member: Backbone) -> Run:
    """Return what runs a member: for a graph the engine that it was made for."""
    if isinstance(member, GraphBackbone):
        return open_engine(member, member.spec.family, 1, cache.default_folder()).run
    return member.forward


def _check_tokens(tokens_BND: Floats, spec: BackboneSpec) -> None:
    shape = tokens_BND.shape
    if len(shape) != 3 or shape[0] != 1 or not shape[1] or shape[2] != spec.dim:
        raise ModelError(f"{spec.name} gives tokens {shape}; it says [1, N, {spec.dim}]")
    if tokens_BND.dtype != np.float32 or not np.isfinite(tokens_BND).all():
        raise ModelError(f"{spec.name} gives tokens that are no numbers (float32)")


# ---------------------------------------------------------------- limits


def limit(directory: Path) -> None:
    """Load what a model needs and bind this process to limits; on Windows there are none."""
    try:
        import resource
    except ImportError:
        return
    specs = [_claims(path) for path in directory.glob(f"backbones/*/{SPEC_FILE}")]
    _load_libraries({str(spec.get("family")) for spec in specs})
    claimed = sum(_gmacs(spec) for spec in specs)
    seconds = SECONDS + SECONDS_A_GMAC * min(claimed, MOST_GMACS)
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + int(seconds), used + int(seconds) + 2))
    held = sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
    most = _data_bytes() + BYTES + BYTES_A_BYTE * held
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _claims(path: Path) -> dict[str, object]:
    try:
        found = read_json(path)
    except (OSError, ValueError):  # said when it is opened
        return {}
    return found if isinstance(found, dict) else {}


def _gmacs(spec: dict[str, object]) -> float:
    claimed = spec.get("gmacs_per_view")
    return max(0.0, float(claimed)) if isinstance(claimed, int | float) else 0.0


def _load_libraries(families: set[str]) -> None:
    """Import what takes memory and seconds itself, and is nobody's fault."""
    import torch  # noqa: F401

    if families & {"hf", "hf-detector"}:
        import transformers
        import transformers.modeling_utils  # noqa: F401
    if "onnx" in families or "openvino" in families:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    if "openvino" in families:
        from vidfit.runtime.openvino import core

        core()


def _data_bytes() -> int:
    """Return what `RLIMIT_DATA` counts of this process."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return 4 * 2**30
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))


def main() -> int:
    """Print what is wrong, as JSON; libraries' own words go to the other stream."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    directory, own = Path(sys.argv[1]), sys.argv[2:]
    error = ""
    try:
        limit(directory)
        run_trial(directory, own)
    except VidfitError as found:
        error = str(found)
    except Exception as found:  # of what libraries make of anybody's numbers
        lines = str(found).strip().splitlines() or [""]
        error = f"{directory} cannot be run ({type(found).__name__}: {lines[0][:200]})"
    with answer:
        answer.write(to_json({"error": error}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
