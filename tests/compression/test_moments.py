"""Moments of inputs against sums that are added up by hand."""

from __future__ import annotations

import numpy as np
import torch
from tests.compression.pointwise import frames, tiny
from torch import nn

from vidfit.compression.moments import input_moments, is_matrix


def test_moments_are_sums_over_views_and_places():
    network, views = tiny().network, frames()
    matrices = {"trunk.point": network.trunk.point, "trunk.head": network.trunk.head}
    found = input_moments(network, matrices, views)
    seen = []
    hook = network.trunk.point.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    network(torch.from_numpy(views))
    hook.remove()
    places_LI = seen[0].movedim(1, -1).flatten(0, 2).double().numpy()
    np.testing.assert_allclose(found["trunk.point"], places_LI.T @ places_LI, rtol=1e-5)
    assert found["trunk.head"].shape == (32, 32)
    assert not network.trunk.point._forward_pre_hooks


def test_only_plain_linear_layers_and_1x1_convolutions_are_matrices():
    assert is_matrix(nn.Linear(2, 3)) and is_matrix(nn.Conv2d(2, 3, 1, stride=2))
    others = (
        nn.MultiheadAttention(16, 2).out_proj,
        nn.Conv2d(2, 3, 3),
        nn.Conv2d(2, 2, 1, groups=2),
    )
    assert not any(map(is_matrix, others))
