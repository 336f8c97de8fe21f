"""How fast networks run on each engine, against the pipelines of transformers, on one machine.

EfficientNet-Lite0 (its weights), ResNet-50, ViT-S/16 and VideoMAE-S (random weights), on the same
frames: torch eager (glibc's allocator tuned, as for all here), torch.compile, ONNX Runtime,
OpenVINO, and what `accelerate` chooses; the pipeline of transformers around an equal network, with
its own preprocessing of the decoded frames (PIL). One thread, then all cores. Engines are exported
and chosen anew. Every round runs each way once, and a large matrix product, which is the peak.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import (
    Cost,
    arguments,
    cpus,
    environment,
    finish,
    interleaved,
    measure,
    median_cpu,
    median_ratio,
    median_wall,
    table,
    walls,
)
from vidfit.backbones.encoder import TorchEncoder
from vidfit.contracts import Backbone, Frames, TorchBackbone
from vidfit.hardware import hardware

VIEWS = 4
"""Images of a run; of a video network, one view of 16 frames."""

PROCESSOR = {
    "do_resize": True,
    "size": {"height": 224, "width": 224},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}

_SMALL = {"hidden_size": 384, "num_attention_heads": 6, "intermediate_size": 1536}
MODELS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ResNet-50": ("ResNetConfig", "ResNetForImageClassification", {}),
    "ViT-S/16": ("ViTConfig", "ViTForImageClassification", {**_SMALL, "num_hidden_layers": 12}),
    "VideoMAE-S": (
        "VideoMAEConfig",
        "VideoMAEForVideoClassification",
        {**_SMALL, "num_hidden_layers": 12},
    ),
}
NETWORKS = ("EfficientNet-Lite0", *MODELS)
OF_BEST = 0.95

Way = Callable[[], object]


def saved(name: str, folder: Path) -> Path:
    """Save a network of transformers with random weights, as the hub has them."""
    import json

    import torch
    import transformers

    config_class, model_class, facts = MODELS[name]
    place = folder / name.replace("/", "-")
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(**facts)
    getattr(transformers, model_class)(config).save_pretrained(place)
    processor = "VideoMAEImageProcessor" if "Video" in name else "ViTImageProcessor"
    settings = {**PROCESSOR, "image_processor_type": processor}
    (place / "preprocessor_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return place


def network(name: str, folder: Path) -> Backbone:
    """Load a network as vidfit loads it."""
    from vidfit import backbones as zoo

    if name == "EfficientNet-Lite0":
        return zoo.load("efficientnet-lite0")
    return zoo.load(f"hf:{saved(name, folder)}")


def frames_of(backbone: Backbone) -> Frames:
    """Return frames as a camera gives them, sized for the network."""
    views = VIEWS if backbone.spec.sampling.clip_len == 1 else 1
    shape = (views, backbone.spec.sampling.clip_len, 224, 224, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def engine_ways(
    backbone: TorchBackbone, threads: int, compiled: bool, folder: Path
) -> dict[str, Way]:
    """Return the network on each engine; one that cannot run it is said and left out."""
    from vidfit.errors import BackboneError
    from vidfit.runtime import accelerate

    frames = frames_of(backbone)
    ways: dict[str, Way] = {}
    names = {"torch eager": "torch", "ONNX Runtime": "onnx", "OpenVINO": "openvino"}
    if compiled:
        names["torch.compile"] = "compile"
    for name, engine in names.items():
        try:
            fast = accelerate(backbone, engine=engine, threads=threads, cache=folder / "engines")
        except BackboneError as error:
            print(f"  {error}")
            continue
        ways[name] = lambda fast=fast: fast.forward(frames)  # type: ignore[misc]
    chosen: Any = accelerate(backbone, threads=threads, cache=folder / "engines")
    print(f"  vidfit chooses {chosen.engine}, {chosen.frames} frames a run of a thread")
    ways["vidfit"] = lambda: chosen.forward(frames)
    return ways


def pipeline_ways(name: str, backbone: TorchBackbone, threads: int, folder: Path) -> dict[str, Way]:
    """Return the pipeline of transformers around an equal network, on the same frames."""
    import torch
    from PIL import Image
    from transformers import (
        AutoModelForImageClassification,
        AutoModelForVideoClassification,
        ImageClassificationPipeline,
        VideoClassificationPipeline,
    )

    frames = frames_of(backbone)
    torch.set_num_threads(threads)
    images = [Image.fromarray(frame) for frame in frames.reshape(-1, *frames.shape[2:])]
    video = "Video" in name
    processor = _processor(video)
    if name == "EfficientNet-Lite0":
        model = _wrapped(backbone)
    else:
        auto = AutoModelForVideoClassification if video else AutoModelForImageClassification
        model = auto.from_pretrained(folder / name.replace("/", "-"), local_files_only=True)
    if not video:
        images_pipe = ImageClassificationPipeline(
            model=model.eval(), image_processor=processor, device="cpu"
        )
        return {"transformers": lambda: images_pipe(images, batch_size=len(images))}
    pipe = VideoClassificationPipeline(model=model.eval(), image_processor=processor, device="cpu")

    def after_decoding() -> object:
        return pipe.postprocess(pipe.forward(dict(processor(images, return_tensors="pt"))))

    return {"transformers": after_decoding}


def _processor(video: bool) -> Any:
    """Return the image processor that works without torchvision."""
    from transformers.models.videomae.image_processing_pil_videomae import (
        VideoMAEImageProcessorPil,
    )
    from transformers.models.vit.image_processing_pil_vit import ViTImageProcessorPil

    return (VideoMAEImageProcessorPil if video else ViTImageProcessorPil)(**PROCESSOR)


def _wrapped(backbone: TorchBackbone) -> Any:
    """Return vidfit's own network as a model that the pipeline takes."""
    import torch
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import ImageClassifierOutput

    class Wrapped(PreTrainedModel):
        config_class = PreTrainedConfig
        main_input_name = "pixel_values"

        def __init__(self) -> None:
            super().__init__(PreTrainedConfig(num_labels=10))  # type: ignore[call-arg]
            self.trunk = backbone.network.trunk
            self.head = torch.nn.Linear(backbone.spec.dim, 10)

        def forward(self, pixel_values: torch.Tensor) -> ImageClassifierOutput:
            return ImageClassifierOutput(logits=self.head(self.trunk(pixel_values)))

    return Wrapped()


def figures_of(
    name: str, threads: int, options: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """Measure a network with so many threads, and the peak of the machine in the same round."""
    backbone = network(name, folder)
    assert isinstance(backbone, TorchEncoder)  # noqa: S101
    print(f"{name}, {threads} thread{'s' * (threads != 1)}")
    ways = engine_ways(backbone, threads, not (options.quick or options.no_compile), folder)
    ways |= pipeline_ways(name, backbone, threads, folder)
    ways["sgemm"] = _sgemm(threads)
    for way in ways.values():
        way()
    stages: dict[str, Callable[[], Cost]] = {
        name: (lambda way=way: measure(way)) for name, way in ways.items()
    }
    costs = interleaved(stages, 2 if options.quick else options.rounds)
    frames = frames_of(backbone)
    operations = 2e9 * backbone.spec.gmacs_per_view * len(frames)
    peak = [_OPERATIONS / seconds for seconds in walls(costs["sgemm"])]
    core_peak = [_OPERATIONS / seconds for seconds in cpus(costs["sgemm"])]
    eager, found = walls(costs["torch eager"]), {}
    for way, taken in costs.items():
        reached = [operations / seconds for seconds in walls(taken)]
        found[way] = {
            "ms a view": median_wall(taken) * 1e3 / len(frames),
            "CPU ms a view": median_cpu(taken) * 1e3 / len(frames),
            "times as fast as eager": median_ratio(eager, walls(taken)),
            "share of peak": median_ratio(reached, peak),
            "share of peak, by CPU time": median_ratio(
                [operations / seconds for seconds in cpus(taken)], core_peak
            ),
        }
    del found["sgemm"]
    return found | {"peak GFLOP/s": float(np.median(peak)) / 1e9}


_SIDE = 1024
_OPERATIONS = 4 * 2 * _SIDE**3


def _sgemm(threads: int) -> Way:
    import torch

    first, second, product = (torch.rand(_SIDE, _SIDE) for _ in range(3))

    def run() -> None:
        torch.set_num_threads(threads)
        for _ in range(4):
            torch.mm(first, second, out=product)

    return run


def show(name: str, threads: int, found: dict[str, Any]) -> None:
    """Print the table of a network."""
    print(f"\n{name}, {threads} threads, sgemm {found['peak GFLOP/s']:.0f} GFLOP/s")
    rows = [
        [way, f"{f['ms a view']:.1f}", f"{f['CPU ms a view']:.1f}",
         f"{f['times as fast as eager']:.2f}", f"{f['share of peak']:.0%}",
         f"{f['share of peak, by CPU time']:.0%}"]
        for way, f in found.items() if isinstance(f, dict)
    ]  # fmt: skip
    table(["way", "ms a view", "CPU ms", "x eager", "of peak", "by CPU"], rows)
    print()


def headline(figures: dict[str, Any]) -> tuple[str, bool]:
    """Say the worst of what vidfit chose against the best engine; return whether it will do."""
    worst, where = np.inf, ""
    for setting, found in figures.items():
        others = [f["ms a view"] for way, f in found.items()
                  if isinstance(f, dict) and way not in ("vidfit", "transformers")]  # fmt: skip
        ratio = min(others) / found["vidfit"]["ms a view"]
        if ratio < worst:
            worst, where = ratio, setting
    peers = [
        f["transformers"]["ms a view"] / f["vidfit"]["ms a view"]
        for f in figures.values()
        if "transformers" in f
    ]
    return (
        f"vidfit is {min(peers):.2f} to {max(peers):.2f} times as fast as transformers' pipelines "
        f"(bar: never slower); its choice is at worst {worst:.2f} of the best engine's speed "
        f"({where}; bar {OF_BEST})",
        min(peers) >= 1 and worst >= OF_BEST,
    )


def main() -> None:
    """Run each setting in a process of its own, so that threads and memory are its own."""
    parser = arguments(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--no-compile", action="store_true", help="leave out torch.compile, which takes minutes"
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        _one(options)
        return
    start, figures = environment(), {}
    with tempfile.TemporaryDirectory() as folder:
        for threads in sorted({1, hardware().cores}):
            for name in NETWORKS[:2] if options.quick else NETWORKS:
                figures[f"{name}, {threads}"] = found = _ask(name, threads, options, Path(folder))
                show(name, threads, found)
    said, met = headline(figures)
    finish(options, figures, start, said, met=met)


def _one(options: argparse.Namespace) -> None:
    import json

    from vidfit.runtime import malloc

    malloc.tune()
    name, threads, folder = options.one
    found = figures_of(name, int(threads), options, Path(folder))
    options.json.write_text(json.dumps(found), encoding="utf-8")


def _ask(name: str, threads: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    import json

    answer = folder / "answer.json"
    command = [sys.executable, "-m", "benchmarks.runtime", "--one", name, str(threads), str(folder)]
    command += ["--json", str(answer), "--rounds", str(options.rounds)]
    command += ["--quick"] * options.quick + ["--no-compile"] * options.no_compile
    threads_said = {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    subprocess.run(
        command,
        check=True,
        env={**os.environ, **threads_said, "TRANSFORMERS_VERBOSITY": "critical"},
    )
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    main()
