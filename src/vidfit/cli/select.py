"""``vidfit select``: which pretrained model."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from vidfit.cli.options import (
    AllowUrl,
    Backbones,
    Clips,
    Commercial,
    Consent,
    Download,
    GiveUp,
    Groups,
    LabelKind,
    Latency,
    Memory,
    Metrics,
    Minutes,
    NetworkOnly,
    On,
    OnlyBelow,
    Output,
    Prefer,
    TaskName,
    Variants,
    Weights,
    Workers,
    output_of,
)
from vidfit.cli.quantities import memory_bytes, time_seconds
from vidfit.cli.say import say, say_lines
from vidfit.files import claimed

if TYPE_CHECKING:
    from vidfit.jobs.select.value import Ranking
    from vidfit.study.options import SelectOptions


def select(  # noqa: PLR0913  (the options of a command)
    clips: Clips,
    output: Output = None,
    backbone: Backbones = None,
    groups: Groups = None,
    minutes: Minutes = None,
    memory: Memory = None,
    latency: Latency = None,
    commercial: Commercial = False,
    network_only: NetworkOnly = False,
    variants: Variants = False,
    task: TaskName = None,
    labels: LabelKind = None,
    consent: Consent = None,
    metric: Metrics = None,
    class_weights: Weights = None,
    prefer: Prefer = "cheapest",
    give_up: GiveUp = 2.0,
    workers: Workers = None,
    on: On = "here",
    download: Download = False,
    allow_url: AllowUrl = None,
    only_below: OnlyBelow = None,
) -> None:
    """Rank pretrained models on your clips; nothing is fitted to keep."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.select.run import run_select
    from vidfit.study.options import SelectOptions

    options = SelectOptions(
        backbones=tuple(backbone or ()),
        groups=groups,
        minutes=minutes,
        memory_bytes=memory_bytes(memory),
        latency_seconds=time_seconds(latency),
        commercial=commercial,
        network_only=network_only,
        variants=variants,
        task=task,
        labels=labels,
        consent=consent,
        metric=metric,
        class_weights=class_weights,
        prefer=prefer,
        give_up=give_up,
        workers=workers,
        on=on,
        download=download,
    )
    folder = output or output_of(clips)
    with claimed(folder), Bars() as bars:
        ranking = run_select(clips, folder, options, bars)
    show_ranking(ranking, folder, options)


def show_ranking(ranking: Ranking, output: Path, options: SelectOptions) -> None:
    """Print the ranking and what to type next: the same clips, recordings, task and metric."""
    from vidfit.backbones import BACKBONES
    from vidfit.jobs.select.terminal import ranking_markdown

    say_lines(ranking_markdown(ranking))
    say(f"Ranking  {output / 'ranking.html'}")
    if ranking.beats_majority:
        asked = options.backbones  # encoders of one's own are known by it alone
        known = ranking.recommended in {*BACKBONES, *asked}
        own = [name for name in asked if name not in BACKBONES]
        named = [ranking.recommended] if known or not own else own
        repeated = {"task": options.task, "labels": options.labels, "metric": options.metric,
                    "groups": options.groups}  # fmt: skip
        words = [ranking.data, *(word for name in named for word in ("--backbone", name))]
        for option, value in repeated.items():
            words += [f"--{option}", str(value)] if value else []
        say(f"Fit it   vidfit fit {shlex.join(words)} -o {shlex.quote(str(output))}")
