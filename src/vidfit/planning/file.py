"""``plan.json``: written whole or not at all, and read with every field checked, as people edit it.

Shares and counts are held to the ranges that `vidfit.plans` gives them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vidfit.backbones.notation import runs_a_file
from vidfit.documents import FieldRule, read_json, shown, to_json, value_of, within
from vidfit.errors import VidfitError
from vidfit.files import write_whole
from vidfit.networks import network_of
from vidfit.networks.vocabulary import FIRST_WORD, MOST_WORDS
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject

FORMAT = "vidfit.plan/1"
"""Raised when an older vidfit would misread the file."""

MOST_WEIGHTS = 2**26
"""Of ``width * width * layers``; a transformer has 12 times as many weights."""

_COUNT = within(1, 10**9)
_NOT_NEGATIVE = FieldRule(lambda n: n >= 0, "0 or more")
_SHARE = FieldRule(lambda x: 0 <= x < 1, "a share in [0, 1)")
_POSITIVE = FieldRule(lambda x: x > 0, "above 0")
_FACTOR = FieldRule(lambda x: 0 < x <= 1, "in (0, 1]")

_RULES: dict[tuple[type, str], FieldRule] = {
    (Subject, "width"): within(1, 8192),
    (Subject, "layers"): within(1, 256),
    (Subject, "heads"): within(1, 1024),
    (Subject, "vocabulary"): within(0, FIRST_WORD + MOST_WORDS),
    **{
        (Layout, name): within(1, 10**6)
        for name in ("micro_batch", "accumulation", "processes", "shard_clips")
    },
    (Layout, "loader_workers"): within(0, 1024),
    (Recipe, "epochs"): _COUNT,
    (Recipe, "learning_rate"): _POSITIVE,
    (Recipe, "layer_decay"): _FACTOR,
    **{
        (Recipe, name): _SHARE
        for name in ("warmup_share", "dropout", "drop_path", "label_smoothing", "ema")
    },
    **{(Recipe, name): _NOT_NEGATIVE for name in ("weight_decay", "clip_norm", "mixup")},
    (Recipe, "patience"): within(0, 10**9),
    (Recipe, "unlabelled_ratio"): within(0, 64),
    (Recipe, "threshold"): _FACTOR,
    (Recipe, "seed"): within(0, 2**63 - 1),
    (Data, "clips"): _COUNT,
    (Data, "classes"): within(1, 10**6),
    (Data, "tokens"): within(1, 10**6),
    (Data, "rarest"): _NOT_NEGATIVE,
    (Data, "read_seconds"): _NOT_NEGATIVE,
    (Data, "unlabelled"): _NOT_NEGATIVE,
    **{(Machine, name): _COUNT for name in ("devices", "cores")},
    (Machine, "memory_bytes"): _NOT_NEGATIVE,
    **{
        (Prediction, name): _NOT_NEGATIVE
        for name in ("peak_bytes", "step_seconds", "total_seconds")
    },
}


def write_plan(plan: Plan, path: Path) -> None:
    """Write a plan, so that a reader finds the old file or the new one.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    document = {"format": FORMAT, **asdict(plan)}
    write_whole(path, (to_json(document, indent=1) + "\n").encode())


def read_plan(path: Path, own: Sequence[str] = ()) -> Plan:
    """Read a plan that was written, and perhaps edited.

    Parameters
    ----------
    own
        Encoders of one's own, ``FILE.py:NAME``, that the plan may name: the file is run when the
        plan is carried out. A plan that comes from somebody else must not choose it.

    Raises
    ------
    VidfitError
        If it is no plan; the message names the field, what it holds, and what it may.
    """
    try:
        document = read_json(path)
    except FileNotFoundError as error:
        raise VidfitError(
            f"there is no plan {path}; `vidfit plan CLIPS -o FOLDER` writes FOLDER/plan.json"
        ) from error
    except (OSError, ValueError) as error:
        raise VidfitError(f"{path} is no JSON file ({error}); mend it, or plan anew") from error
    if not isinstance(document, dict) or "format" not in document:
        raise VidfitError(f"{path} is no plan: it has no field 'format'; plan anew")
    if document.pop("format") != FORMAT:
        raise VidfitError(
            f"{path} has another format than {FORMAT!r}, which this vidfit reads; plan anew, or "
            "install the vidfit that wrote it"
        )
    _drop_noise_scale(document, path)
    try:
        plan = value_of(Plan, document, _RULES, str(path))
    except ValueError as error:
        raise VidfitError(f"{error}. Mend it, or plan anew with `vidfit plan`") from error
    _check_together(plan, path)
    _check_own(plan.subject.backbone, path, own)
    return plan


def _drop_noise_scale(document: dict[str, Any], path: Path) -> None:
    """Take out a field that older plans have; it may say nothing but its old default."""
    recipe = document.get("recipe")
    if isinstance(recipe, dict) and recipe.pop("noise_scale", False) is not False:
        raise VidfitError(
            f"{path}: recipe.noise_scale is no longer known, for it did not pay; remove it, and "
            "grow the batch by recipe.batch_schedule"
        )


def _check_own(backbone: str, path: Path, own: Sequence[str]) -> None:
    """Refuse to run a file that only the plan names."""
    if runs_a_file(backbone) and backbone not in own:
        raise VidfitError(
            f"{path}: subject.backbone is {shown(backbone)}, a file that would be run. If it is "
            "your own, name it yourself, as the plan does: `--backbone FILE.py:NAME`"
        )


def _check_together(plan: Plan, path: Path) -> None:
    layout, subject = plan.layout, plan.subject
    if subject.width**2 * subject.layers > MOST_WEIGHTS:
        raise VidfitError(
            f"{path}: subject is a network of {subject.layers} layers of width {subject.width}; "
            f"give less than {MOST_WEIGHTS:,} for width * width * layers"
        )
    if layout.sharding == "none" and layout.processes > 1:
        raise VidfitError(
            f"{path}: layout.processes is {layout.processes} and layout.sharding 'none'; several "
            "processes need 'ddp' or 'fsdp'"
        )
    if subject.vocabulary and not network_of(subject.network).reads:
        raise VidfitError(
            f"{path}: subject.vocabulary is {subject.vocabulary}, and the network "
            f"{subject.network!r} reads no words; give 0, or the network 'video-text'"
        )
    recipe = plan.recipe
    if recipe.unlabelled_ratio and (not recipe.ema or recipe.mixup):
        raise VidfitError(
            f"{path}: recipe.unlabelled_ratio is {recipe.unlabelled_ratio}, recipe.ema "
            f"{recipe.ema:g} and recipe.mixup {recipe.mixup:g}; the teacher of clips without a "
            "label is the average of the weights: give an ema above 0, such as 0.99, and mixup 0"
        )
    shares = [share for share, _ in plan.recipe.batch_schedule]
    if shares != sorted(shares) or not all(factor > 0 for _, factor in plan.recipe.batch_schedule):
        raise VidfitError(
            f"{path}: recipe.batch_schedule is {plan.recipe.batch_schedule}; give pairs of a share "
            "of the run, rising, and a factor above 0"
        )
