from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.called import call
from tests.tiny_reader import write_reader

from vidfit.errors import ManifestError, ModelError, VidfitError
from vidfit.jobs.ask.options import AskOptions
from vidfit.jobs.ask.run import run_ask
from vidfit.jobs.ask.terminal import asked_json, lines

SRT = """1
00:00:01,000 --> 00:00:04,000
The bridge was built by Anna.

2
01:01:10,000 --> 01:01:14,500
Near the river the old mill was in Bern.
"""


@pytest.fixture
def library(tmp_path):
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "talk.mp4").touch()
    (folder / "talk.en.srt").write_text(SRT)
    (folder / "talk.srt").write_text(SRT)  # the same words are asked once
    (folder / "mute.mp4").touch()
    (folder / "empty.txt").touch()
    (folder / "note.md").write_text("Cats sleep. Dogs bark near the tower.")
    (folder / "binary.txt").write_bytes(b"\xff\xfe\x00")
    (folder / "bad.vtt").write_text("no times")
    return folder


@pytest.fixture
def reader(tmp_path):
    pytest.importorskip("transformers")
    from vidfit.backbones.reading import read_reader
    from vidfit.study.reading.saved import TrainedReader, save_reader

    network = read_reader(write_reader(tmp_path / "network"))
    save_reader(TrainedReader(network, {0.1: -50.0, 0.05: -1e-9}, {}), tmp_path / "reader")
    return tmp_path / "reader"


def test_without_a_reader_the_best_sentence_is_named_with_its_seconds(library):
    found = run_ask([library], "Where was the mill?")
    best = found.places[0]
    assert best.words == "Near the river the old mill was in Bern."
    assert (best.source, best.start_seconds, best.end_seconds) == (
        str(library / "talk.mp4"), 3670.0, 3674.5,
    )  # fmt: skip
    assert (found.is_answered, best.probability, found.texts) == (None, None, 2)
    told = "\n".join(lines(found))
    assert "No reader" in told and "1:01:10.0-1:01:14.5" in told
    assert json.loads(asked_json(found))["answer"] is None
    assert sorted(f.name.rpartition("/")[2] for f in found.failures) == [
        "bad.vtt", "binary.txt", "empty.txt", "mute.mp4",
    ]  # fmt: skip


def test_a_reader_answers_or_says_that_there_is_no_answer(library, reader):
    found = run_ask([library], "Who built the bridge?", AskOptions(reader))
    best = found.places[0]
    assert found.is_answered and 0 < best.probability < 1
    text = SRT.splitlines()
    spoken = f"{text[2]} {text[6]}"
    if best.source.endswith("talk.mp4"):
        assert best.words == spoken[best.start : best.end] and best.start_seconds >= 1.0
    assert json.loads(asked_json(found))["answer"] == best.words
    strict = AskOptions(reader, false_answers=0.05)
    declined = run_ask([library], "Who built the bridge?", strict)
    assert declined.is_answered is False and declined.places == found.places
    assert "No answer" in "\n".join(lines(declined))
    with pytest.raises(ModelError, match=r"some for 0\.05, 0\.1"):
        run_ask([library], "Who built the bridge?", replace(strict, false_answers=0.01))


def test_a_question_without_a_word_of_the_texts_has_no_answer(library, reader):
    for options in (AskOptions(), AskOptions(reader)):
        found = run_ask([library], "Кто построил мост?", options)
        assert (found.is_answered, found.places) == (False, ())
        assert "language" in found.failures[-1].reason
        assert "No answer." in [*lines(found)]


def test_one_file_is_asked_alone(library):
    assert run_ask([library / "talk.mp4"], "mill").texts == 1
    assert run_ask([library / "talk.en.srt", library / "note.md"], "mill").texts == 2


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("empty.txt", "it is empty"),
        ("binary.txt", "it is no text in UTF-8"),
        ("mute.mp4", "has no subtitles"),
        ("bad.vtt", "has no line such as"),
        ("absent.txt", "is not there"),
    ],
)
def test_where_there_is_no_text_that_is_said(library, name, why):
    with pytest.raises(ManifestError, match=why):
        run_ask([library / name], "Who?")


def test_an_empty_question_is_refused(library):
    with pytest.raises(VidfitError, match="question is empty"):
        run_ask([library], " \n")
    with pytest.raises(VidfitError, match="above 0 and below 1"):
        run_ask([library], "Who?", AskOptions(false_answers=0.0))


def test_the_command_takes_texts_and_then_the_question(library):
    result = call("ask", library, "Where was the mill?", "--top", 1)
    assert result.exit_code == 0 and "Near the river" in result.output
    result = call("ask", library, "Where was the mill?", "--json")
    assert json.loads(result.stdout)["places"][0]["start_seconds"] == 3670.0
    assert call("ask", library).exit_code == 2


def test_fit_refuses_options_of_clips_for_a_task_of_texts(tmp_path):
    result = call("fit", tmp_path, "--task", "read", "--groups", tmp_path / "g.csv")
    assert result.exit_code == 2 and "--groups is of clips" in result.stderr
