"""A report without a proven gain, with a name that is no good, and two frames."""

from __future__ import annotations

from tests.moving import texture

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.restore.trainer import BeforeAfter
from vidfit.jobs.restore.value import BICUBIC, CHOSEN, LANCZOS, LEARNED, RestoreReport, WayRow
from vidfit.pixels.restore.measured import FIGURES

HOSTILE = "<script>alert(1)</script>"
WAYS = (BICUBIC, LANCZOS, *LEARNED, CHOSEN)


def _row(number, name):
    figures = {one: Estimate(30.0 + number, 28.0, 33.0) for one in FIGURES}
    return WayRow(name, figures, Estimate(0.1 * number, -0.2, 0.4))


def _picture(recording, seed):
    before, after, truth = (texture(90, 160, seed + n) for n in range(3))
    return BeforeAfter(recording, before, after, truth)


PICTURES = [_picture("a.mp4", 0), _picture(f"{HOSTILE}.mp4", 20)]
REPORT = RestoreReport(
    source="clips",
    scale=2,
    degradation="antialiased bicubic to 1/2",
    degradation_why=f"{HOSTILE} was measured",
    recordings=2,
    clips=3,
    frames=40,
    rows=tuple(_row(number, name) for number, name in enumerate(WAYS)),
    chosen=LANCZOS,
    filter=LANCZOS,
    over_filter=Estimate(-0.1, -0.3, 0.2),
    why="No gain over lanczos is proven.",
    by_recording={p.recording: dict.fromkeys(WAYS, 30.0) for p in PICTURES},
    warping_gain=Estimate(-0.2, -0.5, 0.1),
    true_warping=Estimate(1.0, 0.8, 1.2),
    networks=5,
    cpu_seconds=123.0,
    failures=(Failure(f"{HOSTILE}.mp4", "it is of one colour"),),
    notes=("A note.",),
)
