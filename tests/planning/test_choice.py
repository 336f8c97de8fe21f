from __future__ import annotations

from dataclasses import replace

import pytest

from vidfit.errors import BudgetError
from vidfit.planning.choice import MARGIN, Setting, choose, layout_reasons
from vidfit.planning.loading import shard_clips_for, waiting_seconds, workers_for
from vidfit.planning.measured import Known
from vidfit.planning.memory import Line, Resident, Sizes
from vidfit.plans import Data, Layout, Machine, Recipe

MIB = 2**20
PEAKS = {False: Line(100 * MIB, 50 * MIB), True: Line(100 * MIB, 10 * MIB)}
KNOWN = Known(
    Sizes(20 * MIB, 20 * MIB, 2 * MIB, 10),
    PEAKS,
    PEAKS,
    {False: 3e9, True: 4e9},
    clip_seconds=1.0,
    update_seconds=0.1,
    resident={again: Resident(200 * MIB, 0.0, 1.15) for again in (False, True)},
)
DATA = Data(320, 4, 80, 8)
CPU = Machine("here", "cpu", 1, 8192 * MIB, {"fp32": 1e11}, 1e10, 4)
SETTING = Setting(KNOWN, Recipe(epochs=10), DATA, CPU, 32)


def limited(mib, setting=SETTING):
    machine = replace(setting.machine, memory_bytes=int(mib * MIB / (1 - MARGIN)) + 1)
    return replace(setting, machine=machine)


def test_a_batch_that_fits_needs_neither_accumulation_nor_checkpointing():
    chosen, *others = choose(SETTING)
    assert chosen.layout == replace(Layout(32), shard_clips=chosen.layout.shard_clips)
    assert chosen.predicted.step_seconds == pytest.approx(32 + 0.1)
    assert chosen.predicted.total_seconds == pytest.approx(100 * 32.1)
    assert {o.layout.micro_batch for o in others if not o.layout.checkpointing} == {1, 2, 4, 8, 16}


def test_the_largest_micro_batch_that_fits_is_evened_out_over_the_batch():
    # 200 of the process and 1.15 (100 + 50 b) of tensors: 11 fit, so that 32 need three of 11.
    chosen = choose(limited(1000))[0]
    assert (chosen.layout.micro_batch, chosen.layout.accumulation) == (11, 3)
    assert chosen.predicted.peak_bytes <= 800 * MIB


def test_checkpointing_is_taken_where_nothing_else_fits():
    chosen = choose(limited(370))[0]  # 147 for tensors: no plain clip, four computed again
    assert chosen.layout.checkpointing and chosen.layout.micro_batch == 4
    refused = [o for o in choose(limited(370)) if o.refused]
    assert refused and "needs 0.17 GiB" in refused[0].refused


def test_what_fits_nowhere_is_refused_with_what_it_needs():
    with pytest.raises(BudgetError, match=r"one clip at a time needs 0.34 GiB. Give more memory"):
        choose(limited(300))


def test_what_lived_in_real_runs_is_the_most_whatever_the_law_says():
    chosen, *others = choose(replace(SETTING, alive={False: 5, True: 0}))
    assert (chosen.layout.micro_batch, chosen.layout.accumulation) == (5, 7)
    refused = [o for o in others if not o.layout.checkpointing and o.refused]
    assert {o.layout.micro_batch for o in refused} == {8, 16, 32}
    assert "in real runs no more than 5 clips lived" in refused[0].refused


@pytest.mark.parametrize(("mib", "sharding"), [(8192, "ddp"), (1040, "fsdp")])
def test_several_devices_share_weights_only_where_they_must(mib, sharding):
    big = replace(
        KNOWN,
        sizes=replace(KNOWN.sizes, weights_bytes=100 * MIB, learned_bytes=100 * MIB),
        peaks={False: Line(500 * MIB, 50 * MIB)},
        alone={False: Line(500 * MIB, 50 * MIB)},
        flops_a_clip={False: 3e9},
    )
    gpu = Machine("gpu x 4", "cuda", 4, mib * MIB, {"fp32": 1e12}, 1e12, 16, described=True)
    chosen = choose(replace(SETTING, known=big, machine=gpu))[0]
    assert chosen.layout.sharding == sharding and chosen.layout.processes == 4
    assert chosen.layout.batch_clips == 32
    assert chosen.predicted.step_seconds > 0


def test_each_field_of_the_layout_has_a_reason():
    chosen = choose(SETTING)[0]
    reasons = layout_reasons(SETTING, chosen)
    assert set(reasons) == {f for f in Layout.__dataclass_fields__ if f != "processes"}
    assert all(reasons.values())


def test_readers_are_as_few_as_keep_the_waiting_small():
    data, layout = replace(DATA, read_seconds=0.1), Layout(16)
    gpu = replace(CPU, device="cuda", cores=8)
    assert waiting_seconds(layout, data, gpu, 1.0) == pytest.approx(1.6)
    assert workers_for(layout, data, gpu, 1.0) == 2  # 0.8 s each, beside a step of 1 s
    assert workers_for(layout, DATA, gpu, 1.0) == 0
    # Readers take their part of the cores of a CPU.
    with_readers = replace(layout, loader_workers=2)
    assert waiting_seconds(with_readers, data, CPU, 1.0) == pytest.approx(1.6 / 4)


@pytest.mark.parametrize(("clips", "shard"), [(10, 16), (320, 64), (100_000, 256)])
def test_shards_are_several_for_each_reader(clips, shard):
    assert shard_clips_for(replace(DATA, clips=clips), Layout()) == shard


def test_clips_without_a_label_take_time_but_no_memory():
    taught = replace(SETTING, recipe=replace(SETTING.recipe, unlabelled_ratio=2, ema=0.99))
    chosen, before = choose(taught)[0], choose(SETTING)[0]
    assert chosen.layout == before.layout  # which counts clips with a label
    # Two thirds more a clip without a label: it is answered, then learned.
    assert chosen.predicted.step_seconds == pytest.approx(32 * (1 + 2 * 4 / 3) + 0.1)
    assert chosen.predicted.total_seconds == pytest.approx(100 * (32 * (1 + 2 * 4 / 3) + 0.1))
    assert chosen.predicted.peak_bytes == before.predicted.peak_bytes


def test_reading_clips_without_a_label_is_waited_for():
    slow = replace(SETTING, data=replace(DATA, read_seconds=1.0), machine=replace(CPU, cores=1))
    taught = replace(slow, recipe=replace(SETTING.recipe, unlabelled_ratio=2, ema=0.99))
    waits = [
        o.predicted.step_seconds * o.predicted.waiting_share / (1 - o.predicted.waiting_share)
        for o in (choose(slow)[0], choose(taught)[0])
    ]
    assert waits == pytest.approx([32, 96])
