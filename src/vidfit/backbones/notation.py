"""What a name of a backbone asks for: ``random:NAME``, ``NAME@VIEWS``, ``FILE.py:NAME``."""

from __future__ import annotations

import re
from dataclasses import is_dataclass, replace
from typing import cast

from vidfit.contracts import Backbone, BackboneSpec
from vidfit.errors import BackboneError

UNTRAINED = "random:"


def split_views(name: str) -> tuple[str, int | None]:
    """Split ``NAME@VIEWS`` at its last ``@``; what follows must be digits, else it is a name.

    Raises
    ------
    BackboneError
        When no view is asked for.
    """
    found = re.fullmatch(r"(.+)@([0-9]+)", name)
    if found is None:
        return name, None
    views = int(found[2])
    if views < 1:
        raise BackboneError(f"{name!r} asks for no view; VIEWS in NAME@VIEWS is 1 or more.")
    return found[1], views


def runs_a_file(name: str) -> bool:
    """Whether loading a backbone of that name runs a file: ``FILE.py:NAME``, whatever is around."""
    return ".py:" in name


def plain_name(name: str) -> str:
    """Return a spec's name without what was put around it: ``random:`` and ``@VIEWS``."""
    return re.sub(r"(@[0-9]+)+$", "", re.sub(f"^({UNTRAINED})+", "", name))


def with_spec(backbone: Backbone, spec: BackboneSpec) -> Backbone:
    """Return the same encoder under another spec.

    Raises
    ------
    BackboneError
        When the encoder is no dataclass with a field ``spec``, and so cannot be copied.
    """
    if not is_dataclass(backbone) or isinstance(backbone, type):
        raise BackboneError(
            f"{backbone.spec.name} cannot be renamed to {spec.name!r}: {type(backbone).__name__} "
            "is no dataclass with a field `spec`. Make it one, or give it that spec itself."
        )
    return cast(Backbone, replace(backbone, spec=spec))
