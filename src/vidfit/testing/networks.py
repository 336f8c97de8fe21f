"""Proof that a network keeps its contract.

Shape letters: B clips, V views, T frames, H height, W width, C channels, N tokens in time
order, D features of a token, L text tokens, K classes.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from vidfit.errors import ModelError
from vidfit.features.pool import STEPS
from vidfit.networks import NETWORKS, Shape, build
from vidfit.networks.clips import Clips
from vidfit.networks.head import NetworkHead, restore, standards

TOLERANCE = 1e-5
"""Largest difference between logits that should be equal, relative to the largest or to 1.

Float32 sums may be taken in another order for another batch size."""

_LEARNED = 0.2
"""Cross-entropy, of ln 2 = 0.69 at the start, under which a problem counts as learned."""

_STEPS, _RATE = 80, 3e-3

_TINY = Shape(dim=6, tokens=6, classes=3, width=16, layers=2, heads=2, drop_path=0.1)
_SIDE_PIXELS = 32


def check_network(name: str) -> None:
    """Prove that a network of `vidfit.networks.NETWORKS` keeps the contract of a network.

    Logits are finite float32 [B, K], also of one clip, one token, two classes; they repeat in
    evaluation, and do not depend on the other clips of a batch or on padding, wherever it is; a
    problem of two classes is learned in 80 steps, that of the order of two patterns if the
    network sees time at all, and every parameter takes part; as a `NetworkHead` a network over
    tokens comes back from its arrays unchanged. Takes a few seconds.

    Raises
    ------
    ModelError
        Says which promise is broken.
    """
    if name not in NETWORKS:
        raise ModelError(f"Unknown network {name!r}; there are {', '.join(NETWORKS)}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        _check_logits(name)
        _check_alone(name)
        _check_padding(name)
        _check_learning(name)
        if NETWORKS[name].sees == "tokens":
            _check_head(name)


def small_clips(name: str, count: int, tokens: int, seed: int = 0) -> Clips:
    """Return random clips of what a network sees: tokens of 6 features, or frames and text."""
    rng = torch.Generator().manual_seed(seed)
    if NETWORKS[name].sees == "tokens":
        return Clips(tokens_BND=torch.randn(count, tokens, _TINY.dim, generator=rng))
    size = (count, 1, tokens, _SIDE_PIXELS, _SIDE_PIXELS, 3)
    frames_BVTHWC = torch.randint(256, size, generator=rng, dtype=torch.uint8)
    text_BL = torch.randint(1, 9, (count, 4), generator=rng)
    return Clips(frames_BVTHWC=frames_BVTHWC, text_BL=text_BL)


def small_shape(name: str, classes: int = 3) -> Shape:
    """Return a shape for `small_clips` of up to 6 tokens or frames."""
    vocabulary = 0 if NETWORKS[name].sees == "tokens" else 9
    return replace(_TINY, classes=classes, vocabulary=vocabulary)


def _check_logits(name: str) -> None:
    for count, tokens, classes in ((4, 6, 3), (1, 1, 3), (3, 2, 2)):
        clips = small_clips(name, count, tokens)
        network = build(name, small_shape(name, classes)).eval()
        logits_BK = _logits(network, clips)
        right = logits_BK.shape == (count, classes) and logits_BK.dtype == torch.float32
        what = f"{count} clips of {tokens}"
        found = f"{logits_BK.dtype} {tuple(logits_BK.shape)}"
        _promise(name, right, f"logits of {what} are {found}, not float32 {(count, classes)}")
        _promise(name, bool(logits_BK.isfinite().all()), f"logits of {what} are not finite")
        same = torch.equal(_logits(network, clips), logits_BK)
        _promise(name, same, "the same clips gave other logits")


def _check_alone(name: str) -> None:
    network = build(name, small_shape(name)).eval()
    clips = small_clips(name, 4, 6)
    among_BK = _logits(network, clips)
    for row in range(len(clips)):
        alone_1K = _logits(network, clips.where(slice(row, row + 1)))
        same = _close(alone_1K, among_BK[row : row + 1])
        _promise(name, same, "a clip alone is answered otherwise than among others")


def _check_padding(name: str) -> None:
    network = build(name, small_shape(name)).eval()
    clips = small_clips(name, 2, 6)
    for real in ([0], [0, 1, 2], [1, 3, 4]):
        present_BN = torch.zeros(2, 6, dtype=torch.bool)
        present_BN[:, real] = True
        padded_BK = _logits(network, replace(clips, present_BN=present_BN))
        same = _close(padded_BK, _logits(network, _only(clips, real)))
        _promise(name, same, f"padding around {len(real)} of 6 tokens changes the logits")


def _check_learning(name: str) -> None:
    network = build(name, small_shape(name, classes=2))
    network.eval()
    ordered = small_clips(name, 4, 2)
    sees_time = not _close(_logits(network, ordered), _logits(network, _only(ordered, [1, 0])))
    clips, labels_B = _problem(name, sees_time)
    untouched = _train(network, clips, labels_B)
    _promise(name, not untouched, f"no gradient reaches {', '.join(sorted(untouched))}")
    network.eval()
    loss = float(nn.functional.cross_entropy(_logits(network, clips), labels_B))
    what = "the order of two patterns" if sees_time else "which of two patterns is there"
    _promise(
        name,
        loss < _LEARNED,
        f"after {_STEPS} steps on {what} the loss is {loss:.2g}, not under {_LEARNED}",
    )


def _check_head(name: str) -> None:
    from safetensors.numpy import load, save

    shape = replace(small_shape(name), tokens=STEPS)
    module = build(name, shape).eval()
    block_MX = np.random.default_rng(0).normal(size=(4, STEPS * _TINY.dim)).astype(np.float32)
    mean_D, scale_D = standards(block_MX, _TINY.dim)
    head = NetworkHead.of(name, shape, module, mean_D, scale_D)
    tokens_BND = (block_MX.reshape(4, STEPS, _TINY.dim) - mean_D) * scale_D
    logits_BK = _logits(module, Clips(torch.from_numpy(tokens_BND)))
    answer_MK = head.log_probabilities([block_MX])
    same = _close(torch.from_numpy(answer_MK), torch.log_softmax(logits_BK, dim=1))
    _promise(name, same, "as a head it answers otherwise")
    again = restore(load(save(head.state())))
    same = np.array_equal(again.log_probabilities([block_MX]), answer_MK)
    _promise(name, same, "as a head that was restored it answers otherwise")


def _problem(name: str, sees_time: bool) -> tuple[Clips, Tensor]:
    """Return clips of two tokens or frames: a pattern, then its opposite, or the other way.

    Or, for a network that is blind to time, twice the pattern, or twice its opposite.
    """
    labels_B = torch.arange(32) % 2
    first_B = 2.0 * labels_B - 1.0
    signs_BN = torch.stack([first_B, -first_B if sees_time else first_B], dim=1)
    clips = small_clips(name, len(labels_B), 2, seed=1)
    if clips.tokens_BND is not None:
        pattern_D = torch.tensor([1.5, -1.5] * (_TINY.dim // 2))
        tokens_BND = 0.5 * clips.tokens_BND + signs_BN[..., None] * pattern_D
        return replace(clips, tokens_BND=tokens_BND), labels_B
    assert clips.frames_BVTHWC is not None  # noqa: S101
    noise = clips.frames_BVTHWC.float() - 127.5
    bright = 127.5 + 0.5 * noise + 60.0 * signs_BN[:, None, :, None, None, None]
    return replace(clips, frames_BVTHWC=bright.to(torch.uint8)), labels_B


def _train(network: nn.Module, clips: Clips, labels_B: Tensor) -> set[str]:
    """Train on clips; return the parameters that no gradient reached."""
    network.train()
    optimizer = torch.optim.Adam(network.parameters(), lr=_RATE)
    untouched = {name for name, p in network.named_parameters() if p.requires_grad}
    for _ in range(_STEPS):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(network(clips), labels_B)
        loss.backward()  # type: ignore[no-untyped-call]
        untouched -= {name for name, p in network.named_parameters() if _moves(p)}
        optimizer.step()
    return untouched


def _moves(parameter: nn.Parameter) -> bool:
    return parameter.grad is not None and bool(parameter.grad.abs().max() > 0)


def _only(clips: Clips, tokens: list[int]) -> Clips:
    """Return the same clips with some of their tokens, or of the frames of their one view."""
    if clips.tokens_BND is not None:
        return replace(clips, tokens_BND=clips.tokens_BND[:, tokens])
    assert clips.frames_BVTHWC is not None  # noqa: S101
    return replace(clips, frames_BVTHWC=clips.frames_BVTHWC[:, :, tokens])


def _logits(network: nn.Module, clips: Clips) -> Tensor:
    with torch.no_grad():
        logits_BK: Tensor = network(clips)
    return logits_BK


def _close(found_BK: Tensor, wanted_BK: Tensor) -> bool:
    largest = max(float(wanted_BK.abs().max()), 1.0)
    return float((found_BK - wanted_BK).abs().max()) <= TOLERANCE * largest


def _promise(name: str, kept: bool, complaint: str) -> None:
    if not kept:
        raise ModelError(f"The contract of a network is broken by {name!r}: {complaint}.")
