"""Shots that came beside answers are those that a search would have looked at itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.called import call

from vidfit.jobs.predict.predictor import load
from vidfit.jobs.predict.run import run_predict, run_predict_all
from vidfit.jobs.search import grow
from vidfit.jobs.search.beside import indexing
from vidfit.jobs.search.run import run_search


def test_shots_from_the_decode_of_a_model_are_those_of_a_search(
    library, tmp_path, options, fitted, monkeypatch
):
    video, predictor = str(library / "long.mp4"), load(fitted.model)
    with indexing(tmp_path / "index", options) as beside:
        for _ in range(2):  # the second time nothing is missing
            (timeline,) = run_predict_all((predictor,), video, workers=2, beside=beside)
            assert timeline == run_predict(predictor, video, workers=1)
    alone = run_search(library, f"{video}#0-2", tmp_path / "alone", options)
    looked = []
    inner = grow.stream
    monkeypatch.setattr(
        grow, "stream", lambda clips, *a, **k: (looked.extend(clips), inner(clips, *a, **k))[1]
    )
    shared = replace(options, index=tmp_path / "index")
    found = run_search(library, f"{video}#0-2", tmp_path / "out", shared)
    assert looked and video not in {clip.path for clip in looked}
    assert {way: [(h.path, h.start_seconds) for h in hits] for way, hits in found.hits.items()} == {
        way: [(h.path, h.start_seconds) for h in hits] for way, hits in alone.hits.items()
    }
    for way, hits in found.hits.items():
        assert [h.score for h in hits] == pytest.approx([h.score for h in alone.hits[way]])


def test_an_index_is_written_here_and_by_models_of_windows(library, tmp_path, fitted):
    video = library / "long.mp4"
    spark = call("predict", fitted.model, video, "--index", tmp_path / "i", "--on", "spark")
    assert spark.exit_code and "leave --on away" in " ".join(spark.stderr.split())
    boxes = call("predict", "nanodet", video, "--index", tmp_path / "i")
    assert boxes.exit_code and "takes no --index" in " ".join(boxes.stderr.split())
