"""The card of a model as Markdown, in the form that the Hugging Face hub reads.

What the model says of itself (`vidfit.model.Model.card`) is put into words; names that users
chose are escaped, so that they are shown and never read as markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vidfit.documents import to_json
from vidfit.errors import ModelError
from vidfit.model import Model
from vidfit.report.declining import declines_of_card, declines_text
from vidfit.report.wording import (
    ACCURACY,
    METRICS,
    counted,
    duration,
    figure,
    gmacs,
    interval,
    large,
    percent,
    points,
)
from vidfit.reported import estimate_of
from vidfit.tasks import task_named

LICENCES = {
    "Apache-2.0": "apache-2.0",
    "BSD-3-Clause": "bsd-3-clause",
    "CC-BY-4.0": "cc-by-4.0",
    "CC-BY-NC-4.0": "cc-by-nc-4.0",
    "CC-BY-NC-SA-4.0": "cc-by-nc-sa-4.0",
    "MIT": "mit",
}
"""Licence as the catalogue writes it -> as the hub knows it."""

_Card = Mapping[str, Any]


def model_card_markdown(model: Model) -> str:
    """Return the model card: front matter for the hub, and what a reader should know.

    Parts under differing or unknown licences make ``license: other``, and the strictest is
    said in words. What the model's card does not say is said to be unknown, or left out.

    Raises
    ------
    ModelError
        If the card holds what no vidfit writes there.
    """
    try:
        return _markdown(model)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"the model's card cannot be put into words ({type(error).__name__}: {error}); fit or "
            "copy the model again"
        ) from error


def _answers(model: Model) -> str:
    task = task_named(model.task)
    if task.kind.exclusive or task.kind.separate:
        return counted(len(model.classes), "class", "classes")
    return task.kind.what


def _markdown(model: Model) -> str:
    members = _members(model)
    sections = [
        _front_matter(model, members),
        f"# {escaped(', '.join(model.members))}: {_answers(model)} of video\n\n{_opening(model)}",
        "## Scores\n\n" + "\n".join(_scores(model.card)),
        "## Parts and licences\n\n" + "\n".join(_parts(members)),
        "## What it looks at\n\n" + "\n".join(_inputs(members)),
        "## When it declines\n\n" + _declines(model),
        *_compression(model.card),
        "## Limits\n\n" + escaped(model.card.get("limits") or "Not stated."),
        "## Run it\n\n" + _RUN,
    ]
    return "\n\n".join(sections) + "\n"


_RUN = """```console
$ pip install vidfit
$ vidfit pull SOURCE model
$ vidfit predict model video.mp4
```

`SOURCE` is where you found this: a folder, a URL, or `hf:org/name`. Nothing in it is code, and \
loading runs none; every file's sha256 stands in `model.json`."""


def escaped(text: object) -> str:
    """Return text that Markdown shows as it is, on one line, in a table, too."""
    line = " ".join(str(text).split())
    line = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([\\`*_\[\]|#!~$])", r"\\\1", line)


def _members(model: Model) -> list[_Card]:
    """Return the facts of the members; by name only where an older card does not give them."""
    known = {m.get("name"): m for m in model.card.get("members", ()) if isinstance(m, Mapping)}
    return [known.get(name, {"name": name}) for name in model.members]


def _front_matter(model: Model, members: Sequence[_Card]) -> str:
    tags = ["vidfit", "video-classification", *dict.fromkeys(str(m["name"]) for m in members)]
    licences = {LICENCES.get(str(m.get("licence"))) for m in members}
    one = next(iter(licences)) if len(licences) == 1 else None
    metrics = ["accuracy"] if model.card.get("accuracy") else []
    lines = [
        f"license: {one or 'other'}",
        "library_name: vidfit",
        "pipeline_tag: video-classification",
        # Strings of JSON are strings of YAML, whatever they hold.
        "tags:",
        *(f"- {to_json(tag)}" for tag in tags),
        *(["metrics:"] if metrics else []),
        *(f"- {name}" for name in metrics),
    ]
    return "\n".join(["---", *lines, "---"])


def _opening(model: Model) -> str:
    card = model.card
    counts = [f"{card[key]} {key}" for key in ("clips", "recordings") if key in card]
    lines = [
        f"Classes: {', '.join(escaped(name) for name in model.classes)}.",
        f"Fitted on {escaped(card.get('data', 'data that are not named'))}"
        + (f": {', '.join(counts)}." if counts else "."),
    ]
    if card.get("method"):
        lines.append(f"Its members are combined by the method {escaped(card['method'])}.")
    if card.get("verdict"):
        lines.append(escaped(card["verdict"]))
    return "\n\n".join(lines)


def _scores(card: _Card) -> Iterator[str]:
    yield f"Held out: {escaped(card.get('protocol', 'not stated'))}."
    yield ""
    rows = {
        "accuracy": "accuracy (top-1)",
        "mean_class_accuracy": "mean class accuracy",
        "majority": str(card.get("baseline", "always the most frequent class")),
    }
    # Older cards name no metric; all of their figures are accuracies.
    metric = METRICS.get(str(card.get("metric")), ACCURACY)
    if metric is not ACCURACY:
        rows = {"score": metric.name} | rows
    found = {key: card[key] for key in rows if card.get(key)}
    if not found:
        yield "No clips were put aside: there is no score."
        return
    yield "| | with 95 % interval |"
    yield "|---|---|"
    for key, estimate in found.items():
        of = metric if key in ("score", "majority") else ACCURACY
        yield f"| {rows[key]} | {of.figure(estimate_of(estimate))} |"
    if card.get("even") is True:
        yield ""
        yield "It answers as if every class were as frequent as the others."
    if card.get("calibration_error") is not None:
        yield ""
        yield f"Expected calibration error: {points(card['calibration_error'])}."


def _parts(members: Sequence[_Card]) -> Iterator[str]:
    yield "| part | licence | commercial use | source | parameters | GMACs a view |"
    yield "|---|---|---|---|---|---|"
    for member in members:
        allowed = {True: "allowed", False: "not allowed"}.get(
            member.get("commercial_use"),  # type: ignore[arg-type]
            "unclear",
        )
        words = (member["name"], member.get("licence", "unknown"), allowed)
        cells = [*words, member.get("source", "unknown")]
        numbers = [large(member.get("parameters", 0)), gmacs(member.get("gmacs_per_view", 0.0))]
        yield f"| {' | '.join([*map(escaped, cells), *numbers])} |"
    yield ""
    yield _commercial(members)


def _commercial(members: Sequence[_Card]) -> str:
    """Say what the strictest of the licences leaves."""
    forbidden = [m["name"] for m in members if m.get("commercial_use") is False]
    unclear = [m["name"] for m in members if m.get("commercial_use") is None]
    if forbidden:
        return f"**No commercial use** of the whole: {_named(forbidden)} forbids it."
    if unclear:
        return (
            f"**Commercial use is unclear**: the licence of {_named(unclear)} is not known or "
            "leaves it open. Ask before you sell anything."
        )
    return "The licences of all parts allow commercial use. The training clips may not."


def _named(names: Sequence[object]) -> str:
    return " and ".join(escaped(name) for name in names)


def _inputs(members: Sequence[_Card]) -> Iterator[str]:
    yield "| part | views x frames | seconds between frames | pixels | cut |"
    yield "|---|---|---|---|---|"
    for member in members:
        sampling, size = member.get("sampling"), member.get("preprocessing")
        if not sampling or not size:
            yield f"| {escaped(member['name'])} | unknown | | | |"
            continue
        interval = sampling["interval_seconds"]
        short = size["short_side_pixels"]
        cells = (
            escaped(member["name"]),
            f"{sampling['num_clips']} x {sampling['clip_len']}",
            ("keyframes" if sampling.get("keyframes") else "even")
            if interval is None
            else f"{interval:.3g}",
            f"{size['height_pixels']} x {size['width_pixels']}",
            "whole frame" if short is None else f"centre, shorter side {short}",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "Frames are uint8 RGB; mean and deviation are applied inside the networks."


def _declines(model: Model) -> str:
    if not task_named(model.task).declines:
        windows = duration(model.window_seconds)
        return f"It always answers. Long videos are answered in windows of {windows}."
    return (
        f"It declines to answer below a probability of {percent(model.unknown_probability)} (low "
        "confidence), and where a clip lies further from the training clips than "
        f"{model.unknown_novelty:.3g} (unlike anything seen; mean squared standard score, about 1 "
        f"on their average). {_share_declined(model.card)} Probabilities are calibrated by a "
        f"temperature of {model.temperature:.3g}. Long videos are answered in windows of "
        f"{duration(model.window_seconds)}."
    )


def _share_declined(card: _Card) -> str:
    declines = declines_of_card(card)
    if declines is None:
        return "What share of clips that is was not measured."
    return escaped(declines_text(declines))


def _compression(card: _Card) -> Iterator[str]:
    facts = card.get("compression")
    if not facts:
        return
    footprint, loss = facts["footprint"], estimate_of(facts["loss"])
    yield "## Compression\n\n" + "\n".join(
        [
            f"Made by {escaped(facts['technique'])} from {escaped(facts['from'])}: "
            f"{escaped(', '.join(facts['details']))}.",
            "",
            f"Held out: {escaped(facts['protocol'])}.",
            "",
            "| | |",
            "|---|---|",
            f"| accuracy | {figure(estimate_of(facts['accuracy']))} |",
            f"| accuracy lost | {100 * loss.value:+.1f} points {interval(loss)} |",
            f"| cosine of its tokens and the original's | {facts['similarity']:.4f} |",
            f"| times as fast | {footprint['latency_ratio']:.2f} |",
            f"| size | {footprint['size_bytes'] / 1e6:.1f} MB |",
        ]
    )
