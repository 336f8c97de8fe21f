"""The same weights under another config are another network: for engines, stores and revisions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.security import altered
from tests.security.altered import BEFORE, CONFIG, MODEL, setting, with_json

from vidfit import backbones as zoo
from vidfit.contracts import Backbone
from vidfit.features import FeatureStore
from vidfit.features.digests import spec_key
from vidfit.metrics import probabilities
from vidfit.planning.file import read_plan
from vidfit.runtime import accelerate, cache
from vidfit.study import trial
from vidfit.study.opened_model import open_model

OTHERS = {
    "activation": {"hidden_act": "relu"},
    "heads": {"num_attention_heads": 4},
    "epsilon": {"layer_norm_eps": 0.5},
}


def honest() -> Backbone:
    return zoo.restore(MODEL / "backbones" / "0")


@pytest.mark.parametrize("values", OTHERS.values(), ids=OTHERS)
def test_a_config_is_a_part_of_what_networks_are_known_by(values, tmp_path):
    other = zoo.restore(with_json(altered.copy(tmp_path / "m"), CONFIG, setting(**values))
                        / "backbones" / "0")  # fmt: skip
    spec = honest().spec
    assert other.spec.revision != spec.revision
    assert cache.key(other.spec) != cache.key(spec)
    assert spec_key(other.spec) != spec_key(spec)


def test_a_poisoned_cache_is_not_taken_for_the_honest_network(tmp_path):
    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 16, 16, 3), dtype=np.uint8)
    values = setting(hidden_act="relu", layer_norm_eps=0.5)
    attacker = zoo.restore(with_json(altered.copy(tmp_path / "m"), CONFIG, values)
                           / "backbones" / "0")  # fmt: skip
    expected = honest().forward(frames)
    poison = accelerate(attacker, engine="onnx", cache=tmp_path / "engines")
    assert np.abs(poison.forward(frames) - expected).max() > 0.1
    found = accelerate(honest(), engine="onnx", cache=tmp_path / "engines")
    np.testing.assert_allclose(found.forward(frames), expected, rtol=1e-4, atol=1e-4)


def test_a_revision_is_the_same_for_what_was_loaded_and_what_was_saved(tmp_path):
    backbone = honest()
    zoo.save(backbone, tmp_path / "again")
    assert zoo.restore(tmp_path / "again").spec == backbone.spec
    told = json.loads((tmp_path / "again" / "spec.json").read_text())
    before = json.loads((MODEL / "backbones" / "0" / "spec.json").read_text())
    assert told == before  # as an earlier vidfit wrote it: either reads the other's models


def test_a_frame_network_is_known_by_its_shape():
    from vidfit.networks import Shape, build
    from vidfit.study.frame_network import frame_network

    networks = [build("cnn-lstm", Shape(0, 16, 2, width=8)) for _ in range(2)]
    networks[1].load_state_dict(networks[0].state_dict())
    made = [
        frame_network("cnn-lstm", Shape(0, 16, 2, width=8, heads=heads), network)
        for heads, network in zip((2, 4), networks, strict=True)
    ]
    assert made[0].spec.revision != made[1].spec.revision


# ---------------------------------------------------------------- what was written before


def test_a_model_from_before_answers_the_same(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("vidfit.study.opened_model.try_in_child", trial.run_trial)
    opened = open_model(MODEL)
    told = json.loads((BEFORE / "answer.json").read_text())
    tokens = []
    for member, views in zip(opened.members, (2, 1), strict=True):
        spec = member.spec
        size = spec.preprocessing.height_pixels, spec.preprocessing.width_pixels
        shape = (views, spec.sampling.clip_len, *size, 3)
        frames = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
        tokens.append(member.forward(frames).reshape(-1, spec.dim))
    np.testing.assert_allclose(tokens[0].ravel()[:8], told["vit"], rtol=1e-4, atol=1e-5)
    from vidfit.features import temporal_statistics

    blocks = [temporal_statistics(tokens_ND)[None] for tokens_ND in tokens]
    answer = probabilities(opened.head.log_probabilities(blocks), opened.model.temperature)
    np.testing.assert_allclose(answer[0], told["probabilities"], atol=1e-4)


def test_a_store_from_before_is_read(tmp_path):
    store = FeatureStore(altered.copy(tmp_path / "features", BEFORE / "features"))
    spec = zoo.load("motion").spec
    assert store.known(spec) == {f"{i:064x}" for i in range(2)}
    rows = dict(store.rows(spec))
    assert len(rows) == 2 and all(row.tokens_ND.shape[1] == spec.dim for row in rows.values())


def test_a_plan_from_before_is_read():
    plan = read_plan(BEFORE / "plan.json")
    assert plan.recipe.batch_schedule == ((0.0, 1.0), (0.5, 2.0))
    assert plan.subject.backbone == "efficientnet-lite0"
