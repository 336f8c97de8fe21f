"""Shots of an index over HTTP: like a clip, by words, and what is never found."""

from __future__ import annotations

import os
import shutil

import pytest
from tests.serve.conftest import write_index


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
    refused = served.page.get(
        f"/v1/libraries/{library['id']}/shots", params={"clip": served.ids()["left/left0.mp4"]}
    )
    assert refused.status_code == 404 and "not in the index" in refused.json()["detail"]


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
    assert found(clip=clip, start=77, end=78).status_code == 404


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
