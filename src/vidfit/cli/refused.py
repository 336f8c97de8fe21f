"""What is wrong with an option, in our words, whichever version of typer checks it.

Newer ones check with pydantic, whose sentences are for programmers ("Input should be greater than
or equal to 1"). Here, and nowhere else, they become what was given and what is valid.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import typer
from typer.core import TyperGroup

Fault = Mapping[str, Any]
"""One error of pydantic: its ``type``, the ``input`` and, in ``ctx``, what is valid."""


class Commands(TyperGroup):
    """The commands, whose options are refused in our words."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  (typer's contexts are private)
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = refusal(error.__cause__) or error.message
            raise


def refusal(cause: BaseException | None) -> str:
    """Return what was given and what is valid; nothing where typer has said it itself."""
    errors = getattr(cause, "errors", None)
    fault = next(iter(errors()), None) if callable(errors) else None
    if fault is None:
        return ""
    within = (fault.get("ctx") or {}).get("error")
    if isinstance(within, ValueError):  # of a list, or of a check that is not pydantic's
        return refusal(within) or str(within)
    valid = _VALID.get(fault["type"])
    return f"{fault['input']} is given; {valid(fault)} is valid" if valid else str(fault["msg"])


def _bound(name: str, words: str) -> Callable[[Fault], str]:
    return lambda fault: words.format(fault["ctx"][name])


_WHOLE, _NUMBER = "a whole number", "a number"

_VALID: dict[str, Callable[[Fault], str]] = {
    "greater_than_equal": _bound("ge", "{:g} or more"),
    "greater_than": _bound("gt", "more than {:g}"),
    "less_than_equal": _bound("le", "at most {:g}"),
    "less_than": _bound("lt", "less than {:g}"),
    **dict.fromkeys(("int_parsing", "int_from_float", "int_type"), lambda _: _WHOLE),
    "int_parsing_size": lambda _: "a whole number of fewer digits",
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), lambda _: _NUMBER),
}
"""Type of an error of pydantic -> what is valid."""
