"""Spans in projects of BORIS (``.boris``, JSON): observations, their videos and their events.

An event is ``[time, subject, behavior, modifiers, comment]``. One of a state begins at its first,
third ... event of the same subject and modifiers, and ends at the next.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from vidfit.contracts import Clip
from vidfit.documents import json_in
from vidfit.errors import ManifestError
from vidfit.manifest.spans.played import Played, say_observations
from vidfit.manifest.spans.value import SpanRows
from vidfit.shown import counted

_DAMAGED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError)
"""What an observation raises that is not as BORIS writes it."""


class _Event(NamedTuple):
    """When, of whom, what, and how; seconds as the project counts them."""

    seconds: float
    subject: str
    label: str
    modifiers: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What two events of one state share."""
        return self.subject, self.label, self.modifiers


def parse_boris_project(text: str, name: str) -> SpanRows:
    """Read the spans of all observations of videos; the label is the behavior.

    Times are those of the videos: time offsets, and videos that were played before, are taken off.

    Raises
    ------
    ManifestError
        If it is no JSON, or no project.
    """
    try:
        project = json_in(text)
        observations = project["observations"].items()
        kinds = {b["code"]: str(b["type"]) for b in project["behaviors_conf"].values()}
    except json.JSONDecodeError as error:
        raise ManifestError(f"{name}, line {error.lineno}: it is no JSON ({error.msg})") from error
    except ValueError as error:
        raise ManifestError(f"{name}: it is no JSON that can be read ({error})") from error
    except (TypeError, KeyError, AttributeError) as error:
        raise ManifestError(
            f"{name} is JSON without 'observations' and 'behaviors_conf', which a project of BORIS "
            "has"
        ) from error
    rows = SpanRows(name, f"the spans of {name} (BORIS)")
    states = {code for code, kind in kinds.items() if kind.startswith("State")}
    points: Counter[str] = Counter()
    told: list[tuple[str, str]] = []
    modified = False
    for title, observation in observations:
        try:
            played, offset = _videos(observation)
            events = [_event(event) for event in observation["events"]]
            away = _not_looked_at(played, observation)
        except (
            TypeError,
            KeyError,
            ValueError,
            IndexError,
            AttributeError,
            OverflowError,
        ) as error:
            why = str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"
            rows.reject(repr(title), f"the observation cannot be used: {why}", *_named(observation))
            continue
        rows.unread += away
        modified |= any(event.modifiers not in ("", "None") for event in events)
        told += [(video, title) for video in played.names if events]
        at = [e for e in events if e.label not in states]
        points.update(event.label for event in at)
        rows.unread += [t for e in at for t in played.times(e.seconds - offset, e.seconds - offset)]
        for first, last in _pairs([e for e in events if e.label in states]):
            if last is None:
                why = f"{first.label!r} at {first.seconds:g} s begins and does not end"
                rows.reject(repr(title), why, *played.times(first.seconds - offset, math.inf))
                continue
            start, end = first.seconds - offset, last.seconds - offset
            try:
                video, before = played.at(start, end)
                clip = Clip(video, max(0.0, start - before), end - before, first.label)
                rows.add(repr(title), clip)
            except ValueError as error:
                why = f"{first.label!r} at {first.seconds:g} s: {error}"
                rows.reject(repr(title), why, *played.times(start, end))
    for label, count in points.items():
        rows.reject(repr(label), f"it is a point in time, and no span ({counted(count, 'event')})")
    if modified:
        rows.warnings.append(f"Modifiers of {name} are not used.")
    say_observations(rows, told)
    return rows


def _videos(observation: dict[str, Any]) -> tuple[Played, float]:
    """Return the videos of the first player, and the seconds that are added to times of theirs.

    Raises
    ------
    ValueError
        If it is of no video, or times cannot be told.
    """
    if observation["type"] != "MEDIA":
        raise ValueError(f"it is of no video ({observation['type']})")
    if observation.get("media_creation_date_as_offset"):
        raise ValueError("its times count from when the videos were made; export it as a table")
    names = tuple(map(str, observation["file"]["1"]))
    if not names:
        raise ValueError("it names no video")
    lengths = observation.get("media_info", {}).get("length", {})
    if len(names) > 1 and not set(names) <= set(lengths):
        raise ValueError("it has several videos, and does not say how long each lasts")
    seconds = tuple(float(lengths.get(name, math.inf)) for name in names)
    return Played(names, seconds), float(observation.get("time offset") or 0)


def _event(cells: list[Any]) -> _Event:
    """Read an event; a ValueError says that it has no time."""
    seconds = float(cells[0])
    if not math.isfinite(seconds):
        raise ValueError(f"the event {cells[2]!r} has no time")
    return _Event(seconds, str(cells[1]), str(cells[2]), str(cells[3]))


def _named(observation: object) -> Iterator[Clip]:
    """Yield the videos of the first player, as far as an observation names them."""
    file = observation.get("file") if isinstance(observation, dict) else None
    names = file.get("1") if isinstance(file, dict) else None
    yield from (Clip(name) for name in (names if isinstance(names, list) else ()) if name)


def _not_looked_at(played: Played, observation: dict[str, Any]) -> list[Clip]:
    """Return the time outside the interval that an observation is limited to; 0 is its end."""
    interval = observation.get("observation time interval")
    if not isinstance(interval, list) or len(interval) != 2:
        return []
    first, last = (float(at) if isinstance(at, int | float) else 0.0 for at in interval)
    before = played.times(0.0, first) if first > 0 else []
    return [*before, *(played.times(last, math.inf) if last > first else [])]


def _pairs(events: Iterable[_Event]) -> Iterator[tuple[_Event, _Event | None]]:
    """Yield the first and the last event of each state; ``None`` where it does not end."""
    begun: dict[tuple[str, str, str], _Event] = {}
    for event in sorted(events, key=lambda one: one.seconds):
        if (first := begun.pop(event.key, None)) is not None:
            yield first, event
        else:
            begun[event.key] = event
    yield from ((event, None) for event in begun.values())
