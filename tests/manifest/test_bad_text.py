"""Text of lists that nobody could read: told as an error of the list, or as a rejected row."""

from __future__ import annotations

import time

import pytest

from vidfit.errors import ManifestError
from vidfit.manifest import read_manifest
from vidfit.manifest.annotations import parse_annotations
from vidfit.manifest.recordings import read_recordings
from vidfit.manifest.subtitles import read_cues, read_file
from vidfit.video.names import natural_key

LONG = "x" * 140_000
MANY = "9" * 5000
DEEP = "[" * 100_000
NUMBER = "1" + "0" * 400
EAF = '<?xml version="1.0" encoding="{}"?><ANNOTATION_DOCUMENT/>'
BORIS = '{"behaviors_conf": {}, "observations": {"o": %s}}'
SEEN = '{"type": "MEDIA", "file": {"1": ["1.mp4"]}, "events": [%s], %s}'


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.csv", b"\xff\xfe" + "path,label\n1.mp4,a\n".encode("utf-16-le") + b"x", "no.* UTF-16"),
        ("a.txt", b"\xff\xfe" + "1.mp4 a\n".encode("utf-16-le") + b"x", "no.* UTF-16"),
        ("a.csv", b"sep=||\npath||label\n1.mp4||a\n", r"sep=\|\|; valid is one sign"),
        ("a.csv", f"path,{LONG}\n1.mp4,a\n".encode(), "field larger than field limit"),
        ("a.csv", f"path,label\n1.mp4,{LONG}\n".encode(), "field larger than field limit"),
        ("a.txt", f"1.mp4\t{LONG}\n".encode(), "field larger than field limit"),
        ("a.json", f'{{"database": {DEEP}'.encode(), "nested too deep"),
        ("a.json", f'{{"database": {MANY}}}'.encode(), "no JSON that can be read"),
        ("a.json", b'{"database": {"1": {"annotations": [{"segment": [0, '
         + NUMBER.encode() + b'], "label": "a"}]}}}', "no segment with a label"),
        ("a.boris", f'{{"observations": {DEEP}'.encode(), "nested too deep"),
        ("a.boris", f'{{"observations": {MANY}}}'.encode(), "no JSON that can be read"),
        ("a.boris", (BORIS % (SEEN % (f'[{NUMBER}, "", "a", ""]', '"x": 1'))).encode(),
         "the observation cannot be used"),
        ("a.boris", (BORIS % (SEEN % ("", f'"observation time interval": [0, {NUMBER}]'))).encode(),
         "the observation cannot be used"),
        ("a.eaf", EAF.format("GBK").encode(), "no sound XML"),
        ("a.eaf", EAF.format("nonsense").encode(), "no sound XML"),
        ("a.txt", f"frames {MANY} 5 a\nframes {MANY} 6 a\n".encode(), "no such folder of frames"),
    ],
)  # fmt: skip
def test_text_that_cannot_be_read_is_told(tmp_path, name, content, complaint):
    (tmp_path / "1.mp4").write_text("x")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ManifestError, match=complaint):
        read_manifest(tmp_path / name)


def test_a_row_that_is_too_long_leaves_the_others_of_a_list(tmp_path):
    (tmp_path / "1.mp4").write_text("x")
    (tmp_path / "a.txt").write_text(f"1.mp4\ta\n2.mp4\t{LONG}\n")
    manifest = read_manifest(tmp_path / "a.txt")
    assert len(manifest) == 1 and "no row of a list" in manifest.rejected[0].reason


def test_offsets_of_any_length_are_no_error(tmp_path):
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.jpg").write_text("x")
    (tmp_path / "a.txt").write_text(f"frames {MANY} 5 a\nframes 0 {MANY} a\n")
    with pytest.raises(ManifestError, match="No clips"):
        read_manifest(tmp_path / "a.txt")


def test_recordings_of_any_length_are_no_error(tmp_path):
    (tmp_path / "groups.txt").write_text(f"clip{MANY}0 - clip{MANY}2: one\n")
    assert len(read_recordings(tmp_path / "groups.txt")) == 3
    (tmp_path / "groups.csv").write_text(f"clip,group\n1.mp4,{LONG}\n")
    with pytest.raises(ManifestError, match="field larger"):
        read_recordings(tmp_path / "groups.csv")
    assert natural_key("2") < natural_key("10") < natural_key(MANY)


def test_a_sequence_with_an_empty_list_of_classes_is_told(tmp_path):
    (tmp_path / "gt").mkdir()
    (tmp_path / "gt" / "gt.txt").write_text("1,1,10,10,5,5,1\n")
    (tmp_path / "gt" / "labels.txt").write_text("")
    with pytest.raises(ManifestError, match="names no class"):
        parse_annotations(tmp_path)


def test_subtitles_of_odd_marks_are_read_in_time(tmp_path):
    (tmp_path / "a.srt").write_text(f"1\n{MANY}:00:01,000 --> {MANY}:00:02,000\nHello\n")
    with pytest.raises(ManifestError, match="no line such as"):
        read_file(tmp_path / "a.srt")
    begun = time.process_time()
    said = "<" * 100_000 + r"{\ "[:2] * 100_000 + "1" * 100_000
    cues = list(read_cues(f"00:00:01,000 --> 00:00:02,000\n{said} <i>Hello</i>\n\n{said}"))
    assert len(cues) == 1 and cues[0].text.endswith("1 Hello")
    assert time.process_time() - begun < 5
