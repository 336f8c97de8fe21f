"""``vidfit fit --task generate`` and ``vidfit sample`` as a user types them."""

import pytest
from tests.called import call
from tests.pixels.generate.clips import SIZES

from vidfit.pixels.generate.kept import save_generator
from vidfit.pixels.generate.members import LatentMember
from vidfit.pixels.generate.vae import ClipDecoder


@pytest.fixture
def model(tmp_path):
    save_generator(LatentMember("VAE alone", SIZES, ClipDecoder(SIZES)), SIZES, {}, tmp_path / "m")
    return tmp_path / "m"


def test_samples_are_written_and_named(model, tmp_path):
    words = ("--count", "3", "--class", "b", "--seed", "4")
    result = call("sample", model, *words, "-o", tmp_path / "o")
    assert result.exit_code == 0
    assert "sample-0001.mp4 to sample-0003.mp4" in result.stdout
    names = sorted(path.name for path in (tmp_path / "o").iterdir())
    assert names == ["sample-0001.mp4", "sample-0002.mp4", "sample-0003.mp4", "samples.png"]


def test_a_class_that_is_not_known_is_told(model, tmp_path):
    result = call("sample", model, "--class", "c", "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert "'c' is no class of this generator" in result.stderr
    assert not (tmp_path / "o").exists()


def test_what_is_no_generator_is_told(tmp_path):
    result = call("sample", tmp_path, "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert "is no model of pixels" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--side", "20"], "multiple of 8"),
        (["--minutes", "3"], "knows no --minutes"),
        (["--scale", "2"], "knows no --scale"),
    ],
)
def test_options_that_say_nothing_are_refused(tmp_path, words, said):
    result = call("fit", tmp_path, "--task", "generate", *words, "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert said in result.stderr


def test_predict_points_to_sample(model):
    result = call("predict", model, "video.mp4")
    assert result.exit_code == 2
    assert "use `vidfit sample" in result.stderr


def test_a_pool_wants_clips(model, tmp_path):
    result = call("fuse", model, model, "--task", "generate", "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert "--clips" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--task", "generate", "--clips", "x"], "two or more"),
        (["--task", "generate", "--clips", "x", "--student"], "knows no --student"),
        (["--clips", "x"], "--clips is for --task generate"),
        (["more"], "2 lists of clips"),
    ],
)
def test_what_no_pool_is_made_of_is_refused(model, tmp_path, words, said):
    result = call("fuse", model, *words, "-o", tmp_path / "o")
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.replace("│", " ").split())
