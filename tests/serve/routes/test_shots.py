"""Shots of an index over HTTP: like a clip, by words, and what is never found."""

from __future__ import annotations

import os
import shutil

import pytest
from tests.backbones import tiny_hf
from tests.jobs.search.test_texts import tokenizer
from tests.serve.conftest import until, write_index

from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.run import run_search
from vidfit.serve.shots.child import is_harmless


@pytest.fixture
def found(serve, tmp_path, videos):
    """Return a function that asks an index of the clips, beside the clips and a run."""
    served = serve(write_index(tmp_path / "archive", videos))
    listed = served.page.get("/v1/libraries").json()["libraries"]
    (library,) = [one["id"] for one in listed if one["searchable"]]

    def ask(**query):
        return served.page.get(f"/v1/libraries/{library}/shots", params=query)

    ask.served, ask.library = served, library
    return ask


def names(answer) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [shot["name"].rpartition("/")[2] for shot in answer.json()["shots"]]


def test_without_a_question_some_of_all_are_shown(found):
    some = found().json()
    assert (some["video_count"], some["shot_count"], some["unreachable_count"]) == (4, 4, 0)
    assert some["by"] == "" and some["asked"] is None and not some["has_words"]
    assert len(some["shots"]) == 4 and {shot["score"] for shot in some["shots"]} == {None}
    assert len(found(count=2).json()["shots"]) == 2


def test_a_clip_finds_what_looks_and_what_moves_like_it(found):
    clip = found.served.ids()["left/left0.mp4"]
    look = found(clip=clip)
    assert names(look) == ["right1.mp4", "left1.mp4", "right0.mp4"]
    assert look.json()["shots"][0]["score"] == pytest.approx(0.8)
    assert look.json()["asked"]["name"].endswith("left0.mp4")
    assert names(found(clip=clip, by="motion", count=1)) == ["left1.mp4"]


def test_a_shot_that_was_found_is_a_clip_that_can_be_seen_and_asked(found):
    shot = found().json()["shots"][0]
    facts = found.served.page.get(f"/v1/clips/{shot['clip']}").json()
    assert facts["library"] == found.library and facts["media"]
    assert facts["end_seconds"] == shot["end_seconds"]
    assert found.served.when_ready(f"/v1/clips/{shot['clip']}/poster").status_code == 200
    itself = names(found(clip=shot["clip"]))
    part = names(found(clip=shot["video"], start=0, end=shot["end_seconds"]))
    assert itself == part and shot["name"].rpartition("/")[2] not in itself


def test_words_find_what_is_said(found, serve, tmp_path):
    assert names(found(text="door")) == []
    served = serve(copied=True)
    written = "1\n00:00:00,000 --> 00:00:00,500\nMind the door & go!\n"
    (served.clips / "right" / "right0.srt").write_text(written)
    outside = tmp_path / "secret.srt"
    outside.write_text(written)
    (served.clips / "left" / "left0.srt").symlink_to(outside)
    again = serve(write_index(tmp_path / "told", served.clips), served.clips)
    listed = again.page.get("/v1/libraries").json()["libraries"]
    library = next(one["id"] for one in listed if one["searchable"])
    answer = again.page.get(f"/v1/libraries/{library}/shots", params={"text": "the door"})
    assert names(answer) == ["right0.mp4"]  # and nothing of a link that leads out
    assert answer.json()["shots"][0]["text"] == "Mind the door & go!"
    assert answer.json()["has_words"] and answer.json()["by"] == "words"


def test_videos_outside_of_what_was_named_are_never_found(serve, tmp_path, videos):
    away = tmp_path / "away"
    shutil.copytree(videos, away)
    served = serve(write_index(tmp_path / "archive", away))
    (library,) = [
        one for one in served.page.get("/v1/libraries").json()["libraries"] if one["searchable"]
    ]
    some = served.page.get(f"/v1/libraries/{library['id']}/shots").json()
    assert (some["video_count"], some["unreachable_count"], some["shots"]) == (0, 4, [])
    query = {"clip": served.ids()["left/left0.mp4"]}
    refused = served.page.get(f"/v1/libraries/{library['id']}/shots", params=query)
    assert refused.status_code == 202  # it is none of the index's own, and is looked at


@pytest.mark.parametrize(
    ("query", "status"),
    [({"clip": "0" * 16}, 404), ({"text": " "}, 422), ({"count": 0}, 422), ({"by": "x"}, 422),
     ({"clip": "0" * 16, "text": "a"}, 422), ({"text": "a" * 501}, 422), ({"start": -1}, 422)],
)  # fmt: skip
def test_what_is_no_question_is_refused(found, query, status):
    assert found(**query).status_code == status


def test_a_part_of_a_video_has_a_length(found):
    clip = found.served.ids()["left/left0.mp4"]
    assert found(clip=clip, start=0.5, end=0.5).status_code == 422
    assert found(clip=clip, start=77, end=78).status_code == 202
    assert (
        found(clip=clip, by="words").status_code == found(text="a", by="motion").status_code == 422
    )


def until_looked(ask, **query):
    return until(lambda: ask(**query), lambda answer: answer.status_code != 202)


def test_what_the_index_has_not_seen_is_looked_at_by_its_model(serve, tmp_path, videos):
    """Of a real index over one folder, a clip of another is asked for, and words of a SigLIP."""
    model = tiny_hf.write("siglip", tmp_path / "model")
    tokenizer(model)
    known = tmp_path / "known"
    shutil.copytree(videos / "left", known)
    options = SearchOptions(backbone=f"hf:{model}", workers=1)
    output = tmp_path / "archive"
    run_search(known, str(known / "left0.mp4"), output, options)
    served = serve(known, output)
    listed = served.page.get("/v1/libraries").json()["libraries"]
    library = next(one["id"] for one in listed if one["searchable"])

    def ask(**query):
        return served.page.get(f"/v1/libraries/{library}/shots", params=query)

    assert ask().json()["knows_words"]
    answer = until_looked(ask, clip=served.ids()["right/right0.mp4"], by="motion")
    assert {*names(answer)} == {"left0.mp4", "left1.mp4"}
    itself = answer.json()["asked"]
    assert itself["name"] == "right/right0.mp4" and itself["end_seconds"] > 0.5
    assert served.when_ready(f"/v1/clips/{itself['clip']}/poster").status_code == 200
    same = until_looked(ask, clip=served.ids()["left/left0.mp4"]).json()["shots"][0]
    assert same["score"] == pytest.approx(1.0, abs=1e-3)  # a copy of it is in the index
    seen = until_looked(ask, text="red kite", by="look")
    assert {*names(seen)} == {"left0.mp4", "left1.mp4"} and seen.json()["by"] == "look"
    assert names(ask(text="red kite")) == []  # nobody says so
    broken = until_looked(ask, clip=served.ids()["left/broken.mp4"])
    assert broken.status_code == 422 and "broken" not in broken.json()["detail"]


def test_an_index_that_does_not_say_who_looked_is_asked_by_its_own_shots_alone(found):
    assert not found().json()["knows_words"]
    query = {"clip": found.served.ids()["left/broken.mp4"]}
    refused = until_looked(found, **query)
    assert refused.status_code == 422 and "does not say who looks" in refused.json()["detail"]
    refused = until_looked(found, text="a dog", by="look")
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("name", "is_so"),
    [("efficientnet-lite0", True), ("a@3", True), ("hf:/models/siglip", True), ("hf:models", False),
     ("my.py:Backbone", False), ("/tmp/my.py:Backbone", False), ("onnx:/tmp/a.onnx", False),
     ("my.py", False), ("", False)],
)  # fmt: skip
def test_an_index_names_no_code(name, is_so):
    assert is_harmless(name) is is_so


def test_what_has_no_index_and_who_is_not_logged_in_gets_nothing(found):
    served = found.served
    refused = served.page.get(f"/v1/libraries/{served.library()}/shots")
    assert refused.status_code == 404 and "vidfit search" in refused.json()["detail"]
    assert served.program().get(f"/v1/libraries/{found.library}/shots").status_code == 401


def test_an_index_that_grew_is_read_again_and_a_damaged_one_is_said(found, tmp_path):
    folder = tmp_path / "archive" / "index" / ("0" * 16)
    assert len(found().json()["shots"]) == 4
    for path in folder.glob("*.look.npy"):
        path.write_bytes(b"no array")
    os.utime(folder / "videos.json", ns=(1, 1))
    refused = found()
    assert refused.status_code == 404 and "cannot be read" in refused.json()["detail"]
    assert found(clip="0" * 16).status_code == 404
