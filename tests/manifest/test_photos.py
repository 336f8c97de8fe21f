from __future__ import annotations

from pathlib import Path, PurePath

import av
import numpy as np
import pytest
from PIL import Image

from vidfit.manifest import iter_clips, read_manifest
from vidfit.manifest.photos import are_photos, bursts
from vidfit.video import VideoReader, probe


def write_image(path: Path, seed: int = 0, shift: int = 0, side: int = 64) -> Path:
    """Write a smooth random picture, moved to the right by some pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    pixels = np.roll(np.kron(coarse, np.ones((side // 8, side // 8, 1), np.uint8)), shift, 1)
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.width = stream.height = side
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        for packet in [*stream.encode(frame), *stream.encode()]:
            container.mux(packet)
    return path


def photos(folder: Path, *names: str) -> None:
    for i, name in enumerate(names):
        write_image(folder / name, seed=i)


def frames(folder: Path, count: int = 6, seed: int = 0) -> None:
    for i in range(count):
        write_image(folder / f"frame_{i:04}.png", seed=seed, shift=i)


def test_a_photo_is_a_clip_of_one_frame(tmp_path):
    path = write_image(tmp_path / "one.png", seed=3)
    info = probe(str(path))
    assert (info.frame_count, info.width_pixels, info.height_pixels) == (1, 64, 64)
    coarse = np.random.default_rng(3).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    with VideoReader(str(path)) as reader:
        (frame,) = reader.frames([0])
    assert (frame.rgb()[::8, ::8] == coarse).all()


def test_photos_lie_in_folders_of_classes(tmp_path):
    photos(tmp_path, "cat/a.png", "cat/tom.png", "dog/b.png", "dog/rex.png")
    manifest = read_manifest(tmp_path)
    assert manifest.layout == "CLASS/*.png" and not manifest.rejected
    assert [(Path(c.path).name, c.label) for c in manifest.clips] == [
        ("a.png", "cat"), ("tom.png", "cat"), ("b.png", "dog"), ("rex.png", "dog"),
    ]  # fmt: skip


def test_numbered_pictures_that_differ_are_photos(tmp_path):
    photos(tmp_path, *(f"{kind}/{kind}.{i}.png" for kind in ("cat", "dog") for i in range(6)))
    assert are_photos([tmp_path])
    assert len(read_manifest(tmp_path).clips) == 12


def test_numbered_pictures_of_differing_sizes_are_photos(tmp_path):
    for i in range(6):
        write_image(tmp_path / f"{i}.png", seed=1, side=64 + 8 * i)
    assert are_photos([tmp_path])


def test_pictures_that_follow_one_another_are_frames(tmp_path):
    frames(tmp_path / "walk/one")
    frames(tmp_path / "stand/two", seed=5)
    assert not are_photos([tmp_path])
    assert [Path(clip.path).name for clip in read_manifest(tmp_path).clips] == ["two", "one"]


def test_written_levels_say_that_pictures_are_photos(tmp_path):
    frames(tmp_path / "open")
    frames(tmp_path / "shut", seed=5)
    manifest = read_manifest(tmp_path / "CLASS")
    assert len(manifest.clips) == 12 and manifest.classes == ("open", "shut")


def test_lists_name_photos(tmp_path):
    photos(tmp_path, "a.png", "b c.png")
    (tmp_path / "list.txt").write_text("a.png cat\nb c.png dog\n")
    (tmp_path / "list.csv").write_text("path,label\na.png,cat\nb c.png,dog\n")
    for name in ("list.txt", "list.csv"):
        found = [(Path(c.path).name, c.label) for c in read_manifest(tmp_path / name).clips]
        assert found == [("a.png", "cat"), ("b c.png", "dog")]


def test_one_photo_and_loose_ones_are_answered_each(tmp_path):
    photos(tmp_path, "a.png", "b.png")
    assert [Path(c.path).name for c in read_manifest(tmp_path / "a.png").clips] == ["a.png"]
    assert sorted(Path(c.path).name for c in iter_clips(tmp_path)) == ["a.png", "b.png"]


@pytest.mark.parametrize(
    ("stems", "expected"),
    [
        (["IMG_20240131_235930", "IMG_20240201_000010", "IMG_20240201_000200"], [0, 0, 2]),
        (["2024-01-31 10.00.00", "2024-01-31 10.00.30", "2024-01-31 10.01.20"], [0, 0, 0]),
        (["cat", "IMG_20241331_235930"], [None, None]),
    ],
)
def test_photos_within_a_minute_are_a_burst(stems, expected):
    found = bursts([PurePath(f"{stem}.jpg") for stem in stems])
    assert found == [None if i is None else stems[i] for i in expected]


def test_times_that_cameras_wrote_tell_bursts_where_names_do_not(tmp_path):
    exif = Image.Exif()
    paths = [tmp_path / name for name in ("a/1.jpg", "a/2.jpg", "b/1.jpg", "b/3.jpg")]
    for path, at in zip(paths, ("10:00:00", "10:00:50", "12:00:00", ""), strict=True):
        path.parent.mkdir(exist_ok=True)
        exif.get_ifd(0x8769)[36867] = f"2024:01:31 {at}"
        Image.new("RGB", (8, 8)).save(path, exif=exif)
    assert bursts(paths) == ["1", "1", str(paths[2]), None]
    paths[0].write_bytes(b"no picture")
    assert bursts(paths) == [None, "2", "1", None]
    assert bursts([]) == []


def test_bursts_are_recordings(tmp_path):
    names = [f"{kind}/IMG_2024013{d}_1200{s:02}.png" for kind, d in (("cat", 0), ("dog", 1))
             for s in (0, 20)]  # fmt: skip
    names += [f"{kind}/IMG_2024013{d}_1300{s:02}.png" for kind, d in (("cat", 0), ("dog", 1))
              for s in (0, 20)]  # fmt: skip
    photos(tmp_path, *names)
    manifest = read_manifest(tmp_path)
    assert "within a minute" in manifest.grouping
    assert len(set(manifest.groups)) == 4 and len(manifest.clips) == 8
