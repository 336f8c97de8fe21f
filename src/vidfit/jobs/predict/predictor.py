"""A loaded model, and what it answers to one clip."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vidfit.answers import Heat, Why, heat_of
from vidfit.contracts import Backbone, Clip, ClipFeatures, Floats, PlaceBackbone
from vidfit.errors import ModelError
from vidfit.files import sha256
from vidfit.fitted import FittedFusion, InTime, SaysWhere, StagedFusion
from vidfit.jobs.predict.declined import Unknown, with_thresholds
from vidfit.jobs.predict.smoothing import check_smoothing, lasting
from vidfit.labels import Kind
from vidfit.model import DOCUMENT, Model
from vidfit.runtime import accelerate
from vidfit.study import heads
from vidfit.study.opened_model import open_model
from vidfit.tasks import task_named
from vidfit.views import Sees


@dataclass(frozen=True)
class Answer:
    """What a clip is answered with, none where the model declined; see `Segment`."""

    label: str | None
    probability: float
    declined: bool = False
    why: Why = ""
    scores: tuple[float, ...] = ()
    value: float | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """What a head gives to a clip, [K], and how far the clip lies from what was learned.

    ``clues_E`` is what a head that answers in time keeps of it; ``heat`` of which places of the
    picture the answer is.
    """

    given_K: Floats
    novelty: float
    clues_E: Floats | None = None
    heat: Heat = ()


@dataclass(frozen=True)
class Predictor:
    """A loaded model: its networks are open and it may be asked again and again.

    ``smooth_seconds`` is how long a class lasts on average; 0 leaves each window by itself.
    ``sha256`` is that of ``model.json``, which names all of a model.
    """

    model: Model
    backbones: tuple[Backbone, ...]
    head: FittedFusion
    smooth_seconds: float = 0.0
    sha256: str = ""

    @property
    def senses(self) -> frozenset[Sees]:
        """What the members see: frames, sound, words."""
        specs = [backbone.spec for backbone in self.backbones]
        read: set[Sees] = {"words"} if any(spec.reads for spec in specs) else set()
        return frozenset(spec.sees for spec in specs) | read

    def wanted(self, features: Mapping[str, ClipFeatures]) -> Sequence[str]:
        """Return the members to ask next about a clip, by what the others saw in it."""
        if not isinstance(self.head, StagedFusion):
            return () if features else [backbone.spec.name for backbone in self.backbones]
        return [self.model.members[i] for i in self.head.wanted(self._blocks(features))]

    def look(self, features: Mapping[str, ClipFeatures]) -> Looked:
        """Return what the head gives to a clip, by what its members saw in it.

        Raises
        ------
        ModelError
            If that is no number.
        """
        # Only a staged head, which knows what to do without them, is given absent blocks.
        blocks: Sequence[Floats] = self._blocks(features)  # type: ignore[assignment]
        given_1K = self.head.log_probabilities(blocks)
        novelty = float(self.head.novelty(blocks)[0])
        best = float(self._kind.stated(given_1K, self.model.temperature).max())
        if not np.isfinite((best, novelty)).all():
            raise ModelError(
                f"the model of {', '.join(self.model.members)} answers a clip with "
                f"{best:g} at a novelty of {novelty:g}: its weights are damaged; fit or "
                "copy it again"
            )
        clues_E = self.head.clues(blocks)[0] if isinstance(self.head, InTime) else None
        return Looked(given_1K[0], novelty, clues_E, self._heat(blocks))

    def _heat(self, blocks: Sequence[Floats]) -> Heat:
        """Return of which places the answer is, where the one encoder sees places."""
        places = self.backbones[0]
        if not isinstance(self.head, SaysWhere) or not isinstance(places, PlaceBackbone):
            return ()
        heat_D = self.head.heat(blocks)
        return () if heat_D is None else heat_of(heat_D.reshape(places.grid))

    def answer(self, features: Mapping[str, ClipFeatures]) -> Answer:
        """Answer a clip by what its members saw in it, or decline to."""
        return self.say(self.look(features))

    def say(self, looked: Looked) -> Answer:
        """Return in words what the head gave to a clip, or that the model declines."""
        stated_1K = self._kind.stated(looked.given_K[None], self.model.temperature)
        said = self._kind.said(stated_1K[0], self.model.classes, self.model.thresholds)
        why = self._why(float(self._kind.confidence(stated_1K)[0]), looked.novelty)
        are_probabilities = said.value is None and (
            self._kind.exclusive or self.is_in_time or bool(said.scores)
        )
        scores = tuple(float(p) for p in stated_1K[0]) if are_probabilities else ()
        if why:
            return Answer(None, said.probability, True, why, scores, said.value)
        kept = scores if self.is_in_time else said.scores
        return Answer(said.label, said.probability, scores=kept, value=said.value)

    def in_time(self, looked: Mapping[Clip, Looked]) -> dict[Clip, Looked]:
        """Return what is given to windows of one video in the light of one another."""
        if len(looked) < 2 or not self.is_in_time:
            return dict(looked)
        order = np.zeros(len(looked), np.int64), np.array([clip.start_seconds for clip in looked])
        if isinstance(self.head, InTime):
            clues_ME = np.stack([one.clues_E for one in looked.values() if one.clues_E is not None])
            given_MK = self.head.in_time(clues_ME, *order)
        else:
            given_MK = np.stack([one.given_K for one in looked.values()])
            stated_MK = self._kind.stated(given_MK, self.model.temperature)
            answers_MK = lasting(self._kind.as_answers(stated_MK), self.smooth_seconds, *order)
            given_MK = answers_MK * self.model.temperature  # by which they are divided again
        pairs = zip(looked.items(), given_MK, strict=True)
        return {clip: replace(one, given_K=given_K) for (clip, one), given_K in pairs}

    @property
    def is_in_time(self) -> bool:
        """Whether windows of a video are answered in the light of one another."""
        return isinstance(self.head, InTime) or self.smooth_seconds > 0

    def smoothing(self, seconds: float | None) -> Predictor:
        """Return the same model, whose answers to windows are smoothed over time.

        Parameters
        ----------
        seconds
            How long a class lasts on average; ``None`` and 0 leave each window by itself.

        Raises
        ------
        VidfitError
            If it is below 0, or answers are not one class, or are smoothed by the model itself.
        """
        check_smoothing(seconds, self._kind, isinstance(self.head, InTime))
        return replace(self, smooth_seconds=seconds or 0.0)

    @property
    def _kind(self) -> Kind:
        return task_named(self.model.task).kind

    def declining(self, unknown: Unknown) -> Predictor:
        """Return the same model with other thresholds.

        Parameters
        ----------
        unknown
            ``None`` for those that it was fitted with; ``"off"``: it always answers;
            ``"strict"``: it declines earlier, by what was measured when it was fitted; a number
            above 0, to 1: the least probability of an answer.

        Raises
        ------
        VidfitError
            If it is none of these.
        ModelError
            If the model was written before there were strict thresholds.
        """
        if unknown is None:
            return self
        return replace(self, model=with_thresholds(self.model, unknown))

    def _why(self, confidence: float, novelty: float) -> Why:
        """Return why a clip gets no class; empty where it gets one.

        Windows that are answered in the light of one another are all answered: a segment is as
        sure as its windows together.
        """
        if isinstance(self.head, InTime):
            return ""
        if novelty > self.model.unknown_novelty:
            return "unlike anything seen"
        return "low confidence" if confidence < self.model.unknown_probability else ""

    def _blocks(self, features: Mapping[str, ClipFeatures]) -> list[Floats | None]:
        pool = heads.pooling(self.model.head, task_named(self.model.task))
        return [
            pool.of(member)(features[name].tokens_ND)[None] if name in features else None
            for name, member in zip(self.model.members, self.backbones, strict=True)
        ]


def load(directory: Path, own: Sequence[str] = (), task: str | None = None) -> Predictor:
    """Open a model directory that `fit` wrote, for answers; see `open_model`.

    Parameters
    ----------
    own
        ``FILE.py:NAME`` of encoders of one's own that the model may hold.
    task
        The task that it must answer; ``None`` takes any.

    Raises
    ------
    ModelError
        If it is incomplete or altered, does not answer as a model does, or answers another task.
    BackboneError
        If a member cannot run here.
    """
    opened = open_model(directory, own, deferred=True)
    if task is not None and task_named(task) is not opened.task:
        raise ModelError(
            f"{directory} answers the task {opened.task.name!r}, and --task asks for {task!r}; "
            "leave it away, or give another model"
        )
    backbones = tuple(accelerate(member) for member in opened.members)
    return Predictor(opened.model, backbones, opened.head, sha256=sha256(directory / DOCUMENT))
