"""Which copies are found: by eight frames, the best match of each, and as it was before.

Shape letters: M clips, N frames of a clip, P pairs.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._clips import SURVEILLANCE
from benchmarks._copied import KINDS, written
from benchmarks._harness import table
from benchmarks._study import CACHE
from vidfit.contracts import Backbone, BackboneSpec, Clip, Floats, Preprocessing, Sampling
from vidfit.evaluate import THRESHOLD_BITS, leakage, near_duplicates
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.features.fingerprint import VERSIONS, fingerprint, to_tokens
from vidfit.launch import Here
from vidfit.manifest import read_manifest
from vidfit.progress import SILENT
from vidfit.study.copies import COPY_BITS

DRONES = SURVEILLANCE.parent / "drone_ir" / "labels.csv"
FALSE_PAIRS = 0.001
BAR = 0.95
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000), (1_000, 4_000)
_BLOCK = 4096
Figures = dict[str, Any]


class FourFrames:
    """The fingerprint as it was: four frames at fixed places, 64 bits each, nothing else."""

    spec: BackboneSpec = replace(
        fingerprint().spec,
        name="four frames",
        sampling=Sampling(clip_len=1, num_clips=4),
        preprocessing=Preprocessing(64, 64),
        dim=5,
        revision="four-frames-1",
    )

    def forward(self, frames_BTHWC: np.ndarray) -> Floats:
        import cv2

        luma = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for (frame,) in frames_BTHWC]
        small = [cv2.resize(one, (32, 32), interpolation=cv2.INTER_AREA) for one in luma]
        low = [cv2.dct(one.astype(np.float32))[:8, :8] for one in small]
        bits = [np.packbits(one > np.median(one)).view(np.uint64) for one in low]
        contrast = np.array([one.std() for one in luma], np.float32)
        return to_tokens(np.array(bits), contrast)[:, None]

    def save(self, directory: Path) -> None:
        """Write nothing."""


def _before(codes: leakage._Codes, pairs_P2: np.ndarray) -> np.ndarray:
    """Return mean bits at the best of five alignments in time, as it was."""
    first, second = codes.bits_MNV[pairs_P2.T][..., 0]
    valid_first, valid_second = codes.valid_MN[pairs_P2.T]
    best_P = np.full(len(pairs_P2), np.inf)
    for shift in range(-2, 3):
        i = np.array([i for i in range(4) if 0 <= i + shift < 4])
        bits = np.bitwise_count(first[:, i] ^ second[:, i + shift])
        both = valid_first[:, i] & valid_second[:, i + shift]
        mean_P = (bits * both).sum(1) / np.maximum(both.sum(1), 1)
        best_P = np.minimum(best_P, np.where(both.sum(1) >= 2, mean_P, np.inf))
    return best_P


WAYS: dict[str, tuple[Backbone, Any]] = {
    "before": (FourFrames(), _before),
    "after": (fingerprint(), leakage._distances),
}


@dataclass(frozen=True)
class _Footage:
    """Originals and copies of them: kind of each clip (none is ""), its original, recording."""

    clips: list[Clip]
    kinds: np.ndarray
    origin: np.ndarray

    @property
    def recording(self) -> np.ndarray:
        return np.array([clip.recording for clip in self.clips])


def found(quick: bool) -> Figures:
    """Show recall by kind for each set, and what a clip costs; return the figures."""
    surveillance = read_manifest(SURVEILLANCE).clips
    drones = by_scene(DRONES) if DRONES.exists() else []
    others = one_each(drones)[:45] or one_each(surveillance)
    sets = {"fights": _footage("fights", surveillance, one_each(surveillance), others, quick)}
    if drones and not quick:
        chosen = one_each(drones)[::2][:20]
        sets["drones"] = _footage("drones", drones, chosen, one_each(surveillance), quick)
    figures: Figures = {name: _by_kind(name, footage) for name, footage in sets.items()}
    figures["cost"] = _cost(QUICK_SIZES if quick else SIZES)
    return figures


def by_scene(path: Path) -> list[Clip]:
    """Return the clips of drones, whose recordings are scenes: several were cut from one flight."""
    with path.open(encoding="utf-8") as file:
        scene = {Path(row["path"]).name: row["scene"] for row in csv.DictReader(file)}
    return [replace(c, group=scene[Path(c.path).name]) for c in read_manifest(path).clips]


def one_each(clips: Sequence[Clip]) -> list[Clip]:
    return list({clip.recording: clip for clip in reversed(clips)}.values())[::-1]


def _footage(
    name: str, clips: Sequence[Clip], chosen: list[Clip], others: list[Clip], quick: bool
) -> _Footage:
    chosen = chosen[:6] if quick else chosen
    known = list(clips)[:60] if quick else list(clips)
    known += [clip for clip in chosen if clip not in known]
    copies = list(written(chosen, others, CACHE / "copied" / name))
    rows = [replace(clip, path=str(path), label=kind) for kind, clip, path in copies]
    kinds = np.array([""] * len(known) + [kind for kind, _, _ in copies])
    origin = np.array([*range(len(known)), *(known.index(clip) for _, clip, _ in copies)])
    return _Footage([*known, *rows], kinds, origin)


def _tokens(footage: _Footage) -> dict[str, list[Floats]]:
    store = FeatureStore(CACHE / "copied" / "features")
    encoders = [encoder for encoder, _ in WAYS.values()]
    done = extract(footage.clips, encoders, store, Here(1), SILENT)
    seen = {way: dict(store.rows(encoder.spec)) for way, (encoder, _) in WAYS.items()}
    return {
        way: [of[done.digests[clip]].tokens_ND for clip in footage.clips]
        for way, of in seen.items()
    }


def _by_kind(name: str, footage: _Footage) -> Figures:
    recording, kinds = footage.recording, footage.kinds
    i, j = np.triu_indices(len(kinds), 1)
    original = kinds[i] == ""
    apart = original & (recording[i] != recording[j])
    pairs = {
        "other": np.column_stack([i[apart], j[apart]]),
        "same": np.column_stack([i, j])[
            original & (kinds[j] == "") & (recording[i] == recording[j])
        ],
    }
    copies = np.flatnonzero(kinds != "")
    pairs["copy"] = np.column_stack([footage.origin[copies], copies])
    figures: Figures = {"pairs": {kind: len(of) for kind, of in pairs.items()}}
    tokens = _tokens(footage)
    for way, (_, distance) in WAYS.items():
        codes = leakage._pack(tokens[way])
        bits = {kind: _blocked(distance, codes, of) for kind, of in pairs.items()}
        limits = (float(np.quantile(bits["other"], FALSE_PAIRS)), *_LIMITS[way])
        figures[way] = {
            "bits": limits,
            "same recording": [float((bits["same"] < t).mean()) for t in limits],
            "other recordings": [float((bits["other"] < t).mean()) for t in limits],
            "recall": {
                kind: [float((bits["copy"][kinds[copies] == kind] < t).mean()) for t in limits]
                for kind in KINDS
            },
        }
    figures["by sorting"] = _by_sorting(footage, tokens["after"], pairs["copy"])
    _show(name, footage, figures)
    return figures


_LIMITS = {"before": (3.0, 10.0), "after": (COPY_BITS, THRESHOLD_BITS)}
"""Bits below which clips were, and are, joined; and below which they are named."""


def _blocked(distance: Any, codes: leakage._Codes, pairs_P2: np.ndarray) -> np.ndarray:
    starts = range(0, len(pairs_P2), _BLOCK)
    return np.concatenate([distance(codes, pairs_P2[s : s + _BLOCK]) for s in starts])


def _by_sorting(footage: _Footage, tokens: list[Floats], copies_P2: np.ndarray) -> Figures:
    """Return the share of the pairs of copies below each limit that `near_duplicates` finds."""
    keys = [str(m) for m in range(len(tokens))]
    near = near_duplicates(keys, keys, tokens)
    bits = {(int(pair.first), int(pair.second)): pair.distance_bits for pair in near}
    exact = _blocked(leakage._distances, leakage._pack(tokens), copies_P2)
    return {
        f"{t:g}": float(np.mean([tuple(p) in bits for p in copies_P2[exact < t].tolist()]))
        for t in _LIMITS["after"]
    }


def _cost(sizes: Sequence[int]) -> Figures:
    rng = np.random.default_rng(0)
    seconds = {}
    for clips in sizes:
        codes = rng.integers(0, 2**64, (clips, 8, VERSIONS), np.uint64)
        codes[: clips // 20] = codes[clips // 2 : clips // 2 + clips // 20]
        tokens = [to_tokens(one, np.full(8, 50, np.float32)) for one in codes]
        keys = [str(m) for m in range(clips)]
        began = time.process_time()
        near = near_duplicates(keys, keys, tokens)
        assert len(near) == clips // 20  # noqa: S101
        seconds[str(clips)] = time.process_time() - began
    print()
    rows = [(f"{int(n):,}", f"{s:.1f}", f"{1e3 * s / int(n):.2f}") for n, s in seconds.items()]
    table(("clips compared", "CPU seconds", "ms a clip"), rows)
    return seconds


def _show(name: str, footage: _Footage, figures: Figures) -> None:
    counts = figures["pairs"]
    print(f"\n{name}: {(footage.kinds == '').sum()} clips, {counts['copy']} copies; "
          f"{counts['other']:,} pairs of other recordings, {counts['same']:,} of one")  # fmt: skip
    ways = [figures[way] for way in WAYS]
    limits = (f"at {FALSE_PAIRS:.1%} false", "joined", "named")
    rows = [
        (kind, *(f"{one['recall'][kind][at]:.0%}" for at in range(3) for one in ways))
        for kind in KINDS
    ]
    for what in ("same recording", "other recordings"):
        rows.append((what, *(f"{one[what][at]:.2%}" for at in range(3) for one in ways)))
    rows.append(("bits", *(f"{one['bits'][at]:.1f}" for at in range(3) for one in ways)))
    table(("recall of", *(f"{limit}, {way}" for limit in limits for way in WAYS)), rows)
    print(f"of the copies below each limit sorting finds: {figures['by sorting']}")


def worst(figures: Figures) -> float:
    """Return the least recall of a kind of copies of fights at the rate of false pairs."""
    if not figures:  # the footage is not at hand: nothing is claimed
        return 1.0
    return min(recall[0] for recall in figures["fights"]["after"]["recall"].values())
