"""The arithmetic and the simulation behind the figures of `benchmarks.scale`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from benchmarks import _cluster_model as model
from benchmarks._cluster_model import Cluster, Overhead, PerClip
from benchmarks._cluster_tail import Fleet, part_clips, part_seconds, simulate

CLIP = PerClip(core_seconds=0.5, read_bytes=900.0, written_bytes=100.0, video_seconds=2.0)
FREE = Overhead()
WIDE = Cluster(executors=4, cores=8, storage_bytes_a_second=1e12, network_bytes_a_second=1e12)


def rng():
    return np.random.default_rng(0)


def test_the_slowest_resource_sets_the_pace():
    served = model.limits(CLIP, FREE, WIDE, 256)
    assert served[model.CORES] == 32 / 0.5
    assert model.saturated(served) == model.CORES
    assert model.seconds(6400, CLIP, FREE, WIDE, 256) == pytest.approx(100)


@pytest.mark.parametrize(
    ("overhead", "cluster", "name", "served"),
    [
        (FREE, replace(WIDE, storage_bytes_a_second=10_000), model.STORAGE, 10),
        (FREE, replace(WIDE, network_bytes_a_second=10_000), model.NETWORK, 40),
        (Overhead(item_driver_seconds=0.1), WIDE, model.DRIVER, 10),
        (Overhead(dispatch_seconds=25.6), WIDE, model.DRIVER, 10),
        (Overhead(part_core_seconds=128.0), WIDE, model.CORES, 32),
    ],
)
def test_each_resource_can_be_the_first_to_give_out(overhead, cluster, name, served):
    found = model.limits(CLIP, overhead, cluster, 256)
    assert model.saturated(found) == name
    assert found[name] == pytest.approx(served)


def test_what_the_driver_does_alone_is_added_and_not_hidden():
    overhead = Overhead(item_driver_seconds=0.01, start_seconds=5.0)
    alone = model.seconds(6400, CLIP, overhead, WIDE, 256)
    assert alone == pytest.approx(5 + 64 + 100)


def test_executors_add_up_until_storage_is_spent():
    cluster = replace(WIDE, storage_bytes_a_second=100_000)
    paces = [
        6400 / model.seconds(6400, CLIP, FREE, replace(cluster, executors=n), 256)
        for n in (1, 2, 4, 8, 16)
    ]
    assert paces == pytest.approx([16, 32, 64, 100, 100])


def test_an_hour_of_video_is_so_many_clips():
    assert CLIP.clips_a_video_hour == 1800


def test_parts_are_as_spark_cuts_them():
    assert part_clips(10_000, slots=8, largest=256, parts_a_slot=8) == 157
    assert part_clips(10**7, slots=8, largest=256, parts_a_slot=8) == 256
    assert part_clips(3, slots=8, largest=256, parts_a_slot=8) == 1


@pytest.mark.parametrize("size", [1, 20, 256])
def test_drawn_parts_have_the_work_of_their_clips(size):
    measured_M = np.random.default_rng(1).lognormal(-1, 1, 100)
    clips = 20_011
    for ordered in (True, False):
        seconds_P = part_seconds(measured_M, clips, size, rng(), ordered=ordered)
        assert len(seconds_P) == -(-clips // size)
        assert seconds_P.sum() == pytest.approx(clips * measured_M.mean(), rel=0.03)


def test_groups_of_uneven_size_count_by_their_clips():
    measured_M = np.linspace(9, 1, 48)  # 20 groups of two or three
    assert part_seconds(measured_M, 10**6, 100, rng()).mean() == pytest.approx(500, rel=0.005)


def test_drawn_parts_come_largest_first():
    seconds_P = part_seconds(np.linspace(2, 1, 40), 40_000, 100, rng())
    assert seconds_P[:20].mean() == pytest.approx(200, rel=0.05)
    assert seconds_P[-20:].mean() == pytest.approx(100, rel=0.05)


def test_equal_parts_that_fill_the_slots_lose_nothing():
    run = simulate(np.full(32, 10.0), Fleet(2, 2), rng())
    assert (run.seconds, run.efficiency, run.lost_parts) == (80, 1, 0)


def test_one_part_too_many_costs_a_whole_round():
    assert simulate(np.full(33, 10.0), Fleet(2, 2), rng()).seconds == 90


def test_the_simulated_order_is_greedy():
    # By hand: 5 and 4 start; 3 follows 4, 3 follows 5: they end at 7 and 8.
    assert simulate(np.array([5.0, 4.0, 3.0, 3.0]), Fleet(1, 2), rng()).seconds == 8


def test_start_and_hand_out_are_waited_for():
    fleet = Fleet(1, 100, start_seconds=7.0, dispatch_seconds=1.0)
    assert simulate(np.full(100, 0.5), fleet, rng()).seconds == pytest.approx(7 + 99 + 0.5)


def test_what_a_lost_executor_ran_is_done_again():
    fleet = Fleet(50, 4, losses_an_hour=1.0)
    seconds_P = np.full(20_000, 36.0)
    run = simulate(seconds_P, fleet, rng())
    calm = simulate(seconds_P, replace(fleet, losses_an_hour=0.0), rng())
    # 50 executors, an hour of work: about 50 losses, of 4 running parts each.
    assert run.lost_parts == pytest.approx(200, rel=0.3)
    assert 0.9 < run.efficiency < calm.efficiency == 1
    slow = simulate(seconds_P, replace(fleet, look_seconds=3600.0), rng())
    assert slow.efficiency < run.efficiency


def test_a_simulation_is_the_same_again():
    fleet = Fleet(8, 2, losses_an_hour=5.0)
    seconds_P = part_seconds(np.linspace(2, 1, 40), 40_000, 100, rng())
    assert simulate(seconds_P, fleet, rng()) == simulate(seconds_P, fleet, rng())


def test_losses_that_let_no_part_end_are_refused():
    with pytest.raises(ValueError, match="fewer, or smaller parts"):
        simulate(np.full(4, 3600.0), Fleet(1, 1, losses_an_hour=6.0), rng())
