"""Numbers with their nouns; hidden signs and addresses are in `tests/security`."""

from __future__ import annotations

import pytest

from vidfit.manifest import counted as of_clips
from vidfit.report.wording import counted as of_pages
from vidfit.shown import counted


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((1, "clip"), "1 clip"),
        ((0, "clip"), "0 clips"),
        ((13_000, "clip"), "13,000 clips"),
        ((1, "class", "classes"), "1 class"),
        ((2, "class", "classes"), "2 classes"),
    ],
)
def test_one_is_one_everywhere(words, said):
    assert counted(*words) == said
    assert counted is of_clips is of_pages
