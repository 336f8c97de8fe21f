"""Compare candidates on recordings that they were not fitted on."""

from vidfit.select.compare import Comparison, Contender, compare, fit_contenders
from vidfit.select.nested import Nested, nested

__all__ = ["Comparison", "Contender", "Nested", "compare", "fit_contenders", "nested"]
