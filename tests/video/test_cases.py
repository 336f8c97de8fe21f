"""The documents name as many kinds of video as are tested."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.video.cases import CASES


@pytest.mark.parametrize("document", ["docs/videos.md", "CHANGELOG.md"])
def test_the_documents_count_the_kinds(document):
    text = (Path(__file__).parents[2] / document).read_text()
    assert re.findall(r"(\d+) kinds of video", text) == [str(len(CASES))]
