"""Files of spans, and where their videos are."""

from __future__ import annotations

import json

import pytest
from tests.clips import write_clip
from tests.manifest.spans.examples import (
    AGGREGATED,
    BOX,
    DATABASE,
    EAF,
    EVENTS,
    OLD,
    PADDED,
    PROJECT,
    TEXT,
)

from vidfit.errors import ManifestError
from vidfit.manifest import read_manifest
from vidfit.video.policy import Policy, enforced


@pytest.fixture
def folder(tmp_path):
    """Two videos, and a folder of lists beside theirs."""
    (tmp_path / "videos").mkdir()
    (tmp_path / "lists").mkdir()
    for name in ("a", "v_abc"):
        write_clip(tmp_path / "videos" / f"{name}.mp4", frames=50)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("x.json", json.dumps({"database": DATABASE}), [("v_abc", "walk", 1.5, 4.0)]),
        ("x.csv", f"a,0002,{BOX},12,0\n", [("a", "stand", 1.5, 2.5)]),
        ("e.csv", AGGREGATED, [("a", "walk", 1.5, 4.0)]),
        ("old.tsv", OLD, [("a", "walk", 1.5, 4.0)]),
        ("a.txt", TEXT, [("a", "walk", 1.5, 4.0), ("a", "acts", 5.0, 6.0)]),
        ("a.eaf", EAF, [("a", "walk & talk", 1.5, 4.0)]),
        ("x.boris", json.dumps(PROJECT), [("a", "lie", 2.0, 5.5), ("a", "lie", 1.0, 2.0)]),
    ],
)
def test_a_manifest_is_read_from_each(folder, name, text, found):
    (folder / "lists" / name).write_text(text)
    (folder / "lists" / "actions.pbtxt").write_text('item { name: "stand" id: 12 }')
    manifest = read_manifest(folder / "lists" / name)
    assert [(c.path, c.label, c.start_seconds, c.end_seconds) for c in manifest.clips] == [
        (str(folder / "videos" / f"{video}.mp4"), *rest) for video, *rest in found
    ]
    assert not manifest.missing


def test_a_video_shorter_than_its_observation_is_not_all_of_it(folder):
    (folder / "lists" / "p.csv").write_text(PADDED)
    with pytest.raises(ManifestError, match="played several videos one after"):
        read_manifest(folder / "lists" / "p.csv")
    (folder / "lists" / "p.csv").write_text(PADDED.replace("150.000", "4.000"))
    assert [c.start_seconds for c in read_manifest(folder / "lists" / "p.csv").clips] == [1.5]


def test_a_folder_of_lists_of_frames_is_read(folder):
    lines = ["walk"] * 30 + ["background"] * 20
    (folder / "lists" / "a.txt").write_text("\n".join(lines))
    (folder / "lists" / "gone.txt").write_text("walk\n")
    manifest = read_manifest(folder / "lists")
    assert [clip.label for clip in manifest.clips] == ["walk", "background"]
    assert manifest.clips[0].end_seconds == pytest.approx(30 / 12.5)
    assert [failure.name for failure in manifest.rejected] == ["gone.txt"]


def test_a_video_that_is_not_there_or_there_twice_is_named(folder):
    (folder / "lists" / "x.json").write_text(json.dumps({"database": DATABASE}))
    write_clip(folder / "videos" / "def.mp4", frames=3)
    write_clip(folder / "def.mkv", frames=3)
    manifest = read_manifest(folder / "lists" / "x.json")
    assert [clip.label for clip in manifest.clips] == ["walk"]
    assert any(
        "x.json: def" in f.name and "or more than one" in f.reason for f in manifest.rejected
    )
    (folder / "videos" / "v_abc.mp4").unlink()
    with pytest.raises(ManifestError, match="No clips in"):
        read_manifest(folder / "lists" / "x.json")


def test_a_list_may_not_lead_out_of_what_is_allowed(folder):
    outside = folder.parent / "outside.mp4"
    write_clip(outside, frames=3)
    (folder / "lists" / "e.csv").write_text(AGGREGATED.replace("player #1: a.mp4", str(outside)))
    assert read_manifest(folder / "lists" / "e.csv").clips[0].path == str(outside)
    with (
        enforced(Policy(below=(folder,))),
        pytest.raises(ManifestError, match="4 of 4 cannot be used"),
    ):
        read_manifest(folder / "lists" / "e.csv")


def test_a_table_with_a_cell_without_end_is_refused(folder):
    (folder / "lists" / "e.csv").write_text(f'{EVENTS}o1,"{"x" * 200_000}')
    with pytest.raises(ManifestError, match="cannot be read as a table"):
        read_manifest(folder / "lists" / "e.csv")
