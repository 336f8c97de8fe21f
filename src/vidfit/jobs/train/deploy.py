"""From the weights of a training run to a model directory, which `predict` opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from vidfit import backbones as zoo
from vidfit.contracts import Backbone, Floats, Frames, Indices
from vidfit.evaluate import STRICT, HeldOut, Thresholds
from vidfit.fitted import FittedFusion
from vidfit.metrics import fit_temperature, probabilities
from vidfit.model import Model
from vidfit.networks import Shape
from vidfit.networks.head import NetworkHead
from vidfit.networks.vocabulary import Vocabulary
from vidfit.plans import Plan
from vidfit.study import heads
from vidfit.study.frame_network import frame_network, reading_network, softmax_head
from vidfit.study.subject import build_subject, shape_of

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class Deployed:
    """A trained network as a member and a head: what `predict` will run."""

    backbone: Backbone
    kind: str
    head: FittedFusion

    def vectors(self, tokens: Sequence[Floats]) -> Floats:
        """Return what the head looks at, [M, X], of the tokens [N, D] of clips."""
        pool = heads.pooling(self.kind).pool
        return np.stack([pool(tokens_ND) for tokens_ND in tokens])

    def model(
        self,
        classes: tuple[str, ...],
        unseen: tuple[Floats, Indices],
        lengths: tuple[float, float],
    ) -> Model:
        """Return the model, without a card.

        Parameters
        ----------
        unseen
            Vectors [M, X] and labels of clips that were not learned from: they set temperature
            and thresholds.
        lengths
            Median and longest seconds of the training clips.
        """
        vectors_MX, labels_M = unseen
        out_MK = self.head.log_probabilities([vectors_MX])
        temperature = fit_temperature(out_MK, labels_M)
        confidence_M = probabilities(out_MK, temperature).max(axis=1)
        held = HeldOut(confidence_M, self.head.novelty([vectors_MX]))
        usual, strict = Thresholds.of(held), Thresholds.of(held, STRICT)
        return Model(
            classes=classes,
            members=(self.backbone.spec.name,),
            head=self.kind,
            arrays=self.head.state(),
            temperature=temperature,
            unknown_probability=usual.probability,
            unknown_novelty=usual.novelty,
            strict_probability=strict.probability,
            strict_novelty=strict.novelty,
            window_seconds=lengths[0],
            longest_seconds=lengths[1],
            card={},
        )


def deployed(
    plan: Plan, weights: Mapping[str, Tensor], standards: tuple[Floats, Floats]
) -> Deployed:
    """Take a trained module apart: the tuned backbone, and the head over its tokens.

    Parameters
    ----------
    standards
        Means and inverse deviations [D] of the tokens that the network was trained on.
    """
    from vidfit.networks.tuned import Tuned

    network = trained_network(plan, weights)
    backbone = zoo.load(plan.subject.backbone)
    head = network
    if isinstance(network, Tuned):
        encoder: nn.Module = network.encoder
        if plan.subject.regime == "lora":
            from vidfit.networks.lora import merge

            encoder = merge(encoder)
        backbone = zoo.with_network(backbone, encoder)
        head = network.head
    fitted = NetworkHead.of(plan.subject.network, _shape(plan), head, *standards)
    return Deployed(backbone, heads.NETWORK, fitted)


def deployed_whole(
    plan: Plan,
    weights: Mapping[str, Tensor],
    learned: Iterable[tuple[Frames, str]],
    vocabulary: Vocabulary,
) -> Deployed:
    """Return a network that sees frames itself as a member, under a head that changes nothing.

    Parameters
    ----------
    learned
        Views [V, T, H, W, C] of each clip that it learned from, and what is said in it, to know
        what is familiar.
    vocabulary
        Words that the network knows; none of one that sees frames alone.
    """
    network, shape = trained_network(plan, weights), _shape(plan)
    if not vocabulary.size:
        sees = frame_network(plan.subject.network, shape, network)
        tokens = [sees.forward(views) for views, _ in learned]
        return _whole(sees, tokens)
    reads = reading_network(plan.subject.network, shape, network, vocabulary)
    return _whole(reads, [reads.forward_with(views, text) for views, text in learned])


def _whole(backbone: Backbone, tokens: Sequence[Floats]) -> Deployed:
    logits_MK = np.concatenate([tokens_BND.mean(axis=1) for tokens_BND in tokens])
    return Deployed(backbone, "linear", softmax_head(logits_MK))


def trained_network(plan: Plan, weights: Mapping[str, Tensor]) -> nn.Module:
    """Return the module of a plan with trained weights, in evaluation mode."""
    network = build_subject(plan.subject, plan.data.classes, plan.data.tokens, plan.recipe)
    network.load_state_dict(weights)
    return network.eval()


def _shape(plan: Plan) -> Shape:
    return shape_of(plan.subject, plan.data.classes, plan.data.tokens, plan.recipe)
