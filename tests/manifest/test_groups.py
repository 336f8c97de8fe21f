from __future__ import annotations

import json
from pathlib import Path

import pytest

from vidfit.errors import ManifestError
from vidfit.manifest import Manifest, read_manifest

FIGHT_SURV = Path(__file__).parents[3] / "shared/data/fight_surv"


def make(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")


def groups(manifest: Manifest) -> dict[str, str]:
    return {Path(c.path).stem: g for c, g in zip(manifest.clips, manifest.groups, strict=True)}


GUESSES = {
    "ucf101": (["a/v_a_g08_c01", "a/v_a_g08_c02", "a/v_a_g09_c01",
                "b/v_b_g08_c01", "b/v_b_g09_c01"],
               ["a_g08", "a_g08", "a_g09", "b_g08", "b_g09"]),
    "numbers anew in each class": (["a/g1_c1", "a/g1_c2", "a/g2_c1", "b/g1_c1", "b/g2_c1"],
                                   ["a_g1", "a_g1", "a_g2", "b_g1", "b_g2"]),
    "persons": (["a/person01_run_d1", "b/person01_box_d1",
                 "a/person02_run_d1", "b/person02_box_d1"],
                ["person01", "person02", "person01", "person02"]),
    "kinetics": (["a/abc_efghi-k_000001_000011", "a/abc_efghi-k_000012_000022",
                  "a/zzzzzzzzzzz_000001_000011"],
                 ["abc_efghi-k", "abc_efghi-k", "zzzzzzzzzzz"]),
    "counters": (["a/park_0001", "a/park_0002", "a/mall_0001", "b/mall_0002", "b/park_0003"],
                 ["mall", "park", "park", "mall", "park"]),
    "clips": (["a/x-clip3", "a/x-clip4", "a/y-clip1"], ["x", "x", "y"]),
    "brackets": (["a/x (1)", "a/x (2)", "a/y (1)"], ["x", "x", "y"]),
    "two counters that rise": (["a/x_01_01", "a/x_01_02", "a/y_02_02"], ["x_01", "x_01", "y_02"]),
    "two counters": (["a/v_shoot_01_01", "a/v_shoot_01_02", "a/v_shoot_02_01"],
                     ["v_shoot_01", "v_shoot_01", "v_shoot_02"]),
}  # fmt: skip


@pytest.mark.parametrize("name", GUESSES)
def test_guesses_from_file_names(tmp_path, name):
    files, expected = GUESSES[name]
    make(tmp_path, *(f"{file}.mp4" for file in files))
    manifest = read_manifest(tmp_path)
    assert list(manifest.groups) == expected
    assert manifest.grouping.startswith("guessed from file names")
    assert manifest.grouping.endswith(f"{len(set(expected))} recordings of {len(files)} clips")


@pytest.mark.parametrize(
    "files",
    [
        ["a/a_001", "a/a_002", "b/b_001", "b/b_002"],  # counters of a class, not of a recording
        ["a/fi001", "a/fi002", "b/nofi001"],
        ["a/one_1", "a/two_1", "b/three_1"],
        ["a/x_1"],
    ],
)
def test_no_guess_where_names_do_not_tell(tmp_path, files):
    make(tmp_path, *(f"{file}.mp4" for file in files))
    manifest = read_manifest(tmp_path)
    assert manifest.group_count == len(files)
    assert manifest.grouping.startswith("none found")


def test_folders_of_recordings(tmp_path):
    make(tmp_path, "a/r1/1.mp4", "a/r1/2.mp4", "a/r2/1.mp4", "b/r3/1.mp4", "b/r4/1.mp4")
    manifest = read_manifest(tmp_path)
    assert manifest.groups == ("a/r1", "a/r1", "a/r2", "b/r3", "b/r4")
    assert "guessed from folders" in manifest.grouping


def test_spans_of_one_video_stay_together(tmp_path):
    (tmp_path / "l.csv").write_text(
        "path,label,start,end,group\nv.mp4,a,0,1,r1\nv.mp4,b,1,2,r2\nw.mp4,a,0,1,r3\n"
    )
    manifest = read_manifest(tmp_path / "l.csv")
    assert manifest.groups == ("r1", "r1", "r3")
    assert "share a video file" in manifest.warnings[0]


def test_blocks_of_recordings_with_the_irregularities_of_hand_written_files(tmp_path):
    make(tmp_path, *(f"a/c{i}.mp4" for i in range(1, 10)))
    (tmp_path / "videos.txt").write_bytes(
        b"https://example.org/one \r\nc1: 0.13.50 - 0.15.60\r\n\r\n"
        b"tape two\r\nc2.mp4 : whatever\r\nC3: 1\r\n"
        b"https://example.org/one\r\nc4: 5\r\n"
        b"tape three\r\nc5: 1\r\nc2: 1\r\n"
        b"c6 - c8 : Another Dataset\r\n"
    )
    manifest = read_manifest(tmp_path)
    one, two = "https://example.org/one", "tape two"
    assert groups(manifest) == {
        "c1": one, "c2": two, "c3": two, "c4": one, "c5": two,
        "c6": "Another Dataset", "c7": "Another Dataset", "c8": "Another Dataset",
        "c9": "c9.mp4",
    }  # fmt: skip
    assert "gives c2 to more than one recording" in manifest.warnings[0]
    assert "does not name 1 of 9 clips, e.g. 'c9.mp4'" in manifest.warnings[1]
    assert manifest.grouping == "from videos.txt, found in the folder: 4 recordings of 9 clips"
    for name in ("c2", "c3", "c5"):  # of what is not here nothing is said
        (tmp_path / "a" / f"{name}.mp4").unlink()
    assert not any("more than one" in line for line in read_manifest(tmp_path).warnings)


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_mappings_that_are_passed(tmp_path, kind):
    make(tmp_path / "d", "a/1.mp4", "b/1.mp4", "b/2.mp4")
    path = tmp_path / f"map.{kind}"
    mapping = {"a/1.mp4": "x", "b/1": "y", "2.mp4": "x"}
    lines = "".join(f"{clip},{group}\n" for clip, group in mapping.items())
    path.write_text(json.dumps(mapping) if kind == "json" else f"clip,recording\n{lines}")
    manifest = read_manifest(tmp_path / "d", groups=path)
    assert manifest.groups == ("x", "y", "x")
    assert manifest.warnings == ()


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("m.json", "{", "is not JSON"),
        ("m.json", '{"1": ["x"]}', "must hold one object"),
        ("m.csv", "a,b\n1,2\n", "has the columns a, b"),
        ("m.txt", "1: x\n", "before any recording"),
        ("m.csv", "clip,group\nother.mp4,x\n", "names none of the 1 clip"),
        ("absent.csv", None, "No file"),
    ],
)
def test_mappings_that_fail(tmp_path, name, text, message):
    make(tmp_path / "d", "a/1.mp4")
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(ManifestError, match=message):
        read_manifest(tmp_path / "d", groups=tmp_path / name)


def test_a_text_file_of_another_kind_is_passed_over_with_a_warning(tmp_path):
    make(tmp_path, "a/1.mp4", "b/2.mp4")
    (tmp_path / "videos.txt").write_text("Note: recorded in May\n")
    manifest = read_manifest(tmp_path)
    assert manifest.group_count == 2
    assert "videos.txt does not say" in manifest.warnings[0]


@pytest.mark.skipif(not FIGHT_SURV.is_dir(), reason="the surveillance clips are not here")
def test_surveillance_clips():
    manifest = read_manifest(FIGHT_SURV)
    found = groups(manifest)
    assert (len(manifest), manifest.group_count, len(manifest.classes)) == (300, 44, 2)
    assert found["fi001"] == found["nofi003"] != found["fi005"]
    assert found["nofi062"] == found["nofi075"]
    assert "nofi022" in manifest.warnings[0]
