from __future__ import annotations

import sys

import pytest
import torch

from vidfit import networks
from vidfit.errors import BackboneError
from vidfit.features.pool import STEPS
from vidfit.networks import Network, Shape
from vidfit.plans import Recipe, Subject
from vidfit.study.subject import OWN_SIGHT, build_subject, example, sight

LITE = "efficientnet-lite0@2"


class Mean(torch.nn.Module):
    """The smallest network over tokens."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.answer = torch.nn.Linear(shape.dim, shape.classes)

    def forward(self, clips):
        return self.answer(clips.tokens_BND.mean(1))


class Pixels(torch.nn.Module):
    """The smallest network over frames."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.answer = torch.nn.Linear(3, shape.classes)

    def forward(self, clips):
        return self.answer(clips.frames_BVTHWC.float().mean((1, 2, 3, 4)))


@pytest.fixture(autouse=True)
def tiny_networks(monkeypatch):
    here = sys.modules[__name__]
    monkeypatch.setattr("vidfit.networks.import_module", lambda _: here)
    monkeypatch.setitem(networks.NETWORKS, "tiny", Network("tiny:Mean"))
    monkeypatch.setitem(networks.NETWORKS, "pixels", Network("pixels:Pixels", sees="frames"))


def built(subject: Subject):
    seen = sight(subject)
    model = build_subject(subject, 5, seen.tokens, Recipe())
    return model, example(seen, 3)


def test_a_probe_is_the_head_alone_over_cached_tokens():
    model, clips = built(Subject("tiny", LITE))
    assert clips.tokens_BND.shape == (3, STEPS, 1280) and clips.frames_BVTHWC is None
    assert sum(p.numel() for p in model.parameters()) == 1280 * 5 + 5
    assert model(clips).shape == (3, 5)


def test_a_full_fine_tune_learns_in_the_backbone_too():
    model, clips = built(Subject("tiny", LITE, "full"))
    assert clips.frames_BVTHWC.shape == (3, 2, 1, 224, 224, 3)
    assert clips.frames_BVTHWC.dtype == torch.uint8
    assert all(p.requires_grad for p in model.parameters())
    model(clips).sum().backward()
    assert model.encoder.trunk._conv_stem.weight.grad is not None


def test_a_network_of_frames_needs_no_backbone():
    subject = Subject("pixels", "", "full")
    model, clips = built(subject)
    assert sight(subject) is OWN_SIGHT
    assert clips.frames_BVTHWC.shape == (3, 1, 16, 112, 112, 3)
    assert model(clips).shape == (3, 5)


@pytest.mark.parametrize(
    ("subject", "message"),
    [
        (Subject("pixels", LITE), "sees frames itself, and was given the backbone"),
        (Subject("tiny", ""), "there is no backbone. Name one"),
        (Subject("tiny", "motion", "full"), "has no torch network"),
        (Subject("tinny", LITE), "did you mean 'tiny'"),
    ],
)
def test_what_does_not_go_together_is_refused(subject, message):
    with pytest.raises(BackboneError, match=message):
        built(subject)


def test_low_rank_additions_learn_and_the_backbone_does_not():
    pytest.importorskip("peft")
    model, clips = built(Subject("tiny", LITE, "lora"))
    learned = {name for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora_" in name or name.startswith("head.") for name in learned)
    assert any("lora_" in name for name in learned)
    assert model(clips).shape == (3, 5)
