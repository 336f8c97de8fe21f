"""A page taken apart, for tests of what it says and whether it is well formed."""

from __future__ import annotations

import json
import re
from functools import cache
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from vidfit.report import frame
from vidfit.report.plane import overlap

# Templates are compiled once for all pages of a run: that takes longer than to fill them.
frame._environment = cache(frame._environment)

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


def flat(text: str) -> str:
    return " ".join(text.split())


def letters(text: str) -> str:
    """Return what is left of a text that pages and terminals set with other spaces."""
    return re.sub(r"\s", "", text)


def check_page(html: str, most_bytes: float = 600_000) -> tuple[Page, list[str]]:
    """Check that a page is well formed and whole, and shows no NaN; return it and its ids."""
    read = Page(html)
    assert read.tags.count("h1") == 1
    ids = [value for _, name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    labelled = [value for _, name, value in read.attributes if name == "aria-labelledby"]
    assert set(labelled) <= set(ids)
    assert not re.search(r"\bnan\b", read.text, re.IGNORECASE)
    assert not re.search(r"\binf\b", read.text)
    assert not re.search(r'\b(x|y|x1|x2|cx|cy|d|width|style)="[^"]*(nan|inf)', html)
    links = [v for _, name, v in read.attributes if name in {"src", "href", "srcset"}]
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "url(" not in html and "@import" not in html
    assert len(html.encode()) < most_bytes
    return read, ids


def check_names_stay_text(html: str) -> Page:
    """Check that hostile names add neither scripts nor handlers; return the page."""
    read = Page(html)
    assert read.tags.count("script") == 1
    assert not [name for _, name, _ in read.attributes if name.startswith("on")]
    assert all(
        v.startswith("data:image/jpeg") for t, n, v in read.attributes if (t, n) == ("img", "src")
    )
    assert "<script>alert(1)</script>" in read.text and "{{ 7 * 7 }}" in read.text
    return read


def check_picture(svg: str) -> str:
    """Check that a picture is XML of shapes and words, without variables; return the words."""
    root = ElementTree.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "img", "image", "foreignObject"}
    text = " ".join(root.itertext())
    assert "var(" not in text and not re.search(r"\b(nan|inf)\b", text)
    return text


def check_written(write, first, second, name: str, folder) -> dict:
    """Check that three whole files are made and replaced; return what the JSON holds."""
    directory = folder / "new" / "out"
    assert write(first, directory) == directory / f"{name}.html"
    before = (directory / f"{name}.html").read_text()
    write(second, directory)
    names = sorted(path.name for path in directory.iterdir())
    assert names == [f"{name}.html", f"{name}.json", f"{name}.svg"]
    assert (directory / f"{name}.html").read_text() != before
    (folder / "file").write_text("mine")
    with pytest.raises(FileExistsError):
        write(first, folder / "file")
    assert (folder / "file").read_text() == "mine"
    return json.loads((directory / f"{name}.json").read_text())


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
