"""What the pages have in common: one frame, one style, one script, one set of parts."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files
from math import isfinite
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from vidfit.report import charts, wording
from vidfit.shown import shown_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from jinja2 import Environment

    from vidfit.reported import Stage

SHOWN_AT_ONCE = 8
LISTED_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Timed:
    """Stages beside each other: the longest, the sums, and those that were predicted."""

    slowest_seconds: float
    measured_seconds: float
    foreseen: tuple[Stage, ...]
    foreseen_seconds: float
    predicted_seconds: float


def render(package: str, page: str, data: str, context: Mapping[str, Any]) -> str:
    """Return a page as one self-contained HTML file.

    Names, labels and paths are escaped, and shown as `vidfit.shown` says. A content security
    policy in the page allows no request and no script but the one that sorts tables, with what
    ``page.js.jinja`` of the package adds to it.

    Parameters
    ----------
    package
        Whose ``page.html.jinja`` fills the frame; it may include other files of the package.
    page
        What the page is: ``"report"``; its figures are in ``report.json``.
    data
        Where the clips come from.
    context
        What the template shows.
    """
    script = Markup(resource("sort.js.jinja") + _own_script(package))
    digest = hashlib.sha256(script.encode()).digest()
    page_template = _environment(package).get_template("page.html.jinja")
    text = page_template.render(
        context,
        page=page,
        data=data,
        style=Markup(resource("style.css")),
        script=script,
        script_hash=base64.b64encode(digest).decode(),
    )
    return shown_lines(text)


def resource(name: str, package: str = "vidfit.report") -> str:
    """Return the text of a file of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def _own_script(package: str) -> str:
    """Return what a package's page does beside sorting, if anything."""
    name = "page.js.jinja"
    return "\n" + resource(name, package) if files(package).joinpath(name).is_file() else ""


def _environment(package: str) -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    def text(name: str) -> str:
        own = files(package).joinpath(name).is_file()
        return resource(name, package) if own else resource(name)

    environment = Environment(
        loader=FunctionLoader(text),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals.update(
        say=wording,
        charts=charts,
        finite=isfinite,
        timed=timed,
        shown_at_once=SHOWN_AT_ONCE,
        listed_at_most=LISTED_AT_MOST,
    )
    return environment


def timed(stages: Sequence[Stage]) -> Timed:
    """Return what the stages took beside what they were predicted to take."""
    foreseen = tuple(s for s in stages if isfinite(_predicted(s)))
    predicted = [_predicted(s) for s in foreseen]
    measured = [s.measured_seconds for s in stages if isfinite(s.measured_seconds)]
    return Timed(
        slowest_seconds=max([*predicted, *measured], default=0.0) or 1.0,
        measured_seconds=sum(measured),
        foreseen=foreseen,
        foreseen_seconds=sum(s.measured_seconds for s in foreseen if isfinite(s.measured_seconds)),
        predicted_seconds=sum(predicted),
    )


def _predicted(stage: Stage) -> float:
    return float("nan") if stage.predicted_seconds is None else stage.predicted_seconds
