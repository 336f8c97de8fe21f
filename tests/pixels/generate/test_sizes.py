import pytest

from vidfit.errors import ModelError, VidfitError
from vidfit.pixels.generate.sizes import ClipSizes


def test_sizes_come_back_from_their_facts():
    sizes = ClipSizes(frames=4, side=16, classes=("a", "b"), shares=(0.5, 0.5))
    assert ClipSizes.of_facts(sizes.facts) == sizes
    assert sizes.numbers == 4 * 16 * 16 * 3
    assert sizes.tokens == 2 * 4


@pytest.mark.parametrize("side", [0, 12, 33, 72])
def test_odd_sides_are_refused(side):
    with pytest.raises(VidfitError, match="multiple of 8 from 16 to 64"):
        ClipSizes(side=side).check()


@pytest.mark.parametrize("fps", [0.0, float("nan"), float("inf"), -1.0])
def test_rates_are_checked(fps):
    with pytest.raises(VidfitError):
        ClipSizes(fps=fps).check()


def test_damaged_sizes_are_an_error_of_the_model():
    facts = ClipSizes().facts
    for wrong in ({**facts, "latent": 10**9}, {**facts, "side": "x"}, {**facts, "shares": [1.0]}):
        with pytest.raises(ModelError, match="damaged"):
            ClipSizes.of_facts(wrong)
