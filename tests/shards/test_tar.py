"""Headers are those of the standard library, and no byte of a tar changes without its digest."""

from __future__ import annotations

import io
import tarfile

import pytest

from vidfit.shards.tar import Tar, digest_of, header
from vidfit.video.archive import parse_header


def _written():
    stream = io.BytesIO()
    tar = Tar(stream)
    tar.member("a.json", b"{}")
    tar.begin()
    tar.copy("lost.mp4", 600, [b"x" * 600])
    tar.forget()
    tar.copy("b/c.mp4", 700, [b"y" * 512, b"z" * 188])
    tar.member("empty.txt", b"")
    return tar.finish(), stream


@pytest.mark.parametrize(
    "name", ["a.mp4", "d/ü ö.json", "n" * 100, "p" * 80 + "/" + "q" * 60, "bad\udcff.mp4"]
)
@pytest.mark.parametrize("size", [0, 1, 8**11 - 1])
def test_headers_are_those_of_the_standard_library(name, size):
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, 0o644
    assert header(name, size) == info.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")


def test_a_tar_reads_back_without_what_was_given_up():
    digest, stream = _written()
    stream.seek(0)
    assert digest_of(stream) == digest
    stream.seek(0)
    with tarfile.open(fileobj=stream) as tar:
        assert tar.getnames() == ["a.json", "b/c.mp4", "empty.txt"]
        assert tar.extractfile("b/c.mp4").read() == b"y" * 512 + b"z" * 188


def test_each_byte_counts():
    digest, stream = _written()
    content = stream.getvalue()
    for place in range(len(content)):
        altered = bytearray(content)
        altered[place] ^= 1
        try:
            assert digest_of(io.BytesIO(altered)) != digest
        except ValueError:  # a header that does not add up
            continue


@pytest.mark.parametrize(
    "size", [b"-0001000", b"+0001000", b"0_001000", b"00000008", b"\x80\0\0\0\0\0\0\1"]
)
def test_a_size_that_is_not_of_octal_digits_is_damage(size):
    block = bytearray(header("a.mp4", 512))
    block[124:136] = size.ljust(12, b"\0")
    block[148:156] = b" " * 8
    block[148:155] = b"%06o\0" % sum(block)
    with pytest.raises(ValueError, match="no tar header there"):
        parse_header(bytes(block))


def test_a_tar_that_is_cut_short_is_none():
    digest, stream = _written()
    content = stream.getvalue()
    assert digest_of(io.BytesIO(content[:-512])) != digest
    with pytest.raises(ValueError, match="cut short"):
        digest_of(io.BytesIO(content[: 3 * 512 + 100]))
