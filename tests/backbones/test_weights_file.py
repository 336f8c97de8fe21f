"""A digest of a file of weights, without torch."""

import json
import struct

import pytest
import torch

from vidfit.backbones import weights
from vidfit.backbones.weights_file import digest_of_file


def test_it_is_the_digest_of_the_tensors(tmp_path):
    state = {
        "b.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "a.count": torch.tensor(7),
        "c.half": torch.ones(3, dtype=torch.bfloat16),
        "d.empty": torch.zeros(0, 4),
        "e.one": torch.zeros(1, dtype=torch.float64),
    }
    weights.write(state, tmp_path / "w.safetensors")
    assert digest_of_file(tmp_path / "w.safetensors") == weights.digest(state)


def test_another_number_is_another_digest(tmp_path):
    weights.write({"a": torch.zeros(4)}, tmp_path / "w.safetensors")
    before = digest_of_file(tmp_path / "w.safetensors")
    weights.write({"a": torch.tensor([0.0, 0, 0, 1])}, tmp_path / "w.safetensors")
    assert digest_of_file(tmp_path / "w.safetensors") != before


def _file(header: object, data: bytes = b"\0" * 16) -> bytes:
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        struct.pack("<Q", 100) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 4) + b"\xff\xfe{}",
        _file({"a": 1}),
        _file({"a": {"dtype": "F32", "shape": [4]}}),
        _file({"a": {"dtype": "C64", "shape": [2], "data_offsets": [0, 16]}}),
        _file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 17]}}),
        _file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [8, 4]}}),
        _file({"a": {"dtype": "F32", "shape": [4], "data_offsets": [-4, 4]}}),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, content):
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(ValueError):
        digest_of_file(tmp_path / "w.safetensors")
