"""Robot pushing in TFRecord files: as other libraries write them, and as nobody should."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from vidfit.errors import VideoError
from vidfit.jobs.forecast.options import ForecastOptions
from vidfit.jobs.forecast.run import run_forecast
from vidfit.pixels.forecast.records import byte_values, crc32c, masked, records, trajectories


def _example(values):
    """Return an ``Example`` as protobuf's own library writes it."""
    pytest.importorskip("google.protobuf")
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example_of_tests.proto", package="t")
    many, one = field.LABEL_REPEATED, field.LABEL_OPTIONAL
    kinds = {
        "BytesList": [("value", 1, many, field.TYPE_BYTES, "")],
        "FloatList": [("value", 1, many, field.TYPE_FLOAT, "")],
        "Feature": [
            ("bytes_list", 1, one, field.TYPE_MESSAGE, ".t.BytesList"),
            ("float_list", 2, one, field.TYPE_MESSAGE, ".t.FloatList"),
        ],
        "Entry": [
            ("key", 1, one, field.TYPE_STRING, ""),
            ("value", 2, one, field.TYPE_MESSAGE, ".t.Feature"),
        ],
        "Features": [("feature", 1, many, field.TYPE_MESSAGE, ".t.Entry")],
        "Example": [("features", 1, one, field.TYPE_MESSAGE, ".t.Features")],
    }
    for name, fields in kinds.items():
        message = file.message_type.add(name=name)
        for called, number, times, kind, of in fields:
            message.field.add(
                name=called, number=number, label=times, type=kind, type_name=of or None
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = message_factory.GetMessageClass(pool.FindMessageTypeByName("t.Example"))()
    for name, value in values.items():
        entry = made.features.feature.add(key=name)
        if isinstance(value, bytes):
            entry.value.bytes_list.value.append(value)
        else:
            entry.value.float_list.value.extend(value)
    return made.SerializeToString()


def _record(data):
    head = struct.pack("<Q", len(data))
    sums = [struct.pack("<I", masked(crc32c(part))) for part in (head, data)]
    return head + sums[0] + data + sums[1]


def _trajectory(level, frames=3, size=64 * 64 * 3):
    values = {"0/action": [0.1, -0.2]}
    for i in range(frames):
        values[f"{i}/image_main/encoded"] = bytes([7]) * size
        values[f"{i}/image_aux1/encoded"] = bytes([level + i]) * size
    return _example(values)


@pytest.fixture
def written(tmp_path):
    """Return a function that writes records, and gives the path."""

    def write(*data, damage=lambda whole: whole):
        path = tmp_path / "traj_0_to_255.tfrecords"
        path.write_bytes(damage(b"".join(map(_record, data))))
        return path

    return write


def test_checksums_are_those_of_the_standard():
    """RFC 3720, B.4."""
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(bytes([255]) * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E
    assert crc32c(b"") == 0
    data = np.random.default_rng(0).integers(0, 256, 5003, np.uint8).tobytes()
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF


def test_frames_are_those_of_the_camera_in_grey(written):
    frames = trajectories(written(_trajectory(10), _trajectory(90)), 32)
    assert frames.shape == (2, 3, 32, 32)
    assert frames[:, :, 5, 5].tolist() == [[10, 11, 12], [90, 91, 92]]


def test_other_lists_are_passed_over():
    assert byte_values(_example({"a": [1.0], "b": b"x", "c": b""})) == {"b": b"x", "c": b""}


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda whole: whole[:-1], "is cut off"),
        (lambda whole: whole[:5], "is cut off"),
        (lambda whole: whole[:50], "claims"),
        (lambda whole: whole[:-9] + b"!" + whole[-8:], "record at byte 0 is altered"),
        (lambda whole: whole[:8] + b"????" + whole[12:], "is altered"),
        (lambda whole: whole + b"more", "is cut off"),
    ],
)
def test_damaged_files_are_refused_with_the_place(written, damage, why):
    path = written(_trajectory(1, frames=1), damage=damage)
    with pytest.raises(VideoError, match=why):
        list(records(path))


def test_a_length_beyond_the_file_is_not_believed(written):
    head = struct.pack("<Q", 1 << 62)
    lie = head + struct.pack("<I", masked(crc32c(head)))
    with pytest.raises(VideoError, match=r"claims 4,611,686,018,427,387,904 bytes"):
        list(records(written(damage=lambda whole: lie)))


@pytest.mark.parametrize(
    "record",
    [
        b"\x0a\xff\xff\xff\xff\x0f",  # a field longer than the message
        b"\x0a" + b"\xff" * 11,  # a number without an end
        b"\x0a\x80",  # a number that is cut off
        b"\x0b",  # a group, which no Example has
        b"\x0a\x08\x0a\x06\x0a\x02\xff\xfe\x12\x00",  # a name that is no text
    ],
)
def test_records_that_are_no_example_are_refused(written, record):
    with pytest.raises(VideoError, match=r"record 0 is no Example"):
        trajectories(written(record), 32)


def test_records_of_something_else_are_refused(written):
    with pytest.raises(VideoError, match="none of robot pushing"):
        trajectories(written(_example({"image": b"x"})), 32)
    with pytest.raises(VideoError, match=r"frame 0 has 100 bytes; 64 x 64 in RGB has 12,288"):
        trajectories(written(_trajectory(1, size=100)), 32)
    with pytest.raises(VideoError, match=r"trajectories of \[2, 3\] frames"):
        trajectories(written(_trajectory(1), _trajectory(1, frames=2)), 32)
    with pytest.raises(VideoError, match="trajectories of no frames"):
        trajectories(written(), 32)


def test_a_folder_of_records_is_learned_from_and_a_damaged_file_is_told_of(tmp_path):
    for split, frames in (("train", 4), ("test", 4)):
        (tmp_path / "data" / split).mkdir(parents=True)
        data = b"".join(_record(_trajectory(level, frames)) for level in (10, 60, 110))
        (tmp_path / "data" / split / "traj_0_to_255.tfrecords").write_bytes(data)
    (tmp_path / "data" / "train" / "traj_256_to_511.tfrecords").write_bytes(data[:-1])
    options = ForecastOptions(seen=2, ahead=2, side_pixels=16, steps=1, networks=("conv-lstm",))
    report = run_forecast(tmp_path / "data", tmp_path / "out", options)
    assert (report.recordings, report.held_out, report.clips) == (1, 3, 6)
    ((name, reason),) = [(f.name, f.reason) for f in report.failures]
    assert name.endswith("traj_256_to_511.tfrecords") and "is cut off" in reason
