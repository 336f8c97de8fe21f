"""Which model: races, scores and choices, by recordings that were not learned from."""

from vidfit.selection.bias import Tried, bias_corrected
from vidfit.selection.budget import Purse, Rules
from vidfit.selection.compare import (
    NETWORK,
    Choice,
    Contender,
    Terms,
    choose,
    even_contender,
    fit_contenders,
    hits,
    merit,
)
from vidfit.selection.nested import (
    FUSION,
    NEVER,
    SINGLE,
    Gain,
    Nested,
    Outer,
    gain_of,
    nested,
    times,
)
from vidfit.selection.order import first_size, in_two_parts, spread_order
from vidfit.selection.race import Race, Round, Trial, race
from vidfit.selection.recommend import Rule, is_cheaper, recommend
from vidfit.selection.rows import Rows
from vidfit.selection.ties import is_proven_better, tied_with_best

__all__ = [
    "Choice",
    "Contender",
    "FUSION",
    "NETWORK",
    "NEVER",
    "Gain",
    "Nested",
    "Outer",
    "Purse",
    "Race",
    "Round",
    "Rows",
    "Rule",
    "Rules",
    "SINGLE",
    "Terms",
    "Trial",
    "Tried",
    "bias_corrected",
    "choose",
    "even_contender",
    "first_size",
    "fit_contenders",
    "gain_of",
    "hits",
    "in_two_parts",
    "is_cheaper",
    "is_proven_better",
    "merit",
    "nested",
    "race",
    "recommend",
    "spread_order",
    "tied_with_best",
    "times",
]
