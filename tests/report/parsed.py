"""A page taken apart, for tests of what it says and whether it is well formed."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser

from vidfit.report.plane import overlap

VOID = {"meta", "link", "img", "br", "input", "hr"}


class Page(HTMLParser):
    """Text, tags and attributes of a page whose tags must all be closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(html)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] not in {"style", "script"}:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def check_labels(chart: str, width: float, height: float, marks: int) -> int:
    """Check that names cover neither each other nor marks, and lie inside; return their number."""
    share = {"": 0.0, "start": 0.0, "middle": 0.5, "end": 1.0}
    boxes = []
    for x, y, anchor, text in re.findall(
        r'<text class="(?:label|count)[^"]*" x="([\d.-]+)" y="([\d.-]+)"'
        r'(?: text-anchor="(\w+)")?>([^<]*)<', chart,
    ):  # fmt: skip
        wide = 6.5 * len(unescape(text))
        left = float(x) - wide * share[anchor]
        boxes.append((left, float(y) - 11, left + wide, float(y) + 2))
    found = re.findall(r'<svg class="mark [^"]*" x="([\d.]+)" y="([\d.]+)"', chart)
    assert len(found) == marks
    places = [(float(x) - 4, float(y) - 4, float(x) + 4, float(y) + 4) for x, y in found]
    for i, box in enumerate(boxes):
        assert box[0] >= -1 and box[2] <= width + 4 and box[1] >= 0 and box[3] <= height
        assert not any(overlap(box, other) for other in (*boxes[i + 1 :], *places))
    return len(boxes)
