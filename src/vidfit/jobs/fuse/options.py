"""What a user may ask of `fuse`."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches

from vidfit.errors import VidfitError
from vidfit.study.options import SelectOptions


@dataclass(frozen=True)
class FuseOptions(SelectOptions):
    """What a user may ask of `fuse`: what may be asked of `select`, and three things more.

    Parameters
    ----------
    methods
        Ways to combine, of `vidfit.fusion.METHODS`; empty means all of them.
    student
        Whether to distil the best fusion into one backbone with one head.
    keep_untested
        Whether the model learns classes that too few recordings hold to be tested, too.
    """

    methods: tuple[str, ...] = ()
    student: bool = False
    keep_untested: bool = False

    def check(self) -> None:
        """Refuse what has no meaning."""
        from vidfit.fusion import METHODS

        super().check()
        for method in self.methods:
            if method not in METHODS:
                near = get_close_matches(method, METHODS, 1)
                hint = f"; did you mean {near[0]!r}?" if near else ""
                raise VidfitError(
                    f"{method!r} is no way to combine models{hint} Valid are {', '.join(METHODS)}"
                )
