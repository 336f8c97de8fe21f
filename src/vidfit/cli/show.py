"""What a person reads on the terminal after a fit."""

from __future__ import annotations

from pathlib import Path

from vidfit.contracts import Report
from vidfit.report import report_markdown


def show_report(report: Report, output: Path) -> None:
    """Print the summary and where everything lies."""
    import typer

    typer.echo(report_markdown(report))
    typer.echo(f"Report   {output / 'report.html'}")
    typer.echo(f"Model    {output / 'model'}")
    typer.echo(f"Use it   vidfit predict {output / 'model'} video.mp4")
