import copy

import torch
from tests.pixels.generate.clips import SIZES, bank

from vidfit.pixels.generate.polish import ClipCritic, PolishStart, PolishTrainee, disturbed
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.vae import VideoVae, active_dimensions, decibels, vae_trainee
from vidfit.pixels.learn import StepBudget, learn


def trained(folder, stops):
    torch.manual_seed(0)
    start = PolishStart(VideoVae(SIZES), LatentFlow(SIZES), bank(), SIZES)
    before = copy.deepcopy(start.vae.state_dict())
    trainee, asked = PolishTrainee(start), iter(stops)
    done = learn(
        trainee, StepBudget(steps=12), run="x", folder=folder, stop=lambda: next(asked, False)
    )
    return trained(folder, []) if done is None else (before, start.vae.state_dict())


def test_two_that_play_against_each_other_go_on_to_the_bit(tmp_path):
    before, whole = trained(tmp_path / "a", [])
    _, parts = trained(tmp_path / "b", [False] * 6 + [True])
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    changed = {name for name in whole if not torch.equal(whole[name], before[name])}
    assert changed and all(name.startswith("decoder") for name in changed)


def test_clips_are_shifted_and_brightened_as_a_whole():
    torch.manual_seed(0)
    clips = torch.zeros(4, 12, 16, 16)
    clips[:, :, 8, 8] = 1
    moved = disturbed(clips)
    assert moved.shape == clips.shape
    for clip in moved:
        assert all(torch.equal(frame, clip[0]) for frame in clip)
    assert not torch.equal(moved[0], moved[1])


def test_a_critic_of_clips_without_classes_takes_none():
    from dataclasses import replace

    critic = ClipCritic(replace(SIZES, classes=(), shares=()))
    assert critic(torch.zeros(3, 12, 16, 16), torch.zeros(3, 0)).shape == (3,)


def test_a_vae_learns_what_clips_look_like():
    torch.manual_seed(0)
    vae, clips = VideoVae(SIZES), bank()
    before = decibels(vae, clips, 2)
    found = learn(vae_trainee(vae, clips, 2), StepBudget(steps=80), run="x")
    assert found.losses[-1] < found.losses[0]
    assert decibels(vae, clips, 2) > before + 2
    assert active_dimensions(torch.tensor([[0.0, 1.0], [0.0, -1.0]])) == 1
