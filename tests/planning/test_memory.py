from __future__ import annotations

from vidfit.planning.memory import Line, Sizes, line, rank_bytes
from vidfit.plans import Layout, Machine, Recipe

SIZES = Sizes(400, 400, 40, 10)
GPU = Machine("gpu", "cuda", 4, 2**34, {"fp32": 1e12}, 1e12, 8, described=True)
CPU = Machine("cpu", "cpu", 1, 2**34, {"fp32": 1e12}, 1e12, 8)


def test_a_line_goes_through_its_points_and_never_falls():
    law = line((1, 8), (110.0, 180.0))
    assert law == Line(100.0, 10.0)
    assert line((1, 2), (5.0, 3.0)) == Line(3.0, 0.0)


def test_ranks_of_fsdp_share_states_as_zero_does():
    """Rajbhandari et al. (2020), table 1: 16 bytes a parameter over the ranks at stage 3."""
    alone = 400 + 4 * 400 + 1000  # weights, best weights, gradient, two moments, activations
    layout = Layout(sharding="fsdp", processes=4)
    shared = (400 + 3 * 400) / 4
    assert rank_bytes(alone, SIZES, Recipe(), layout, GPU) == 1000 + shared + 4 * 40


def test_ddp_adds_its_buckets_and_one_process_nothing():
    ddp = Layout(sharding="ddp", processes=4)
    assert rank_bytes(3000, SIZES, Recipe(), ddp, CPU) == 3400
    assert rank_bytes(3000, SIZES, Recipe(), Layout(), CPU) == 3000
    # The best weights lie in the host's memory.
    assert rank_bytes(3000, SIZES, Recipe(), Layout(), GPU) == 2600
