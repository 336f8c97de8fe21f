"""BAIR robot pushing from its TFRecord files, without TensorFlow.

A file is records one after the other: length (uint64), its checksum, so many bytes, their checksum,
all little-endian. Checksums are CRC-32C (Castagnoli), turned by 15 bits and raised by a constant. A
record is a protobuf message ``Example``, which maps names to lists; frame ``i`` of a trajectory is
the value ``i/image_aux1/encoded``: in spite of the name, RGB bytes of 64 x 64 as they are.

Nothing that a file says is believed: lengths are held against what is left of it.

Shape letters: N trajectories, T frames, H and W pixels; K lanes of a checksum.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidfit.contracts import Frames
from vidfit.errors import VideoError

SIDE_PIXELS, CAMERA, ENDING = 64, "image_aux1", ".tfrecords"
_FRAME_BYTES = 3 * SIDE_PIXELS**2
_MOST_BYTES = 1 << 28
_LENGTH, _SUM = struct.Struct("<Q"), struct.Struct("<I")
_ALL, _POLYNOMIAL, _RAISED = 0xFFFFFFFF, 0x82F63B78, 0xA282EAD8
_VARINT, _EIGHT, _SIZED, _FOUR = 0, 1, 2, 5

Words = NDArray[np.uint32]


def is_of_records(path: str) -> bool:
    """Return whether a file is one of records, by its name."""
    return path.endswith(ENDING)


def trajectories(path: Path, side_pixels: int) -> Frames:
    """Return the grey frames of a file's trajectories, [N, T, H, W].

    Raises
    ------
    VideoError
        If the file is damaged, or none of trajectories of one length; says where.
    """
    found = [
        _frames(record, side_pixels, f"{path}: record {number}")
        for number, record in enumerate(records(path))
    ]
    if len({len(one) for one in found}) != 1:
        lengths = sorted({len(one) for one in found})
        raise VideoError(f"{path} has trajectories of {lengths or 'no'} frames; one length is read")
    return np.stack(found)


def records(path: Path) -> Iterator[bytes]:
    """Yield the records of a file, each held against its checksum.

    Raises
    ------
    VideoError
        If the file is cut off or altered, or a record is longer than 256 MiB; says where.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        while stream.tell() < size:
            at = f"{path}: record at byte {stream.tell()}"
            head = _checked(stream.read(_LENGTH.size), stream.read(_SUM.size), _LENGTH.size, at)
            (length,) = _LENGTH.unpack(head)
            if length > min(_MOST_BYTES, size - stream.tell()):
                raise VideoError(f"{at} claims {length:,} bytes, and the file ends before or so")
            yield _checked(stream.read(length), stream.read(_SUM.size), length, at)


def _checked(data: bytes, kept: bytes, length: int, at: str) -> bytes:
    if len(data) != length or len(kept) != _SUM.size:
        raise VideoError(f"{at} is cut off")
    if _SUM.unpack(kept)[0] != masked(crc32c(data)):
        raise VideoError(f"{at} is altered: its checksum differs")
    return data


def _frames(record: bytes, side_pixels: int, at: str) -> Frames:
    """Return the frames of a trajectory, [T, H, W]."""
    import cv2

    try:
        values = byte_values(record)
    except (IndexError, ValueError) as error:
        raise VideoError(f"{at} is no Example of protobuf ({error})") from error
    frames: list[Frames] = []
    for number in count():
        data = values.get(f"{number}/{CAMERA}/encoded")
        if data is None:
            break
        if len(data) != _FRAME_BYTES:
            raise VideoError(
                f"{at}, frame {number} has {len(data):,} bytes; {SIDE_PIXELS} x {SIDE_PIXELS} in "
                f"RGB has {_FRAME_BYTES:,}"
            )
        rgb = np.frombuffer(data, np.uint8).reshape(SIDE_PIXELS, SIDE_PIXELS, 3)
        grey_HW = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        scaled = cv2.resize(grey_HW, (side_pixels, side_pixels), interpolation=cv2.INTER_AREA)
        frames.append(np.asarray(scaled, np.uint8))
    if not frames:
        raise VideoError(f"{at} has no 0/{CAMERA}/encoded: it is none of robot pushing")
    return np.stack(frames)


def byte_values(example: bytes) -> dict[str, bytes]:
    """Return the first value of each list of bytes in an ``Example``.

    Raises
    ------
    ValueError, IndexError
        If it is none.
    """
    found = {}
    for features in _fields(example, 1):
        for entry in _fields(features, 1):
            name = next(_fields(entry, 1), b"").decode("utf-8")
            for feature in _fields(entry, 2):
                for values in _fields(feature, 1):
                    found[name] = next(_fields(values, 1), b"")
    return found


def _fields(message: bytes, wanted: int) -> Iterator[bytes]:
    """Yield the sized fields of a message that have a number; others are passed over."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            _, at = _varint(message, at)
            continue
        if kind not in (_EIGHT, _SIZED, _FOUR):
            raise ValueError(f"a field of kind {kind}")
        size, at = _varint(message, at) if kind == _SIZED else ({_EIGHT: 8, _FOUR: 4}[kind], at)
        if size > len(message) - at:
            raise ValueError(f"a field of {size:,} bytes where {len(message) - at:,} are left")
        if kind == _SIZED and key >> 3 == wanted:
            yield message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, and where the next field is."""
    value = 0
    for shift in range(0, 70, 7):
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than ten bytes")


def masked(checksum: int) -> int:
    """Return a checksum as TFRecord keeps it."""
    return ((checksum >> 15 | checksum << 17) + _RAISED) & _ALL


def crc32c(data: bytes) -> int:
    """Return the CRC-32C of data.

    Checksums are linear: equal parts are gone through side by side, and each result is carried on
    over as many zeros as follow it.
    """
    bytes_N = np.frombuffer(data, np.uint8)
    lanes = math.isqrt(len(data)) or 1
    width = len(data) // lanes
    state_K = np.zeros(lanes, np.uint32)
    state_K[0] = _ALL
    for column_K in bytes_N[: lanes * width].reshape(lanes, width).T:
        state_K = _after(state_K, column_K)
    carried, total = _carried(width), 0
    for state in state_K.tolist():
        total = state ^ _all_of(carried, total)
    for byte in data[lanes * width :]:
        total = int(_TABLE[(total ^ byte) & 255]) ^ (total >> 8)
    return total ^ _ALL


def _after(state_K: Words, byte_K: NDArray[np.uint8] | int) -> Words:
    """Return registers after a byte each."""
    after: Words = _TABLE[(state_K ^ byte_K) & 255] ^ (state_K >> 8)
    return after


@lru_cache(maxsize=16)
def _carried(zeros: int) -> list[list[int]]:
    """Return what each value of each byte of a register has become after so many zeros."""
    parts = [np.arange(256, dtype=np.uint32) << np.uint32(8 * place) for place in range(4)]
    state_K = np.concatenate(parts)
    for _ in range(zeros):
        state_K = _after(state_K, 0)
    table: list[list[int]] = state_K.reshape(4, 256).tolist()
    return table


def _all_of(carried: list[list[int]], register: int) -> int:
    first, second, third, fourth = (register >> 8 * place & 255 for place in range(4))
    return carried[0][first] ^ carried[1][second] ^ carried[2][third] ^ carried[3][fourth]


def _table() -> Words:
    state = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        state = np.where(state & 1, state >> 1 ^ np.uint32(_POLYNOMIAL), state >> 1)
    return state.astype(np.uint32)


_TABLE = _table()
