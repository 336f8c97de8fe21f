"""NanoDet's head trained on labelled frames, over the pyramid that its frozen backbone saw.

Cells are given objects by ATSS (Zhang et al., "Bridging the gap between anchor-based and
anchor-free detection", CVPR 2020). The loss is that of Li et al., "Generalized Focal Loss" (NeurIPS
2020), with the weights of NanoDet's authors: quality focal loss of scores, GIoU (Rezatofighi et al.
2019) and distribution focal loss of edges. First the new class layer learns alone, then all (LP-FT,
Kumar et al. 2022). Of each frame the cells count that hold an object, and of the others the surest
and as many by chance: a tenth of the cells, and a fifth of the time.

Shape letters: M frames, P cells, C channels, K classes, S objects, N cells that are learned from,
H of them with an object, X numbers of a patch (9 C) or of all edges (4 Q), Q distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from vidfit.backbones.nanodet import BINS, LOOKS, SIDE_PIXELS, NanoDet, cells
from vidfit.backbones.nanodet_head import CELLS, SIDES, TrainedHead
from vidfit.boxes import Edges, overlaps
from vidfit.contracts import Indices
from vidfit.labels.kind import Doubles
from vidfit.metrics.boxes import CLASS, EDGES, IGNORED, NOTHING

NEAREST, ANCHOR = 9, 5
"""Of ATSS: cells of each level that are looked at, and the side of a cell's square in strides."""

STEPS, BATCH, NEGATIVES = 125, 16, 300
RATE, DECAY, WARM, MOST_NORM = 1e-3, 0.01, 20, 10.0
PROBE_SHARE, MINED_SHARE = 0.25, 0.85
"""Of the steps: those in which the class layer learns alone, and those whose surest cells are the
published detector's."""

BOX_WEIGHT, BINS_WEIGHT = 2.0, 0.25
_MIDDLE_P2, _STRIDE_P1 = cells()
_LEVEL_P = torch.repeat_interleave(torch.arange(len(SIDES)), torch.tensor([s * s for s in SIDES]))
_DISTANCE_Q = torch.arange(BINS, dtype=torch.float32)


@dataclass(frozen=True)
class TaughtFrame:
    """What is learned from of a frame.

    Parameters
    ----------
    pyramid_PC
        What the frozen backbone saw, in half precision.
    own_P
        Highest score of the published detector at each cell.
    class_P
        Class of the object of each cell, -1 of none, -2 where it is not known.
    edges_P4
        Its edges in pixels of the network's input.
    """

    pyramid_PC: NDArray[np.float16]
    own_P: NDArray[np.float16]
    class_P: Tensor
    edges_P4: Tensor

    @classmethod
    def of(
        cls, pyramid_PC: NDArray[np.float16], own_P: NDArray[np.float16], rows_SX: Doubles
    ) -> TaughtFrame:
        """Return a frame with its truth [S, 9]."""
        rows_SX = rows_SX[rows_SX[:, CLASS] != NOTHING]
        edges_S4 = rows_SX[:, EDGES] * SIDE_PIXELS
        object_P = assigned(edges_S4)
        class_S = np.where(rows_SX[:, IGNORED] > 0, -2, rows_SX[:, CLASS])
        class_P = np.append(class_S, -1)[object_P].astype(np.int64)
        edges_P4 = np.concatenate([edges_S4, np.zeros((1, 4))])[object_P]
        own = torch.from_numpy(edges_P4.astype(np.float32))
        return cls(pyramid_PC, own_P, torch.from_numpy(class_P), own)


def assigned(edges_S4: Edges) -> Indices:
    """Return the object of each cell, [P]; -1 where it has none.

    Of each level the cells nearest to the middle of an object are looked at; those hold it whose
    squares overlap it by more than mean and deviation of all, and whose middles lie within. An
    object that no middle lies in is held by the cell that overlaps it most.
    """
    object_P, best_P = np.full(CELLS, -1), np.zeros(CELLS)
    middle_P2, half_P1 = _MIDDLE_P2.numpy(), ANCHOR / 2 * _STRIDE_P1.numpy()
    over_PS = overlaps(np.concatenate([middle_P2 - half_P1, middle_P2 + half_P1], 1), edges_S4)
    level_P = _LEVEL_P.numpy()
    for s, (left, top, right, bottom) in enumerate(edges_S4):
        away_P = np.hypot(
            middle_P2[:, 0] - (left + right) / 2, middle_P2[:, 1] - (top + bottom) / 2
        )
        near = np.concatenate(
            [
                np.flatnonzero(level_P == level)[
                    np.argsort(away_P[level_P == level], kind="stable")[:NEAREST]
                ]
                for level in range(len(SIDES))
            ]
        )
        over, (x, y) = over_PS[near, s], middle_P2[near].T
        holds = (x > left) & (x < right) & (y > top) & (y < bottom)
        holds &= over >= over.mean() + over.std()
        for p in near[holds] if holds.any() else near[[int(over.argmax())]]:
            if object_P[p] < 0 or over_PS[p, s] > best_P[p]:
                object_P[p], best_P[p] = s, over_PS[p, s]
    return object_P


def edges_of(bins_NX: Tensor, cells_N: Tensor) -> Tensor:
    """Return edges [N, 4] in pixels of the network's input, of distances to them."""
    share_N4Q = bins_NX.reshape(-1, 4, BINS).softmax(dim=2)
    away_N4 = (share_N4Q * _DISTANCE_Q).sum(dim=2) * _STRIDE_P1[cells_N]
    middle_N2 = _MIDDLE_P2[cells_N]
    return torch.cat([middle_N2 - away_N4[:, :2], middle_N2 + away_N4[:, 2:]], dim=1)


def loss_of(
    logit_NK: Tensor, bins_NX: Tensor, cells_N: Tensor, truth: tuple[Tensor, Tensor]
) -> Tensor:
    """Return the generalized focal loss of cells, whose classes [N] and edges [N, 4] are true."""
    class_N, edges_N4 = truth
    is_N = class_N >= 0
    score_NK, wanted_NK = logit_NK.sigmoid(), torch.zeros_like(logit_NK)
    of_edges = torch.zeros(())
    if is_N.any():
        bins_HX, true_H4, cells_H = bins_NX[is_N], edges_N4[is_N], cells_N[is_N]
        over_H, giou_H = _overlaps(edges_of(bins_HX, cells_H), true_H4)
        wanted_NK[is_N, class_N[is_N]] = over_H.detach()
        sure_H = score_NK[is_N].detach().amax(dim=1)
        each_H = BOX_WEIGHT * (1 - giou_H) + BINS_WEIGHT * _bins_loss(bins_HX, true_H4, cells_H)
        of_edges = (each_H * sure_H).sum() / sure_H.sum().clamp(1e-3)
    cross_NK = functional.binary_cross_entropy_with_logits(logit_NK, wanted_NK, reduction="none")
    focal = (cross_NK * (wanted_NK - score_NK).abs() ** 2).sum() / max(int(is_N.sum()), 1)
    return focal + of_edges


def train_head(
    frames: Sequence[TaughtFrame], published: NanoDet, classes: int, seed: int = 0
) -> TrainedHead:
    """Train a head on frames."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    head = TrainedHead(published, classes)
    optimizer = torch.optim.AdamW(head.parameters(), lr=RATE, weight_decay=DECAY)
    queue: list[int] = []
    for step in range(STEPS):
        share = step / STEPS
        for group in optimizer.param_groups:
            group["lr"] = RATE * min(1.0, (step + 1) / WARM) * (0.51 + 0.49 * np.cos(np.pi * share))
        head.body.requires_grad_(share >= PROBE_SHARE)
        while len(queue) < BATCH:
            queue += rng.permutation(len(frames)).tolist()
        some, queue = queue[:BATCH], queue[BATCH:]
        batch = _batch([frames[i] for i in some], head if share >= MINED_SHARE else None, rng)
        found = [head.of_patches(x_NX, level) for level, (x_NX, _, _, _) in enumerate(batch)]
        loss = loss_of(
            torch.cat([one[0] for one in found]),
            torch.cat([one[1] for one in found]),
            torch.cat([cells for _, cells, _, _ in batch]),
            (torch.cat([one[2] for one in batch]), torch.cat([one[3] for one in batch])),
        )
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(head.parameters(), MOST_NORM)
        optimizer.step()
    return head.eval().requires_grad_(False)


def _batch(
    frames: Sequence[TaughtFrame], head: TrainedHead | None, rng: np.random.Generator
) -> list[tuple[Tensor, Tensor, Tensor, Tensor]]:
    """Return patches, cells, classes and edges by level, of the cells that count."""
    parts: list[list[tuple[Tensor, Tensor, Tensor, Tensor]]] = [[] for _ in SIDES]
    for frame in frames:
        pyramid_PC = _tensor(frame.pyramid_PC)
        sure_P = torch.from_numpy(frame.own_P.astype(np.float32))
        if head is not None:
            with torch.no_grad():
                sure_P = head(pyramid_PC[None])[0][0].amax(dim=1)
        sure_P = sure_P.masked_fill(frame.class_P != -1, -torch.inf)
        chance = torch.from_numpy(rng.choice(CELLS, NEGATIVES // 2, replace=False))
        counts_P = frame.class_P >= 0
        counts_P[sure_P.topk(NEGATIVES // 2).indices] = True
        counts_P[chance] = True
        counts_P &= frame.class_P > -2
        padded = torch.cat([pyramid_PC, torch.zeros(1, LOOKS)])
        for level, of in enumerate(parts):
            cells = torch.nonzero(counts_P & (level == _LEVEL_P))[:, 0]
            patch_NX = padded[_NEIGHBOURS_P9[cells]].flatten(1)
            of.append((patch_NX, cells, frame.class_P[cells], frame.edges_P4[cells]))
    return [
        (torch.cat([o[0] for o in of]), torch.cat([o[1] for o in of]),
         torch.cat([o[2] for o in of]), torch.cat([o[3] for o in of]))
        for of in parts
    ]  # fmt: skip


def _overlaps(first_H4: Tensor, second_H4: Tensor) -> tuple[Tensor, Tensor]:
    """Return the intersection over union of pairs of boxes, and the generalized one."""
    low = torch.maximum(first_H4[:, :2], second_H4[:, :2])
    high = torch.minimum(first_H4[:, 2:], second_H4[:, 2:])
    both = (high - low).clamp(0).prod(dim=1)
    areas = [(one[:, 2:] - one[:, :2]).clamp(0).prod(dim=1) for one in (first_H4, second_H4)]
    union = (areas[0] + areas[1] - both).clamp(1e-6)
    low = torch.minimum(first_H4[:, :2], second_H4[:, :2])
    high = torch.maximum(first_H4[:, 2:], second_H4[:, 2:])
    around = (high - low).prod(dim=1).clamp(1e-6)
    return both / union, both / union - (around - union) / around


def _bins_loss(bins_HX: Tensor, true_H4: Tensor, cells_H: Tensor) -> Tensor:
    """Return the distribution focal loss [H]: the two distances beside the true one."""
    middle_H2, stride_H1 = _MIDDLE_P2[cells_H], _STRIDE_P1[cells_H]
    away_H4 = torch.cat([middle_H2 - true_H4[:, :2], true_H4[:, 2:] - middle_H2], 1) / stride_H1
    away_H4 = away_H4.clamp(0, BINS - 1.01)
    below = away_H4.long()
    share = away_H4 - below
    log = bins_HX.reshape(-1, 4, BINS).log_softmax(dim=2)
    near = log.gather(2, below[..., None])[..., 0] * (1 - share)
    return -(near + log.gather(2, below[..., None] + 1)[..., 0] * share).mean(dim=1)


def _tensor(pyramid_PC: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.asarray(pyramid_PC, np.float32))


def _neighbours() -> Tensor:
    """Return the cells of the 3 x 3 patch around each cell, [P, 9]; beyond the edge P."""
    found, at = [], 0
    for side in SIDES:
        wide = np.full((side + 2, side + 2), CELLS)
        wide[1:-1, 1:-1] = at + np.arange(side**2).reshape(side, side)
        at += side**2
        parts = [wide[y : y + side, x : x + side].ravel() for y in range(3) for x in range(3)]
        found.append(np.stack(parts, axis=1))
    return torch.from_numpy(np.concatenate(found))


_NEIGHBOURS_P9 = _neighbours()
