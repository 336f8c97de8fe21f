"""Answers on the command line: several models, and where their files go."""

from __future__ import annotations

import json
import shutil

from tests.called import call
from tests.clips import write_clip


def test_answers_of_several_models_go_to_folders_of_their_names(tmp_path, fitted):
    path = write_clip(tmp_path / "v.mp4", "left", seed=3)
    words = ("predict", fitted.model, path, "--also", shutil.copytree(fitted.model, tmp_path / "b"))
    result = call(*words, "-o", tmp_path / "out", "--format", "json,parquet")
    assert result.exit_code == 0, result.output
    names = {str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")}
    assert {"b/v.json", "out/v.json", "b/answers.parquet", "out/answers.parquet"} <= names
    lines = [json.loads(line) for line in call(*words, "--json").stdout.splitlines()]
    assert [line["model"] for line in lines] == ["out", "b"]
    twice = call("predict", fitted.model, path, "--also", fitted.model)
    assert twice.exit_code == 2 and "two models are called 'out'" in twice.stderr


def test_answers_to_another_video_of_that_name_are_kept(tmp_path, fitted):
    paths = [write_clip(tmp_path / name / "v.mp4", "left", seed=3) for name in ("a", "b")]
    words = ("-o", tmp_path / "out")
    for path in (*paths, paths[0]):
        assert call("predict", fitted.model, path, *words).exit_code == 0
    found = [json.loads(p.read_text())["path"] for p in sorted((tmp_path / "out").glob("*.json"))]
    assert sorted(found) == sorted(map(str, paths))
