"""Which images of a folder are its frames."""

from __future__ import annotations

import pytest

from vidfit.errors import VideoError
from vidfit.video.source import frame_files, is_flow


def names(folder, *files: str) -> list[str]:
    for name in files:
        (folder / name).write_bytes(b"x")
    return [file.name for file in frame_files(folder)]


def test_images_of_optical_flow_beside_frames_are_none(tmp_path):
    found = names(tmp_path, "img_10.jpg", "img_9.jpg", "flow_x_9.jpg", "flow_y_9.jpg")
    assert found == ["img_9.jpg", "img_10.jpg"]


def test_flow_alone_is_what_there_is(tmp_path):
    assert names(tmp_path, "flow_x_1.jpg", "flow_x_2.jpg") == ["flow_x_1.jpg", "flow_x_2.jpg"]


@pytest.mark.parametrize(
    ("name", "flow"),
    [("flow_x_00001.jpg", True), ("flowy1.png", True), ("flower_1.jpg", False), ("x_1.jpg", False)],
)
def test_flow_by_its_name(name, flow):
    assert is_flow(name) is flow


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(VideoError, match="holds no frames"):
        frame_files(tmp_path)
