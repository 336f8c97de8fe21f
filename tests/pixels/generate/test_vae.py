import torch
from tests.pixels.generate.clips import SIZES, bank

from vidfit.pixels.generate.vae import VideoVae, active_dimensions, decibels, vae_trainee
from vidfit.pixels.learn import StepBudget, learn


def test_a_vae_learns_what_clips_look_like():
    torch.manual_seed(0)
    vae, clips = VideoVae(SIZES), bank()
    before = decibels(vae, clips, 2)
    found = learn(vae_trainee(vae, clips, 2), StepBudget(steps=80), run="x")
    assert found.losses[-1] < found.losses[0]
    assert decibels(vae, clips, 2) > before + 2
    assert active_dimensions(torch.tensor([[0.0, 1.0], [0.0, -1.0]])) == 1
