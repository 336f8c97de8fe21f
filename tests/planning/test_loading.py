"""The size of shards: neither so small that they are mostly opened, nor too few for all readers."""

from __future__ import annotations

import pytest

from vidfit.planning.loading import OPEN_SECONDS, shard_choice, shards_of
from vidfit.plans import Data, Layout


def data(clips, read_seconds=0.02):
    return Data(clips, 4, clips // 4, 8, read_seconds)


@pytest.mark.parametrize("readers", [1, 2, 3, 8])
@pytest.mark.parametrize("clips", [10, 300, 5000, 100_000])
def test_every_reader_has_several_shards_where_there_are_clips_enough(clips, readers):
    layout = Layout(processes=readers)
    found = shard_choice(data(clips), layout)
    if clips >= 16 * 4 * readers:
        assert found.shards >= 4 * readers
        assert "4 or more for" in found.reason
    else:
        assert found.clips == 16 and "fewer than 4" in found.reason


def test_the_choice_waits_least_of_those_with_enough_shards():
    layout = Layout(processes=2, loader_workers=4)
    found = shard_choice(data(5000), layout)
    sizes = [shards_of(clips, data(5000), layout) for clips in (16, 32, 64, 128, 256)]
    enough = [c for c in sizes if c.shards >= 32]
    assert found.waiting_share == pytest.approx(min(c.waiting_share for c in enough), abs=1e-4)
    assert f"readers wait {found.waiting_share:.1%} of their time" in found.reason


def test_what_is_waited_for_is_opening_and_readers_with_nothing_left():
    few = shards_of(100, data(500), Layout(processes=4))  # 5 shards: one reader has two
    assert few.idle_share == pytest.approx(1 - 5 / 8)
    assert few.opening_share == pytest.approx(OPEN_SECONDS / (OPEN_SECONDS + 100 * 0.02))
    busy = (1 - few.idle_share) * (1 - few.opening_share)
    assert few.waiting_share == pytest.approx(1 - busy)
    small = shards_of(1, data(500), Layout())
    assert small.opening_share > 0.7 and small.idle_share == 0


def test_readers_never_wait_longer_than_all_of_their_time():
    """One shard of a clip for eight readers: seven have nothing, and one mostly opens."""
    one = shards_of(1, data(1), Layout(loader_workers=8))
    assert one.opening_share + one.idle_share > 1
    assert one.waiting_share == pytest.approx(1 - (1 / 8) * (0.02 / 0.07))
    assert one.size == "1 shard of 1 clip"
