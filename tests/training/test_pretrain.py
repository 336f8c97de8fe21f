"""What is hidden is learned without a label, and the trunk goes where it belongs, bit by bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.training.regimes import NONE, longer, plan_of

from vidfit.errors import BackboneError
from vidfit.networks import Shape, build
from vidfit.networks.masked import MaskedVideo
from vidfit.training.clipset import ClipSet
from vidfit.training.parallel import launch
from vidfit.training.pretrain import MaskedLosses, load_trunk, mean_loss, pretrain
from vidfit.training.state import Run

SHAPE = Shape(dim=0, tokens=4, classes=2, width=24, layers=1, heads=2, dropout=0.1)
RECIPE = longer(4, learning_rate=3e-3, ema=0.0)


def stripes(clips=24, side=32):
    """Stripes that move to the right: what is hidden follows from what is seen."""
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 2 * np.pi, (clips, 1, 1, 1))
    time, x = np.arange(4).reshape(4, 1, 1), np.arange(side)
    grey = 127.5 + 100 * np.sin(phase + 0.4 * time + x * (2 * np.pi / 16))
    frames = np.broadcast_to(grey[:, None, ..., None], (clips, 1, 4, side, side, 3))
    return ClipSet(np.full(clips, -1), {"frames": frames.astype(np.uint8)})


def fresh(seed=0, **changes):
    torch.manual_seed(seed)
    return MaskedVideo(replace(SHAPE, **changes), mask_share=0.5)


def learned(masked, clips, recipe=RECIPE, **run):
    plan = plan_of(len(clips.labels_M), recipe, micro_batch=4, accumulation=2)
    rows = np.arange(len(clips.labels_M))
    return pretrain(masked, plan, Run(clips, rows, NONE, **run), launch(plan.layout, "cpu"))


def test_each_clip_has_the_loss_that_it_has_alone():
    masked, clips = fresh().eval(), stripes(3).read(np.arange(3))
    with torch.no_grad():
        for row in range(3):
            one = clips.where(slice(row, row + 1))
            torch.manual_seed(5)
            (found,) = MaskedLosses(masked)(one)
            wanted = masked.loss(one, torch.Generator().manual_seed(5))
            # The same sum in another order.
            assert float(found) == pytest.approx(float(wanted), rel=1e-6)


def test_micro_batches_of_any_size_add_up_and_clips_that_do_not_count_add_nothing():
    losses = torch.tensor([1.0, 2.0, 4.0, 9.0])
    parts = [
        mean_loss(losses[:1], torch.zeros(1, 2), torch.tensor([1]), 3.0),
        mean_loss(losses[1:], torch.zeros(3, 2), torch.tensor([1, 1, 0]), 3.0),
    ]
    assert float(sum(parts)) == pytest.approx(7 / 3)


def test_the_loss_falls_without_a_label_and_the_trunk_loads():
    masked = fresh()
    before = {n: t.clone() for n, t in masked.trunk_state().items()}
    history = learned(masked, stripes(), replace(RECIPE, epochs=30)).history
    # About 1 is what nothing learned costs.
    assert history[0].loss > 0.9
    assert history[-1].loss < 0.6 * history[0].loss
    network = build("video-text", SHAPE)
    answer = {n: t.clone() for n, t in network.state_dict().items() if n.startswith("answer.")}
    load_trunk(network, masked)
    for name, tensor in masked.trunk_state().items():
        assert torch.equal(network.state_dict()[name], tensor)
    assert all(torch.equal(network.state_dict()[n], t) for n, t in answer.items())
    assert any(not torch.equal(before[n], t) for n, t in masked.trunk_state().items())


def test_a_run_that_was_interrupted_hides_the_same(tmp_path):
    asked = iter(range(100))
    recipe = replace(RECIPE, ema=0.9)
    whole, parts = fresh(), fresh()
    learned(whole, stripes(), recipe)
    stopped = learned(parts, stripes(), recipe, folder=tmp_path, stop=lambda: next(asked) == 6)
    assert not stopped.finished
    rest = fresh(seed=1)
    assert learned(rest, stripes(), recipe, folder=tmp_path).finished
    for name, tensor in whole.state_dict().items():
        assert torch.equal(tensor, rest.state_dict()[name])


@pytest.mark.parametrize("changes", [{"width": 48}, {"layers": 2}])
def test_another_trunk_is_refused(changes):
    with pytest.raises(BackboneError, match=r"differs .* 'trunk\."):
        load_trunk(build("video-text", replace(SHAPE, **changes)), fresh())


def test_a_network_without_that_trunk_is_refused():
    with pytest.raises(BackboneError, match="build both with the same Shape"):
        load_trunk(build("mean", replace(SHAPE, dim=3)), fresh())


def test_mixed_clips_are_refused():
    with pytest.raises(ValueError, match=r"Recipe\.mixup is 0\.5"):
        learned(fresh(), stripes(), replace(RECIPE, mixup=0.5))
