"""What a network adds is averaged along the motion, and not across cuts."""

from __future__ import annotations

import numpy as np
from tests.moving import frames

from vidfit.pixels.restore.material import rounded_luma
from vidfit.pixels.restore.steady import Steadied

PLAIN = rounded_luma(frames(count=6, height=96, width=128, seed=4)).astype(np.float32)


def test_errors_of_single_frames_cancel_out():
    rng = np.random.default_rng(0)
    steadied, made, plain = Steadied(), [], []
    for frame in PLAIN:
        noisy = frame + rng.normal(0, 4, frame.shape).astype(np.float32)
        plain.append(np.abs(noisy - frame).mean())
        made.append(np.abs(steadied.add(frame, noisy) - frame).mean())
    assert abs(made[0] - plain[0]) < 0.1
    assert made[-1] < 0.75 * plain[-1]


def test_evened_frames_differ_less_from_those_before():
    rng = np.random.default_rng(0)
    noisy = [frame + rng.normal(0, 4, frame.shape).astype(np.float32) for frame in PLAIN]
    apart = []
    for share in (0.0, 0.5):
        steadied = Steadied(share)
        made = [steadied.add(one, one) for one in noisy]
        # the texture drifts by a pixel each way
        apart.append(np.mean([np.abs(made[t][:-1, :-1] - made[t - 1][1:, 1:]) for t in (4, 5)]))
    assert apart[1] < 0.75 * apart[0]


def test_after_a_cut_it_begins_anew():
    steadied = Steadied()
    steadied.add(PLAIN[0], PLAIN[0] + 10)
    other = np.full_like(PLAIN[0], 20.0)
    other[::2] = 240.0
    made = steadied.add(other, other + 1)
    far = np.abs(PLAIN[0] - other) > 60
    assert np.abs(made - other - 1)[far].mean() < 1.0


def test_another_size_begins_anew():
    steadied = Steadied()
    steadied.add(PLAIN[0], PLAIN[0])
    small = PLAIN[0][:48]
    assert (steadied.add(small, small + 2) == np.clip(small + 2, 0, 255)).all()
