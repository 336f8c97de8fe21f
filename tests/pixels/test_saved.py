"""A model of pixels comes back as it was written, and a damaged or foreign one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vidfit.documents import json_in, to_json
from vidfit.errors import ModelError
from vidfit.pixels.saved import PIXELS, WEIGHTS, PixelModel, load_pixels, save_pixels


def _saved(folder: Path) -> PixelModel:
    weights = {"network/w": torch.arange(6.0).reshape(2, 3)[:, ::2], "other/w": torch.ones(2)}
    model = PixelModel("restore", {"scale": 4}, weights, {"psnr_db": 30.5})
    save_pixels(model, folder)
    return model


def test_what_is_written_is_read(tmp_path: Path) -> None:
    model = _saved(tmp_path / "model")
    found = load_pixels(tmp_path / "model", "restore")
    assert (found.task, found.sizes, found.card) == (model.task, model.sizes, model.card)
    assert torch.equal(found.part("network")["w"], model.part("network")["w"])
    assert list(found.part("network")) == ["w"]


def test_another_task_is_refused(tmp_path: Path) -> None:
    _saved(tmp_path / "model")
    with pytest.raises(ModelError, match="a model of restore, not of forecast"):
        load_pixels(tmp_path / "model", "forecast")


def test_an_altered_file_is_refused(tmp_path: Path) -> None:
    _saved(tmp_path / "model")
    weights = tmp_path / "model" / WEIGHTS
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x01")
    with pytest.raises(ModelError, match="was altered"):
        load_pixels(tmp_path / "model", "restore")


@pytest.mark.parametrize(
    ("field", "value"), [("format", 2), ("sizes", 3), ("files", {"../x": "0"})]
)
def test_a_wrong_document_is_refused(tmp_path: Path, field: str, value: object) -> None:
    _saved(tmp_path / "model")
    document = tmp_path / "model" / PIXELS
    found = json_in(document.read_text(encoding="utf-8"))
    document.write_text(to_json({**found, field: value}), encoding="utf-8")
    with pytest.raises(ModelError):
        load_pixels(tmp_path / "model", "restore")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no model of pixels"):
        load_pixels(tmp_path, "restore")
