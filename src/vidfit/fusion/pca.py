"""Principal components of each member, side by side, and one linear probe over all of them.

The components are whitened: a direction of little variance counts as much as one of much.
Not whitened, the probe would be that of `vidfit.fusion.concat` again, whose penalty already
holds back directions of little variance.
"""

from __future__ import annotations

from collections.abc import Sequence

from vidfit.fusion.member import Fitted, Training
from vidfit.fusion.projected import Doubles, beside, fit_projected, principal_axes


def fit_pca(training: Training) -> Fitted:
    """Fit the components of each member and a probe; wide members do not drown narrow ones."""
    return fit_projected(training, components)


def components(standard: Sequence[Doubles]) -> list[Doubles]:
    """Return the leading components of each member as a block; a probe standardises them."""
    return beside([principal_axes(x_MD)[1] for x_MD in standard])
