"""What words, sound and pictures tell of clips, alone and together, on recordings never seen.

Three sets: lines of dialogue with their sentiment (words alone, by episode), spoken sentences with
their emotion (sound alone, by actor), and scenes of surveillance with a sentence beside them, whose
class is a pair of both, so that no modality suffices (by actor; no recording of scenes goes with
two). Each encoder has a linear probe, answers are out of fold, intervals are of recordings drawn
again. Beside them: the most frequent class, folds that are blind to recordings, and the joint set
with every third sound track taken away.

    python -m benchmarks.sentiment [--quick]
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks._harness import arguments, environment, finish, table
from benchmarks._spoken import (
    lines_of_dialogue,
    missing,
    spoken_scenes,
    spoken_sentences,
    without_sound,
)
from vidfit.backbones import load
from vidfit.contracts import Clip, Estimate, Floats, Indices
from vidfit.errors import BackboneError
from vidfit.features import FeatureStore
from vidfit.fusion.even import evened
from vidfit.fusion.linear import cross_fit
from vidfit.launch import Here
from vidfit.metrics import BALANCED, score_all
from vidfit.progress import SILENT
from vidfit.runtime import accelerate
from vidfit.study.folds import Folds
from vidfit.study.modalities import Modalities, by_modality
from vidfit.study.table import Table, build_table

WORDS = ("vader", "minilm")
SOUND = ("log-mel", "whisper-tiny.en")
BOTH = ("log-mel", "motion")
SEED = 0


@dataclass(frozen=True)
class Found:
    """Balanced accuracy by encoder, and of chance and of blind folds."""

    clips: int
    recordings: int
    classes: int
    held: dict[str, Estimate]
    blind: dict[str, float]


def main() -> None:
    options = arguments(__doc__).parse_args()
    start = environment()
    if why := missing():
        raise SystemExit(f"not measured: {why}")
    quick = options.quick
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = _found(_table(lines_of_dialogue(80 if quick else 8), WORDS, folder), WORDS)
        heard = SOUND[:1] if quick else SOUND
        sound = _found(_table(spoken_sentences(8 if quick else 4), heard, folder), heard)
        scenes = spoken_scenes(folder, 4 if quick else 8)
        joint = _table(scenes, BOTH, folder)
        both = _found(joint, BOTH)
        apart = _apart(joint)
        silent = _apart(_table(list(without_sound(scenes, folder, 3)), BOTH, folder))
    for title, found in (("dialogue", words), ("sentences", sound), ("scenes", both)):
        _show(title, found)
    for title, one in (("scenes", apart), ("every third without sound", silent)):
        print(f"\n{title}:")
        print("\n".join(one.lines(BALANCED)))
    best = max(e.low for e in words.held.values()), max(e.low for e in sound.held.values())
    chances = 1 / words.classes, 1 / sound.classes
    proven = all(one.ahead.low > 0 for one in apart.without)
    figures: dict[str, Any] = {
        "dialogue": _written(words), "sentences": _written(sound), "scenes": _written(both),
        "joint": apart.lines(BALANCED), "silent": silent.lines(BALANCED),
    }  # fmt: skip
    finish(
        options,
        figures,
        start,
        f"words {best[0]:.1%} and sound {best[1]:.1%} at least (chance {chances[0]:.1%}, "
        f"{chances[1]:.1%}; bar above it); together {apart.whole.value:.1%}, ahead of each "
        f"modality by {min(one.ahead.low for one in apart.without):.1%} or more (bar above 0)",
        met=None if quick else best[0] > chances[0] and best[1] > chances[1] and proven,
    )


def _table(clips: Sequence[Clip], names: Sequence[str], folder: Path) -> Table:
    """Return the clips with a vector from each encoder that can be loaded."""
    encoders = []
    for name in names:
        try:
            encoders.append(accelerate(load(name)))
        except BackboneError as error:
            print(f"without {name}: {error}")
    store = FeatureStore(folder / "features")
    return build_table(list(clips), encoders, store, Here(2), SILENT)[0]


def _answers(table_: Table, folds_M: Indices) -> dict[str, Floats]:
    """Return answers of even classes by encoder, each by a fit without the clip's fold."""
    return {
        name: evened(cross_fit([x_MD], table_.labels_M, folds_M)[1], table_.labels_M)
        for name, x_MD in table_.vectors.items()
    }


def _found(table_: Table, names: Sequence[str]) -> Found:
    dealt = Folds(table_.classes)
    labels_M, groups = table_.labels_M, table_.groups
    held = _answers(table_, dealt.by_recording(labels_M, groups, SEED))
    blind = _answers(table_, dealt.at_random(labels_M, groups, SEED))
    names = [name for name in names if name in held]
    scored = score_all(BALANCED, labels_M, [held[name] for name in names], groups)
    leaky = score_all(BALANCED, labels_M, [blind[name] for name in names], groups)
    return Found(
        len(labels_M),
        len(set(groups)),
        len(table_.classes),
        dict(zip(names, scored.intervals(), strict=True)),
        {name: float(leaky.figures_C[i]) for i, name in enumerate(names)},
    )


def _apart(table_: Table) -> Modalities:
    folds_M = Folds(table_.classes).by_recording(table_.labels_M, table_.groups, SEED)
    sees = {name: load(name).spec.sees for name in table_.vectors}
    found = by_modality(table_, sees, folds_M, BALANCED)
    if found is None:
        raise SystemExit("the joint set needs sound and pictures")
    return found


def _show(title: str, found: Found) -> None:
    print(
        f"\n{title}: {found.clips} clips of {found.recordings} recordings, balanced accuracy "
        f"(the most frequent class: {1 / found.classes:.1%})"
    )
    rows = [
        [name, f"{e.value:.1%} [{e.low:.1%}, {e.high:.1%}]", f"{found.blind[name]:.1%}"]
        for name, e in found.held.items()
    ]
    table(["encoder", "by recording [95 %]", "blind to recordings"], rows)


def _written(found: Found) -> dict[str, Any]:
    return {
        "clips": found.clips,
        "recordings": found.recordings,
        "chance": 1 / found.classes,
        "balanced accuracy": {n: [e.value, e.low, e.high] for n, e in found.held.items()},
        "blind": found.blind,
    }


if __name__ == "__main__":
    main()
