"""People of one colour each: a finder that finds their blocks, and an encoder of their colour."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from vidfit.backbones.faces.finding import FoundFace
from vidfit.jobs.fit.options import FitOptions
from vidfit.jobs.fit.run import run_fit

COLOURS = {
    "Åse O'Neil": (250, 20, 20),
    "bob/../x": (20, 250, 20),
    "Chi": (20, 20, 250),
    "Dee": (250, 250, 20),
}
"""The second name cannot be a folder: it comes by a table."""

CONSENT = "a test of coloured blocks"


def block_picture(colour, rng, size=(96, 128), at=(20, 30), side=48):
    """Return a grey picture with a block of nearly one colour."""
    frame = np.full((*size, 3), 128, np.uint8)
    put_block(frame, colour, rng, at, side)
    return frame


def put_block(frame, colour, rng, at, side=48):
    noise = rng.integers(-6, 7, (side, side, 3))
    top, left = at
    frame[top : top + side, left : left + side] = np.clip(np.array(colour) + noise, 0, 255)


def find_blocks(frame_HWC, smallest_pixels=40):
    """Return each coloured block as a face, the largest first."""
    coloured = (np.abs(frame_HWC.astype(int) - 128).max(axis=2) > 60).astype(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(coloured)
    found = []
    for left, top, width, height, area in stats[1:count].tolist():
        if area < 100:
            continue
        block = frame_HWC[top : top + height, left : left + width]
        aligned = cv2.resize(np.ascontiguousarray(block), (224, 224))
        found.append(FoundFace(left, top, left + width, top + height, 0.9, aligned))
    return tuple(sorted(found, key=lambda face: -face.side_pixels))


def colour_encoder(path):
    """Write an ONNX network that gives the mean colour, and a little of everything."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["x"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Gemm", ["flat", "w", "b"], ["y"]),
    ]
    weights = [
        numpy_helper.from_array(np.eye(3, 4, dtype=np.float32), "w"),
        numpy_helper.from_array(np.full(4, 0.05, np.float32), "b"),
    ]
    ends = [
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 112, 112])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "colour", *ends, weights),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.save(model, path)
    return f"onnx:{path}"


def write_people(folder, names, pictures=4, seed=0):
    """Write pictures of people into a folder for each."""
    rng = np.random.default_rng(seed)
    for name in names:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(pictures):
            picture = block_picture(COLOURS[name], rng, at=(10 + 5 * i, 20 + 7 * i))
            Image.fromarray(picture).save(folder / name / f"{i}.png")
    return folder


def see_blocks(monkeypatch):
    """Let blocks stand for faces wherever faces are found."""
    from vidfit.jobs.predict.people import recogniser, seen
    from vidfit.tasks.faces import pictures

    for module in (pictures, seen):
        monkeypatch.setattr(module, "find_faces", find_blocks)
    for module in (pictures, recogniser):
        monkeypatch.setattr(module, "check_finder", lambda: None)


FITTED = ("Åse O'Neil", "Chi", "Dee")


@cache
def fitted_people(root):
    """Fit a gallery below a folder; return the output."""
    with pytest.MonkeyPatch.context() as patch:
        see_blocks(patch)
        people = write_people(root / "people", FITTED)
        encoder = colour_encoder(root / "c.onnx")
        options = FitOptions(task="faces", backbones=(encoder,), consent=CONSENT)
        run_fit(people, root / "out", options)
    return root / "out"
