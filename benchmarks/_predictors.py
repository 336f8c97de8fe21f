"""Small networks that learn what normal video looks like: what they get wrong is unusual.

``predictor`` is a recurrent network (a convolutional GRU, after Ballas et al. 2016, "Delving deeper
into convolutional networks for learning video representations") that says the next frame;
``autoencoder`` draws a frame through a narrow passage. The regularizer of the predictor asks that
what it says from noisy frames agrees with what it says from clean ones.

The predictor is none of `vidfit.pixels.forecast`: those say probabilities of square frames, learned
by cross-entropy, and on video that mostly stands still they begin as the last frame. What is asked
here is how noise gets through a state alone, over a background that is learned.

Shape letters: B clips, T frames, H and W pixels, E channels, F frames of a video.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vidfit.contracts import Floats

HEIGHT, WIDTH = 64, 96
CLIP_FRAMES, BATCH, WIDTH_E = 8, 8, 32
NOISE = 0.1


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; ``consistency`` weighs the regularizer, 0 is without."""

    recurrent: bool = True
    consistency: float = 0.0
    steps: int = 300
    learning_rate: float = 2e-3


class Predictor(nn.Module):
    """Frames [B, T, H, W] to the frame after each, [B, T, H, W].

    What it says is drawn over a background that is learned for each pixel, and nothing of a frame
    goes past the state: else its noise would, whatever is asked of the state.
    """

    def __init__(self, background_HW: Floats) -> None:
        super().__init__()
        self.background = nn.Parameter(torch.from_numpy(background_HW))
        self.see = encoder()
        self.gates = nn.Conv2d(2 * WIDTH_E, 2 * WIDTH_E, 3, padding=1)
        self.state = nn.Conv2d(2 * WIDTH_E, WIDTH_E, 3, padding=1)
        self.say = decoder()

    def forward(self, frames_BTHW: Tensor) -> Tensor:
        seen = self.see(frames_BTHW.flatten(0, 1)[:, None])
        seen_BTEHW = seen.unflatten(0, frames_BTHW.shape[:2])
        state = torch.zeros_like(seen_BTEHW[:, 0])
        states = []
        for now in seen_BTEHW.unbind(1):
            reset, keep = torch.sigmoid(self.gates(torch.cat([now, state], 1))).chunk(2, 1)
            new = torch.tanh(self.state(torch.cat([now, reset * state], 1)))
            state = keep * state + (1 - keep) * new
            states.append(state)
        drawn = self.say(torch.stack(states, 1).flatten(0, 1))[:, 0]
        said: Tensor = self.background + drawn.unflatten(0, frames_BTHW.shape[:2])
        return said


class Autoencoder(nn.Module):
    """Frames [B, T, H, W] to themselves, each alone, through four channels."""

    def __init__(self, background_HW: Floats) -> None:
        super().__init__()
        self.background = nn.Parameter(torch.from_numpy(background_HW))
        self.see = encoder()
        self.narrow = nn.Sequential(
            nn.Conv2d(WIDTH_E, 4, 3, stride=2, padding=1), nn.ReLU(),
            nn.Conv2d(4, 4 * WIDTH_E, 3, padding=1), nn.PixelShuffle(2), nn.ReLU(),
        )  # fmt: skip
        self.say = decoder()

    def forward(self, frames_BTHW: Tensor) -> Tensor:
        drawn = self.say(self.narrow(self.see(frames_BTHW.flatten(0, 1)[:, None])))[:, 0]
        said: Tensor = self.background + drawn.unflatten(0, frames_BTHW.shape[:2])
        return said


class Background(nn.Module):
    """Any frames to the mean picture of what was learned from: what a network must beat."""

    def __init__(self, background_HW: Floats) -> None:
        super().__init__()
        self.background = nn.Parameter(torch.from_numpy(background_HW))

    def forward(self, frames_BTHW: Tensor) -> Tensor:
        return self.background.expand_as(frames_BTHW)


def mean_picture(videos: Sequence[Floats]) -> Trained:
    """Return the mean picture as a network that was not trained."""
    return Trained(Background(_mean_of(videos)), False, 0.0)


def _mean_of(videos: Sequence[Floats]) -> Floats:
    return np.mean([video.mean(axis=0) for video in videos], axis=0).astype(np.float32)


def encoder() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(),
        nn.Conv2d(16, WIDTH_E, 3, stride=2, padding=1), nn.ReLU(),
    )  # fmt: skip


def decoder() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(WIDTH_E, 4 * 16, 3, padding=1), nn.PixelShuffle(2), nn.ReLU(),
        nn.Conv2d(16, 4, 3, padding=1), nn.PixelShuffle(2),
    )  # fmt: skip


@dataclass(frozen=True)
class Trained:
    """A network, and the seconds of the processor that its training took."""

    network: nn.Module
    recurrent: bool
    cpu_seconds: float


def trained(videos: Sequence[Floats], recipe: Recipe, seed: int = 0) -> Trained:
    """Train on videos [F, H, W] of values in [0, 1] by Adam, under one cosine."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network: nn.Module = (Predictor if recipe.recurrent else Autoencoder)(_mean_of(videos))
    optimiser = torch.optim.Adam(network.parameters(), recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.steps)
    started = time.process_time()
    for _ in range(recipe.steps):
        clips = torch.from_numpy(_drawn(videos, rng))
        seen, asked = (clips[:, :-1], clips[:, 1:]) if recipe.recurrent else (clips, clips)
        said = network(seen)
        loss = functional.mse_loss(said, asked)
        if recipe.consistency:
            strength = 2 * NOISE * torch.rand(len(seen), 1, 1, 1)
            again = network(seen + strength * torch.randn_like(seen))
            loss = loss + recipe.consistency * functional.mse_loss(again, said)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    return Trained(network.eval(), recipe.recurrent, time.process_time() - started)


def errors(trained: Trained, video_FHW: Floats, square: int) -> Floats:
    """Return what the network gets wrong by frame and square of pixels, [F, squares].

    Differences are averaged over squares before they are squared: the larger a square is, the less
    is left of noise that differs from pixel to pixel, and of small things.
    """
    with torch.no_grad():
        frames = torch.from_numpy(video_FHW)
        wrong = _said(trained, video_FHW) - frames[1 if trained.recurrent else 0 :]
        wrong = torch.cat([wrong[:1], wrong]) if trained.recurrent else wrong
        smooth = functional.avg_pool2d(wrong[:, None], square) ** 2
    result: Floats = smooth.flatten(1).numpy()
    return result


def sway(trained: Trained, clean_FHW: Floats, noisy_FHW: Floats) -> float:
    """Return how far noise moves what the network says, as a share of the noise's variance."""
    with torch.no_grad():
        moved = _said(trained, noisy_FHW) - _said(trained, clean_FHW)
    return float((moved**2).mean()) / float(((noisy_FHW - clean_FHW) ** 2).mean())


def _said(trained: Trained, video_FHW: Floats) -> Tensor:
    frames = torch.from_numpy(video_FHW)[None]
    said: Tensor = trained.network(frames[:, :-1] if trained.recurrent else frames)[0]
    return said


def _drawn(videos: Sequence[Floats], rng: np.random.Generator) -> Floats:
    clips = []
    for _ in range(BATCH):
        video = videos[int(rng.integers(len(videos)))]
        start = rng.integers(len(video) - CLIP_FRAMES)
        clips.append(video[start : start + CLIP_FRAMES])
    return np.stack(clips)
