"""An index says who looked, so that it can be asked by what it has not seen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vidfit.jobs.search.encoders import NOTE, NotedEncoders, note_encoders, noted_encoders
from vidfit.jobs.search.options import SearchOptions
from vidfit.jobs.search.run import open_index


def test_an_index_notes_its_encoder_and_the_length_of_its_shots(tmp_path, options):
    index, _, _ = open_index(tmp_path / "index", replace(options, shot_seconds=3.0))
    assert noted_encoders(index.folder) == NotedEncoders(options.backbone, 3.0)
    before = (index.folder / NOTE).stat().st_mtime_ns
    open_index(tmp_path / "index", replace(options, shot_seconds=3.0))
    assert (index.folder / NOTE).stat().st_mtime_ns == before


def test_a_folder_of_a_model_is_noted_by_its_full_path(tmp_path, monkeypatch):
    (tmp_path / "siglip").mkdir()
    monkeypatch.chdir(tmp_path)
    note_encoders(tmp_path, SearchOptions(backbone="hf:siglip"))
    assert noted_encoders(tmp_path).backbone == f"hf:{tmp_path / 'siglip'}"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"backbone": "a"}', '{"shot_seconds": "x"}'])
def test_a_damaged_note_is_none(tmp_path, text):
    assert noted_encoders(tmp_path) is None
    (tmp_path / NOTE).write_text(text)
    assert noted_encoders(tmp_path) is None
