"""Pictures that stand alone: SVG files with their words, colours and a white ground.

Colours are written out: few programs but browsers know CSS variables.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup

from vidfit.report.charts import join
from vidfit.report.frame import resource
from vidfit.report.wording import cut

LETTERS, LINES = 82, 3
"""Most letters of a line of the title, and most lines."""


def svg_file(width: int, height: int, pieces: Iterable[Markup], style: str) -> str:
    """Return an SVG file; ``width`` and ``height`` are in pixels."""
    document = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}">'
        '<style>{css}</style><rect width="100%" height="100%" fill="#ffffff"/>{pieces}</svg>\n'
    )
    return str(document.format(w=width, h=height, css=Markup(style), pieces=join(pieces)))


def picture_style(own: str = "") -> str:
    """Return the rules of a page for charts, with the colours of the light scheme.

    Parameters
    ----------
    own
        The style sheet of the job, in addition to that of all pages.
    """
    light: dict[str, str] = {}
    sheets = (resource("style.css"), resource("marks.css"), own)
    for sheet in sheets:
        light |= re.findall(r"--([\w-]+): ([^;]+);", sheet.split("@media")[0])
    blocks = [block for sheet in sheets for block in sheet.split("\n\n")]
    rules = [block for block in blocks if block.startswith("svg ")]
    return re.sub(r"var\(--([\w-]+)\)", lambda found: light[found[1]], "\n".join(rules))


def placed(chart: Markup, top: int, width: int, height: int) -> Markup:
    """Give the chart of a page a place and a size in the picture, for its class has others."""
    where = Markup('<svg x="24" y="{}" width="{}" height="{}" ').format(top, width, height)
    return chart.replace(Markup('<svg class="plot" '), where, 1)


def one_line(text: str, letters: int) -> str:
    """Return a line that fits, without the control characters that XML forbids."""
    line = "".join(c if c.isprintable() else " " for c in text)
    return cut(line, letters)


def title_lines(text: str) -> list[str]:
    """Return a sentence in lines that fit, without the control characters that XML forbids."""
    line, lines = "", []
    for word in "".join(c if c.isprintable() else " " for c in text).split():
        if line and len(line) + 1 + len(word) > LETTERS:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines = [*lines, line]
    if len(lines) > LINES:
        lines = [*lines[: LINES - 1], " ".join(lines[LINES - 1 :])]
    return [one_line(line, LETTERS) for line in lines]


def title(text: str, facts: str) -> Markup:
    """Return a title in up to three lines, and a line of facts below it."""
    lines = title_lines(text)
    heads = [
        Markup('<text class="title" x="24" y="{}">{}</text>').format(34 + 25 * i, line)
        for i, line in enumerate(lines)
    ]
    below = Markup('<text x="24" y="{}">{}</text>').format(36 + 25 * len(lines), facts)
    return join([*heads, below])
