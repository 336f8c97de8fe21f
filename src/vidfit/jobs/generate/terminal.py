"""What was measured of a generator, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.generate.value import GenerationReport, GeneratorPool
from vidfit.pixels.generate.looks import DrawnScores
from vidfit.report.wording import counted, has_interval, percent

_FAILURES = 5


def lines(report: GenerationReport) -> Iterator[str]:
    """Yield the ablation, what the result is worth, whether it copies, and what was left out."""
    yield (
        f"Learned from {counted(report.learned, 'window')} of clips; "
        f"{report.choosing} chose, {report.judging} judge, all of other files"
    )
    yield f"Distance: Fréchet, squared, on {report.encoder}; no FVD"
    yield "stage, on the clips that choose            CPU s  distance              recall  kept"
    for stage in report.stages:
        scores = stage.choosing
        yield (
            f"  {stage.name:<40} {stage.cpu_seconds:>5.0f}  {spoken(scores.distance):<20}  "
            f"{scores.manifolds.recall:>6.2f}  {'yes' if stage.kept else 'no'}"
        )
    yield "on the clips that judge:"
    for name, of in judged(report):
        yield f"  {name}: {said(of)}"
    yield from verdicts(report)
    yield from _left_out(report.failures)


def _left_out(failures: Sequence[Failure]) -> Iterator[str]:
    if failures:
        yield f"{counted(len(failures), 'clip')} left out:"
        yield from (f"  {f.name}: {f.reason}" for f in failures[:_FAILURES])
        if len(failures) > _FAILURES:
            yield f"  and {len(failures) - _FAILURES} more, in report.json"


def pool_lines(pool: GeneratorPool) -> Iterator[str]:
    """Yield what each generator is worth, what the pool is, and which of them is the result."""
    yield (
        f"{counted(pool.choosing, 'window')} of clips chose, {pool.judging} judge, all of other "
        "files"
    )
    yield f"Distance: Fréchet, squared, on {pool.encoder}; no FVD"
    for when in ("choosing", "judging"):
        yield f"on the clips {'that choose' if when == 'choosing' else 'that judge'}:"
        for member in pool.members:
            yield f"  {member.name} (share {percent(member.share)}): {said(getattr(member, when))}"
        if of_pool := getattr(pool, f"pool_{when}"):
            yield f"  pool: {said(of_pool)}"
    if pool.kept:
        better = "proven nearer" if pool.lead.low > 0 else "not proven nearer"
        yield (
            f"The pool is kept: {pool.why}. On the clips that judge it is {better} than "
            f"{pool.best} alone: by {spoken(pool.lead)}."
        )
    else:
        yield f"{pool.best} alone is kept: the pool is no gain ({pool.why})."
    yield from _left_out(pool.failures)


def judged(report: GenerationReport) -> Iterator[tuple[str, DrawnScores]]:
    """Yield what was measured on the clips that judge, the result first."""
    yield f"result ({report.chosen})", report.result
    if report.member != report.chosen:
        yield f"best alone ({report.member})", report.of_member
    if report.chosen != report.stages[0].name:
        yield "VAE alone", report.of_vae
    yield "real clips that were learned from", report.real


def said(of: DrawnScores) -> str:
    """Return distance and manifolds in a line."""
    m = of.manifolds
    return (
        f"distance {spoken(of.distance)}, precision {m.precision:.2f}, recall {m.recall:.2f}, "
        f"density {m.density:.2f}, coverage {m.coverage:.2f} (n = {of.clips})"
    )


def spoken(of: Estimate) -> str:
    """Return a figure with its interval."""
    if not has_interval(of):
        return f"{of.value:.1f}"
    return f"{of.value:.1f} [{of.low:.1f}, {of.high:.1f}]"


def verdicts(report: GenerationReport) -> Iterator[str]:
    """Yield what the figures say, a sentence each."""
    over = report.over_vae
    if report.chosen == report.stages[0].name:
        yield "Nothing was better than the VAE alone: it is kept."
    else:
        yield f"Nearer than the VAE alone by {spoken(over)}: {_proven(over)}."
    if report.member not in (report.chosen, report.stages[0].name):
        lead = report.over_member
        yield f"Nearer than {report.member}, the best alone, by {spoken(lead)}: {_proven(lead)}."
    yield copies(report)
    yield (
        f"{report.active} of {report.latent} latent numbers of the VAE are active; clips held back "
        f"come back at {report.decibels:.1f} dB."
    )


def _proven(lead: Estimate) -> str:
    return "proven" if lead.low > 0 else "proven worse" if lead.high < 0 else "not proven"


def copies(report: GenerationReport) -> str:
    """Return whether drawn clips are copies of clips that were learned from."""
    near = report.nearest
    if not near.copies:
        return "No drawn clip lies nearer to one that was learned from than all held back do."
    return (
        f"{percent(near.nearer)} of the drawn clips lie nearer to one that was learned from than "
        "any that was held back: they may be copies, look at them."
    )
