"""A folder that is watched: each video once, when it stays as it is; none is lost."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.called import call

import vidfit
from vidfit.answers import Timeline
from vidfit.contracts import Failure
from vidfit.errors import VidfitError
from vidfit.jobs.watch.journal import FILE, Arrival
from vidfit.jobs.watch.options import WatchOptions
from vidfit.jobs.watch.run import found, run_watch, settled
from vidfit.progress import SILENT

QUICK = WatchOptions(every_seconds=0.05, once=True)


@pytest.fixture
def folder(fitted, tmp_path):
    """A folder with one video."""
    videos = sorted(fitted.clips.rglob("*.mp4"))
    (tmp_path / "in" / "deep").mkdir(parents=True)
    shutil.copy(videos[0], tmp_path / "in" / "deep" / "first.mp4")
    return tmp_path / "in"


def test_what_stays_as_it_is_is_new_once():
    one, two = Arrival("b", 1, 9), Arrival("a", 1, 3)
    changed = replace(one, size_bytes=2)
    assert settled({}, {"b": one}, {}) == []
    assert settled({"b": one}, {"b": changed}, {}) == []
    assert settled({"b": one, "a": two}, {"b": one, "a": two}, {}) == [two, one]
    assert settled({"b": one}, {"b": one}, {"b": one}) == []
    assert settled({"b": changed}, {"b": changed}, {"b": one}) == [changed]


def test_hidden_files_other_files_and_own_folders_are_left_out(folder):
    (folder / ".half.mp4").touch()
    (folder / "notes.txt").touch()
    (folder / "nowhere.mp4").symlink_to(folder / "gone.mp4")
    own = folder / "runs"
    own.mkdir()
    (own / "report.json").touch()
    (own / "annotated.mp4").touch()
    assert [Path(path).name for path in found(folder)] == ["first.mp4"]


def test_each_video_is_answered_once_and_one_that_changed_again(fitted, folder, tmp_path):
    videos = sorted(fitted.clips.rglob("*.mp4"))
    out = tmp_path / "out"
    (first,) = run_watch(fitted.model, folder, out, QUICK)
    alone = vidfit.predict(vidfit.load(fitted.model), str(folder / "deep" / "first.mp4"))
    assert first == alone
    shutil.copy(videos[-1], folder / "second.mp4")
    (folder / "empty.mp4").touch()
    found = list(run_watch(fitted.model, folder, out, QUICK))
    assert {type(one) for one in found} == {Timeline, Failure}
    assert list(run_watch(fitted.model, folder, out, QUICK)) == []
    shutil.copy(videos[-1], folder / "empty.mp4")
    (again,) = run_watch(fitted.model, folder, out, QUICK)
    assert again.path == str(folder / "empty.mp4")
    rows = [json.loads(line) for line in (out / FILE).read_text().splitlines()]
    assert len(rows) == 4


def test_what_answers_frames_is_refused(folder, tmp_path):
    with pytest.raises(VidfitError, match="answers frames: watch takes models that answer clips"):
        next(run_watch(Path("nanodet"), folder, tmp_path / "out", QUICK))


def test_an_answer_is_kept_before_it_is_given(fitted, folder, tmp_path):
    shutil.copy(folder / "deep" / "first.mp4", folder / "second.mp4")
    answers = run_watch(fitted.model, folder, tmp_path / "out", QUICK)
    next(answers)
    answers.close()  # as if killed
    (rest,) = run_watch(fitted.model, folder, tmp_path / "out", QUICK)
    assert rest.path == str(folder / "second.mp4")


def test_a_video_that_comes_while_it_looks_is_answered(fitted, folder, tmp_path):
    answers = run_watch(fitted.model, folder, tmp_path / "out", replace(QUICK, once=False))
    next(answers)
    shutil.copy(folder / "deep" / "first.mp4", folder / "later.mp4")
    assert next(answers).path == str(folder / "later.mp4")


def test_a_folder_that_is_gone_is_waited_for_unless_once(fitted, folder, tmp_path):
    said = []

    class Told(type(SILENT)):
        def note(self, text):
            if text.startswith("Answers go to"):
                return
            said.append(text)
            (tmp_path / "away").rename(folder)

    options = replace(QUICK, once=False)
    answers = run_watch(fitted.model, folder, tmp_path / "out", options, Told())
    first = next(answers)
    shutil.copy(folder / "deep" / "first.mp4", folder / "second.mp4")
    folder.rename(tmp_path / "away")
    assert next(answers).path == str(folder / "second.mp4") != first.path
    assert said == [f"{folder} is gone; waiting for it to come back"]


def test_other_options_answer_anew_and_a_relative_folder_is_the_same(
    fitted, folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert len(list(run_watch(fitted.model, folder, tmp_path / "out", QUICK))) == 1
    assert list(run_watch(fitted.model, Path("in"), tmp_path / "out", QUICK)) == []
    strict = replace(QUICK, unknown="strict")
    assert len(list(run_watch(fitted.model, folder, tmp_path / "out", strict))) == 1


def test_no_folder_and_no_time_are_refused(fitted, tmp_path):
    with pytest.raises(VidfitError, match=r"there is no folder .*gone to watch"):
        next(run_watch(fitted.model, tmp_path / "gone", tmp_path / "out"))
    with pytest.raises(VidfitError, match="every 0 s"):
        next(run_watch(fitted.model, tmp_path, tmp_path / "out", WatchOptions(every_seconds=0)))


def test_where_answers_go_is_said_only_by_a_model_that_gives_some(fitted, folder, tmp_path):
    words = (folder, "-o", tmp_path / "out", "--once", "--every", 0.05)
    refused = call("watch", tmp_path, *words)
    assert refused.exit_code == 2 and "Answers go to" not in refused.stderr
    assert (
        f"Answers go to {tmp_path / 'out' / 'answers.jsonl'}"
        in call("watch", fitted.model, *words).stderr
    )


def test_the_command_answers_and_its_status_says_what_failed(fitted, folder, tmp_path):
    words = ("watch", fitted.model, folder, "-o", tmp_path / "out", "--once", "--every", 0.05)
    result = call(*words, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["path"].endswith("first.mp4")
    (folder / "broken.mp4").write_bytes(b"no video")
    result = call(*words)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "broken.mp4: not answered: " in result.stderr
