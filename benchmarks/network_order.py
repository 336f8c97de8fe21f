"""Which of two patterns comes first: what each network tells on clips it has not seen.

Eight noisy tokens a clip; each of two patterns is added to one of them. The set of tokens says
nothing about the class: a head that is blind to time stays at chance. All networks over tokens are
trained alike, on 800 clips, and asked about 400 others.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks._harness import arguments, environment, finish, measure, table
from vidfit.metrics import mean_interval
from vidfit.networks import NETWORKS, Shape, build
from vidfit.networks.clips import Clips

LEARNED, ASKED, TOKENS, DIM = 800, 400, 8, 24
STRENGTH = 1.5
EPOCHS, BATCH_CLIPS = 15, 32
SHAPE = Shape(dim=DIM, tokens=TOKENS, classes=2, width=64, layers=2)
BAR = 0.8


def problem(seed: int) -> tuple[Tensor, Tensor]:
    """Return tokens [M, N, D], and whether the first pattern comes first."""
    rng = np.random.default_rng(seed)
    clips = LEARNED + ASKED
    tokens_MND = rng.normal(size=(clips, TOKENS, DIM))
    time_M2 = rng.permuted(np.tile(np.arange(TOKENS), (clips, 1)), axis=1)[:, :2]
    for which in range(2):
        tokens_MND[np.arange(clips), time_M2[:, which]] += STRENGTH * rng.normal(size=DIM)
    labels_M = (time_M2[:, 0] < time_M2[:, 1]).astype(np.int64)
    return torch.from_numpy(tokens_MND.astype(np.float32)), torch.from_numpy(labels_M)


def learn(network: nn.Module, tokens_MND: Tensor, labels_M: Tensor) -> None:
    """Train with a constant rate."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3, weight_decay=0.05)
    network.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(LEARNED).split(BATCH_CLIPS):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(Clips(tokens_MND[rows])), labels_M[rows])
            loss.backward()
            optimizer.step()
    network.eval()


def main() -> None:
    options = _options()
    start = environment()
    torch.set_num_threads(1)
    names = [name for name, network in NETWORKS.items() if network.sees == "tokens"]
    figures = {name: _figures(name, options.seeds) for name in names}
    table(
        ("network", "order told", "95 %", "parameters", "CPU s"),
        [_row(name, each) for name, each in figures.items()],
    )
    sees = [each["accuracy"][0] for each in figures.values() if each["sees time"]]
    blind = [each["accuracy"][0] for each in figures.values() if not each["sees time"]]
    headline = (
        f"the {len(sees)} networks that see time tell the order in {min(sees):.1%} or more (bar "
        f"{BAR:.0%}), the {len(blind)} that do not in {max(blind):.1%} or less (chance is 50 %)"
    )
    finish(options, figures, start, headline, met=min(sees) >= BAR)


def _figures(name: str, seeds: int) -> dict[str, object]:
    told, cpu_seconds = [], []
    for seed in range(seeds):
        tokens_MND, labels_M = problem(seed)
        torch.manual_seed(seed)
        network = build(name, SHAPE)
        cost = measure(lambda: learn(network, tokens_MND, labels_M))  # noqa: B023
        with torch.no_grad():
            logits_MK = network(Clips(tokens_MND[LEARNED:]))
            turned_MK = network(Clips(tokens_MND[LEARNED:].flip(1)))
        told.append(float((logits_MK.argmax(1) == labels_M[LEARNED:]).float().mean()))
        cpu_seconds.append(cost.cpu_seconds)
    found = mean_interval(np.array(told), [str(seed) for seed in range(seeds)])
    return {
        "accuracy": [found.value, found.low, found.high],
        "sees time": not torch.allclose(logits_MK, turned_MK, atol=1e-4),
        "parameters": sum(p.numel() for p in network.parameters()),
        "CPU seconds": float(np.median(cpu_seconds)),
    }


def _row(name: str, figures: dict[str, object]) -> Sequence[str]:
    value, low, high = figures["accuracy"]
    return (
        name,
        f"{value:.1%}",
        f"[{low:.1%}, {high:.1%}]",
        f"{figures['parameters']:,}",
        f"{figures['CPU seconds']:.1f}",
    )


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--seeds", type=int, default=None, help="5, or 1 with --quick")
    options = parser.parse_args()
    options.seeds = options.seeds or (1 if options.quick else 5)
    return options


if __name__ == "__main__":
    main()
