from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.manifest import Manifest, read_manifest, write_manifest
from vidfit.manifest.columns import parse_seconds
from vidfit.manifest.labels import MISSING
from vidfit.video.policy import Policy, enforced

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=8
)
SPANS = st.tuples(st.floats(0, 1e5), st.floats(1e-3, 1e5)).filter(lambda s: s[0] + s[1] > s[0])


@st.composite
def manifests(draw):
    clips = []
    for i in range(draw(st.integers(1, 6))):
        start, length = draw(SPANS)
        name = draw(WORDS).replace("/", "_").replace("\\", "_")
        clips.append(
            Clip(
                path=f"/nowhere/in particular/{i} {name}.mp4",
                start_seconds=start,
                end_seconds=draw(st.sampled_from([None, start + length])),
                label=draw(st.none() | WORDS.filter(lambda word: word not in MISSING)),
                group=draw(WORDS),
                split=draw(st.sampled_from([None, "train", "val", "test"])),
                text=draw(st.none() | st.text(st.characters(codec="utf-8"), min_size=1)),
            )
        )
    return Manifest(tuple(clips))


@pytest.mark.parametrize("name", ["m.csv", "m.parquet"])
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(manifest=manifests())
def test_what_is_written_is_read_back(tmp_path, name, manifest):
    write_manifest(manifest, tmp_path / name)
    back = read_manifest(tmp_path / name)
    assert back.clips == manifest.clips
    assert back.digest == manifest.digest


def test_a_table_moves_with_its_videos(tmp_path):
    (tmp_path / "old").mkdir()
    clip = Clip(str(tmp_path / "old/a.mp4"), label="run", group="r")
    write_manifest(Manifest((clip,)), tmp_path / "old/clips.csv")
    (tmp_path / "old").rename(tmp_path / "new")
    assert read_manifest(tmp_path / "new").clips[0].path == str(tmp_path / "new/a.mp4")


@pytest.mark.parametrize("name", ["m.xlsx", "absent/m.csv"])
def test_writing_fails(tmp_path, name):
    with pytest.raises(ManifestError, match="Cannot write"):
        write_manifest(Manifest((Clip("/a.mp4"),)), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def read_text(tmp_path: Path, text: str) -> Manifest:
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    return read_manifest(tmp_path / "list.csv")


def test_columns_by_their_other_names(tmp_path):
    with enforced(Policy(urls=("https://example.org/",))):
        manifest = read_text(
            tmp_path,
            "\ufeffFile Path,Category,Recording,Start,End,Subset,Caption,fps\r\n"
            'a.mp4, run ,r1,1:30,95.5,validation,"he said ""hi"", twice",30\r\n'
            "https://example.org/b.mp4,walk,r2,,,train,,25\r\n",
        )
    first, second = manifest.clips
    assert first == Clip(
        str(tmp_path / "a.mp4"), 90.0, 95.5, "run", "r1", "val", 'he said "hi", twice'
    )
    assert second == Clip("https://example.org/b.mp4", label="walk", group="r2", split="train")
    assert "'Recording'" in manifest.grouping
    assert manifest.warnings == ("Columns of list.csv that are not used: fps.",)


def test_bad_rows_are_rejected_each_with_its_reason(tmp_path):
    manifest = read_text(
        tmp_path,
        "path,label,start,end,split\n"
        "a.mp4,run,,,\n"
        "b.mp4,run,5,4,\n"
        "c.mp4,run,soon,,\n"
        "d.mp4,run,-1,,\n"
        "e.mp4,run,,,sometimes\n"
        ",run,,,\n"
        "f.mp4,run\n"
        "a.mp4,walk,,,\n"
        "g.pdf,run,,,\n",
    )
    assert [Path(clip.path).name for clip in manifest.clips] == ["a.mp4"]
    reasons = " | ".join(failure.reason for failure in manifest.rejected)
    for expected in (
        "ends at 4 s, not after its start at 5 s",
        "soon",
        "'-1' is no time",
        "'sometimes' is none of train, val, test",
        "names no video",
        "has 2 columns, 5 expected",
        "listed twice, as 'run' and as 'walk'",
        "not a video by its suffix",
    ):
        assert expected in reasons
    assert len(manifest.rejected) == 8


def test_numbers_as_labels_in_parquet(tmp_path):
    table = pa.table({"video": ["a.mp4", "b.mp4"], "label": [1, 2], "start": [0.5, None]})
    pq.write_table(table, tmp_path / "t.parquet")
    manifest = read_manifest(tmp_path / "t.parquet")
    assert manifest.labels == ("1", "2")
    assert [clip.start_seconds for clip in manifest.clips] == [0.5, 0.0]


def test_a_table_without_videos_fails(tmp_path):
    with pytest.raises(ManifestError, match="has the columns when, label; none names the videos"):
        read_text(tmp_path, "when,label\n1,run\n")


@pytest.mark.parametrize("columns", ["path,label,begin,end", "path,label,end_frame"])
def test_a_table_that_says_where_spans_end_and_not_where_they_start_fails(tmp_path, columns):
    with pytest.raises(ManifestError, match="none that says where spans start"):
        read_text(tmp_path, f"{columns}\na.mp4,run,1,2\n")


def test_a_file_that_is_no_table_fails(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    with pytest.raises(ManifestError, match="cannot be read as a table"):
        read_manifest(tmp_path / "t.parquet")


@pytest.mark.parametrize(
    ("text", "seconds"), [("", None), (None, None), ("7", 7), ("1:02.5", 62.5), ("1:00:01", 3601)]
)
def test_seconds(text, seconds):
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["nan", "inf", "-3", "1:-2", "abc", "1::2"])
def test_seconds_fail(text):
    with pytest.raises(ValueError, match=r"no time|could not convert"):
        parse_seconds(text)
