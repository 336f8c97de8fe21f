from __future__ import annotations

import numpy as np
import pytest

from vidfit.planning.memory import (
    Line,
    Resident,
    Sizes,
    keep_pairs,
    learned_resident,
    line,
    rank_bytes,
    read_pairs,
)
from vidfit.plans import Layout, Machine, Recipe

SIZES = Sizes(400, 400, 40, 10, 1)
GPU = Machine("gpu", "cuda", 4, 2**34, {"fp32": 1e12}, 1e12, 8, described=True)
CPU = Machine("cpu", "cpu", 1, 2**34, {"fp32": 1e12}, 1e12, 8)


def test_a_line_finds_its_largest_micro_batch():
    law = line((1, 8), (110.0, 180.0))
    assert law == Line(100.0, 10.0)
    assert (law.most(135), law.most(140), law.most(99)) == (3, 4, 0)
    assert line((1, 2), (5.0, 3.0)) == Line(3.0, 0.0)  # never falling


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


def test_no_run_that_was_seen_lies_above_the_learned_law():
    rng = np.random.default_rng(0)
    peaks = rng.uniform(1e8, 1e9, 20)
    resident = 4e8 + 1.1 * peaks + rng.normal(0, 1e7, 20)
    law = learned_resident(list(zip(peaks, resident, strict=True)))
    assert law.factor == pytest.approx(1.1, abs=0.05)
    assert all(law.of(p) >= r - 1 for p, r in zip(peaks, resident, strict=True))
    assert law.room(law.of(5e8)) == pytest.approx(5e8)


def test_one_run_moves_the_base_and_none_leaves_the_usual():
    assert learned_resident([]) == Resident()
    law = learned_resident([(1e8, 6e8)])
    assert law.of(1e8) == pytest.approx(6e8) and law.factor == Resident().factor


def test_runs_are_kept_and_damage_is_no_harm(tmp_path):
    assert read_pairs(tmp_path) == []
    keep_pairs(tmp_path, [(float(i), 1.0) for i in range(100)])
    assert read_pairs(tmp_path)[-1] == (99.0, 1.0) and len(read_pairs(tmp_path)) == 40
    (tmp_path / "resident.json").write_text("[[1]]")
    assert read_pairs(tmp_path) == []
