"""What is said of a name that is no backbone: what is near, and how one is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path

from vidfit.backbones.catalogue import WHY_NOT, lookup, nearest, status

_HUB = re.compile(r"[\w.-]+/[\w.-]+")
"""ORG/NAME, as the Hugging Face hub has it."""


def unknown_name(name: str, known: Iterable[str], families: Iterable[str]) -> str:
    """Return the text of an error: what was given, what is near, and every way to name one.

    Parameters
    ----------
    known
        Names that load as they stand.
    families
        Prefixes of ``FAMILY:SOURCE``.
    """
    known = list(known)
    files = [family for family in families if family not in (*known, "hf", "random")]
    return (
        f"There is no backbone called {name!r}.{_hint(name, known, files)} Valid are "
        f"{', '.join(known)}; hf:ORG/NAME with --download, a model on the Hugging Face hub; "
        "hf:FOLDER, one that transformers saved; FILE.py:NAME, an encoder of your own; "
        f"FAMILY:FILE, weights in a file, with the family one of {', '.join(files)}; and any of "
        "these with @VIEWS, a number, behind it, @key for keyframes alone, or :int8 for 8 bits. "
        "`vidfit models --loadable` lists what runs here."
    )


def _hint(name: str, known: Sequence[str], files: Sequence[str]) -> str:
    """Return what to write in place of the name, or why the nearest model cannot be loaded."""
    if (Path(name) / "config.json").is_file():
        return f" For that folder write 'hf:{name}'."
    if close := get_close_matches(name, [*known, *(f"{family}:FILE" for family in files)], n=1):
        return f" Did you mean {close[0]!r}?"
    on_hub = _HUB.fullmatch(name) is not None
    entry = lookup(name) or lookup(nearest(name, encoders=True, cutoff=0.9 if on_hub else 0.6))
    if entry is not None:
        found = status(entry)
        if found.loadable:
            return f" Did you mean {entry.name!r}?"
        why = found.reason.rstrip(".")
        return f" The catalogue has {entry.name!r}, which does not load here: {why}."
    if name.startswith("timm/"):
        return f" Models of timm do not load here: {WHY_NOT['timm']}."
    return f" For the hub's model write 'hf:{name}' and --download." if on_hub else ""
