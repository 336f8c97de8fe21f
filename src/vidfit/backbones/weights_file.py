"""Which weights a safetensors file holds, told without torch and without reading them as numbers.

Format: https://huggingface.co/docs/safetensors, version 0.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from vidfit.documents import json_in

WEIGHTS_FILE = "weights.safetensors"

_TYPES = {
    "BOOL": "torch.bool",
    "U8": "torch.uint8",
    "I8": "torch.int8",
    "I16": "torch.int16",
    "I32": "torch.int32",
    "I64": "torch.int64",
    "F16": "torch.float16",
    "BF16": "torch.bfloat16",
    "F32": "torch.float32",
    "F64": "torch.float64",
}
_MOST_HEADER_BYTES = 2**26


def digest_of_file(path: Path) -> str:
    """Return what `vidfit.backbones.weights.digest` is of the tensors in a safetensors file.

    Raises
    ------
    OSError, ValueError
        When it cannot be read, or is no such file.
    """
    data = memoryview(path.read_bytes())
    length = int.from_bytes(data[:8], "little")
    if not 0 < length <= min(_MOST_HEADER_BYTES, len(data) - 8):
        raise ValueError(f"{path} has no header of safetensors")
    header, tensors = json_in(bytes(data[8 : 8 + length]).decode()), data[8 + length :]
    if not isinstance(header, dict):
        raise ValueError(f"{path} has no header of safetensors")
    header.pop("__metadata__", None)
    sha = hashlib.sha256()
    for name in sorted(header):
        match header[name]:
            case {
                "dtype": str(kind),
                "shape": list(shape),
                "data_offsets": [int(first), int(last)],
            } if kind in _TYPES and 0 <= first <= last <= len(tensors):
                sha.update(f"{name}|{_TYPES[kind]}|{tuple(shape)}\n".encode())
                sha.update(tensors[first:last])
            case _:
                raise ValueError(f"{path} has no tensor {name!r} of a known type")
    return sha.hexdigest()
