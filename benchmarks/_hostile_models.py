"""Small honest models, plans, lists and shard indexes, for `benchmarks.hostile` to alter."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vidfit import backbones as zoo
from vidfit.backbones.graph import graph_backbone
from vidfit.contracts import Backbone, Failure
from vidfit.fitted import FittedFusion
from vidfit.fusion.answers import OverAnswers
from vidfit.fusion.linear import Linear
from vidfit.fusion.stack import LogPool
from vidfit.model import Model, save_model
from vidfit.networks import Shape, build
from vidfit.networks.head import NetworkHead
from vidfit.planning.file import write_plan
from vidfit.plans import Data, Layout, Machine, Plan, Prediction, Recipe, Subject
from vidfit.runtime import onnx as onnx_engine
from vidfit.shards.index import SCHEMA, ShardTotals, settings, write_document
from vidfit.shards.layout import ShardSize
from vidfit.shards.write import ShardPart
from vidfit.study.frame_network import frame_network, softmax_head
from vidfit.video.archive import DOCUMENT, INDEX

CLASSES = ("left", "right", "still")
_DIM = 16


def write_models(folder: Path) -> dict[str, Path]:
    """Write a model of each kind; return where each lies."""
    vit = transformer(folder / "vit")
    onnx_engine.export(vit, folder / "vit.onnx")
    graph = graph_backbone(vit.spec, folder / "vit.onnx", "vit-small", "onnx")
    motion = zoo.load("motion")
    frames, frames_head = _over_frames()
    return {
        "config": _write(folder / "config", [vit], _linear([vit]), "linear"),
        "onnx": _write(folder / "onnx", [graph], _linear([graph]), "linear"),
        "network": _write(folder / "network", [vit], _network(), "network"),
        "stack": _write(folder / "stack", [vit, motion], _stack([vit, motion]), "log-pool"),
        "frames": _write(folder / "frames", [frames], frames_head, "linear"),
    }


def transformer(folder: Path) -> Backbone:
    """Return a vision transformer of two layers with random weights, as the hub has them."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=_DIM, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        image_size=32, patch_size=8,
    )  # fmt: skip
    transformers.ViTModel(config, add_pooling_layer=False).save_pretrained(folder)
    size = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(size), encoding="utf-8")
    return zoo.load(f"hf:{folder}@2")


def write_documents(folder: Path) -> dict[str, Path]:
    """Write a plan and lists of clips."""
    folder.mkdir(parents=True)
    plan = Plan(
        Subject("lstm", "efficientnet-lite0"), Layout(), Recipe(), Prediction(1, 1.0, 0.0, 1.0),
        Data(12, 3, 4, 8), Machine("this one", "cpu", 1, 2**33, {"fp32": 1e11}, 1e10, 2),
    )  # fmt: skip
    write_plan(plan, folder / "plan.json")
    rows = [(f"{name}/{i}.mp4", name, f"tape{i}") for name in CLASSES for i in range(3)]
    lines = ["path,label,group,start,end", *(f"{p},{c},{g},0.0,1.5" for p, c, g in rows)]
    (folder / "clips.csv").write_text("\n".join(lines), encoding="utf-8")
    (folder / "clips.txt").write_text("\n".join(f"{p} {i % 3}" for i, (p, *_) in enumerate(rows)))
    return {"plan": folder / "plan.json", "csv": folder / "clips.csv", "txt": folder / "clips.txt"}


def write_shards(folder: Path) -> dict[str, Path]:
    """Write what stands beside shards, which are not there; also as the first format had it."""
    span = {
        "row": 0, "start_seconds": 0.0, "end_seconds": 1.5, "label": "left", "group": "tape",
        "split": "train", "text": None,
    }  # fmt: skip
    row = {
        "key": "a", "shard": "clips-000000.tar", "offset": 0, "bytes": 1024, "member": "a.mp4",
        "content": "0" * 64, "content_bytes": 512, "label": "left", "group": "tape",
        "split": "train", "text": None, "path": "left/a.mp4", "spans": [span], "frames": 0,
    }  # fmt: skip
    found = {name: folder / name for name in ("shards", "first format")}
    for place in found.values():
        place.mkdir(parents=True)
        pq.write_table(pa.Table.from_pylist([row] * 4, schema=SCHEMA), place / INDEX)
    document = write_document(
        found["shards"],
        settings(None, ShardSize(most_bytes=2**30), "0" * 64),
        [ShardPart(row["shard"], 4, (), 1024, "0" * 64)],
        ShardTotals(1, 4, {"train": (4, 1)}),
        [Failure("right/b.mp4", "it cannot be decoded")],
    )
    first = {**document, "format": 1}
    first["shards"] = [{"name": row["shard"], "bytes": 1024, "sha256": "0" * 64, "samples": 4}]
    (found["first format"] / DOCUMENT).write_text(json.dumps(first), encoding="utf-8")
    return found


def copied(model: Path, to: Path) -> Path:
    """Return a copy of a folder to alter."""
    return Path(shutil.copytree(model, to))


def _write(folder: Path, members: list[Backbone], head: FittedFusion, kind: str) -> Path:
    model = Model(
        CLASSES, tuple(member.spec.name for member in members), kind, head.state(), 1.5, 0.2, 9.0,
        2.0, 3.0, {"data": "clips", "accuracy": {"value": 0.8, "low": 0.7, "high": 0.9}},
    )  # fmt: skip
    save_model(model, folder, lambda i, to: zoo.save(members[i], to))
    return folder


def _linear(members: list[Backbone]) -> Linear:
    rng = np.random.default_rng(0)
    dim = sum(3 * member.spec.dim for member in members)
    shapes = ((dim,), (dim,), (len(CLASSES), dim), (len(CLASSES),))
    return Linear(*(0.1 * rng.standard_normal(shape).astype(np.float32) for shape in shapes))


def _stack(members: list[Backbone]) -> OverAnswers:
    pool = LogPool(np.full(len(members), 0.5, np.float32), np.zeros(len(CLASSES), np.float32))
    return OverAnswers(tuple(_linear([member]) for member in members), pool)


def _network() -> NetworkHead:
    shape = Shape(_DIM, 8, len(CLASSES), width=16)
    ones = np.ones(_DIM, np.float32)
    return NetworkHead.of("transformer", shape, build("transformer", shape), 0 * ones, ones)


def _over_frames() -> tuple[Backbone, FittedFusion]:
    shape = Shape(0, 16, len(CLASSES), width=16)
    network = frame_network("cnn-lstm", shape, build("cnn-lstm", shape))
    spec = replace(network.spec, name="cnn-lstm")
    return replace(network, spec=spec), softmax_head(np.eye(3, dtype=np.float32))
