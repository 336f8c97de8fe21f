"""One alteration of a file, as somebody would make it who wants a reader to stumble."""

from __future__ import annotations

import hashlib
import json
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEEP = "[" * 100_000 + "]" * 100_000
STRANGE: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 7, 10**6, 10**9, 2**31, 2**63, 10**400, 0.0, -0.5,
    1e-300, 1e300, float("nan"), float("inf"), float("-inf"), "", "evil",
    "evil.py:Evil", "random:evil.py:Evil", "evil:Evil", "../../evil", "/etc/passwd", "hf:evil/evil",
    "org/kernel", "flash_attention_2",
    "\ud800", "a\x00b", "\u202e<b>", "x" * 100_000, [], {}, [[]], [None], [1e300], {"evil": "evil"},
    list(range(5_000)), "linear", "network", "onnx", "hf", "torch", "float16",
)  # fmt: skip
EXTRA = (
    "auto_map", "_attn_implementation", "attn_implementation", "quantization_config", "dtype",
    "torch_dtype", "architectures", "model_type", "megatron_core", "kernel_config",
    "per_layer_config", "transformers_weights", "adapter", "files", "format", "hidden_act",
    "name", "__class__",
)  # fmt: skip


def in_json(path: Path, rng: random.Random) -> None:
    """Alter one value of a JSON file, or its text."""
    if rng.random() < 0.15:
        in_bytes(path, rng)
        return
    document = json.loads(path.read_text(encoding="utf-8"))
    places = list(_places(document))
    parent, key = rng.choice(places)
    kind = rng.random()
    if kind < 0.12 and isinstance(parent, dict):
        del parent[key]
    elif kind < 0.3 and isinstance(parent, dict):
        parent[rng.choice(EXTRA)] = rng.choice(STRANGE)
    elif kind < 0.4 and isinstance(parent[key], int | float) and not isinstance(parent[key], bool):
        parent[key] *= rng.choice((-1, 0, 2, 0.5, 1e6, 1e-6))
    else:
        parent[key] = rng.choice(STRANGE)
    text = json.dumps(document)
    if rng.random() < 0.03:
        text = text.replace(":", f": {DEEP}, ", 1) if rng.random() < 0.5 else DEEP
    path.write_text(text, encoding="utf-8")


def in_bytes(path: Path, rng: random.Random) -> None:
    """Flip, cut, repeat or insert bytes."""
    content = bytearray(path.read_bytes())
    kind = rng.randrange(4)
    place = rng.randrange(max(1, len(content)))
    if kind == 0 and content:
        for _ in range(rng.randrange(1, 9)):
            content[rng.randrange(len(content))] = rng.randrange(256)
    elif kind == 1:
        del content[place:]
    elif kind == 2:
        content[place:place] = content[place : place + rng.randrange(1, 200)]
    else:
        content[place:place] = rng.randbytes(rng.randrange(1, 50))
    path.write_bytes(bytes(content))


def in_safetensors(path: Path, rng: random.Random) -> None:
    """Alter the header, or numbers behind it."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header, data = json.loads(content[8 : 8 + length]), bytearray(content[8 + length :])
    names = [name for name in header if name != "__metadata__"]
    name, kind = rng.choice(names), rng.random()
    if kind < 0.35:  # numbers that are none, or overflow
        begin, end = header[name]["data_offsets"]
        number = rng.choice((float("nan"), float("inf"), 3e38, -3e38, 1e-45, 0.0))
        count = rng.choice((1, max(1, (end - begin) // 4)))
        data[begin : begin + 4 * count] = struct.pack("<f", number) * count
        del data[end + 4 * count :]
    elif kind < 0.55:
        header[name]["shape"] = rng.choice(
            ([], [0], [1], header[name]["shape"][::-1], [*header[name]["shape"], 1], [2**62], [-1])
        )
    elif kind < 0.7:
        header[name]["dtype"] = rng.choice(("F16", "F64", "BF16", "I64", "BOOL", "F8_E4M3", "X"))
    elif kind < 0.8:
        header[rng.choice(("evil", "weights.evil", "member0.bias_K", "a" * 10_000))] = header.pop(
            name
        )
    elif kind < 0.9:
        header[name]["data_offsets"] = rng.choice(([0, 0], [0, 2**62], [-1, 4], [4, 0]))
    else:
        del header[name]
    text = json.dumps(header).encode()
    length = len(text) if rng.random() < 0.95 else rng.choice((0, 2**63, 10**9))
    path.write_bytes(struct.pack("<Q", length) + text + data)


def in_onnx(path: Path, rng: random.Random) -> None:
    """Alter a node, a tensor, or the bytes of an ONNX file."""
    import onnx

    kind = rng.random()
    if kind < 0.2:
        in_bytes(path, rng)
        return
    model = onnx.load(path)
    graph = model.graph
    node, tensor = rng.choice(graph.node), rng.choice(graph.initializer)
    if kind < 0.4:
        node.op_type = rng.choice(("Loop", "If", "Scan", "Add", "Tile", "Expand", "Range", "Evil"))
    elif kind < 0.5:
        node.domain = rng.choice(("evil", "com.microsoft", "ai.onnx.ml"))
    elif kind < 0.6:
        node.input[rng.randrange(len(node.input))] = rng.choice(("frames", "", "tokens", "evil"))
    elif kind < 0.7:
        _outside(tensor)
    elif kind < 0.8:
        tensor.dims[:] = rng.choice(([2**40], [0], [1], [-1], [2**20, 2**20]))
    elif kind < 0.9 and tensor.raw_data:
        number = rng.choice((b"\xff", b"\x7f", b"\x00"))
        tensor.raw_data = number * len(tensor.raw_data)
    else:
        graph.node.append(_endless())
    path.write_bytes(model.SerializeToString())


def _outside(tensor: Any) -> None:
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../../evil.py"
    tensor.ClearField("raw_data")


def _endless() -> Any:
    """Return a loop of 2^62 rounds."""
    from onnx import TensorProto, helper

    go = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"])], "body",
        [helper.make_tensor_value_info("i", TensorProto.INT64, []), go],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, [])],
    )  # fmt: skip
    return helper.make_node("Loop", ["rounds", "go"], [], body=body)


def rehashed(model: Path) -> None:
    """Put the sha256 of altered files into ``model.json``, as whoever altered them can."""
    path = model / "model.json"
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        for name in document["files"]:
            content = (model / name).read_bytes()
            document["files"][name] = hashlib.sha256(content).hexdigest()
        spec = model / "backbones" / "0" / "spec.json"
        facts = json.loads(spec.read_text(encoding="utf-8"))
        network = spec.with_name("network.onnx")
        if network.is_file():
            facts["revision"] = hashlib.sha256(network.read_bytes()).hexdigest()
            spec.write_text(json.dumps(facts), encoding="utf-8")
            name = spec.relative_to(model).as_posix()
            document["files"][name] = hashlib.sha256(spec.read_bytes()).hexdigest()
        path.write_text(json.dumps(document), encoding="utf-8")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # altered so far that no digest can be put into it


def _places(value: Any) -> Any:
    """Yield each place of a document: what holds it, and its key."""
    keys: Any = value if isinstance(value, dict) else range(len(value))
    for key in list(keys):
        yield value, key
        if isinstance(value[key], dict | list) and value[key]:
            yield from _places(value[key])


Mutation = Callable[[Path, random.Random], None]
