"""A generator as it is kept: a model of pixels, whose card holds its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from torch import Tensor, nn

from vidfit.documents import value_of
from vidfit.errors import ModelError
from vidfit.language.codebook import Codebook
from vidfit.pixels.generate.members import (
    ClipDrawer,
    LatentMember,
    SharedPool,
    TokenMember,
    quiet,
)
from vidfit.pixels.generate.prior import LatentFlow
from vidfit.pixels.generate.sizes import ClipSizes
from vidfit.pixels.generate.tokens import book_module, book_tensors, gpt_of
from vidfit.pixels.generate.vae import ClipDecoder
from vidfit.pixels.saved import PixelModel, load_pixels, save_pixels

TASK = "generate"

_LATENT, _TOKENS = "latent", "tokens"

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class KeptMember:
    """What a member is built as: its name, its kind and whether it has a flow."""

    name: str
    kind: str
    flow: bool = False


@dataclass(frozen=True, eq=False)
class SavedGenerator:
    """A generator that was read: what draws, the sizes of its clips, and its card."""

    drawer: ClipDrawer
    sizes: ClipSizes
    card: Mapping[str, Any]


def save_generator(
    drawer: ClipDrawer, sizes: ClipSizes, card: Mapping[str, Any], directory: Path
) -> None:
    """Write a generator.

    Raises
    ------
    ModelError
        If the disk is full or the directory cannot be written.
    """
    members = list(drawer.members) if isinstance(drawer, SharedPool) else [drawer]
    told, weights = [], dict[str, Tensor]()
    for place, member in enumerate(members):
        kept, parts = _parts(member)
        told.append(asdict(kept))
        for name, state in parts.items():
            weights |= {f"{place}/{name}/{key}": t for key, t in state.items()}
    facts: dict[str, Any] = {"clips": sizes.facts, "members": told, "name": drawer.name}
    facts["shares"] = list(drawer.shares) if isinstance(drawer, SharedPool) else []
    save_pixels(PixelModel(TASK, facts, weights, card), directory)


def load_generator(directory: Path) -> SavedGenerator:
    """Read a generator; no code is run.

    Raises
    ------
    ModelError
        If it is none, of a newer format, incomplete, altered or damaged.
    """
    model = load_pixels(directory, TASK)
    try:
        sizes = ClipSizes.of_facts(model.sizes["clips"])
        told = [value_of(KeptMember, facts, {}) for facts in model.sizes["members"]]
        members = [_member(model, place, kept, sizes) for place, kept in enumerate(told)]
        drawer: ClipDrawer = members[0]
        if shares := model.sizes["shares"]:
            drawer = SharedPool(str(model.sizes["name"]), sizes, members, _sound(shares, members))
    except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{directory} is damaged ({error}); fit or copy it again") from error
    return SavedGenerator(drawer, sizes, model.card)


def _parts(member: ClipDrawer) -> tuple[KeptMember, dict[str, dict[str, Tensor]]]:
    if isinstance(member, TokenMember):
        parts = {"gpt": dict(member.gpt.state_dict()), "book": book_tensors(member.book)}
        return KeptMember(member.name, _TOKENS), parts
    if not isinstance(member, LatentMember):
        raise ModelError(f"{member.name} is nothing that can be kept")
    parts = {"decoder": dict(member.decoder.state_dict())}
    if member.flow:
        parts["flow"] = dict(member.flow.state_dict())
    return KeptMember(member.name, _LATENT, member.flow is not None), parts


def _member(model: PixelModel, place: int, kept: KeptMember, sizes: ClipSizes) -> ClipDrawer:
    if kept.kind == _TOKENS:
        book = _filled(book_module(sizes), model.part(f"{place}/book"))
        arrays = {n: np.array(t.numpy(), np.float32) for n, t in book.state_dict().items()}
        gpt = _filled(gpt_of(sizes), model.part(f"{place}/gpt"))
        return TokenMember(kept.name, sizes, gpt, Codebook(arrays["centres"], arrays["scale"]))
    if kept.kind != _LATENT:
        raise ValueError(f"{kept.kind!r} is no kind of member")
    decoder = _filled(ClipDecoder(sizes), model.part(f"{place}/decoder"))
    flow = _filled(LatentFlow(sizes), model.part(f"{place}/flow")) if kept.flow else None
    return LatentMember(kept.name, sizes, decoder, flow)


def _sound(shares: Sequence[float], members: Sequence[ClipDrawer]) -> list[float]:
    own = [float(share) for share in shares]
    if len(own) != len(members) or not all(0 < share <= 1 for share in own):
        raise ValueError(f"{len(own)} shares of {len(members)} members")
    return own


def _filled(module: Module, weights: Mapping[str, Tensor]) -> Module:
    """Give a module its weights; all of them, and no others."""
    module.load_state_dict(dict(weights))
    quiet(module)
    return module
