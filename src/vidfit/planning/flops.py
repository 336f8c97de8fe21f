"""Floating-point operations of training on a clip: forward, backward, what is computed again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from vidfit.networks.step import classified
from vidfit.planning.trial import Trainee

_ATEN: Any = torch.ops.aten


def count_flops(trainee: Trainee) -> float:
    """Return operations of a clip; a multiply-accumulate counts as two.

    torch's counter knows neither attention nor LSTMs as CPUs run them, and counts the weights'
    gradient of a grouped convolution as if it had one group: 14 times EfficientNet-Lite0.
    """
    known = {
        _ATEN.convolution_backward: _convolution_backward,
        _ATEN._scaled_dot_product_flash_attention_for_cpu: _attention,
        _ATEN._scaled_dot_product_flash_attention_for_cpu_backward: _attention_backward,
        _ATEN.mkldnn_rnn_layer: _lstm,
        _ATEN.mkldnn_rnn_layer_backward: _lstm_backward,
    }
    clips = trainee.batch(1)
    target_BK = torch.full((1, trainee.classes), 1.0 / trainee.classes)
    with FlopCounterMode(display=False, custom_mapping=known) as counter:
        loss = classified(trainee.network(clips), target_BK, 1.0)
        loss.backward()  # type: ignore[no-untyped-call]
    trainee.network.zero_grad()
    return float(counter.get_total_flops())


Size = Sequence[int]


def _convolution_backward(grad_out: Size, x: Size, weight: Size, *rest: Any, **_: object) -> int:  # noqa: ANN401
    """Each of the two gradients takes as much as the forward convolution."""
    transposed, wanted = rest[4], rest[7]
    forward = conv_flop_count([*x], [*weight], [*grad_out], transposed=transposed)
    return int(forward * (wanted[0] + wanted[1]))


def _attention(query: Size, key: Size, value: Size, *_: object, **__: object) -> int:
    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def _attention_backward(
    grad: Size, query: Size, key: Size, value: Size, *_: object, **__: object
) -> int:
    return int(sdpa_backward_flop_count(grad, query, key, value))  # type: ignore[no-untyped-call]


def _lstm(x: Size, w_in: Size, w_state: Size, *_: object, **__: object) -> int:
    """Four gates, each a product with the input and one with the state."""
    return 2 * x[0] * x[1] * (w_in[0] * w_in[1] + w_state[0] * w_state[1])


def _lstm_backward(x: Size, w_in: Size, w_state: Size, *_: object, **__: object) -> int:
    return 2 * _lstm(x, w_in, w_state)
