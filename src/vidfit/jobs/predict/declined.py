"""The thresholds below and beyond which a model gives no class, as they are asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from vidfit.errors import ModelError, VidfitError
from vidfit.model import Model
from vidfit.tasks import task_named

Unknown = str | float | None
"""When to decline: ``"off"``, ``"strict"``, a least probability, or as fitted."""


def with_thresholds(model: Model, unknown: str | float) -> Model:
    """Return a model that declines as is asked for; see `Predictor.declining`."""
    if unknown == "off":
        return replace(model, unknown_probability=0.0, unknown_novelty=np.inf)
    if unknown == "strict":
        if model.strict_probability is None or model.strict_novelty is None:
            raise ModelError(
                "the model was written before there were strict thresholds: give a least "
                "probability, such as 0.7, or fit it again"
            )
        return replace(
            model,
            unknown_probability=model.strict_probability,
            unknown_novelty=model.strict_novelty,
        )
    try:
        least = float(unknown)
    except ValueError:
        least = np.nan
    if not task_named(model.task).kind.exclusive and not np.isnan(least):
        raise VidfitError(
            "a least probability is for models that answer with one class; this one takes 'off' "
            "and 'strict'"
        )
    if not 0 < least <= 1:
        raise VidfitError(
            f"{unknown!r} says nothing about when to decline; valid are 'off', 'strict', or a "
            "least probability above 0, to 1, such as 0.7"
        )
    return replace(model, unknown_probability=least)
