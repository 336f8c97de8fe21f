"""Every error that vidfit raises on purpose.

::

    VidfitError
    ├── VideoError            a video, or a part of it, cannot be read
    ├── ManifestError         a list of clips cannot be understood
    ├── BackboneError         a pretrained network is unknown, missing or fails
    ├── StoreError            features on disk cannot be read or written
    ├── ModelError            a model directory is incomplete, altered or too new
    ├── BudgetError           what was asked does not fit the minutes or the memory given
    └── NotEnoughDataError    too few clips, classes or recordings for an honest answer

Each message says what was received, what is valid, and what to do next.
"""


class VidfitError(Exception):
    """Base of all errors that vidfit raises on purpose."""


class VideoError(VidfitError):
    """A video, or a part of it, cannot be read."""


class ManifestError(VidfitError):
    """A list of clips cannot be understood."""


class BackboneError(VidfitError):
    """A pretrained network is unknown, missing or fails."""


class StoreError(VidfitError):
    """Features on disk cannot be read or written."""


class ModelError(VidfitError):
    """A model directory is incomplete, altered or written by a newer vidfit."""


class BudgetError(VidfitError):
    """What was asked does not fit the minutes or the memory given."""


class NotEnoughDataError(VidfitError):
    """There are too few clips, classes or recordings for an honest answer."""
