"""``vidfit fit CLIPS --task restore``: what makes videos larger, and how well it does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidfit.cli.options import output_of
from vidfit.cli.pixels.fitted import say_fitted

if TYPE_CHECKING:
    from vidfit.jobs.restore.options import RestoreOptions


def options_of(
    *,
    backbone: list[str] | None,
    groups: Path | None,
    scale: int | None,
    like: Path | None,
    cpu_seconds: float | None,
) -> RestoreOptions:
    """Return the options of the job."""
    from vidfit.jobs.restore.options import RestoreOptions

    usual = RestoreOptions()
    return RestoreOptions(
        scale=scale or usual.scale,
        like=like,
        cpu_seconds=cpu_seconds or usual.cpu_seconds,
        pretrained=tuple(backbone or ()),
        groups=groups,
    )


def fit_restorer(
    clips: str,
    output: Path | None,
    *,
    as_json: bool,
    **given: Any,  # noqa: ANN401  (as `options_of` takes them)
) -> None:
    """Make a restorer and say how well it does."""
    from vidfit.cli.progress import Bars
    from vidfit.jobs.restore.run import run_restore
    from vidfit.jobs.restore.terminal import lines

    folder = output or output_of(clips)
    with Bars() as bars:
        report = run_restore(clips, folder, options_of(**given), bars)
    say_fitted(folder, lines(report), f"predict {folder / 'model'} VIDEO", as_json=as_json)
