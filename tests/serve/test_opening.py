"""Runs, folders and lists as libraries."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from tests.serve.conftest import report_of, write_run

from vidfit.documents import to_json
from vidfit.errors import ManifestError
from vidfit.serve.libraries import Libraries, table_of
from vidfit.serve.opening import open_libraries, open_run, open_videos, roots_of, runs_below
from vidfit.serve.problems import ProblemError
from vidfit.serve.roots import Roots


def test_a_run_has_the_answers_of_its_model(tmp_path, videos):
    library = open_run(write_run(tmp_path / "run", videos))
    table = table_of(library)
    places = {name: i for i, name in enumerate(table.name)}
    wrong, broken = places["left/left1.mp4"], places["left/broken.mp4"]
    assert table.predicted.values[table.predicted.codes[wrong]] == "right"
    assert table.label.values[table.label.codes[wrong]] == "left"
    assert table.probability[wrong] == 0.8 and table.probability_of_label[wrong] == 0.2
    assert table.probability[broken] is None and table.predicted.codes[broken] == -1
    assert table.failed.values[table.failed.codes[broken]] == "its header is damaged"
    assert table.declined[places["right/right0.mp4"]] is True
    alike = {name for name, i in places.items() if table.duplicate_set[i] == 0}
    assert alike == {"left/left0.mp4", "right/right0.mp4"}
    columns = (table.id, table.name, table.start_seconds, table.predicted.codes, table.declined)
    assert {len(column) for column in columns} == {table.count} == {5}


def test_a_clip_has_one_id_in_a_run_and_in_its_folder(tmp_path, videos):
    run = open_run(write_run(tmp_path / "run", videos))
    link = tmp_path / "link"
    link.symlink_to(videos)
    for folder in (videos, link):
        library = open_videos(folder, roots_of([folder]))
        assert set(run.ids) == set(library.ids) and len(set(library.ids)) == 5


def test_a_real_fit_is_a_run(fitted):
    (library,) = open_libraries([fitted.output], Roots())
    assert set(library.documents) == {"report", "ranking"} and library.classes == ("left", "right")
    assert len(library.answers) == 12 and library.kind == "run"


def test_a_folder_of_runs_gives_each(tmp_path, videos):
    write_run(tmp_path / "runs" / "a", videos)
    write_run(tmp_path / "runs" / "b" / "c", videos)
    (tmp_path / "runs" / "d").mkdir()
    assert [run.name for run in runs_below(tmp_path / "runs")] == ["a", "c"]
    assert roots_of([tmp_path / "runs"]).places == ()


def test_a_list_names_what_lies_below_the_roots_only(tmp_path, videos):
    shutil.copytree(videos, tmp_path / "in" / "clips")
    listed = tmp_path / "in" / "clips.csv"
    other = videos / "left" / "left1.mp4"
    listed.write_text(f"path,label\nclips/left/left0.mp4,left\n{other},left\n")
    library = open_videos(listed, roots_of([listed]))
    assert [clip.path for clip in library.clips] == [str(tmp_path / "in/clips/left/left0.mp4")]
    assert "1 left out" in library.warnings
    both = open_videos(listed, roots_of([listed, videos]))
    assert len(both.clips) == 2


def test_clips_without_labels_are_a_library_too(tmp_path, videos):
    shutil.copy(videos / "left" / "left0.mp4", tmp_path / "a.mp4")
    library = open_videos(tmp_path, roots_of([tmp_path]))
    assert library.classes == () and library.clips[0].label is None


def test_what_is_no_source_is_refused(tmp_path):
    with pytest.raises(ManifestError, match="There is no"):
        list(open_libraries([tmp_path / "none"], Roots()))


@pytest.mark.parametrize(
    "changes",
    [
        {"clips": [{"clip": {"path": 1}}]}, {"clips": {"a": 1}}, {"clips": [[]]},
        {"near_duplicates": [1]}, {"failures": [{"name": "a"}]},
    ],
)  # fmt: skip
def test_a_damaged_report_is_refused(tmp_path, videos, changes):
    run = write_run(tmp_path / "run", videos, **changes)
    with pytest.raises(ManifestError, match="is no report of vidfit"):
        open_run(run)


def test_a_version_changes_with_what_is_shown(tmp_path, videos):
    first = open_run(write_run(tmp_path / "run", videos))
    rows = report_of(videos)["clips"]
    rows[0]["predicted"] = "right"
    document = {**report_of(videos), "clips": rows}
    (tmp_path / "run" / "report.json").write_text(to_json(document))
    second = open_run(tmp_path / "run")
    assert first.version != second.version
    assert open_run(tmp_path / "run").version == second.version


def test_ids_that_are_not_there_are_missing(tmp_path, videos):
    libraries = Libraries(open_libraries([videos], roots_of([videos])), roots_of([videos]))
    for ask in (libraries.get, libraries.clip):
        with pytest.raises(ProblemError) as refused:
            ask("0" * 16)
        assert refused.value.status == 404


def test_a_clip_is_found_as_long_as_one_library_has_it(tmp_path, videos):
    both = list(open_libraries([write_run(tmp_path / "run", videos), videos], roots_of([videos])))
    libraries = Libraries(both, roots_of([videos]))
    one = both[0].ids[0]
    assert libraries.clip(one)[1].kind == "run"
    libraries.put(replace(both[0], clips=(), ids=()))
    assert libraries.clip(one)[1].kind == "videos"
    libraries.put(replace(both[1], clips=(), ids=()))
    with pytest.raises(ProblemError):
        libraries.clip(one)
