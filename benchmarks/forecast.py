"""The frames ahead: moving digits of other people's hands, and surveillance of other places.

- `small`: one digit in 32 x 32, each network 302 s of the processor. Digits are split: what is
  learned from, what chooses and calibrates, and what is tested on have no digit in common. The bar
  is of the network that is chosen.
- `large`: two digits in 64 x 64, 1,800 s for one network, beside figures that OpenSTL prints after
  200 epochs (ConvLSTM-S 29.80, SimVPv2 26.69) on the official file. Give that file with
  ``--official mnist_test_seq.npy`` to be measured on it, too: figures of own sequences compare only
  roughly.
- `real`: surveillance clips by recording; the bar is less cross-entropy than copy-last.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch

from benchmarks._forecast_parts import digits_part, real_part
from benchmarks._harness import arguments, environment, finish
from vidfit.pixels.forecast.candidates import CANDIDATES

BAR = 10.6
PARTS = ("small", "large", "real")
LARGE_NETWORK = "conv-translator"
PUBLISHED = "OpenSTL, 200 epochs, official file: ConvLSTM-S 29.80, SimVPv2 26.69"

Figures = dict[str, Any]


def main() -> None:
    options = _options()
    torch.set_num_threads(1)  # seconds of the processor are of one core
    start = environment()
    figures: Figures = {}
    said, met = [], []
    if "small" in options.parts:
        figures["small"] = _small(options)
        rows = figures["small"]["rows"]
        chosen = figures["small"]["chosen"]
        mse = rows[chosen]["mse"][0]
        beside = ", ".join(f"{name} {rows[name]['mse'][0]:.1f}" for name in rows if name != chosen)
        said.append(f"one digit 32 x 32: {chosen} MSE {mse:.1f} (bar {BAR}; {beside})")
        met.append(mse <= BAR)
    if "large" in options.parts:
        figures["large"] = _large(options)
        rows = figures["large"]["rows"]
        said.append(f"two digits 64 x 64: MSE {rows[LARGE_NETWORK]['mse'][0]:.1f}")
    if "real" in options.parts:
        figures["real"] = real_part(options.real_seconds)
        low = figures["real"]["gains"]["copy-last"][1]
        said.append(f"{'below' if low > 0 else 'not below'} copy-last on surveillance clips")
        met.append(low > 0)
    quick = options.quick or not met
    finish(options, figures, start, "; ".join(said), met=None if quick else all(met))


def _options() -> argparse.Namespace:
    parser = arguments(__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--official", type=Path, help="Moving MNIST's mnist_test_seq.npy")
    parser.add_argument("--strips", type=Path, help="folder for pictures of what was said")
    parser.add_argument("--networks", nargs="+", choices=list(CANDIDATES), default=list(CANDIDATES))
    parser.add_argument("--small-seconds", type=float, default=302.0, help="for each network")
    parser.add_argument("--large-seconds", type=float, default=1800.0)
    parser.add_argument("--real-seconds", type=float, default=600.0, help="for all networks")
    options = parser.parse_args()
    if options.quick:
        options.parts = ["small"]
        options.small_seconds = 8.0
    return options


def _small(options: argparse.Namespace) -> Figures:
    sequences = 100 if options.quick else 1000
    return digits_part(
        32, 1, tuple(options.networks), options.small_seconds, sequences, strips=options.strips
    )


def _large(options: argparse.Namespace) -> Figures:
    found = digits_part(
        64, 2, (LARGE_NETWORK,), options.large_seconds, 400, options.official, options.strips
    )
    print(PUBLISHED)
    return found


if __name__ == "__main__":
    main()
