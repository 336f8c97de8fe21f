"""Where an index lies: in the output of a search, or by itself; other folders are none."""

from __future__ import annotations

import os

from tests.serve.conftest import write_index

from vidfit.serve.opening import open_run, roots_of, runs_below
from vidfit.serve.shots.places import index_in


def test_an_index_is_found_in_its_output_and_by_itself(tmp_path, videos):
    output = write_index(tmp_path / "archive", videos)
    segments = output / "index" / ("0" * 16)
    assert index_in(output) == index_in(output / "index") == segments
    assert runs_below(tmp_path) == [output] and roots_of([tmp_path]).places == ()
    for source in (output, output / "index"):
        library = open_run(source)
        assert (library.name, len(library.clips), library.index) == ("archive", 4, segments)


def test_of_two_the_one_that_was_written_to_last_is_searched(tmp_path, videos):
    output = write_index(tmp_path / "archive", videos)
    first = output / "index" / ("0" * 16)
    other = first.with_name("1" * 16)
    first.rename(other)
    write_index(output, videos)
    os.utime(other / "videos.json", ns=(2**62, 2**62))
    assert index_in(output) == other


def test_folders_of_other_names_are_none(tmp_path, videos):
    output = write_index(tmp_path / "archive", videos)
    (output / "index" / ("0" * 16)).rename(output / "index" / "train")
    assert index_in(output) is None and index_in(tmp_path / "none") is None
    (output / "index" / ("a" * 16)).mkdir()  # begun, and nothing written
    assert index_in(output) is None


def test_a_damaged_list_of_videos_is_said(tmp_path, videos):
    output = write_index(tmp_path / "archive", videos)
    (output / "index" / ("0" * 16) / "videos.json").write_text("{")
    library = open_run(output)
    assert library.clips == () and "damaged" in library.warnings[0]
