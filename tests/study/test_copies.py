"""Recordings that hold copies of one clip count as one, before anything is split."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.clips import FPS, HEIGHT, WIDTH, Counting, write_clip

from vidfit.contracts import Clip
from vidfit.errors import NotEnoughDataError
from vidfit.features import FeatureStore
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fuse.options import FuseOptions
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.run import run_label
from vidfit.launch import launcher
from vidfit.manifest import Manifest
from vidfit.progress import SILENT
from vidfit.study.copies import joined
from vidfit.study.folds import put_aside
from vidfit.study.options import SelectOptions
from vidfit.study.table import build_table
from vidfit.video import decode, write_video


class Told:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def start(self, *_: object) -> None:
        """Count nothing."""

    def advance(self, *_: object) -> None:
        """Count nothing."""

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Four clips; two copies of the first, one of them encoded harder; a flat clip twice."""
    root = tmp_path_factory.mktemp("copies")
    for i in range(4):
        write_clip(root / f"{i}.mp4", seed=i)
    shutil.copy(root / "0.mp4", root / "same.mp4")
    picture = np.kron(
        np.random.default_rng(0).integers(0, 256, (HEIGHT // 4, WIDTH // 4, 3)), np.ones((4, 4, 1))
    )
    pictures = (np.roll(picture, -2 * i, axis=1).astype(np.uint8) for i in range(20))
    write_video(root / "harder.mp4", pictures, FPS, options={"crf": "32", "preset": "ultrafast"})
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    write_video(root / "flat.mp4", [flat] * 10, FPS)
    shutil.copy(root / "flat.mp4", root / "flat-too.mp4")
    return root


def clip(folder: Path, name: str, label: str | None = "a", **facts: object) -> Clip:
    return Clip(str(folder / f"{name}.mp4"), label=label, group=name, **facts)


def look(clips, output: Path, **options):
    place = launcher("here", workers=1, scratch=output)
    return joined(Manifest(tuple(clips)), FeatureStore(output), place, SILENT, **options)


def recordings(found) -> list[str | None]:
    return [one.group for one in found.manifest.clips]


def test_copies_share_a_recording_whether_the_bytes_or_the_pictures_are_the_same(folder, tmp_path):
    clips = [clip(folder, name) for name in ("0", "1", "2", "same", "3", "harder")]
    found = look(clips, tmp_path)
    assert recordings(found) == ["0", "1", "2", "0", "3", "0"]
    assert [one.path for one in found.manifest.clips] == [one.path for one in clips]
    (line,) = found.manifest.warnings
    assert "count as one" in line and "4 instead of 6" in line
    assert len(found.look_alikes) == 3 and found.look_alikes[0].distance_bits == 0.0


def test_clips_that_are_no_copies_keep_their_recordings_without_a_word(folder, tmp_path):
    clips = [clip(folder, name) for name in ("0", "1", "2", "3")]
    found = look(clips, tmp_path)
    assert found.manifest == Manifest(tuple(clips)) and found.look_alikes == ()


def test_mirrored_and_barred_copies_share_a_recording(folder, tmp_path):
    frames = decode(str(folder / "1.mp4"), indices=range(20)).frames_THWC
    write_video(tmp_path / "mirrored.mp4", frames[:, :, ::-1], FPS, options={"crf": "20"})
    barred = np.pad(frames, ((0, 0), (8, 8), (0, 0), (0, 0)))
    write_video(tmp_path / "barred.mp4", barred, FPS, options={"crf": "20"})
    clips = [clip(folder, "0"), clip(folder, "1")]
    clips += [clip(tmp_path, name) for name in ("mirrored", "barred")]
    assert recordings(look(clips, tmp_path / "store")) == ["0", "1", "1", "1"]


def test_flat_clips_of_the_same_bytes_are_copies(folder, tmp_path):
    """No hash tells flat frames apart."""
    found = look([clip(folder, name) for name in ("flat", "1", "flat-too")], tmp_path)
    assert recordings(found) == ["flat", "1", "flat"]
    assert [pair.distance_bits for pair in found.look_alikes] == [0.0]


def test_a_second_look_reads_what_the_first_has_stored(folder, tmp_path):
    clips = [clip(folder, name) for name in ("0", "1", "same")]
    first, second = look(clips, tmp_path), look(clips, tmp_path)
    assert first.seconds > 0.0 == second.seconds
    assert first.manifest == second.manifest


def test_encoders_beside_share_the_decode(folder, tmp_path):
    clips = [clip(folder, "0", "a"), clip(folder, "1", "b"), clip(folder, "same", "a")]
    mean = Counting()
    found = look(clips, tmp_path, beside=[mean])
    asked = mean.calls
    place = launcher("here", workers=1, scratch=tmp_path)
    table, tally = build_table(found.manifest.clips, [mean], FeatureStore(tmp_path), place, SILENT)
    assert asked == mean.calls > 0 and tally.seconds == 0.0
    assert table.groups == ["0", "1", "0"] and table.vectors["mean"].shape[0] == 3


def test_copies_with_other_labels_are_named_with_both(folder, tmp_path):
    clips = [clip(folder, "0", "a"), clip(folder, "1", "b"), clip(folder, "same", "b")]
    place, told = launcher("here", workers=1, scratch=tmp_path), Told()
    found = joined(Manifest(tuple(clips)), FeatureStore(tmp_path), place, told)
    line = found.manifest.warnings[-1]
    assert "1 pair of copies bears labels that contradict each other" in line
    assert f"{clips[0].path} (a) and {clips[2].path} (b)" in line
    assert told.notes == list(found.manifest.warnings)


def test_a_clip_without_a_label_contradicts_nobody(folder, tmp_path):
    found = look([clip(folder, "0", "a"), clip(folder, "same", None)], tmp_path)
    assert recordings(found) == ["0", "0"]
    assert not any("contradict" in line for line in found.manifest.warnings)


def test_a_clip_that_cannot_be_read_keeps_its_recording(folder, tmp_path):
    (tmp_path / "none.mp4").write_bytes(b"nothing")
    broken = Clip(str(tmp_path / "none.mp4"), label="a", group="none")
    found = look([clip(folder, "0"), broken, clip(folder, "same")], tmp_path / "features")
    assert recordings(found) == ["0", "none", "0"]


def test_the_same_bytes_in_a_recording_that_the_split_cuts_are_not_learned(folder, tmp_path):
    """Inside one recording no pictures are compared."""
    facts = {"label": "a", "group": "one"}
    clips = [
        Clip(str(folder / "0.mp4"), **facts, split="train"),
        Clip(str(folder / "1.mp4"), **facts, split="train"),
        Clip(str(folder / "same.mp4"), **facts, split="test"),
    ]
    assert look(clips, tmp_path).manifest.clips == tuple(clips[1:])


def test_what_copies_the_test_split_of_the_data_is_not_learned(folder, tmp_path):
    clips = [
        clip(folder, "0", "a", split="train"),
        clip(folder, "1", "a", split="train"),
        clip(folder, "same", "a", split="test"),
        clip(folder, "2", "b", split="test"),
    ]
    found = look(clips, tmp_path)
    assert [one.group for one in found.manifest.clips] == ["1", "same", "2"]
    (line,) = found.manifest.warnings
    assert "Not learned from" in line and f"1 clip ({clips[0].path})" in line


def test_a_class_of_which_only_copies_were_learned_is_not_tested(folder, tmp_path):
    clips = [
        clip(folder, "0", "b", split="train"),
        clip(folder, "1", "a", split="train"),
        clip(folder, "same", "b", split="test"),
        clip(folder, "2", "a", split="test"),
    ]
    assert [one.label for one in look(clips, tmp_path).manifest.clips] == ["a", "a"]


def test_a_hold_out_does_not_cut_what_was_joined(folder, tmp_path):
    clips = [clip(folder, name, "a") for name in ("0", "same", "harder", "1")]
    clips += [clip(folder, name, "b") for name in ("2", "3")]
    manifest = look(clips, tmp_path).manifest
    for share in (0.2, 0.4, 0.6):
        divided = put_aside(manifest, share, [])
        split = {Path(one.path).stem: one.split for one in divided.clips}
        assert split["0"] == split["same"] == split["harder"] != split["1"]


def test_look_alikes_join_where_that_is_wanted(folder, tmp_path):
    clips = [clip(folder, name) for name in ("0", "1", "same")]
    found = look(clips, tmp_path, join_bits=10.0)
    assert recordings(found) == ["0", "1", "0"]
    assert "clips that look the same" in found.manifest.warnings[0]


@pytest.fixture
def doubled(fitted, tmp_path) -> Path:
    """The clips of two classes and of a third, all of whose clips are copies of one."""
    rows = [
        f"{fitted.clips}/{kind}/{kind}{i}.mp4,{kind},{kind}{i}"
        for kind in ("left", "right")
        for i in range(6)
    ]
    first = write_clip(tmp_path / "rare0.mp4", "left", 55)
    for i in range(1, 4):
        shutil.copy(first, tmp_path / f"rare{i}.mp4")
    rows += [f"{tmp_path}/rare{i}.mp4,rare,rare{i}" for i in range(4)]
    file = tmp_path / "clips.csv"
    file.write_text("\n".join(["path,label,group", *rows]))
    return file


@pytest.mark.parametrize("job", ["select", "fit", "fuse"])
def test_a_class_of_one_clip_and_its_copies_is_left_out_and_named(fitted, doubled, tmp_path, job):
    from vidfit.jobs.fit.run import run_fit
    from vidfit.jobs.fuse.run import run_fuse
    from vidfit.jobs.select.run import run_select

    run, options = {
        "select": (run_select, SelectOptions),
        "fit": (run_fit, FitOptions),
        "fuse": (run_fuse, FuseOptions),
    }[job]
    found = run(doubled, fitted.warm(tmp_path / "out"), options(backbones=("motion",)))
    assert found.classes == ("left", "right") and found.group_count == 12
    assert any("'rare' has 4 clips of 1 recording" in line for line in found.warnings)
    assert any("13 instead of 16" in line for line in found.warnings)


def test_too_few_recordings_after_joining_are_refused_with_the_reason(tmp_path):
    from vidfit.jobs.select.run import run_select

    rows = ["path,label,group"]
    for kind in ("left", "right"):
        first = write_clip(tmp_path / f"{kind}0.mp4", kind)
        for i in range(1, 4):
            shutil.copy(first, tmp_path / f"{kind}{i}.mp4")
        rows += [f"{kind}{i}.mp4,{kind},{kind}{i}" for i in range(4)]
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    options = SelectOptions(backbones=("motion",))
    with pytest.raises(NotEnoughDataError, match=r"2 instead of 8.*0 classes of 2 can be tested"):
        run_select(tmp_path / "clips.csv", tmp_path / "out", options)


def test_labelling_names_contradictions(folder, tmp_path):
    rows = [f"{folder}/0.mp4,a,0", f"{folder}/same.mp4,b,same", f"{folder}/1.mp4,,1"]
    (tmp_path / "clips.csv").write_text("\n".join(["path,label,group", *rows]))
    options = replace(LabelOptions(), backbones=("motion",), count=1)
    found = run_label(tmp_path / "clips.csv", tmp_path / "out", options)
    assert any("contradict" in line and "same.mp4 (b)" in line for line in found.warnings)
