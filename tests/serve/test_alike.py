"""Clips that look like one, by features that a run has kept."""

from __future__ import annotations

import numpy as np
import pytest
from tests.clips import spec
from tests.serve.conftest import until

from vidfit.features import FeatureStore
from vidfit.features.digests import clip_digest
from vidfit.features.outcome import ClipFeatures


@pytest.fixture
def seen(served):
    """Keep features of which left0 and right1 are nearly the same."""
    library = served.service.libraries.get(served.library("run"))
    clips = dict(zip(library.names, library.clips, strict=True))
    tokens = {"left/left0.mp4": [1, 0, 0], "right/right1.mp4": [0.9, 0.1, 0],
              "left/left1.mp4": [0, 0, 5], "right/right0.mp4": [-3, 4, 1]}  # fmt: skip
    rows = {}
    for name, token in tokens.items():
        tokens_ND = np.array([token], np.float32)
        facts = (tokens_ND, np.zeros(1, np.int64), np.zeros(1), 0.1, "")
        rows[clip_digest(clips[name])] = ClipFeatures(*facts)
    FeatureStore(served.run / "features").write(spec(dim=3), rows)
    return served


def ask(served, name, kind="run", **query):
    query = {"library": served.library(kind), **query}
    path = f"/v1/clips/{served.ids()[name]}/similar"
    return until(lambda: served.page.get(path, params=query), lambda r: r.status_code != 202)


def test_the_most_alike_clip_comes_first(seen):
    found = ask(seen, "left/left0.mp4").json()
    ids = seen.ids()
    assert found["encoder"] == "mean" and len(found["clips"]) == 3
    assert found["clips"][0]["clip"] == ids["right/right1.mp4"]
    distances = [one["distance"] for one in found["clips"]]
    assert distances == sorted(distances) and distances[0] < 0.1 < distances[1]
    assert len(ask(seen, "left/left0.mp4", count=1).json()["clips"]) == 1


def test_what_has_no_features_says_so(seen):
    refused = ask(seen, "left/left0.mp4", kind="videos")
    assert refused.status_code == 404 and "no features" in refused.json()["detail"]
    assert ask(seen, "left/broken.mp4").status_code == 404
    assert ask(seen, "left/left0.mp4", count=0).status_code == 422


def test_damaged_features_are_said(seen):
    for path in (seen.run / "features").glob("*/spec.json"):
        path.write_text("{}")
    refused = ask(seen, "left/left0.mp4")
    assert refused.status_code == 404 and "cannot be read" in refused.json()["detail"]
