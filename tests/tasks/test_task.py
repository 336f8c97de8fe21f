"""Every task keeps the contract, and so do two without classes; what breaks it is found."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.tasks.toys import BOX, UNUSUAL, Descent, Overlap

from vidfit.errors import ModelError, VidfitError
from vidfit.labels import KINDS
from vidfit.tasks import TASKS, task_named, task_of
from vidfit.testing import check_task

_RNG = np.random.default_rng(5)
_EDGES = np.concatenate([_RNG.uniform(0, 0.4, (80, 2)), _RNG.uniform(0.6, 1, (80, 2))], axis=1)
LABELS = {
    "classify": [("run", "sit", "walk")[k] for k in _RNG.integers(0, 3, 80)],
    "tag": ["|".join(n for n in ("car", "sign") if _RNG.random() < 0.5) for _ in range(80)],
    "regress": [f"{x:.3f}" for x in _RNG.normal(size=80)],
    "localise": [
        name if name == "background" else f"{name} 0.0 {5 + i % 3}.0"
        for i, name in enumerate(_RNG.choice(["walk", "fall", "background"], 80))
    ],
    "anomaly": [("unusual 0.0 2.0", "normal", "normal")[k] for k in _RNG.integers(0, 3, 80)],
    "faces": [("Ada", "Åse", "o'Neil")[k] for k in _RNG.integers(0, 3, 80)],
    "detect": [
        f"100x100 {name} {x:.3f} {y:.3f} {x + 0.06:.3f} {y + 0.07:.3f}"
        for name, (x, y) in zip(
            _RNG.choice(["bird", "drone"], 80), _RNG.uniform(0, 0.9, (80, 2)), strict=True
        )
    ],
    "sentiment": [f"{x:.2f}" for x in np.clip(_RNG.normal(size=80), -3, 3)],
    "box": [" ".join(f"{edge:.3f}" for edge in edges) for edges in _EDGES],
    "unusual": [str(int(i % 5 == i // 20)) for i in range(80)],
}


ELSEWHERE = {"segment": "its labels are files: tests/tasks/segment/test_learner.py"}


@pytest.mark.parametrize(
    "task",
    [*(task_named(name) for name in TASKS if name not in ELSEWHERE), BOX, UNUSUAL],
    ids=lambda t: t.name,
)
def test_keeps_its_contract(task):
    check_task(task, LABELS[task.name])


def test_every_kind_of_label_has_a_task():
    assert [task_of(kind).kind for kind in KINDS.values()] == list(KINDS.values())
    with pytest.raises(VidfitError, match="no task; did you mean 'regress'"):
        task_named("regres")


@dataclass(frozen=True)
class MeanOfRecordings(Overlap):
    """No sums: a mean of each part."""

    def sums(self, truth, answers):
        sums = super().sums(truth, answers)
        return sums / sums[1]


class Peeks(Descent):
    """Learns from the fold that it answers."""

    def tried(self, vectors_MD, truth, folds_M):
        head = self.one(vectors_MD, truth, 300)
        return [head.log_probabilities([vectors_MD])]


class Forgets(Descent):
    """Restores without looking at what it is given."""

    def restore(self, state, widths, classes):
        return super().restore({n: a for n, a in state.items() if n != "another"}, widths, classes)


class Idle(Descent):
    """Learns nothing."""

    settings = (0,)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"measures": {}}, "it has no measure"),
        ({"measures": {"iou": MeanOfRecordings()}}, "sums of iou do not add up"),
        ({"measures": {"overlap": Overlap()}}, "'iou' stands under 'overlap'"),
        ({"learner": Peeks()}, "depend on the labels of their own fold"),
        ({"learner": Forgets()}, "with an array that is none of its own"),
        ({"learner": Idle()}, "is not learned"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_what_breaks_the_contract_is_named(change, complaint):
    with pytest.raises(ModelError, match=complaint):
        check_task(replace(BOX, **change), LABELS["box"])
