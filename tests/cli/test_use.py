"""What is printed to type next names the files that the model needs."""

import pytest

from vidfit import backbones
from vidfit.cli.use import own_of, say_use


@pytest.fixture
def own(fitted):
    """The name of an encoder of one's own that is a member of no model yet, but is loaded."""
    backbones.load(fitted.backbones[1])
    return fitted.backbones[1]


@pytest.fixture
def model_of(tmp_path):
    def make(*names):
        for place, name in enumerate(names):
            backbones.save(backbones.load(name), tmp_path / "a model" / "backbones" / str(place))
        return tmp_path / "a model"

    return make


def test_own_encoder_is_named_where_the_model_holds_it(model_of, own, capsys):
    model = model_of("motion", own)
    say_use(model, ("motion", own))
    assert capsys.readouterr().out == (
        f"Use it   vidfit predict '{model}' video.mp4 --backbone {own}\n"
    )


def test_own_encoder_is_not_named_where_the_model_does_without(model_of, own, capsys):
    model = model_of("motion")
    say_use(model, ("motion", own))
    assert capsys.readouterr().out == f"Use it   vidfit predict '{model}' video.mp4\n"


def test_file_of_another_encoder_is_not_named(model_of, own):
    assert own_of(model_of(own), ("other_file.py:Other", own)) == [own]
