"""A student that learns a teacher's tokens, the same each time, and touches neither."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from tests.compression.pointwise import frames, tiny
from torch import nn

from vidfit.compression.distil import Distillation, distil
from vidfit.errors import BackboneError, NotEnoughDataError

SHORT = Distillation(steps=60, batch_views=8, learning_rate=1e-2)


def views(count=24):
    """Smooth pictures: of noise all means are alike."""
    coarse = torch.from_numpy(frames(count))[:, 0, :2, :2].permute(0, 3, 1, 2)
    smooth = nn.functional.interpolate(coarse, (16, 16), mode="bilinear")
    return list(smooth.permute(0, 2, 3, 1)[:, None].numpy())


def student_of(teacher):
    student = copy.deepcopy(teacher)
    torch.manual_seed(3)
    with torch.no_grad():
        student.trunk.head.weight.add_(0.2 * torch.randn_like(student.trunk.head.weight))
    return student


def error(network, teacher):
    batch = torch.from_numpy(np.stack(views()))
    with torch.no_grad():
        return float((network(batch) - teacher(batch)).square().mean())


class Told:
    def __init__(self):
        self.total, self.done, self.notes = 0, 0, []

    def start(self, stage, total):
        self.total = total

    def advance(self, count=1):
        self.done += count

    def note(self, text):
        self.notes.append(text)


def test_the_student_learns_and_both_networks_stay_as_they_were():
    teacher = tiny().network
    student = student_of(teacher)
    before = [copy.deepcopy(network.state_dict()) for network in (teacher, student)]
    told = Told()
    learned = distil(student, teacher, views(), SHORT, told)
    assert error(learned, teacher) < 0.3 * error(student, teacher)
    for network, state in zip((teacher, student), before, strict=True):
        assert all(torch.equal(state[name], t) for name, t in network.state_dict().items())
        assert all(p.grad is None and not p.requires_grad for p in network.parameters())
    assert not learned.training
    assert not any(p.requires_grad for p in learned.parameters())
    assert told.done == told.total == 60
    assert len(told.notes) == 1


def test_the_same_seed_gives_the_same_network_and_another_one_another():
    teacher = tiny().network
    student = student_of(teacher)
    short = Distillation(steps=3, batch_views=4)
    one, two, other = (
        distil(student, teacher, views(), settings).trunk.head.weight
        for settings in (short, short, Distillation(steps=3, batch_views=4, seed=1))
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


def test_statistics_of_batch_norms_are_kept():
    teacher = tiny().network
    learned = distil(student_of(teacher), teacher, views(), Distillation(steps=2, batch_views=4))
    assert torch.equal(learned.trunk.norm.running_mean, teacher.trunk.norm.running_mean)
    assert torch.equal(learned.trunk.norm.running_var, teacher.trunk.norm.running_var)


def test_an_interrupt_leaves_the_student_as_it_was():
    teacher = tiny().network
    student = student_of(teacher)
    state = copy.deepcopy(student.state_dict())

    class Stop(Told):
        def advance(self, count=1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        distil(student, teacher, views(), SHORT, Stop())
    assert all(torch.equal(state[name], t) for name, t in student.state_dict().items())


def test_few_views_are_refused():
    network = tiny().network
    with pytest.raises(NotEnoughDataError, match="got 3 views; valid are 8 and more"):
        distil(network, network, views(3), SHORT)


def test_other_tokens_are_refused():
    teacher = tiny().network
    student = copy.deepcopy(teacher)
    student.trunk.head = nn.Linear(32, 5)
    with pytest.raises(BackboneError, match=r"gives tokens \(1, 1, 5\)"):
        distil(student, teacher, views(), SHORT)


def test_divergence_is_told():
    teacher = tiny().network
    student = copy.deepcopy(teacher)
    with torch.no_grad():
        student.trunk.head.bias.fill_(float("nan"))
    with pytest.raises(BackboneError, match="diverged at step 0"):
        distil(student, teacher, views(), SHORT)


@pytest.mark.parametrize("steps", [1, 2, 20])
def test_any_number_of_steps_teaches(steps):
    teacher = tiny().network
    learned = distil(student_of(teacher), teacher, views(), Distillation(steps, batch_views=4))
    assert all(torch.isfinite(weight).all() for weight in learned.parameters())
