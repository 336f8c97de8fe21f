"""Fifty clients at once, labellers whose server is killed: what waits, leaks and is lost."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import load, table
from benchmarks._serve_server import Program, Serving, new_key

PAUSE_SECONDS = 0.5
"""Between two requests of a client: people look before they act."""

P99_BAR, GROWTH_BAR = 500.0, 0.10
_WARM_SHARE = 0.25
"""Of the time; what is held after it is what growth is counted from."""

LABELLERS, KILLS = 8, 5


@dataclass
class Answered:
    """Requests of all clients: milliseconds by what was asked, and what went wrong."""

    waited: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, milliseconds: float, status: int) -> None:
        """Keep one answer."""
        with self.lock:
            self.waited.setdefault(what, []).append(milliseconds)
            if status >= 400:
                self.errors.append(f"{what}: {status}")


def measure_load(clips: Path, scratch: Path, clients: int, seconds: float) -> dict[str, Any]:
    """Return latency, errors and memory with so many clients for so long."""
    state = scratch / "state"
    state.mkdir(parents=True)
    keys = [new_key(state, f"client {number}") for number in range(clients)]
    serving = Serving([clips], state, options=("--ahead", "0")).start()
    try:
        first = Program(serving.port, keys[0])
        library = first.ask("GET", "/v1/libraries")[1]["libraries"][0]["id"]
        ids = first.ask("GET", f"/v1/libraries/{library}/clips")[1]["id"]
        answered, until = Answered(), time.monotonic() + seconds
        work = [
            threading.Thread(
                target=_client, args=(serving.port, key, library, ids, answered, until)
            )
            for key in keys
        ]  # fmt: skip
        worked = serving.cpu_seconds()
        for thread in work:
            thread.start()
        time.sleep(seconds * _WARM_SHARE)
        warm = serving.memory_mb()
        for thread in work:
            thread.join()
        after, worked = serving.memory_mb(), serving.cpu_seconds() - worked
    finally:
        serving.stop()
    return _loaded(answered, clients, seconds, (warm, after), worked)


def _loaded(
    answered: Answered, clients: int, seconds: float, memory: tuple[float, float], worked: float
) -> dict[str, Any]:
    rows = [(name, np.array(found)) for name, found in sorted(answered.waited.items())]
    every = np.concatenate([found for _, found in rows])
    table(
        ["asked", "requests", "median", "p95", "p99", "slowest"],
        [
            [
                name,
                f"{len(found)}",
                *(f"{np.percentile(found, q):.0f} ms" for q in (50, 95, 99, 100)),
            ]
            for name, found in [*rows, ("all", every)]
        ],
    )
    warm, after = memory
    growth = after / warm - 1
    print(
        f"{clients} clients, {len(every) / seconds:.0f} requests a second, the server worked "
        f"{1000 * worked / len(every):.1f} ms for each; {len(answered.errors)} errors; "
        f"{warm:.1f} MB after a quarter of the time, {after:.1f} MB at the end ({growth:+.1%}); "
        f"{load()}"
    )
    for error, count in Counter(answered.errors).most_common(5):
        print(f"  {count} x {error}")
    return {
        "clients": clients, "seconds": seconds, "requests": len(every),
        "p99": float(np.percentile(every, 99)), "median": float(np.median(every)),
        "server ms a request": 1000 * worked / len(every), "errors": answered.errors,
        "warm MB": warm, "after MB": after, "growth": growth,
    }  # fmt: skip


def _client(
    port: int, key: str, library: str, ids: list[str], answered: Answered, until: float
) -> None:
    """Do what pages do: look at clips, ask for labels, label, take the next of the queue."""
    program, drawn = Program(port, key), random.Random(key)
    acts: dict[str, Callable[[], tuple[int, Any]]] = {
        "libraries": lambda: program.ask("GET", "/v1/libraries"),
        "clips by columns": lambda: program.ask("GET", f"/v1/libraries/{library}/clips"),
        "labels": lambda: program.ask("GET", f"/v1/labels?library={library}&since=0"),
        "a clip": lambda: program.ask("GET", f"/v1/clips/{drawn.choice(ids)}"),
        "previews": lambda: program.ask("POST", "/v1/previews", {"clips": drawn.sample(ids, 20)}),
        "a video": lambda: program.ask("GET", f"/v1/clips/{drawn.choice(ids)}/video"),
        "queue": lambda: program.ask("POST", "/v1/queue", {"library": library, "order": "random"}),
        "give a label": lambda: program.ask(
            "POST", "/v1/labels",
            {"library": library, "clips": [drawn.choice(ids)], "label": "fight"},
        ),
    }  # fmt: skip
    time.sleep(drawn.uniform(0, PAUSE_SECONDS))
    while time.monotonic() < until:
        what = drawn.choice([*acts])
        begun = time.perf_counter()
        try:
            status, _ = acts[what]()
        except OSError as error:
            with answered.lock:
                answered.errors.append(f"{what}: {error}")
            continue
        answered.note(what, 1000 * (time.perf_counter() - begun), status)
        time.sleep(PAUSE_SECONDS * drawn.uniform(0.5, 1.5))
    program.close()


# ---------------------------------------------------------------- kills


@dataclass
class Labelled:
    """What a labeller was given, and what was acknowledged to them."""

    person: str
    leased: set[str] = field(default_factory=set)
    acknowledged: dict[str, str] = field(default_factory=dict)
    breaks: int = 0


def measure_kills(clips: Path, scratch: Path, kills: int, most_labels: int) -> dict[str, Any]:
    """Return what eight labellers lost whose server was killed again and again."""
    state = scratch / "state"
    state.mkdir(parents=True)
    people = [Labelled(f"labeller {number}") for number in range(LABELLERS)]
    keys = [new_key(state, one.person) for one in people]
    serving = Serving([clips], state, options=("--ahead", "0")).start()
    over = threading.Event()
    try:
        library = Program(serving.port, keys[0]).ask("GET", "/v1/libraries")[1]["libraries"][0]
        classes = library["classes"]
        threads = [
            threading.Thread(
                target=_label, args=(serving.port, key, one, library["id"], classes, over)
            )
            for one, key in zip(people, keys, strict=True)
        ]
        for thread in threads:
            thread.start()
        share = most_labels / (kills + 1)
        for number in range(kills):
            _until(people, share * (number + 1))
            serving.kill()
            serving.start()
        _until(people, most_labels)
        over.set()
        for thread in threads:
            thread.join()
    finally:
        over.set()
        serving.stop()
    return _audited(people, state / "vidfit.db", kills)


def _until(people: list[Labelled], count: float) -> None:
    while sum(len(one.acknowledged) for one in people) < count:
        time.sleep(0.01)


def _label(
    port: int, key: str, one: Labelled, library: str, classes: list[str], over: threading.Event
) -> None:
    """Take a clip, label it, take the next; after a break ask what is one's own, and go on."""
    program, drawn = Program(port, key), random.Random(one.person)
    while not over.is_set():
        wish = {"library": library, "order": "random", "count": 1, "lease_seconds": 3600}
        _, found = program.patiently("POST", "/v1/queue", wish)
        if not found.get("items"):
            break
        clip = found["items"][0]["clip"]
        one.leased.add(clip)
        label = drawn.choice(classes)
        body = {"library": library, "clips": [clip], "label": label, "sample": "random"}
        try:
            status, _ = program.ask("POST", "/v1/labels", body)
        except OSError:
            one.breaks += 1  # kept or not: the queue knows
            continue
        if status == 201:
            one.acknowledged[clip] = label
    program.close()


def _audited(people: list[Labelled], database: Path, kills: int) -> dict[str, Any]:
    """Hold what was acknowledged against what lies on disk."""
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT clip, person, label FROM labels ORDER BY seq").fetchall()
        whole = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    held = {(clip, person): label for clip, person, label in rows}
    lost = sum(
        held.get((clip, one.person)) != label
        for one in people
        for clip, label in one.acknowledged.items()
    )
    twice = sum(count - 1 for count in Counter(clip for clip, _, _ in rows).values())
    leases = Counter(clip for one in people for clip in one.leased)
    others = sum(count - 1 for count in leases.values())
    acknowledged = sum(len(one.acknowledged) for one in people)
    breaks = sum(one.breaks for one in people)
    print(
        f"{kills} kills: {acknowledged} labels acknowledged to {len(people)} people, {len(rows)} "
        f"on disk, {breaks} answers broke off; {lost} lost, {twice} twice, {others} clips given to "
        f"two people; the database is {'whole' if whole else 'DAMAGED'}; {load()}"
    )
    return {
        "kills": kills, "people": len(people), "acknowledged": acknowledged, "rows": len(rows),
        "broke off": breaks, "lost": lost, "twice": twice, "given to two": others, "whole": whole,
    }  # fmt: skip
