"""Models: what a run's card says, what the catalogue offers; a damaged card is no model."""

from __future__ import annotations

import pytest

from vidfit.backbones.catalogue import entries, status
from vidfit.documents import to_json

CARD = {
    "task": "boxes of objects", "metric": "accuracy", "protocol": "folds", "clips": 4,
    "recordings": 3, "limits": "like these", "score": {"value": 0.7, "low": 0.5, "high": None},
    "members": [
        {"name": "a", "parameters": 1000, "gmacs_per_view": 0.5, "sampling": {"num_clips": 4},
         "licence": "MIT", "commercial_use": True},
        {"name": "b", "parameters": 500, "gmacs_per_view": 1.0, "sampling": {"num_clips": 1},
         "licence": "CC-BY-NC-4.0", "commercial_use": False},
    ],
}  # fmt: skip


def write_model(run, card, members=("a", "b"), task="classify"):
    document = {
        "format": 1, "classes": ["left", "right"], "members": members, "head": "logistic",
        "temperature": 1.0, "unknown_probability": 0.0, "unknown_novelty": "Infinity",
        "window_seconds": 1.0, "longest_seconds": 1.0, "card": card, "files": {},
        "task": task,
    }  # fmt: skip
    (run / "model").mkdir()
    (run / "model" / "model.json").write_text(to_json(document))
    (run / "model" / "head.safetensors").write_bytes(b"0" * 1000)


def fitted(served) -> list[dict]:
    return served.page.get("/v1/models").json()["fitted"]


def test_a_run_shows_the_card_of_its_model(served):
    assert fitted(served) == []
    write_model(served.run, CARD)
    (model,) = fitted(served)
    assert model["library"] == served.library("run") and model["classes"] == ["left", "right"]
    assert (model["parameters"], model["gmacs_per_clip"]) == (1500, 3.0)
    assert model["commercial_use"] is False and model["size_bytes"] > 1000
    assert model["score"] == {"value": 0.7, "low": 0.5, "high": None}
    assert [part["licence"] for part in model["parts"]] == ["MIT", "CC-BY-NC-4.0"]


@pytest.mark.parametrize("card", [{}, {"members": 3, "score": []}, {"members": [{"name": 1}]}])
def test_what_a_card_does_not_say_is_not_known(served, card):
    write_model(served.run, card, members=("a",))
    (model,) = fitted(served)
    assert model["parameters"] is None and model["score"] is None
    assert model["commercial_use"] is None and model["parts"][0]["name"] == "a"


def test_a_damaged_model_is_left_out(served):
    write_model(served.run, CARD)
    (served.run / "model" / "model.json").write_text("{")
    assert fitted(served) == []


def test_the_catalogue_is_that_of_the_command(served):
    offered = served.page.get("/v1/models").json()["offered"]
    assert {one["name"] for one in offered} == {one.name for one in entries()}
    by_name = {one["name"]: one for one in offered}
    for entry in entries():
        one, here = by_name[entry.name], status(entry)
        assert one["commercial_use"] == entry.commercial_use and one["licence"] == entry.licence
        assert (one["here"] == "ready") == bool(here.loadable and here.present)
        assert one["here"] in ("ready", "file") or one["why"]
    assert by_name["nanodet"]["size_bytes"] == 7_696_162
    places = [("ready", "file", "fetch", "no").index(one["here"]) for one in offered]
    assert places == sorted(places)


def test_nobody_sees_models_without_a_log_in(served):
    assert served.program().get("/v1/models").status_code == 401
