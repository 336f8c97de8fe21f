"""A gallery that was opened: which face is whose.

Shape letters: K people, D numbers of a face.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidfit.backbones import load
from vidfit.backbones.faces.finding import FoundFace, check_finder
from vidfit.backbones.faces.window import seen_by
from vidfit.contracts import Backbone, Floats
from vidfit.errors import ModelError
from vidfit.runtime import accelerate
from vidfit.study.consent import check_consent
from vidfit.study.opened_model import open_model
from vidfit.tasks.faces.gallery import Gallery, mean_direction


@dataclass(frozen=True)
class Recogniser:
    """An encoder of faces on an engine, and the people it is asked about.

    Parameters
    ----------
    encoder
        Sees aligned faces.
    gallery
        Known people.
    names
        Of them.
    consent
        To what the people agreed, as it was stated for these answers.
    """

    encoder: Backbone
    gallery: Gallery
    names: tuple[str, ...]
    consent: str

    @property
    def threshold(self) -> float:
        """Similarity from which on somebody is named."""
        return float(self.gallery.threshold_1[0])

    def vectors(self, faces: Sequence[FoundFace]) -> list[Floats]:
        """Return the unit vector [D] of each face."""
        views = [seen_by(self.encoder, face.aligned_HWC)[None] for face in faces]
        return [mean_direction(self.encoder.forward(view)[0]) for view in views]

    def over(self, vector_D: Floats) -> Floats:
        """Return by how much a face is more alike to each person than the threshold, [K]."""
        found_K: Floats = self.gallery.log_probabilities([vector_D[None]])[0]
        return found_K


def open_recogniser(directory: str, consent: str | None, own: Sequence[str] = ()) -> Recogniser:
    """Open a model that `fit` wrote with ``--task faces``.

    Raises
    ------
    ConsentError
        If it is not said to what the people agreed.
    ModelError
        If the model is damaged, or of another task.
    BackboneError
        If faces cannot be found here.
    """
    for name in own:
        load(name)
    opened = open_model(Path(directory), own, consent=consent or "")
    if not isinstance(opened.head, Gallery) or len(opened.members) != 1:
        raise ModelError(f"{directory} is no gallery of people; fit one with --task faces")
    purpose = check_consent(opened.task, consent)
    check_finder()
    return Recogniser(accelerate(opened.members[0]), opened.head, opened.model.classes, purpose)
