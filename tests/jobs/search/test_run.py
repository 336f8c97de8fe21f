"""From a library and a query to shots, and to a library that has changed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import cv2
import pytest
from tests.called import call
from tests.clips import write_clip

from vidfit.errors import BackboneError, ManifestError, NotEnoughDataError, VideoError, VidfitError
from vidfit.jobs.search import grow
from vidfit.jobs.search.run import run_search
from vidfit.video import decode
from vidfit.video.policy import Policy, enforced


def names(result, way="look"):
    return [hit.path.rpartition("/")[2] for hit in result.hits[way]]


def test_a_clip_finds_what_looks_like_it_and_not_itself(library, tmp_path, options):
    shutil.copy(library / "clip0.mp4", tmp_path / "query.mp4")
    found = run_search(library, str(library / "clip0.mp4"), tmp_path / "out", options)
    assert "clip0.mp4" not in names(found)
    assert {*found.hits} == {"look", "motion"} and found.by == "look"
    assert found.index.videos == 4 and found.index.shots >= 6
    (failure,) = found.index.failures
    assert failure.name.endswith("broken.mp4") and failure.reason


def test_a_span_finds_the_rest_of_its_video(library, tmp_path, options):
    found = run_search(library, f"{library / 'long.mp4'}#0.5-2", tmp_path / "out", options)
    first = found.hits["look"][0]
    assert first.path.endswith("long.mp4") and first.start_seconds >= 2.0
    assert first.end_seconds <= 7 and first.poster.startswith(b"\xff\xd8")
    assert first.start_seconds <= first.key_seconds <= first.end_seconds


def test_a_picture_finds_the_video_that_it_was_taken_from(library, tmp_path, options):
    frame = decode(str(library / "clip2.mp4"), count=1).frames_THWC[0]
    cv2.imwrite(str(tmp_path / "still.png"), frame[..., ::-1])
    found = run_search(library, str(tmp_path / "still.png"), tmp_path / "out", options)
    assert names(found)[0] == "clip2.mp4" and {*found.hits} == {"look"}
    with pytest.raises(VidfitError, match="does not move: search --by look"):
        run_search(
            library, str(tmp_path / "still.png"), tmp_path / "out", replace(options, by="motion")
        )


def test_words_find_what_is_said(library, tmp_path, options):
    found = run_search(library, "where is the red kite", tmp_path / "out", options)
    (hit,) = found.hits["words"]
    assert hit.path.endswith("clip1.mp4") and (hit.start_seconds, hit.end_seconds) == (0.0, 1.6)
    assert hit.text == "A red kite is in the sky and it falls & falls"
    assert run_search(library, "elephants", tmp_path / "out", options).hits == {"words": ()}


def test_words_want_subtitles_or_a_model_that_knows_them(library, tmp_path, options):
    (library / "clip1.srt").unlink()
    with pytest.raises(VidfitError, match=r"no video of the library has subtitles.*SigLIP"):
        run_search(library, "a red kite", tmp_path / "out", options)


def test_the_index_grows_and_forgets(library, tmp_path, options, monkeypatch):
    query, output = f"{library / 'long.mp4'}#0-2", tmp_path / "out"
    first = run_search(library, query, output, options)
    assert first.index.added == 4
    looked = []
    inner = grow.stream
    monkeypatch.setattr(
        grow, "stream", lambda clips, *a, **k: (looked.extend(clips), inner(clips, *a, **k))[1]
    )
    again = run_search(library, query, output, options)
    assert looked == [] and again.hits == first.hits and again.index.added == 0
    write_clip(library / "clip0.mp4", seed=50)  # changed
    (library / "clip1.mp4").unlink()  # gone
    (library / "clip2.mp4").rename(library / "moved.mp4")
    write_clip(library / "new.mp4", seed=51)
    changed = run_search(library, query, output, options)
    assert {clip.path.rpartition("/")[2] for clip in looked} == {"clip0.mp4", "new.mp4"}
    assert {*names(changed)} == {"clip0.mp4", "long.mp4", "moved.mp4", "new.mp4"}
    assert (changed.index.added, changed.index.dropped) == (2, 2)


def test_a_killed_run_goes_on_where_it_was(library, tmp_path, options, monkeypatch):
    output = tmp_path / "out"
    inner = grow.stream

    def killed(*args, **kwargs):
        for number, outcome in enumerate(inner(*args, **kwargs)):
            if number == 2:
                raise KeyboardInterrupt
            yield outcome

    monkeypatch.setattr(grow, "stream", killed)
    with pytest.raises(KeyboardInterrupt):
        run_search(library, str(library / "clip0.mp4"), output, options)
    looked = []
    monkeypatch.setattr(
        grow, "stream", lambda clips, *a, **k: (looked.extend(clips), inner(clips, *a, **k))[1]
    )
    found = run_search(library, str(library / "clip0.mp4"), output, options)
    assert found.index.videos == 4 and len(looked) == 6 - 2


def test_what_cannot_be_searched_is_said(library, tmp_path, options):
    output = tmp_path / "out"
    with pytest.raises(ManifestError):
        (tmp_path / "empty").mkdir()
        run_search(tmp_path / "empty", "words", output, options)
    with pytest.raises(VideoError, match="no such file"):
        run_search(library, str(library / "clip9.mp4"), output, options)
    with pytest.raises(VideoError, match=r"holds nothing: the video has 1\.6"):
        run_search(library, f"{library / 'clip0.mp4'}#5-9", output, options)
    with pytest.raises(BackboneError, match="unknown"):
        run_search(library, "words", output, replace(options, backbone="unknown"))
    for bad in ({"by": "sound"}, {"top": 0}, {"shot_seconds": 0.0}, {"workers": 0}):
        with pytest.raises(VidfitError, match=r"Valid are look|give"):
            run_search(library, "words", output, replace(options, **bad))
    only = tmp_path / "only"
    only.mkdir()
    shutil.copy(library / "broken.mp4", only)
    with pytest.raises(NotEnoughDataError, match="No shot is left to search"):
        run_search(only, "words", output, options)


def test_loose_videos_beside_a_folder_are_searched(library, tmp_path, options):
    home = tmp_path / "mixed"
    (home / "deep").mkdir(parents=True)
    shutil.copy(library / "clip0.mp4", home / "loose.mp4")
    shutil.copy(library / "clip1.mp4", home / "deep" / "other.mp4")
    found = run_search(home, str(library / "clip2.mp4"), tmp_path / "out", options)
    assert found.index.videos == 2 and found.index.failures == ()


def test_a_link_that_leads_out_is_left_where_only_a_folder_is_allowed(library, tmp_path, options):
    (tmp_path / "home").mkdir()
    shutil.copy(library / "clip0.mp4", tmp_path / "home" / "v.mp4")
    (tmp_path / "home" / "link.mp4").symlink_to(library / "clip1.mp4")
    with enforced(Policy(below=(tmp_path / "home",))):
        found = run_search(tmp_path / "home", str(library / "clip2.mp4"), tmp_path / "out", options)
    assert found.index.videos == 1
    assert [f.name.rpartition("/")[2] for f in found.index.failures] == ["link.mp4"]


@pytest.mark.parametrize(
    ("asked", "why"),
    [("#1-", "'1-' is no span; a query is"), ("#a-b", "'a-b' is no span"), ("#-1-1", "is no span")],
)
def test_a_span_that_is_none_is_said(library, tmp_path, options, asked, why):
    with pytest.raises(VideoError, match=why):
        run_search(library, f"{library / 'clip0.mp4'}{asked}", tmp_path / "out", options)


def test_an_empty_query_is_said(library, tmp_path, options):
    with pytest.raises(VidfitError, match="the query is empty; a query is a video"):
        run_search(library, "  ", tmp_path / "out", options)


def test_the_command_prints_a_table_or_json_and_writes_a_page(library, tmp_path, options):
    words = ("search", library, library / "clip0.mp4", "-o", tmp_path / "out")
    words = (*words, "--backbone", options.backbone, "--workers", "1")
    said = call(*words, "--by", "motion")
    assert said.exit_code == 0, said.output
    assert "nearest by motion:" in said.output and "broken.mp4" in said.output
    assert (tmp_path / "out" / "search.html").is_file()
    told = call(*words, "--json")
    document = json.loads(told.stdout)
    assert document["format"] == "vidfit.search/1" and document["by"] == "look"
    assert [*document["hits"]["look"][0]] == [
        "path", "start_seconds", "end_seconds", "key_seconds", "score", "text",
    ]  # fmt: skip
    assert call(*words, "--by", "sound").exit_code == 2
