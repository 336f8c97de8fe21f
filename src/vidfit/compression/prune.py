"""Pruning: whole channels are left out, so that a network really computes less.

Channels that hang together (a convolution, its normalisation, a depthwise convolution behind it,
everything that is added to it, and whatever reads it) are found and removed together by the
dependency graph of torch-pruning (Fang et al., "DepGraph", CVPR 2023). How many go where is
decided by measuring: each group is pruned alone to several shares, and the change of the tokens
is set against the multiply-accumulates saved; the shares of all groups then follow from one price
of a multiply-accumulate, as bits are allotted to quantizers (Shoham and Gersho 1988).

Matrices that read pruned channels are fitted anew, by least squares, to give from the remaining
ones what they gave from all (He, Zhang, Sun, "Channel pruning", ICCV 2017, equation 3).

Shape letters: B views, T frames, H height, W width, C channels, N tokens, D features.
"""

from __future__ import annotations

import bisect
import copy
import importlib
import itertools
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vidfit.compression.moments import input_moments, is_matrix
from vidfit.contracts import Frames
from vidfit.errors import BackboneError

LEVELS = (0.25, 0.5, 0.75)
"""Shares of a group's channels whose loss is tried."""

MULTIPLE = 8
"""Channels are kept in multiples of this where there are enough: engines compute in blocks."""

TRIAL_VIEWS = 8
"""Views that the change of the tokens is measured on; least squares take all."""

_RIDGE = 1e-2
"""Added to the diagonal of the moments, relative to its mean."""


@dataclass(frozen=True, slots=True)
class Removal:
    """Leaving ``removed`` channels of a group out.

    ``harm`` is the squared change of the tokens over their variance; ``saved_gmacs`` are those of
    the frames that it was measured on.
    """

    removed: int
    harm: float
    saved_gmacs: float


@dataclass(frozen=True)
class ChannelGroup:
    """Channels that can only go together: those of the layer ``root``, the least important first.

    The first choice is to leave all in.
    """

    root: str
    order: tuple[int, ...]
    choices: tuple[Removal, ...]

    def cheapest(self, price: float) -> Removal:
        """Return the choice of the least harm when a saved GMAC is worth ``price``."""
        if price == math.inf:
            return max(self.choices, key=lambda choice: choice.saved_gmacs)
        return min(self.choices, key=lambda choice: choice.harm - price * choice.saved_gmacs)


def prune_channels(network: nn.Module, frames_BTHWC: Frames, share: float) -> nn.Module:
    """Return a smaller copy; its tokens have the dimensions that they had.

    Of transformers of Hugging Face the hidden sizes of the MLPs are pruned and nothing else:
    attention reads its sizes from the config.

    Parameters
    ----------
    network
        uint8 views [B, T, H, W, C] -> float32 tokens [B, N, D].
    frames_BTHWC
        Some views of the task, to measure on: about 64 images, or 8 videos.
    share
        Of the multiply-accumulates, to be saved, in (0, 1).

    Raises
    ------
    BackboneError
        When torch-pruning is missing, the share cannot be reached, or nothing can be pruned.
    """
    return prune_groups(network, rank_groups(network, frames_BTHWC), frames_BTHWC, share)


def rank_groups(network: nn.Module, frames_BTHWC: Frames) -> tuple[ChannelGroup, ...]:
    """Measure what the loss of channels does to the tokens, group by group.

    Groups whose loss would change the dimensions of the tokens, or break the network, are left
    out. Channels of a group are ordered by the norm of all their weights (torch-pruning's
    GroupMagnitudeImportance).

    Raises
    ------
    BackboneError
        When torch-pruning is missing, or nothing can be pruned.
    """
    graph = _Graph(network, frames_BTHWC)
    before_BND, gmacs = graph.run()
    variance = float((before_BND - before_BND.mean((0, 1))).square().mean())
    # Of a single token nothing varies; then its size is the scale.
    scale = variance if variance > 0 else float(before_BND.square().mean())

    def measured(root: str, indices: list[int]) -> Removal:
        with graph.without({root: indices}):
            tokens_BND, left = graph.run()
        if tokens_BND.shape != before_BND.shape:
            raise ValueError("the tokens would get other dimensions")
        harm = float((tokens_BND - before_BND).square().mean()) / scale
        return Removal(len(indices), harm, gmacs - left)

    groups = []
    for root, order in graph.groups():
        choices = [Removal(0, 0.0, 0.0)]
        try:
            for removed in _counts(len(order)):
                choices.append(measured(root, order[:removed]))
        except (RuntimeError, ValueError, IndexError):
            continue
        groups.append(ChannelGroup(root, tuple(order), tuple(choices)))
    if not groups:
        raise BackboneError(
            "No channels of this network can be left out; valid are networks with convolutions "
            "or MLPs whose inner channels are no tokens. Quantize it instead."
        )
    return tuple(groups)


def prune_groups(
    network: nn.Module, groups: Sequence[ChannelGroup], frames_BTHWC: Frames, share: float
) -> nn.Module:
    """Return a copy that saves a share of the multiply-accumulates; see `prune_channels`.

    ``groups`` come of `rank_groups`, which takes longer than this and serves for every share.
    """
    if not 0 < share < 1:
        raise BackboneError(f"share is {share}; valid is a number between 0 and 1, such as 0.5.")
    graph = _Graph(network, frames_BTHWC)
    _, gmacs = graph.run(1)

    def taken(price: float) -> dict[str, list[int]]:
        chosen = {group: group.cheapest(price).removed for group in groups}
        return {group.root: list(group.order[:n]) for group, n in chosen.items() if n}

    def saves(price: float) -> float:
        with graph.without(taken(price), refit=False):
            return 1 - graph.run(1)[1] / gmacs

    prices = _prices(groups)
    most = saves(prices[-1])
    if most < share:
        raise BackboneError(
            f"share is {share:g}, but only {most:.2f} of the multiply-accumulates can be saved by "
            "leaving channels out. Ask for less."
        )
    # What is saved rises with the price: the lowest price that saves enough.
    graph.remove(taken(prices[bisect.bisect_left(prices, share, key=saves)]))
    return graph.network.eval().requires_grad_(False)


def _prices(groups: Sequence[ChannelGroup]) -> list[float]:
    """Return prices of a GMAC between which no choice changes, from low to high."""
    slopes = {
        (more.harm - less.harm) / (more.saved_gmacs - less.saved_gmacs)
        for group in groups
        for less, more in itertools.combinations(group.choices, 2)
        if more.saved_gmacs > less.saved_gmacs
    }
    return [slope * 1.000001 for slope in sorted(slopes) if slope > 0] + [math.inf]


class _Graph:
    """A copy of a network and its dependency graph; channels are named by layer and number."""

    def __init__(self, network: nn.Module, frames_BTHWC: Frames) -> None:
        self._tp = _torch_pruning()
        # The graph is read from gradients' functions, so that weights must want gradients.
        self.network = copy.deepcopy(network).eval().requires_grad_(True)
        self._trial_BTHWC = torch.from_numpy(frames_BTHWC[:TRIAL_VIEWS].copy())
        graph = self._tp.DependencyGraph()
        with warnings.catch_warnings():
            # It tells which bare parameters it found; those groups are measured as all others.
            warnings.simplefilter("ignore")
            self._graph = graph.build_dependency(self.network, self._trial_BTHWC[:1])
        self._names = {module: name for name, module in self.network.named_modules()}
        matrices = {n: m for m, n in self._names.items() if is_matrix(m)}
        self._moments = input_moments(self.network, matrices, frames_BTHWC)

    @torch.no_grad()
    def run(self, views: int = TRIAL_VIEWS) -> tuple[Tensor, float]:
        """Return tokens [B, N, D] and the multiply-accumulates (10^9) that they took."""
        with FlopCounterMode(display=False) as counter:
            tokens_BND: Tensor = self.network(self._trial_BTHWC[:views])
        return tokens_BND, counter.get_total_flops() / 2e9

    def groups(self) -> Iterator[tuple[str, list[int]]]:
        """Yield layers whose channels can be left out, the least important first."""
        importance = self._tp.importance.GroupMagnitudeImportance(p=2)
        roots = [nn.modules.conv._ConvNd, nn.Linear]
        for group in list(self._graph.get_all_groups(root_module_types=roots)):
            module = group[0][0].target.module
            if module in self._names and self._is_free(module):
                score = importance(group)
                if score is not None and len(score) == self._graph.get_out_channels(module):
                    yield self._names[module], score.argsort().tolist()

    def _is_free(self, module: nn.Module) -> bool:
        config = getattr(getattr(self.network, "model", None), "config", None)
        width = getattr(config, "hidden_size", None)
        if width is None or not hasattr(config, "num_attention_heads"):
            return True
        return isinstance(module, nn.Linear) and module.out_features > width

    @contextmanager
    def without(self, channels: dict[str, list[int]], *, refit: bool = True) -> Iterator[None]:
        """Leave channels out, and put them back afterwards."""
        kept = [(module, _contents(module)) for module in self._graph.module2node]
        try:
            self.remove(channels, refit=refit)
            yield
        finally:
            for module, contents in kept:
                vars(module).clear()
                vars(module).update(contents)

    def remove(self, channels: dict[str, list[int]], *, refit: bool = True) -> None:
        """Leave channels out for good."""
        for name, indices in channels.items():
            module = self.network.get_submodule(name)
            remove: Callable[..., Any] = self._graph.get_pruner_of_module(module).prune_out_channels
            group = self._graph.get_pruning_group(module, remove, indices)
            if refit:
                self._refit(group)
            group.prune(record_history=False)

    @torch.no_grad()
    def _refit(self, group: Any) -> None:  # noqa: ANN401  (torch-pruning has no types)
        """Fit the matrices that read a group's channels to do without them."""
        for dependency, indices in group:
            layer = dependency.target.module
            moment_II = self._moments.get(self._names.get(layer, ""))
            reads = self._graph.is_in_channel_pruning_fn(dependency.handler)
            if moment_II is not None and reads and len(moment_II) == layer.weight.shape[1]:
                layer.weight = nn.Parameter(_fitted(layer.weight, moment_II, indices))


def _fitted(weight: Tensor, moment_II: Tensor, removed: Sequence[int]) -> Tensor:
    """Return weights [O, I, ...] whose kept columns give what all gave, nearly."""
    kept = torch.ones(len(moment_II), dtype=torch.bool)
    kept[list(removed)] = False
    moment_KK = moment_II[kept][:, kept].double()
    ridge = _RIDGE * moment_KK.diagonal().mean().clamp(min=1e-12)
    moment_KK += ridge * torch.eye(len(moment_KK), dtype=torch.float64)
    # A ridge towards the weights as they are: with no data nothing changes.
    weight_OI = weight.flatten(1).double()
    lost_OK = weight_OI[:, ~kept] @ moment_II[~kept][:, kept].double()
    fitted_OI = weight_OI.clone()
    fitted_OI[:, kept] += torch.linalg.solve(moment_KK, lost_OK.T).T
    return fitted_OI.to(weight.dtype).reshape(weight.shape)


def _contents(module: nn.Module) -> dict[str, Any]:
    """Return the attributes of a module; containers of tensors and sizes are copied."""
    containers = (dict, list)
    return {k: copy.copy(v) if isinstance(v, containers) else v for k, v in vars(module).items()}


def _counts(channels: int) -> list[int]:
    """Return how many channels to leave out at each level."""
    multiple = MULTIPLE if channels >= 2 * MULTIPLE else 1
    kept = {max(multiple, round(channels * (1 - s) / multiple) * multiple) for s in LEVELS}
    return sorted({channels - count for count in kept if count < channels})


def _torch_pruning() -> Any:  # noqa: ANN401  (torch-pruning has no types)
    try:
        return importlib.import_module("torch_pruning")
    except ModuleNotFoundError as error:
        raise BackboneError(
            "Pruning channels needs the package 'torch_pruning', which is not installed. "
            "Install it with `pip install 'vidfit[compress]'`."
        ) from error
