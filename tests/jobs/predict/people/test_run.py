"""Who is seen in a video, and when; the gate; files."""

from __future__ import annotations

import csv
import gc
import json

import numpy as np
import pytest
from tests.backbones import tiny_hf
from tests.called import call
from tests.coloured_people import (
    COLOURS,
    CONSENT,
    fitted_people,
    put_block,
    see_blocks,
    write_people,
)

from vidfit.contracts import Clip, Failure
from vidfit.errors import ConsentError, VidfitError
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit
from vidfit.jobs.predict.by_task import AskedOfTask
from vidfit.jobs.predict.people.recogniser import open_recogniser
from vidfit.jobs.predict.people.run import run_people
from vidfit.jobs.predict.people.seen import FaceTrack
from vidfit.progress import SILENT
from vidfit.tasks.faces.pictures import only_face, picture_of
from vidfit.video import probe, write_video

STRANGER = (20, 250, 250)


@pytest.fixture
def known(tmp_path_factory):
    return fitted_people(tmp_path_factory.getbasetemp() / "gallery")


@pytest.fixture
def video(tmp_path, monkeypatch):
    """Chi from 0.4 to 1.6 s, a stranger from 0.8 s to the end; 10 frames a second."""
    see_blocks(monkeypatch)
    rng = np.random.default_rng(0)

    def frames():
        for t in range(24):
            frame = np.full((120, 240, 3), 128, np.uint8)
            if 4 <= t < 16:
                put_block(frame, COLOURS["Chi"], rng, (10, 10 + 2 * t))
            if t >= 8:
                put_block(frame, STRANGER, rng, (60, 180 - 2 * t))
            yield frame

    path = tmp_path / "video.mp4"
    write_video(path, frames(), 10, options={"crf": "10"}, pixel_format="yuv444p")
    return path


def asked(output, video, formats=("json", "csv", "mp4", "faces"), **options):
    videos = [Clip(str(video)), Failure("gone.mp4", "it is not there")]
    consent = {"i-have-consent": (CONSENT,)} | {k: (v,) for k, v in options.items()}
    return AskedOfTask(
        str(output / "model"),
        videos,
        ["video", ""],
        output / "answers",
        formats,
        2,
        SILENT,
        consent,
    )


def test_known_and_unknown_with_times(known, video):
    told, gone = run_people(asked(known, video, every="1"))
    assert (gone.path, gone.failure) == ("gone.mp4", "it is not there")
    tracks = {track["name"]: track for track in told.data["tracks"]}
    assert sorted(tracks) == ["Chi", "unknown"]
    assert (tracks["Chi"]["start_seconds"], tracks["Chi"]["end_seconds"]) == (0.4, 1.6)
    stranger = tracks["unknown"]
    assert (stranger["start_seconds"], stranger["end_seconds"]) == pytest.approx((0.8, 2.4))
    assert tracks["unknown"]["over"] < 0 <= tracks["Chi"]["over"]
    assert told.data["consent"] == CONSENT
    answers = known / "answers"
    document = json.loads((answers / "video.json").read_text())
    assert (document["format"], document["consent"]) == ("vidfit.people/1", CONSENT)
    rows = list(csv.DictReader((answers / "video.csv").open()))
    assert [row["name"] for row in rows] == ["Chi", "unknown"]
    assert {row["consent"] for row in rows} == {CONSENT}
    assert probe(str(answers / "video.mp4")).frame_count == 24
    assert [p.relative_to(answers).as_posix() for p in (answers / "faces").rglob("*.png")] == [
        "faces/unknown-001/video-2.png"
    ]


@pytest.mark.parametrize(("formats", "kept"), [(("json",), 2), (("json", "faces"), 3)])
def test_faces_of_unknown_people_are_kept_only_where_they_are_written(known, video, formats, kept):
    one = asked(known, video, formats)
    twice = AskedOfTask(
        **{**vars_of(one), "videos": [Clip(str(video))] * 2, "names": ["first", "second"]}
    )
    told = run_people(twice)
    assert not next(told).failure and not next(told).failure
    gc.collect()
    # Of the last video there are those of both people, of the first at most the stranger.
    assert sum(type(thing) is FaceTrack for thing in gc.get_objects()) == kept
    told.close()


def test_the_gate(known, video):
    one = asked(known, video)
    with pytest.raises(ConsentError, match="does not start"):
        next(run_people(AskedOfTask(**{**vars_of(one), "options": {}})))
    result = call("predict", known / "model", video)
    assert result.exit_code == 2
    assert "--i-have-consent PURPOSE" in result.stderr
    result = call("predict", known / "model", video, "--i-have-consent", CONSENT)
    assert result.exit_code == 0
    assert "Chi (+" in result.stdout


def test_what_is_no_option_or_format_is_refused(known, video):
    with pytest.raises(VidfitError, match="not written as 'vtt'"):
        next(run_people(asked(known, video, ("vtt",))))
    with pytest.raises(VidfitError, match="--smallest 3 is no whole number of 8"):
        next(run_people(asked(known, video, smallest="3")))


def vars_of(one):
    return {name: getattr(one, name) for name in AskedOfTask.__dataclass_fields__}


def test_an_encoder_of_pictures_sees_faces_alike_in_fit_and_in_predict(tmp_path, monkeypatch):
    pytest.importorskip("transformers", reason="vidfit[hf] is not installed")
    see_blocks(monkeypatch)
    people = write_people(tmp_path / "people", ["Chi", "Dee"], 3)
    encoder = f"hf:{tiny_hf.write('dinov2', tmp_path / 'net')}"
    options = FitOptions(task="faces", backbones=(encoder,), consent=CONSENT)
    report = run_fit(people, tmp_path / "out", options)
    assert any("an encoder of your own needs as many" in line for line in report.warnings)
    opened = open_recogniser(str(tmp_path / "out" / "model"), CONSENT)
    faces = [only_face(picture_of(str(people / "Chi" / f"{i}.png"))) for i in range(3)]
    mean_D = np.mean(opened.vectors(faces), axis=0)
    person_D = opened.gallery.people_KD[opened.names.index("Chi")]
    assert np.allclose(
        mean_D / np.linalg.norm(mean_D), person_D / np.linalg.norm(person_D), atol=1e-5
    )
