"""What a person reads on the terminal after each job."""

from __future__ import annotations

from pathlib import Path

from vidfit.cli.say import say, say_lines
from vidfit.jobs.compress.terminal import compression_markdown
from vidfit.jobs.compress.value import Compression
from vidfit.jobs.fit.terminal import report_markdown
from vidfit.jobs.fuse.terminal import combination_markdown
from vidfit.jobs.fuse.value import Combination
from vidfit.jobs.select.terminal import ranking_markdown
from vidfit.jobs.select.value import Ranking
from vidfit.jobs.train.terminal import training_markdown
from vidfit.jobs.train.value import TrainingReport
from vidfit.reported import Report


def show_report(report: Report, output: Path) -> None:
    """Print the summary and where everything lies."""
    say_lines(report_markdown(report))
    say(f"Report   {output / 'report.html'}")
    say(f"Model    {output / 'model'}")
    if report.beats_majority:
        say(f"Use it   vidfit predict {output / 'model'} video.mp4")


def show_ranking(ranking: Ranking, output: Path) -> None:
    """Print the ranking and what to type next."""
    say_lines(ranking_markdown(ranking))
    say(f"Ranking  {output / 'ranking.html'}")
    if ranking.beats_majority:
        say(f"Fit it   vidfit fit {ranking.data} --backbone {ranking.recommended} -o {output}")


def show_combination(combination: Combination, folder: Path) -> None:
    """Print the verdict, what matters of the options, and where everything lies."""
    say_lines(combination_markdown(combination))
    say(f"Fusion   {folder / 'fusion.html'}")
    say(f"Model    {folder / 'model'}")
    if combination.offers_student:
        say(f"Student  {folder / 'student'}")
    if combination.beats_majority:
        say(f"Use it   vidfit predict {folder / 'model'} video.mp4")


def show_training(report: TrainingReport, output: Path) -> None:
    """Print the answer, what was trained and how it fits, and where everything lies."""
    say_lines(training_markdown(report))
    say(f"Training {output / 'training.html'}")
    say(f"Model    {output / 'model'}")
    say(f"Use it   vidfit predict {output / 'model'} video.mp4")


def show_compression(compression: Compression, folder: Path) -> None:
    """Print what is kept and what it loses, and where everything lies."""
    model = folder / "model" if compression.chosen else compression.model
    say_lines(compression_markdown(compression))
    say(f"Report   {folder / 'compression.html'}")
    say(f"Model    {model}" + ("" if compression.chosen else "  (the original)"))
    say(f"Use it   vidfit predict {model} video.mp4")
