"""Whether training NanoDet's head pays: beside the detector as it is, and its boxes scored again.

Infrared clips of what flies (`drone_ir`), by scene, one frame a second: each fold is answered by a
head that was trained on labelled frames of other scenes (`benchmarks._nanodet_head`: 2,000 frames
pass by, however many differ), and by the same frames scored again, as `vidfit fit --task detect`
does it. The backbone and the sums of its levels stay frozen; what they saw is computed once.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._nanodet_head import CELLS, SeenFrame, TrainedHead, train_head
from benchmarks.detect import DRAWS, FRAMES, _drawn, _flying
from vidfit import backbones as zoo
from vidfit.backbones.coco import COCO_CLASSES
from vidfit.backbones.detector import surest
from vidfit.backbones.nanodet import LOOKS, NanoDet
from vidfit.backbones.package_weights import is_fetched
from vidfit.contracts import Clip, Floats, Indices
from vidfit.labels.kind import Doubles
from vidfit.metrics import Scored, averaged, score_all
from vidfit.metrics.boxes import AP, AP50, BoxPrecision
from vidfit.study.folds import Folds
from vidfit.tasks.detect.kind import KIND
from vidfit.tasks.detect.learner import ScoredAgain
from vidfit.tasks.detect.picked import picked
from vidfit.tasks.detect.seen import BOXES_APART
from vidfit.video import VideoReader

EDGES, SCORES = 4, len(COCO_CLASSES)


@dataclass(frozen=True)
class Seen:
    """Frames with their truth, what the frozen parts saw of them, and the detector's boxes."""

    clips: tuple[Clip, ...]
    classes: tuple[str, ...]
    labels_M: Doubles
    pyramids_MPC: NDArray[np.float16]
    own_MP: NDArray[np.float16]
    vectors_MD: Floats

    kind = KIND

    @property
    def groups(self) -> list[str]:
        """The scene of each."""
        return [clip.recording for clip in self.clips]


def main() -> None:
    options = _options()
    start = environment()
    if not is_fetched("nanodet"):
        raise SystemExit("run `vidfit models --fetch nanodet` first")
    torch.set_num_threads(1)
    detector = cast(Any, zoo.load("nanodet"))
    published = cast(NanoDet, detector.candidates.network)
    seen = _seen(detector, _flying(options.quick).clips[:: 1 if options.quick else 2])
    folds_M = Folds(seen.classes, kind=KIND).by_recording(seen.labels_M, seen.groups, 0)
    print(f"drone_ir: {len(seen.clips)} frames, {len(set(seen.groups))} scenes")
    ways: dict[str, list[Floats]] = {}
    as_is = ScoredAgain(penalties=()).tried(seen.vectors_MD, seen.labels_M, folds_M)[0]
    ways["as it is"] = [as_is]
    spent = []
    for frames in options.frames:
        draws = range(options.draws)
        ways[f"{frames} frames, scored again"] = [
            _again(seen, folds_M, frames, draw) for draw in draws
        ]
        trained = [_trained(seen, folds_M, published, frames, draw) for draw in draws]
        ways[f"{frames} frames, head trained"] = [answers_MK for answers_MK, _ in trained]
        spent += [seconds for _, of in trained for seconds in of]
    figures: dict[str, Any] = {"seconds": spent, "classes": seen.classes}
    last = [name for name in ways if name.startswith(f"{options.frames[-1]} ")]
    for measure in (AP50, AP):
        _show(seen, ways, measure, figures)
        lead = _scored(seen, ways[last[1]], measure).beside(_scored(seen, ways[last[0]], measure))
        gain = lead.lead(0, 1)
        figures[f"{measure.name}, gain"] = gain.value, gain.low, gain.high
    value, low, high = (100 * x for x in figures["ap50, gain"])
    headline = (
        f"drone_ir, {options.frames[-1]} labelled frames: training the head gains {value:+.1f} "
        f"points of AP50 [{low:+.1f}, {high:+.1f}] over boxes scored again (kept from above 0 on); "
        f"{np.median(spent):.0f} CPU s a training"
    )
    finish(options, figures, start, headline, met=None)


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument(
        "--frames", type=int, nargs="+", default=FRAMES, help="labelled (20 100 400)"
    )
    parser.add_argument("--draws", type=int, default=DRAWS, help="of labelled frames (3)")
    options = parser.parse_args()
    if options.quick:
        options.frames, options.draws = (20,), 1
    return options


def _seen(detector: Any, clips: Sequence[Clip]) -> Seen:
    """Look at all frames once."""
    network, count = detector.candidates.network, len(clips)
    pyramids = np.zeros((count, CELLS, LOOKS), np.float16)
    own, vectors = np.zeros((count, CELLS), np.float16), [np.zeros(0, np.float32)] * count
    of_video: dict[str, list[int]] = defaultdict(list)
    for place, clip in enumerate(clips):
        of_video[clip.path].append(place)
    pool = BOXES_APART.of(detector)
    for path, places in of_video.items():
        with VideoReader(path) as reader:
            starts = [clips[place].start_seconds for place in places]
            wanted = np.array([int(np.abs(reader.pts_seconds - s).argmin()) for s in starts])
            order = np.argsort(wanted)
            for place, frame in zip(
                np.array(places)[order], reader.frames(wanted[order]), strict=True
            ):
                picture = np.ascontiguousarray(frame.rgb(detector.spec.preprocessing))
                with torch.inference_mode():
                    found_PD = network(torch.from_numpy(picture)[None, None])[0].numpy()
                pyramids[place] = found_PD[:, EDGES + SCORES :]
                own[place] = found_PD[:, EDGES : EDGES + SCORES].max(axis=1)
                vectors[place] = pool(surest(found_PD, SCORES, detector.overlap))
    classes = KIND.classes(clips)
    truth = KIND.truth(clips, classes)
    return Seen(tuple(clips), classes, truth, pyramids, own, np.stack(vectors))


def _again(seen: Seen, folds_M: Indices, frames: int, draw: int) -> Floats:
    """Answer each fold by boxes scored again by frames of the others."""
    answers_MK = np.zeros((len(folds_M), KIND.width(())), np.float32)
    for fold in np.unique(folds_M):
        asked_M = folds_M == fold
        some = _drawn(np.flatnonzero(~asked_M), cast(Any, seen), frames, draw)
        truth, groups = seen.labels_M[some], [seen.groups[i] for i in some]
        inner_M = Folds(seen.classes, kind=KIND).to_choose(truth, groups, 0)
        head, _ = ScoredAgain().fit(seen.vectors_MD[some], truth, inner_M)
        answers_MK[asked_M] = head.log_probabilities([seen.vectors_MD[asked_M]])
    return answers_MK


def _trained(
    seen: Seen, folds_M: Indices, published: NanoDet, frames: int, draw: int
) -> tuple[Floats, list[float]]:
    """Answer each fold by a head trained on frames of the others; return the CPU seconds, too."""
    answers_MK = np.zeros((len(folds_M), KIND.width(())), np.float32)
    seconds = []
    for fold in np.unique(folds_M):
        asked = np.flatnonzero(folds_M == fold)
        some = _drawn(np.flatnonzero(folds_M != fold), cast(Any, seen), frames, draw)
        started = time.process_time()
        learned = [
            SeenFrame.of(seen.pyramids_MPC[i], seen.own_MP[i], seen.labels_M[i]) for i in some
        ]
        head = train_head(learned, published, len(seen.classes))
        seconds.append(time.process_time() - started)
        answers_MK[asked] = _answers(head, seen.pyramids_MPC, asked)
    return answers_MK, seconds


def _answers(head: TrainedHead, pyramids_MPC: NDArray[np.float16], asked: Indices) -> Floats:
    boxes_MND = np.stack([head.boxes(pyramids_MPC[i]) for i in asked])
    return picked(boxes_MND[:, :, :EDGES], boxes_MND[:, :, EDGES:])


def _scored(seen: Seen, draws: list[Floats], measure: BoxPrecision) -> Scored:
    return averaged([score_all(measure, seen.labels_M, [one], seen.groups) for one in draws])


def _show(
    seen: Seen, ways: dict[str, list[Floats]], measure: BoxPrecision, figures: dict[str, Any]
) -> None:
    rows = []
    for name, draws in ways.items():
        all_of = _scored(seen, draws, measure).interval(0)
        by_class = np.mean([_by_class(seen, one, measure) for one in draws], axis=0)
        figures[f"{measure.name}, {name}"] = [all_of.value, all_of.low, all_of.high, *by_class]
        value, low, high = (100 * x for x in (all_of.value, all_of.low, all_of.high))
        cells = [f"{100 * x:.1f}" for x in by_class]
        rows.append([name, f"{value:.1f}", f"[{low:.1f}, {high:.1f}]", *cells])
    table((measure.name, "all classes", "", *seen.classes), rows)


def _by_class(seen: Seen, answers_MK: Floats, measure: BoxPrecision) -> Floats:
    scored = score_all(measure, seen.labels_M, [answers_MK], seen.groups)
    every = np.ones((1, len(scored.clips_G)))
    found: Floats = measure.by_class(cast(Any, scored.tables[0]), every)[0]
    return found


if __name__ == "__main__":
    main()
