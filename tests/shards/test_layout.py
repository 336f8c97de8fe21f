"""The layout is a function of clips, sizes and split; names are such as every reader takes."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vidfit.contracts import Clip, Preprocessing, Sampling
from vidfit.errors import ManifestError
from vidfit.shards import ShardSize, Unit, layout, units_of
from vidfit.shards.layout import unit_bytes
from vidfit.video import FrameLook

LOOK = FrameLook(Sampling(1, 4), Preprocessing(16, 16))


def units(recordings, sizes=(1000, 50_000, 3), splits=("train", "test")):
    found = []
    for r in range(recordings):
        for c in range(1 + r % 3):
            clip = Clip(f"/c/{r}_{c}.mp4", label="ab"[c % 2], group=f"g{r}", split=splits[r % 2])
            size = sizes[(r + c) % len(sizes)]
            found.append(Unit(f"{r}_{c}", clip.path, f"{r}_{c}.mp4", ".mp4", (clip,), (r,), size))
    return found


@given(st.integers(1, 30), st.integers(2000, 200_000))
@settings(max_examples=40, deadline=None)
def test_every_unit_has_one_place_and_shards_are_full_but_not_fuller(count, most_bytes):
    made = units(count)
    plans = layout(made, ShardSize(most_bytes=most_bytes))
    placed = [unit for plan in plans for unit in plan.units]
    assert sorted(unit.key for unit in placed) == sorted(unit.key for unit in made)
    for plan in plans:
        assert plan.size_bytes <= most_bytes or len(plan.units) == 1
        assert {unit.clips[0].split for unit in plan.units} == {plan.name.partition("-")[0]}
    runs = [unit.clips[0].group for unit in placed]
    starts = [g for i, g in enumerate(runs) if i == 0 or runs[i - 1] != g]
    assert len(starts) == len(set(starts)), "clips of a recording stand together"


def test_the_layout_does_not_hang_on_the_order_of_recordings_and_travels():
    made = units(12)
    plans = layout(made, ShardSize(most_clips=4))
    by_recording = sorted(made, key=lambda unit: unit.clips[0].group, reverse=True)
    assert layout(by_recording, ShardSize(most_clips=4)) == plans
    assert pickle.loads(pickle.dumps(plans)) == plans
    assert max(len(plan.units) for plan in plans) == 4


def test_a_shard_mixes_recordings_of_several_classes():
    made = []
    for unit in units(30):
        clip = replace(unit.clips[0], label=str(unit.rows[0] < 15), split=None)
        made.append(replace(unit, clips=(clip,)))
    first = layout(made, ShardSize(most_clips=12))[0]
    assert first.name == "clips-000000.tar"
    assert {unit.clips[0].label for unit in first.units} == {"True", "False"}


def test_a_split_that_cuts_a_recording_is_refused():
    made = units(4)
    cut = replace(made[-1], clips=(replace(made[-1].clips[0], group="g0"),))
    with pytest.raises(
        ManifestError, match=r"cuts 1 recording: 'g0' stands in test, train.*--hold"
    ):
        layout([*made, cut], ShardSize(most_clips=4))


def test_frames_of_a_clip_take_what_was_reckoned():
    (unit,) = units(1)
    assert unit_bytes(unit, LOOK) == 4 * (512 + 1024 + 512 + 512)


def test_names_suit_webdataset_and_ustar(tmp_path):
    names = [
        "a/v1.final.mp4", "a/v1_final.mp4", "a/__x__.mp4", "ü ö/ß.mkv", "x" * 150 + ".mp4",
        "d" * 120 + "/" + "e" * 90 + ".mp4", "d/noend",
    ]  # fmt: skip
    clips = []
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
        clips.append(Clip(str(path)))
    made, failures = units_of(clips)
    keys = [unit.key for unit in made]
    assert failures == [] and len(set(keys)) == len(names)
    assert keys[:4] == ["a/v1_final", "a/v1_final_2", "a/__x__", "ü ö/ß"]
    assert all("." not in key.rpartition("/")[2] for key in keys)
    assert [unit.suffix for unit in made][-1] == ".bin"
    assert [unit.name for unit in made] == names


def test_a_video_is_stored_once_for_all_of_its_clips_and_its_frames_for_each(tmp_path):
    (tmp_path / "v.mp4").write_bytes(b"xyz")
    clips = [Clip(str(tmp_path / "v.mp4"), float(i), i + 1.0) for i in range(3)]
    (whole,), _ = units_of(clips)
    assert (whole.rows, whole.size_bytes, len(whole.clips)) == ((0, 1, 2), 3, 3)
    by_frame, _ = units_of(clips, by_frame=True)
    assert [unit.key for unit in by_frame] == ["v-0_000", "v-1_000", "v-2_000"]


def test_what_is_gone_or_empty_is_a_failure_with_its_reason(tmp_path):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "frames").mkdir()
    clips = [Clip(str(tmp_path / name)) for name in ("none.mp4", "empty.mp4", "frames")]
    made, failures = units_of(clips)
    assert made == []
    assert [failure.name for failure in failures] == ["none.mp4", "empty.mp4", "frames"]
    for failure, reason in zip(failures, ("no such file", "is empty", "--by frame"), strict=True):
        assert reason in failure.reason
