"""What is done to whole videos to make those whose packets lean on earlier packets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

_VOP = b"\0\0\1\xb6"
_B_VOP = 2
_VOL = b"\0\0\1\x20"  # the header, which stands before each keyframe
_PLACEHOLDER = bytes.fromhex("000001b651cf")  # a VOP that is not coded, as XviD writes it
_PACKED_BY_DIVX = b"\0\0\1\xb2DivX503b1393p"

_FLV_HEADER_BYTES, _FLV_VIDEO, _FLV_END = 13, 9, 2


def packed_bframes(source: Path, target: Path) -> Path:
    """Pack each first B-frame into the packet before it, as DivX and XviD do for AVI.

    A placeholder follows each run of B-frames, so that there are as many packets as before.
    """
    with av.open(str(source)) as old:
        packets = [bytes(packet) for packet in old.demux(video=0) if packet.size]
    return _remuxed(source, target, [(data, _VOL in data) for data in _packed(packets)])


def _packed(packets: list[bytes]) -> Iterator[bytes]:
    is_b = [data[data.index(_VOP) + 4] >> 6 == _B_VOP for data in packets]
    for i, data in enumerate(packets):
        data = data.replace(_VOP, _PACKED_BY_DIVX + _VOP) if _VOL in data else data
        follows = i + 1 < len(packets) and is_b[i + 1]
        if not is_b[i]:
            yield data + packets[i + 1] if follows else data
            continue
        if is_b[i - 1]:
            yield data
        if not follows:
            yield _PLACEHOLDER


def with_decoding_times(source: Path, target: Path) -> Path:
    """Copy packets, with times of presentation that are those of decoding."""
    with av.open(str(source)) as old:
        packets = [(bytes(packet), packet.is_keyframe) for packet in old.demux(video=0)]
    return _remuxed(source, target, [packet for packet in packets if packet[0]])


def _remuxed(source: Path, target: Path, packets: Iterable[tuple[bytes, bool]]) -> Path:
    """Write packets, and whether each is a keyframe, into a new file: 25 a second."""
    with av.open(str(source)) as old, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for tick, (data, is_keyframe) in enumerate(packets):
            packet = av.Packet(data)
            packet.pts = packet.dts = tick
            packet.duration, packet.time_base = 1, Fraction(1, 25)
            packet.is_keyframe, packet.stream = is_keyframe, stream
            new.mux(packet)
    return target


def joined_flv(first: Path, second: Path, target: Path) -> Path:
    """Join two recordings by their tags, as a server does when the encoder is started again."""
    one = list(_flv_tags(first.read_bytes()))
    start = 2 * one[-1][0] - one[-2][0]
    two = [
        _flv_tag(start + milliseconds, tag) for milliseconds, tag in _flv_tags(second.read_bytes())
    ]
    header = first.read_bytes()[:_FLV_HEADER_BYTES]
    target.write_bytes(header + b"".join([tag for _, tag in one] + two))
    return target


def _flv_tags(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the video tags and their times, but for the one that says that it ends."""
    at = _FLV_HEADER_BYTES
    while at < len(data):
        end = at + 11 + int.from_bytes(data[at + 1 : at + 4], "big") + 4
        tag = data[at:end]
        if tag[0] == _FLV_VIDEO and tag[12] != _FLV_END:
            yield int.from_bytes(tag[7:8] + tag[4:7], "big"), tag
        at = end


def _flv_tag(milliseconds: int, tag: bytes) -> bytes:
    time = milliseconds.to_bytes(4, "big")
    return tag[:4] + time[1:] + time[:1] + tag[8:]


def joined_packets(first: Path, second: Path, target: Path) -> Path:
    """Append H.264 or HEVC; only the first packet of the second file brings parameter sets."""
    with av.open(str(first)) as one, av.open(str(second)) as two, av.open(str(target), "w") as new:
        stream = new.add_stream_from_template(one.streams.video[0])
        end = 0
        for old in (one, two):
            offset = end
            codec = old.streams.video[0].codec_context
            told = parameter_sets(codec.name, bytes(codec.extradata or b"")) if old is two else b""
            for read in old.demux(video=0):
                if not read.size:
                    continue
                packet, told = av.Packet(told + bytes(read)), b""
                packet.pts, packet.dts = read.pts + offset, read.dts + offset
                packet.duration, packet.time_base = read.duration, read.time_base
                packet.is_keyframe, packet.stream = read.is_keyframe, stream
                end = max(end, read.pts + offset + read.duration)
                new.mux(packet)
    return target


def parameter_sets(codec: str, record: bytes) -> bytes:
    """Return the parameter sets of an avcC or hvcC record, each after its length."""
    at, kinds, head = (5, 2, 1) if codec == "h264" else (23, record[22], 3)
    sets = b""
    for _ in range(kinds):
        count = int.from_bytes(record[at : at + head], "big") & 31
        at += head
        for _ in range(count):
            size = int.from_bytes(record[at : at + 2], "big")
            sets += size.to_bytes(4, "big") + record[at + 2 : at + 2 + size]
            at += 2 + size
    return sets


def of_build(source: Path, build: int) -> Path:
    """Write another build of x264 into the message that names the encoder."""
    data = source.read_bytes()
    place = data.index(b"x264 - core ") + len(b"x264 - core ")
    source.write_bytes(data[:place] + f"{build:03d}".encode() + data[place + 3 :])
    return source


def with_palette(path: Path, codec: str, frames: Iterable[np.ndarray]) -> Path:
    """Encode RGB frames by a palette of 216 colours that the file holds once."""
    levels = np.arange(6) * 51
    palette = np.zeros((256, 4), np.uint8)
    palette[:216, 1:] = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(-1, 3)
    palette[:, 0] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={"g": "12"})
        stream.pix_fmt, stream.width, stream.height = "pal8", 96, 64
        for tick, rgb in enumerate(frames):
            steps = (rgb // 43).astype(np.uint8)
            indices = steps[..., 1] * 36 + steps[..., 0] * 6 + steps[..., 2]
            frame = av.VideoFrame.from_ndarray((indices, palette), format="pal8")
            frame.pts = tick
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def flipped(source: Path, target: Path, seed: int = 0, bits: int = 40) -> Path:
    """Copy an MP4 with so many bits of its pictures flipped."""
    data = bytearray(source.read_bytes())
    start, end = data.index(b"mdat") + 4, data.rindex(b"moov") - 4
    for place in np.random.default_rng(seed).integers(start, end, bits):
        data[place] ^= 1 << int(place) % 8
    target.write_bytes(bytes(data))
    return target
