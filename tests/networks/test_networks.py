"""What holds for every network: its contract, and what it can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from vidfit.errors import BackboneError, ModelError
from vidfit.networks import NETWORKS, Network, Shape, build
from vidfit.networks.clips import Clips
from vidfit.testing import check_network
from vidfit.testing.networks import small_clips, small_shape

BLIND_TO_TIME = {"mean", "attention", "cnn"}


@pytest.mark.parametrize("name", NETWORKS)
def test_keeps_its_contract(name):
    check_network(name)


@pytest.mark.parametrize("name", NETWORKS)
def test_sees_time_unless_it_pools_a_set(name):
    torch.manual_seed(0)
    network, clips = build(name, small_shape(name)).eval(), small_clips(name, 4, 6)
    backwards = Clips(
        tokens_BND=None if clips.tokens_BND is None else clips.tokens_BND.flip(1),
        frames_BVTHWC=None if clips.frames_BVTHWC is None else clips.frames_BVTHWC.flip(2),
        text_BL=clips.text_BL,
    )
    with torch.no_grad():
        difference = float((network(clips) - network(backwards)).abs().max())
    assert (difference < 1e-6) == (name in BLIND_TO_TIME)


@pytest.mark.parametrize("name", NETWORKS)
def test_starts_unsure(name):
    torch.manual_seed(0)
    with torch.no_grad():
        logits_BK = build(name, small_shape(name)).eval()(small_clips(name, 8, 6))
    assert torch.softmax(logits_BK, dim=1).max() < 0.6


@pytest.mark.parametrize("name", NETWORKS)
def test_a_clip_of_nothing_but_padding_leaves_the_others_alone(name):
    torch.manual_seed(0)
    network, clips = build(name, small_shape(name)).eval(), small_clips(name, 2, 6)
    present_BN = torch.tensor([[False] * 6, [True] * 6])
    with torch.no_grad():
        expected_BK = network(clips)
        found_BK = network(Clips(clips.tokens_BND, present_BN, clips.frames_BVTHWC, clips.text_BL))
    assert found_BK.isfinite().all()
    torch.testing.assert_close(found_BK[1], expected_BK[1])


@pytest.mark.parametrize("name", NETWORKS)
def test_without_what_it_sees_it_says_so(name):
    with pytest.raises(BackboneError, match=f"looks at {NETWORKS[name].sees}, and received"):
        build(name, small_shape(name))(Clips(text_BL=torch.ones(1, 3, dtype=torch.int64)))


# torch says so of its own nn.LSTM.
@pytest.mark.filterwarnings("ignore:The tensor attributes .* were assigned during export")
@pytest.mark.parametrize("name", NETWORKS)
def test_can_be_exported_for_other_lengths_of_batch(name):
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.network = build(name, replace(small_shape(name), layers=1)).eval()

        def forward(self, seen):
            field = "tokens_BND" if NETWORKS[name].sees == "tokens" else "frames_BVTHWC"
            return self.network(Clips(**{field: seen}))

    clips, others = small_clips(name, 3, 6), small_clips(name, 5, 6, seed=1)
    seen, other = (c.tokens_BND if c.tokens_BND is not None else c.frames_BVTHWC
                   for c in (clips, others))  # fmt: skip
    plain = Plain().eval()
    program = torch.export.export(plain, (seen,), dynamic_shapes=({0: torch.export.Dim("B")},))
    with torch.no_grad():
        # Another order of float32 sums, at most.
        torch.testing.assert_close(program.module()(other), plain(other), atol=1e-5, rtol=1e-5)


# ---------------------------------------------------------------- the table, and the check itself


def test_an_unknown_network_is_refused_with_a_suggestion():
    with pytest.raises(BackboneError, match="did you mean 'transformer'"):
        build("transfomer", Shape(dim=3, tokens=2, classes=2))
    with pytest.raises(ModelError, match="Unknown network 'x'; there are mean"):
        check_network("x")


class Wrong(nn.Module):
    """The mean of the tokens, with one promise broken."""

    def __init__(self, shape, fault):
        super().__init__()
        self.fault = fault
        self.layer = nn.Linear(shape.dim, shape.classes)
        if fault == "idle":
            self.idle = nn.Parameter(torch.zeros(1))

    def forward(self, clips):
        tokens_BND, present_BN = clips.tokens_BND, clips.present_BN
        if present_BN is None or self.fault == "padding":
            present_BN = torch.ones(tokens_BND.shape[:2], dtype=torch.bool)
        weight_BN1 = present_BN[..., None].float()
        pooled_BD = (tokens_BND * weight_BN1).sum(1) / weight_BN1.sum(1)
        if self.fault == "others":
            pooled_BD = pooled_BD - pooled_BD.mean(0)
        if self.fault == "random":
            pooled_BD = nn.functional.dropout(pooled_BD)
        if self.fault == "deaf":
            pooled_BD = 0 * pooled_BD + 1
        logits_BK = self.layer(pooled_BD)
        return logits_BK.double() if self.fault == "double" else logits_BK


@pytest.mark.parametrize(
    ("fault", "complaint"),
    [
        ("padding", "padding around 1 of 6 tokens changes the logits"),
        ("others", "a clip alone is answered otherwise"),
        ("random", "the same clips gave other logits"),
        ("deaf", "after 80 steps on which of two patterns is there the loss is"),
        ("double", r"logits of 4 clips of 6 are torch.float64 \(4, 3\), not float32"),
        ("idle", "no gradient reaches idle"),
    ],
)
def test_the_check_tells_what_is_wrong(fault, complaint, monkeypatch):
    monkeypatch.setitem(NETWORKS, "wrong", Network("wrong:Wrong"))
    monkeypatch.setattr("vidfit.testing.networks.build", lambda name, shape: Wrong(shape, fault))
    with pytest.raises(ModelError, match=complaint):
        check_network("wrong")
