"""Every family of encoders exports and agrees with torch, or stands in a table with its reason.

``python -m tests.runtime.test_conformance`` writes the table of ``docs/engines.md`` anew.
"""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.backbones import tiny_hf

from vidfit import backbones, runtime
from vidfit.backbones import lite, mobilenet, places, transnet, vgg
from vidfit.backbones.encoder import FrameBackbone, FrameEncoder, TorchEncoder, freeze
from vidfit.backbones.faces import network as face
from vidfit.backbones.hub.families import FAMILIES
from vidfit.backbones.untrained import draw_weights
from vidfit.contracts import BackboneSpec, Preprocessing, Sampling, TorchBackbone
from vidfit.errors import BackboneError
from vidfit.networks import NETWORKS, Shape, build
from vidfit.study.frame_network import frame_network
from vidfit.testing import random_views

PAGE = Path(__file__).parents[2] / "docs" / "engines.md"
CATALOGUE = Path(backbones.__file__).with_name("catalogue.csv")
BEGIN, END = "<!-- conformance: begin -->\n", "<!-- conformance: end -->\n"
HEAD = "| family | kind | ONNX Runtime | OpenVINO |\n|---|---|---|---|\n"
SMALL = Preprocessing(32, 32, mean=(120.0, 110.0, 100.0), std=(60.0, 50.0, 40.0))

EXCEPTIONS = {
    "efficientnet-lite1": "more of the same layers: see `efficientnet-lite0`",
    "efficientnet-lite2": "more of the same layers: see `efficientnet-lite0`",
    **{
        f"efficientnet-lite{size}-places": "more of the same layers: see the one of lite0"
        for size in (1, 2)
    },
    **dict.fromkeys(("vgg13", "vgg16", "vgg19"), "more of the same layers: see `vgg11`"),
    **{
        f"{name}_bn": "more of the same layers: see `vgg11_bn`"
        for name in ("vgg13", "vgg16", "vgg19")
    },
    "onnx": "a graph already, of a face encoder of one's own",
    "random": "weights drawn anew for a network of another row: the same graph",
    "motion": "no network: dense optical flow and its statistics",
    "speed-grid": "no network: dense optical flow of places",
    "nanodet": "runs on both: its weights are fetched, which a test of its own needs",
    "selfie": "runs on both: its weights are fetched, which a test of its own needs",
    "hf-segmenter": "SegFormer runs on both, EoMT in torch: a step of it hangs on values",
    "log-mel": "no network: statistics of sound",
    "vader": "no network: a list of words",
    "hf-text": "sees words: run by torch",
    "hf-sound": "sees sound: run by torch",
    "whisper": "sees sound: run by CTranslate2",
    "hf-detector": "DETR and YOLOS run on both, RT-DETR v2 in torch: an operation has no ONNX",
}
"""Families that are not exported by the test, and why; an export takes seconds."""

COVERED = {
    "onnx": "a graph already",
    "openvino": "a graph already",
    "hf": "see `hf:` rows",
    "nanodet-trained": "the same network with other heads: see `nanodet`",
}
"""Families of saved backbones that need no row of their own."""


def _encoder(name, trunk, preprocessing=SMALL, family="cnn2d") -> TorchBackbone:
    draw_weights(trunk)
    return FrameBackbone(_spec(name, family, 1, preprocessing), _module(trunk, preprocessing))


def _module(trunk, preprocessing):
    return freeze(FrameEncoder(trunk, preprocessing))


def _spec(name, architecture, clip_len, preprocessing) -> BackboneSpec:
    return BackboneSpec(
        name=name,
        family=name,
        architecture=architecture,
        sampling=Sampling(clip_len, 1),
        preprocessing=preprocessing,
        dim=1,
        parameters=0,
        gmacs_per_view=0.0,
        licence="none needed (random weights)",
        commercial_use=True,
        source="test",
        revision=name,
    )


def _vgg(variant):
    """Keep the depth of a VGG, and narrow it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vgg, "CHANNELS", (4, 4, 8, 8, 8))
        return _encoder(variant, vgg.Vgg(variant))


def _lite(name):
    """Keep the first stages of an EfficientNet-Lite, and narrow them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lite, "STAGES", [(*stage[:4], min(stage[4], 2)) for stage in lite.STAGES[:3]])
        return _encoder(name, lite.EfficientNetLite(0.25, 1.0))


def _mobilenet():
    """Keep the first stages of a MobileNetV2."""
    with pytest.MonkeyPatch.context() as patch:
        stages = [(e, c, min(n, 2), s) for e, c, n, s in mobilenet.STAGES[:3]]
        patch.setattr(mobilenet, "STAGES", stages)
        return _encoder("mobilenetv2", mobilenet.MobileNetV2())


def _face():
    """Keep two stages of the face network, and narrow them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(face, "STAGES", ((32, 1, False), (40, 2, True)))
        return _encoder("dlib-face", face.FaceNetwork())


def _transnet():
    preprocessing = Preprocessing(transnet.HEIGHT_PIXELS, transnet.WIDTH_PIXELS)
    network = freeze(draw_weights(transnet.TransNetV2()))
    return TorchEncoder(_spec("transnetv2", "cnn3d", 8, preprocessing), network)


def _hf(kind):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_hf, "MODELS", _shallow(tiny_hf.MODELS))
        found = backbones.load(f"hf:{tiny_hf.write(kind, Path(folder))}")
    return replace(found, spec=replace(found.spec, name=f"hf-{kind}"))


def _shallow(arguments):
    """Return the same with one layer: what a layer exports as, a second does, too."""
    if isinstance(arguments, tuple):
        return tuple(map(_shallow, arguments))
    if not isinstance(arguments, dict):
        return arguments
    shallow = {name: _shallow(value) for name, value in arguments.items()}
    return shallow | ({"num_hidden_layers": 1} if "num_hidden_layers" in arguments else {})


def _own(name):
    """Return a network that `vidfit train` would have trained on frames."""
    shape = Shape(dim=0, tokens=8, classes=3, width=16, layers=1, heads=2)
    found = frame_network(name, shape, build(name, shape))
    return replace(found, spec=replace(found.spec, name=f"network-{name}"))


def _hf_kinds() -> list[str]:
    """Return one ``model_type`` for each encoder: CLIP's two differ only in their files."""
    kinds: dict[tuple[str, str | None], str] = {}
    for kind, family in FAMILIES.items():
        kinds.setdefault((family.model, family.part), kind)
    return list(kinds.values())


def _places():
    """Keep the strides of an encoder of places, and narrow it; frames may have any size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lite, "STAGES", [(*stage[:4], 1) for stage in lite.STAGES])
        patch.setattr(places, "STAGES", lite.STAGES)
        size = Preprocessing(64, 96, mean=(120.0,) * 3, std=(60.0,) * 3, block_pixels=32)
        return _encoder("efficientnet-lite0-places", places.LitePlaces(0.1, 1.0), size)


MAKERS = {
    "efficientnet-lite0": lambda: _lite("efficientnet-lite0"),
    "efficientnet-lite0-places": _places,
    "mobilenetv2": _mobilenet,
    **{name: lambda name=name: _vgg(name) for name in ("vgg11", "vgg11_bn")},
    "transnetv2": _transnet,
    "dlib-face": _face,
    **{f"hf:{kind}": lambda kind=kind: _hf(kind) for kind in _hf_kinds()},
    **{
        f"network:{name}": lambda name=name: _own(name)
        for name, network in NETWORKS.items()
        if network.sees == "frames" and name != "video-text"
    },
}
"""Family -> function that makes a tiny encoder of it, with random weights."""


def row(family: str, folder: Path) -> str:
    """Return the line of the table, found by exporting and running the encoder."""
    torch.manual_seed(0)
    backbone = MAKERS[family]()
    found = [_verdict(backbone, "onnx", folder)]
    exported = not found[0].startswith("no: ") or "differs" in found[0]
    found += [_verdict(backbone, "openvino", folder) if exported else "no: the same export"]
    return f"| `{family}` | {backbone.spec.architecture} | {' | '.join(found)} |\n"


def _verdict(backbone: TorchBackbone, engine: str, folder: Path) -> str:
    try:
        fast = runtime.accelerate(backbone, engine=engine, cache=folder)
    except BackboneError as error:
        reason = str(error).partition("cannot run ")[2].partition(": ")[2]
        return f"no: {reason.partition('. ')[0]}".replace("|", "/")
    # Not the number of views that it was exported and checked with.
    views_BTHWC = random_views(backbone.spec, 3, seed=4)
    expected_BND = backbone.forward(views_BTHWC)
    error = np.abs(fast.forward(views_BTHWC) - expected_BND).max() / np.abs(expected_BND).max()
    return "yes" if max(error, fast.parity) <= runtime.TOLERANCE else "no: it differs from torch"


@cache
def _table() -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(BEGIN + HEAD)[2].partition(END)[0].splitlines(keepends=True)


@pytest.mark.parametrize("family", MAKERS)
def test_family_runs_as_the_table_says(family, tmp_path):
    """After a wanted change: ``python -m tests.runtime.test_conformance`` writes the table."""
    assert row(family, tmp_path) in _table()


def test_the_table_has_a_row_for_every_family_and_no_other():
    named = [line.split("`")[1] for line in _table()]
    assert named == [*MAKERS, *EXCEPTIONS]
    assert [_exception(family) for family in EXCEPTIONS] == _table()[len(MAKERS) :]


def test_every_family_that_vidfit_knows_is_covered():
    prefixes = {name.partition(":")[0] for name in MAKERS} | set(EXCEPTIONS)
    saved = {
        "efficientnet-lite",
        "efficientnet-lite-places",
        "vgg",
    }  # one family on disk, variants by name
    assert set(backbones.FAMILIES) | set(backbones.BACKBONES) <= prefixes
    # Files of users, in other tests, add families of their own.
    own = {name for name, where in backbones.RESTORE.items() if where.startswith("vidfit.")}
    assert own - set(COVERED) <= prefixes | saved


def test_every_model_of_the_catalogue_that_vidfit_loads_is_covered():
    with CATALOGUE.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    loaded = [one for one in rows if one["name"].partition(":")[0] in backbones.FAMILIES]
    kinds = {one["model_type"] for one in loaded if one["name"].startswith("hf:")}
    assert len(loaded) > 20 and kinds <= set(FAMILIES)


def _exception(family: str) -> str:
    return f"| `{family}` | | {EXCEPTIONS[family]} | |\n"


def write_table() -> None:
    """Write what is found between the marks of the page."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [row(family, Path(folder)) for family in MAKERS]
    rows += [_exception(family) for family in EXCEPTIONS]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    text = "".join([before, BEGIN, HEAD, *rows, END, rest.partition(END)[2]])
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_table()
