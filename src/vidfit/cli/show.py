"""What a person reads on the terminal after each job."""

from __future__ import annotations

from pathlib import Path

from vidfit.combination import Combination
from vidfit.compressed import Compression
from vidfit.ranking import Ranking
from vidfit.report import (
    combination_markdown,
    compression_markdown,
    ranking_markdown,
    report_markdown,
    training_markdown,
)
from vidfit.reported import Report
from vidfit.trained import TrainingReport


def show_report(report: Report, output: Path) -> None:
    """Print the summary and where everything lies."""
    import typer

    typer.echo(report_markdown(report))
    typer.echo(f"Report   {output / 'report.html'}")
    typer.echo(f"Model    {output / 'model'}")
    if report.beats_majority:
        typer.echo(f"Use it   vidfit predict {output / 'model'} video.mp4")


def show_ranking(ranking: Ranking, output: Path) -> None:
    """Print the ranking and what to type next."""
    import typer

    typer.echo(ranking_markdown(ranking))
    typer.echo(f"Ranking  {output / 'ranking.html'}")
    if ranking.beats_majority:
        typer.echo(
            f"Fit it   vidfit fit {ranking.data} --backbone {ranking.recommended} -o {output}"
        )


def show_combination(combination: Combination, folder: Path) -> None:
    """Print the verdict, what matters of the options, and where everything lies."""
    import typer

    typer.echo(combination_markdown(combination))
    typer.echo(f"Fusion   {folder / 'fusion.html'}")
    typer.echo(f"Model    {folder / 'model'}")
    if combination.offers_student:
        typer.echo(f"Student  {folder / 'student'}")
    if combination.beats_majority:
        typer.echo(f"Use it   vidfit predict {folder / 'model'} video.mp4")


def show_training(report: TrainingReport, output: Path) -> None:
    """Print the answer, what was trained and how it fits, and where everything lies."""
    import typer

    typer.echo(training_markdown(report))
    typer.echo(f"Training {output / 'training.html'}")
    typer.echo(f"Model    {output / 'model'}")
    typer.echo(f"Use it   vidfit predict {output / 'model'} video.mp4")


def show_compression(compression: Compression, folder: Path) -> None:
    """Print what is kept and what it loses, and where everything lies."""
    import typer

    model = folder / "model" if compression.chosen else compression.model
    typer.echo(compression_markdown(compression))
    typer.echo(f"Report   {folder / 'compression.html'}")
    typer.echo(f"Model    {model}" + ("" if compression.chosen else "  (the original)"))
    typer.echo(f"Use it   vidfit predict {model} video.mp4")
