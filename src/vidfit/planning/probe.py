"""The process that runs steps for a plan: ``python -m vidfit.planning.probe < request.json``.

Planning runs it as a child (`vidfit.planning.child`): a network that takes all memory, or that
crashes, takes the child with it and not the plan; and only a fresh process tells how much memory
it came to hold.
"""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import (
    FlopCounterMode,
    conv_flop_count,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

from vidfit.documents import json_in, to_json
from vidfit.hardware import forget_peak, peak_bytes, resident_bytes
from vidfit.networks.step import classified, main_blocks
from vidfit.networks.tuned import Tuned, checkpoint_blocks
from vidfit.planning.memory import Sizes
from vidfit.planning.tracker import PeakTracker, held, without_numbers
from vidfit.planning.trial import Trainee, take_steps
from vidfit.plans import Layout, Recipe
from vidfit.runtime import malloc


def main() -> None:
    """Answer the request on standard input with JSON on standard output."""
    request = json_in(sys.stdin.read())
    # What a network prints must not be taken for the answer.
    answer_to, sys.stdout = sys.stdout, sys.stderr
    torch.set_num_threads(request["threads"])
    if request["kind"] == "real":
        _prepare(request)
    recipe = Recipe(**request["recipe"])
    runs = [Layout(**layout) for layout in request["layouts"]]
    answer = (
        _dry(request, recipe, runs) if request["kind"] == "dry" else _real(request, recipe, runs)
    )
    answer_to.write(to_json(answer))


def _prepare(request: Mapping[str, Any]) -> None:
    """Set the allocator as training does, load its code, and set the limit."""
    import resource

    malloc.tune()
    malloc.share_heap()
    for module in request["code"]:
        importlib.import_module(module)
    limit = request["limit_bytes"]
    if limit:
        malloc.pad_little()
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _dry(request: Mapping[str, Any], recipe: Recipe, layouts: list[Layout]) -> dict[str, Any]:
    """Run on shapes alone; layouts that differ in checkpointing get a network each."""
    found: dict[str, Any] = {"runs": []}
    made: dict[bool, tuple[Trainee, FakeTensorMode, float]] = {}
    for layout in layouts:
        if layout.checkpointing not in made:
            trainee, mode = (
                _trainee(request, layout.checkpointing),
                FakeTensorMode(allow_non_fake_inputs=True),
            )
            found.setdefault("facts", asdict(_facts(trainee)))
            without_numbers(trainee.network, mode)
            with mode:
                made[layout.checkpointing] = trainee, mode, count_flops(trainee)
        trainee, mode, flops = made[layout.checkpointing]
        with mode, PeakTracker(held(trainee.network)) as tracker:
            take_steps(trainee, recipe, layout)
        gc.collect()
        found["runs"].append({"peak_bytes": tracker.peak_bytes, "flops_a_clip": flops})
    return found


def _real(request: Mapping[str, Any], recipe: Recipe, layouts: list[Layout]) -> dict[str, Any]:
    """Run one layout with numbers: seconds, and by how much resident memory rises."""
    (layout,) = layouts
    forget_peak()
    base_bytes = resident_bytes()
    trainee = _trainee(request, layout.checkpointing)
    times = take_steps(trainee, recipe, layout)
    run = {
        "base_bytes": base_bytes,
        "taken_bytes": peak_bytes() - base_bytes,
        "micro_seconds": min(times.micro),
        "update_seconds": min(times.update),
    }
    return {"facts": asdict(_facts(trainee)), "runs": [run]}


def _trainee(request: Mapping[str, Any], checkpointing: bool) -> Trainee:
    module, _, name = request["target"].partition(":")
    trainee: Trainee = getattr(importlib.import_module(module), name)(request["arguments"])
    if checkpointing and isinstance(trainee.network, Tuned):
        checkpoint_blocks(trainee.network.encoder)
    return trainee


def _facts(trainee: Trainee) -> Sizes:
    network = trainee.network
    learned = sum(_bytes(p) for p in network.parameters() if p.requires_grad)
    blocks = main_blocks(network.encoder) if isinstance(network, Tuned) else []
    return Sizes(
        weights_bytes=sum(map(_bytes, held(network))),
        learned_bytes=learned,
        block_bytes=max((sum(map(_bytes, b.parameters())) for b in blocks), default=0),
        blocks=len(blocks),
    )


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


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


if __name__ == "__main__":
    main()
