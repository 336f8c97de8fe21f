"""From clips to what learns and how: the regime, the batch, the recipe, each with its reason."""

from __future__ import annotations

import math
from dataclasses import replace

from vidfit.plans import Data, Recipe, Regime
from vidfit.shown import counted

FEW_LABELS, MANY_LABELS = 10, 100
"""Clips of the rarest class, up to which a probe is best, and from which all weights learn."""

_REASONS: dict[Regime, str] = {
    "probe": f"with {FEW_LABELS} or fewer, all weights would overfit",
    "lp-ft": "the head learns first, then all (Kumar et al. 2022)",
    "full": f"more than {MANY_LABELS} are enough for all weights to learn",
}

LEAST_BATCH, MOST_BATCH = 16, 64
STEPS_AN_EPOCH = 20
EPOCHS: dict[Regime, int] = {"probe": 30, "lp-ft": 10, "lora": 15, "full": 20}
RATES: dict[Regime, float] = {"probe": 1e-3, "lp-ft": 1e-4, "lora": 5e-4, "full": 1e-4}
MOST_RATIO, TEACHER_EMA = 4, 0.99
"""Clips without a label for each with one, at most; how slowly their teacher changes."""

LEAST_EPOCHS = 3
"""Fewer passes teach a backbone little: then the head alone learns, which is quick."""


def usual_regime(labels_per_class: int) -> Regime:
    """Return which weights learn, by the clips of the rarest class.

    Few labels cannot teach a whole network: a frozen encoder under a probe is then best. With
    more, the head comes first and the network is tuned after it (Kumar et al. 2022, "Fine-tuning
    can distort pretrained features and underperform out-of-distribution").
    """
    if labels_per_class <= FEW_LABELS:
        return "probe"
    return "lp-ft" if labels_per_class <= MANY_LABELS else "full"


def regime_for(data: Data, asked: Regime | None, can_tune: bool) -> tuple[Regime, str]:
    """Return which weights learn, and why.

    Parameters
    ----------
    asked
        What the user wants; ``None`` chooses.
    can_tune
        Whether the backbone's weights can learn.
    """
    rarest = f"the rarest class has {counted(data.rarest, 'clip')}"
    if asked:
        return asked, "you asked for it"
    if not can_tune:
        return "probe", "the backbone has no weights that can learn"
    regime = usual_regime(data.rarest)
    return regime, f"{rarest}: {_REASONS[regime]}"


def batch_for(data: Data, asked: int | None) -> tuple[int, str]:
    """Return the clips of a step: so that an epoch has some 20 steps, between 16 and 64.

    Below 16 gradients are noisy, and above 64 few hundred clips give few steps.
    """
    if asked:
        return min(asked, data.clips), "you asked for it"
    even = 2 ** round(math.log2(max(data.clips / STEPS_AN_EPOCH, 1)))
    batch = min(max(even, LEAST_BATCH), MOST_BATCH, data.clips)
    return (
        batch,
        f"about {STEPS_AN_EPOCH} steps an epoch of {counted(data.clips, 'clip')}, within 16 and 64",
    )


def taught(recipe: Recipe, data: Data) -> tuple[Recipe, dict[str, str]]:
    """Return a recipe that learns from clips without a label as well, with reasons.

    Labels are hard, so that the teacher may become sure, and not mixed.
    """
    if not data.unlabelled:
        return recipe, {}
    ratio = min(max(1, round(data.unlabelled / data.clips)), MOST_RATIO)
    recipe = replace(
        recipe, unlabelled_ratio=ratio, ema=recipe.ema or TEACHER_EMA, label_smoothing=0.0,
        mixup=0.0,
    )  # fmt: skip
    return recipe, {
        "unlabelled_ratio": f"{data.unlabelled} clips without a label for {data.clips} with, and "
        f"{MOST_RATIO} of a step for each at most: each costs {4 / 3:.2f} of one with a label",
        "threshold": "as in FixMatch (Sohn et al. 2020): a wrong label costs more than none",
        "ema": "the average of the weights is the teacher of clips without a label",
        "label_smoothing": "0, for smoothed answers seldom reach the teacher's threshold",
    }


def recipe_for(
    regime: Regime, epochs: int | None, batch_clips: int
) -> tuple[Recipe, dict[str, str]]:
    """Return how a regime learns, with reasons.

    The rate of AdamW is set for 32 clips and goes with the root of the batch (Malladi et al.
    2022).
    """
    rate = RATES[regime] * math.sqrt(batch_clips / 32)
    tunes = regime != "probe"
    recipe = Recipe(
        epochs=epochs or EPOCHS[regime],
        learning_rate=float(f"{rate:.2g}"),
        layer_decay=0.75 if regime in ("full", "lp-ft") else 1.0,
        drop_path=0.1 if regime == "full" else 0.0,
        label_smoothing=0.1 if tunes else 0.0,
        ema=0.99 if regime == "full" else 0.0,
        patience=0 if epochs else 5,
    )
    why = {
        "epochs": "you asked for it"
        if epochs
        else f"usual for {regime}; ends early when no epoch of five was better",
        "learning_rate": f"{RATES[regime]:g} for 32 clips, by the root of the batch (Malladi et "
        "al. 2022)",
    }
    if recipe.layer_decay < 1:
        why["layer_decay"] = "early layers are general: they change less than late ones"
    if recipe.ema:
        why["ema"] = "the average of the last steps' weights is better than the last"
    return recipe, why
