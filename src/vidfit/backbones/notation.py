"""What a name asks for: ``random:NAME``, ``NAME:int8``, ``NAME@VIEWS``, ``NAME@key``."""

from __future__ import annotations

import re
from dataclasses import dataclass, is_dataclass, replace
from typing import cast

from vidfit.contracts import Backbone, BackboneSpec
from vidfit.errors import BackboneError

UNTRAINED = "random:"

EIGHT_BITS = ":int8"

_SEEN = r"@(?=key|[0-9])(?P<key>key)?(?P<views>[0-9]*)"


@dataclass(frozen=True, slots=True)
class ViewsAsked:
    """What stands behind the ``@`` of a name: which frames, and how many views; see `split_views`.

    ``views`` is ``None`` where the encoder's own number is kept.
    """

    keyframes: bool = False
    views: int | None = None

    def __str__(self) -> str:
        return f"@{'key' if self.keyframes else ''}{self.views or ''}"


def split_views(name: str) -> tuple[str, ViewsAsked | None]:
    """Split ``NAME@VIEWS``, ``NAME@key`` or ``NAME@keyVIEWS`` at its last ``@``.

    VIEWS are digits; what is followed by anything else is a name.

    Raises
    ------
    BackboneError
        When no view is asked for.
    """
    found = re.fullmatch(rf"(.+){_SEEN}", name)
    if found is None:
        return name, None
    views = int(found["views"]) if found["views"] else None
    if views == 0:
        raise BackboneError(f"{name!r} asks for no view; VIEWS in NAME@VIEWS is 1 or more.")
    return found[1], ViewsAsked(bool(found["key"]), views)


def split_precision(name: str) -> tuple[str, bool]:
    """Split ``NAME:int8``; return NAME, and whether 8 bits are asked for.

    ``FILE.py:int8`` is something of that name in a file.
    """
    asked = name.endswith(EIGHT_BITS) and not name.endswith(f".py{EIGHT_BITS}")
    return (name.removesuffix(EIGHT_BITS), True) if asked else (name, False)


def cheap_forms(name: str, *, by_frame: bool) -> list[str]:
    """Return a name in 8 bits, on keyframes alone, and both, as far as it is not so already.

    Parameters
    ----------
    by_frame
        Whether each frame is seen alone, as on keyframes it has to be.
    """
    whole, seen = split_views(name)
    plain, has_8_bits = split_precision(whole)
    seen = seen or ViewsAsked()
    forms = []
    for bits in (False, True):
        for keys in (False, True)[: 1 + by_frame]:
            views = ViewsAsked(keys or seen.keyframes, seen.views)
            said = str(views) if views != ViewsAsked() else ""
            forms.append(f"{plain}{EIGHT_BITS if bits or has_8_bits else ''}{said}")
    return [form for form in dict.fromkeys(forms) if form != name]


def runs_a_file(name: str) -> bool:
    """Whether loading a backbone of that name runs a file: ``FILE.py:NAME``, whatever is around."""
    return ".py:" in name


def plain_name(name: str) -> str:
    """Return a spec's name without what was put around it: ``random:``, ``:int8``, ``@VIEWS``."""
    bare = re.sub(r"(@(key)?[0-9]+|@key)+$", "", re.sub(f"^({UNTRAINED})+", "", name))
    return split_precision(bare)[0]


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
