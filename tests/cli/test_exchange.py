"""What `vidfit push` and `vidfit pull` say."""

from __future__ import annotations

import pytest
from tests.called import call
from tests.test_model import example, write_member

from vidfit.model import load_model, save_model


def test_each_names_the_next_command(tmp_path):
    save_model(example(), tmp_path / "model", write_member)
    shared, back = str(tmp_path / "shared"), tmp_path / "back"
    result = call("push", tmp_path / "model", shared)
    assert result.exit_code == 0, result.output
    assert f"Get it   vidfit pull {shared} model" in result.output
    result = call("pull", shared, back)
    assert result.exit_code == 0, result.output
    assert f"Use it   vidfit predict {back} video.mp4" in result.output
    assert load_model(back).classes == example().classes


@pytest.mark.parametrize("words", [["push", "nowhere", "there"], ["pull", "nowhere", "here"]])
def test_what_is_wrong_is_said_in_one_line(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = call(*words)
    assert result.exit_code == 2
    assert "vidfit: nowhere " in result.output and "model.json" in result.output
    assert list(tmp_path.iterdir()) == []
