"""Made-up compressions that look like real ones, with the extremes a page must survive."""

from __future__ import annotations

from dataclasses import replace

from vidfit.contracts import Estimate, Failure
from vidfit.jobs.compress.value import Artefact, Certificate, Compression, Footprint, Verdict
from vidfit.reported import Stage

NAN = float("nan")
MIB = 2**20
NOT_MEASURED = Estimate(NAN, NAN, NAN)
TOLERANCE = 0.01

# name, what was done, times faster, MiB, MiB of memory, cosine, loss in points with its interval
MADE = (
    ("int8-static", "int8 weights and activations, per channel; 3 layers stay float32",
     1.52, 23.1, 121, 0.991, (0.2, -0.3, 0.7), 0.021),
    ("float16-weights", "weights stored as float16", 1.06, 45.4, 166, 1.0, (0.0, -0.1, 0.1), 0.0),
    ("int8-weights", "weights stored as int8, per channel", 1.05, 23.0, 143, 0.999,
     (-0.1, -0.4, 0.2), 0.004),
    ("pruned", "0.3 of the channels removed; taught for 600 updates", 1.88, 51.3, 155, 0.943,
     (2.9, 1.4, 4.6), 0.092),
    ("pruned-int8-static", "0.3 of the channels removed; taught for 600 updates; int8 weights and "
     "activations", 2.61, 13.4, 92, 0.92, (3.4, 1.6, 5.2), 0.11),
    ("int4-weights", "weights stored as int4, blocks of 32", 1.07, 13.9, 139, 0.71,
     (48.3, 41.0, 55.8), 0.56),
    ("pruned-int8-weights", "int8 weights, per channel", 0.81, 90.7, 211, 0.98, None, 0.0),
)  # fmt: skip


def artefact(row: tuple) -> Artefact:
    """Return the artefact of one row above, with the verdict that its interval gives."""
    name, done, ratio, mib, memory, cosine, lost, changed = row
    footprint = Footprint(
        "openvino", 0.0121 / ratio, ratio, int(mib * MIB), int(memory * MIB)
    )  # fmt: skip
    if lost is None:
        reason = f"takes {1 / ratio:.2f} of the original's time: rejected, answers not judged"
        return Artefact(
            name, (done,), footprint, cosine, None, None, None, NAN, 0.0, "no gain", reason
        )
    loss = Estimate(*(p / 100 for p in lost))
    right = 0.854 - loss.value
    return Artefact(
        name, tuple(done.split("; ")), footprint, cosine,
        Estimate(right, right - 0.05, min(1.0, right + 0.04)), loss, *less(loss), changed,
        *judged(loss),
    )  # fmt: skip


def less(loss: Estimate) -> tuple[Estimate, float]:
    """Return what the true class loses of its probability, and the tolerance that is enough."""
    lost = Estimate(0.7 * loss.value, 0.8 * loss.low, 0.8 * loss.high)
    return lost, 2 * lost.high


def judged(loss: Estimate) -> tuple[Verdict, str]:
    """Return the verdict of a loss, as the job gives it."""
    said = f"loses {100 * loss.value:.1f} points [{100 * loss.low:.1f}, {100 * loss.high:.1f}]"
    if loss.high <= TOLERANCE:
        return "within", f"{said}: within the 1 allowed"
    if loss.low > TOLERANCE:
        return "worse", f"{said}: more than the 1 allowed"
    return "open", f"{said}: not proven within the 1 allowed"


def failed(name: str, reason: str) -> Artefact:
    """Return an artefact that could not be made."""
    return Artefact(name, (), None, 0.0, None, None, None, NAN, 0.0, "failed", reason)


def kept_compression() -> Compression:
    """Return a compression of which one artefact is kept, with each kind of verdict beside it."""
    made = [artefact(row) for row in MADE]
    same = Estimate(0.0, 0.0, 0.0)
    return Compression(
        model="runs/two-questions/model",
        data="/data/demo/two-questions",
        target="latency",
        tolerance=TOLERANCE,
        chosen="int8-static",
        verdict="int8-static kept: the probability that it gives the true class is proven to fall "
        "by at most half of the 1 point allowed, and of 3 such artefacts it is the fastest.",
        networks=("efficientnet-lite0",),
        original=Artefact(
            "original", (), Footprint("torch", 0.0121, 1.0, int(90.7 * MIB), int(210.4 * MIB)),
            1.0, Estimate(0.854, 0.803, 0.896), same, same, 0.0, 0.0, "within", "",
        ),
        artefacts=(
            replace(made[0], verdict="kept"), *made[1:],
            failed("int8-dynamic", "its graph has no matrix product of which one side is constant"),
        ),
        judged=240,
        judged_groups=60,
        calibrated=80,
        protocol="cross-validation, 5 folds of recordings dealt 3 times: a head is fitted anew on "
        "the tokens of each model without the fold; recordings that set ranges or taught a network "
        "are never judged",
        failures=(
            Failure("clips/pan left/camera02_take044.mp4", "no video stream"),
            Failure("clips/day/camera05_take010.mp4", "ends after 0.1 s: moov atom not found"),
        ),
        stages=(
            Stage("decode calibration clips", None, 6.2),
            Stage("compress and measure", None, 147.9),
            Stage("judge on unseen recordings", None, 61.4),
        ),
        machine={"processor": "AMD EPYC, 2 cores, AVX2", "memory": "7.8 GiB", "graphics": "none"},
        warnings=("Class 'night' has 22 clips of 6 recordings: its part is rough.",),
    )  # fmt: skip


def refused_compression() -> Compression:
    """Return a compression for size of few recordings, of which nothing is proven good enough."""
    base = kept_compression()
    wide = []
    for one in base.artefacts[:6]:
        loss = Estimate(one.loss.value, one.loss.low - 0.03, one.loss.high + 0.04)
        wide.append(replace(one, loss=loss, verdict="open", reason=judged(loss)[1]))
    return replace(
        base, target="size", chosen="", artefacts=tuple(wide), judged=31, judged_groups=8,
        verdict="Nothing kept: no artefact is proven to lose at most 1 point. The nearest is "
        "float16-weights; --max-loss 4.1 would keep it, and more recordings may prove less.",
        networks=("efficientnet-lite0", "x3d-s"), failures=(), warnings=(),
    )  # fmt: skip


def useless_compression() -> Compression:
    """Return a compression for memory in which nothing saves any."""
    base = kept_compression()
    more = [
        replace(a, verdict="no gain", accuracy=None, loss=None, changed=0.0,
                reason="takes 1.04 of the original's memory: rejected, answers not judged",
                footprint=replace(a.footprint, memory_bytes=int(219 * MIB) + i * MIB))
        for i, a in enumerate(base.artefacts[:3])
    ]  # fmt: skip
    return replace(
        base, target="memory", chosen="", artefacts=tuple(more),
        verdict="Nothing kept: no technique saves memory here.",
    )  # fmt: skip


def broken_compression() -> Compression:
    """Return a compression of which nothing could be made, and little is known."""
    base = kept_compression()
    return replace(
        base, chosen="", artefacts=(failed("pruned", "x3d-s cannot be traced: dynamic shapes"),),
        original=replace(base.original, footprint=None, accuracy=NOT_MEASURED, loss=None),
        verdict="Nothing kept: no technique saves time here.", judged=1, judged_groups=1,
        stages=(), machine={}, warnings=(), failures=base.failures[:1], networks=(),
    )  # fmt: skip


def bare_compression() -> Compression:
    """Return a compression in which nothing has an interval, and figures are no numbers."""
    base = kept_compression()
    artefacts = [
        replace(
            a, similarity=NAN, changed=NAN,
            accuracy=a.accuracy and replace(a.accuracy, low=NAN, high=NAN),
            loss=a.loss and replace(a.loss, low=NAN, high=NAN),
            footprint=a.footprint and replace(a.footprint, memory_bytes=0),
        )
        for a in base.artefacts
    ]  # fmt: skip
    artefacts[1] = replace(artefacts[1], accuracy=NOT_MEASURED, loss=NOT_MEASURED)
    artefacts[2] = replace(artefacts[2], footprint=Footprint("", NAN, NAN, 0, 0))
    return replace(base, artefacts=tuple(artefacts), stages=(Stage("compress", None, NAN),))


def certified_compression() -> Compression:
    """Return a compression whose answers were compared on windows without a label, too."""
    base = kept_compression()
    first, second, *others = base.artefacts
    return replace(base, artefacts=(
        replace(first, certificate=Certificate(812, 96, 640.4, 0.0, 0.00574)),
        replace(second, certificate=Certificate(812, 96, 598.0, 3 / 812, 0.0121)), *others,
    ))  # fmt: skip


def empty_compression() -> Compression:
    """Return a compression in which nothing was tried."""
    return replace(
        kept_compression(), chosen="", artefacts=(), verdict="Nothing kept: nothing was tried.",
        failures=(), calibrated=0,
    )  # fmt: skip


def long_compression() -> Compression:
    """Return a compression with long names, more artefacts than a screen holds, and members."""
    base = kept_compression()
    names = {a.name: f"{a.name}-of-a-technique-with-a-very-long-name-{i}"
             for i, a in enumerate(base.artefacts)}  # fmt: skip
    artefacts = [replace(a, name=names[a.name]) for a in base.artefacts]
    artefacts += [replace(a, name=f"{a.name}-again", verdict="within" if a.verdict == "kept"
                          else a.verdict) for a in artefacts]  # fmt: skip
    return replace(
        base, chosen=names["int8-static"], artefacts=tuple(artefacts), target="size",
        networks=tuple(f"videomae-base-short-ssv2-{i}" for i in range(6)),
        failures=tuple(Failure(f"clips/{i:03d}.mp4", "no video stream") for i in range(40)),
        verdict=f"{names['int8-static']} kept: it loses little.",
    )  # fmt: skip


def hostile_compression() -> Compression:
    """Return a compression whose names try to leave their places."""
    script, quote = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>'
    base = kept_compression()
    artefacts = [
        replace(a, name=f"{quote}{i}", details=(script, "{{ 7 * 7 }}"), reason=script)
        for i, a in enumerate(base.artefacts)
    ]
    return replace(
        base, model=script, data=f"/data/{quote}", chosen=artefacts[0].name,
        artefacts=tuple(artefacts), verdict=f"</style>{script}", networks=(quote,),
        protocol=script, failures=(Failure(quote, script),), stages=(Stage(script, 1.0, 2.0),),
        machine={script: quote}, warnings=(script,),
    )  # fmt: skip
