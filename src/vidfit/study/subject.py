"""From a plan's `Subject` to the module that is trained, and to what it looks at.

Shape letters as in `vidfit.networks.clips`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vidfit.backbones import load
from vidfit.contracts import Backbone, Preprocessing, Sampling, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.features.pool import STEPS
from vidfit.networks import NETWORKS, Shape, build, network_of
from vidfit.networks.vocabulary import LONGEST, UNKNOWN
from vidfit.study.consent import check_encoders

if TYPE_CHECKING:
    from torch import nn

    from vidfit.networks.clips import Clips
    from vidfit.planning.trial import Trainee
    from vidfit.plans import Recipe, Subject

RANK, ALPHA = 8, 16
"""Of the low-rank additions (Hu et al. 2022): the scale is ``ALPHA / RANK``."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a subject looks at in a clip: how frames are sampled and sized, and its tokens.

    Parameters
    ----------
    tokens
        Steps in time of a clip that the network is given; of one that sees frames, how many.
    dim
        Features of a token; 0 for a network that sees frames.
    sees_frames
        Whether a training step is given frames, and not cached tokens.
    """

    sampling: Sampling
    preprocessing: Preprocessing
    tokens: int
    dim: int
    sees_frames: bool


def own_sight(side_pixels: int) -> Sight:
    """Return what a network without a backbone looks at: 16 square frames."""
    size = Preprocessing(side_pixels, side_pixels, mean=(127.0,) * 3, std=(128.0,) * 3)
    return Sight(Sampling(clip_len=16, num_clips=1), size, tokens=16, dim=0, sees_frames=True)


OWN_SIGHT = own_sight(112)
"""16 frames of 112 x 112, as in C3D (Tran et al. 2015)."""


def sight(subject: Subject) -> Sight:
    """Return what a subject looks at.

    Raises
    ------
    BackboneError
        If there is no such backbone or network, or they do not go together.
    """
    backbone = _backbone(subject)
    return OWN_SIGHT if backbone is None else _sight_of(backbone, subject)


def build_subject(subject: Subject, classes: int, tokens: int, recipe: Recipe) -> nn.Module:
    """Make the module that is trained: ``forward`` maps `Clips` to logits [B, K].

    ``"probe"`` gives the network alone, which sees cached tokens; the other regimes give the
    backbone below it: all of it learns, or with ``"lora"`` its low-rank additions.

    Parameters
    ----------
    tokens
        Steps in time that it is given (`Sight.tokens`).

    Raises
    ------
    BackboneError
        If there is no such backbone or network, or they do not go together.
    """
    from vidfit.networks.tuned import Tuned

    backbone = _backbone(subject)
    shape = _shape(subject, (classes, tokens), backbone, recipe)
    network = build(subject.network, shape)
    if backbone is None or subject.regime == "probe":
        return network
    tuned = Tuned(_torch(backbone).network, network, tokens, backbone.spec.dim)
    if subject.regime == "lora":
        from vidfit.networks.lora import add_low_rank

        tuned.encoder = add_low_rank(tuned.encoder, RANK, ALPHA)
    return tuned


def shape_of(subject: Subject, classes: int, tokens: int, recipe: Recipe) -> Shape:
    """Return what the network of a subject is made for."""
    return _shape(subject, (classes, tokens), _backbone(subject), recipe)


def _shape(
    subject: Subject, counts: tuple[int, int], backbone: Backbone | None, recipe: Recipe
) -> Shape:
    return Shape(
        dim=backbone.spec.dim if backbone else 0,
        tokens=counts[1],
        classes=counts[0],
        width=subject.width,
        layers=subject.layers,
        heads=subject.heads,
        dropout=recipe.dropout,
        drop_path=recipe.drop_path,
        vocabulary=subject.vocabulary,
    )


def example(seen: Sight, micro_batch: int, reads: bool = False) -> Clips:
    """Return a micro-batch of the shapes and types that the subject is trained on.

    Parameters
    ----------
    reads
        Whether each clip has as many words as are read.
    """
    import torch

    from vidfit.networks.clips import Clips

    if not seen.sees_frames:
        return Clips(tokens_BND=torch.zeros(micro_batch, seen.tokens, seen.dim))
    sampling, size = seen.sampling, seen.preprocessing
    views = (micro_batch, sampling.num_clips, sampling.clip_len)
    shape = (*views, size.height_pixels, size.width_pixels, 3)
    text_BL = torch.full((micro_batch, LONGEST), UNKNOWN) if reads else None
    return Clips(frames_BVTHWC=torch.zeros(shape, dtype=torch.uint8), text_BL=text_BL)


def trainee(arguments: Mapping[str, Any]) -> Trainee:
    """Make what `vidfit.planning` measures, from values as JSON has them.

    Parameters
    ----------
    arguments
        ``subject`` and ``recipe`` as dictionaries of their fields, and ``classes``.
    """
    from vidfit.planning.trial import Trainee
    from vidfit.plans import Recipe, Subject

    subject, recipe = Subject(**arguments["subject"]), Recipe(**arguments["recipe"])
    seen, classes = sight(subject), int(arguments["classes"])
    network = build_subject(subject, classes, seen.tokens, recipe)
    batch = partial(example, seen, reads=bool(subject.vocabulary))
    return Trainee(network, batch, classes)


def _backbone(subject: Subject) -> Backbone | None:
    """Return the backbone of a subject; ``None`` when its network sees frames itself."""
    own = network_of(subject.network).sees == "frames"
    if own and subject.backbone:
        raise BackboneError(
            f"The network {subject.network!r} sees frames itself, and was given the backbone "
            f"{subject.backbone!r} as well. Leave the backbone away, or choose a network over "
            f"tokens: {', '.join(n for n, known in NETWORKS.items() if known.sees == 'tokens')}."
        )
    if own:
        return None
    if not subject.backbone:
        raise BackboneError(
            f"The network {subject.network!r} sees a backbone's tokens, and there is no backbone. "
            "Name one, such as efficientnet-lite0."
        )
    check_encoders((subject.backbone,), None)
    return load(subject.backbone)


def _torch(backbone: Backbone) -> TorchBackbone:
    if not isinstance(backbone, TorchBackbone):
        raise BackboneError(
            f"{backbone.spec.name} has no torch network, so that its weights cannot learn. Train "
            "on its tokens with the regime 'probe', or choose another backbone."
        )
    return backbone


def _sight_of(backbone: Backbone, subject: Subject) -> Sight:
    spec = backbone.spec
    return Sight(
        spec.sampling,
        spec.preprocessing,
        tokens=STEPS,
        dim=spec.dim,
        sees_frames=subject.regime != "probe",
    )
