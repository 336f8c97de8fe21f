"""Files of annotations that are broken: each kind is named, by file and line or place."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from vidfit.errors import ManifestError
from vidfit.manifest.annotations import parse_annotations

IMAGE = {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}
OTHER = {"id": 2, "file_name": "b.jpg", "width": 64, "height": 48}
OBJECT = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}
HEAD = "path,frame,label,x,y,w,h\n"
GOOD = "v.mp4,9,car,1,1,5,5\n"
LAUGHS = '<?xml version="1.0"?>\n<!DOCTYPE a [<!ENTITY b "{}"><!ENTITY c "&b;&b;">]>\n<annotation/>'
TRACK = (
    '<annotations><meta><task><size>4</size><source>v.mp4</source><labels><label><name>car</name>'
    '</label></labels></task></meta>\n<track id="1" label="{label}">\n<box frame="{frame}" '
    'outside="0" xtl="1" ytl="1" xbr="5" ybr="5"/>\n</track></annotations>'
)  # fmt: skip


def coco(objects=(OBJECT,), images=(IMAGE, OTHER), categories=({"id": 1, "name": "car"},)) -> str:
    parts = {"images": images, "annotations": objects, "categories": categories}
    return json.dumps({name: list(part) for name, part in parts.items()})


def of(**changes) -> str:
    return coco([OBJECT | changes])


REFUSED = {
    "JSON that ends early": ("x.json", coco()[:-9], "x.json, line 1: it is no JSON"),
    "JSON nested without end": ("x.json", "[" * 200_000, "can be read (it is nested too deep)"),
    "an empty file": ("x.json", "", "x.json is an empty file; valid are COCO"),
    "a file of blanks": ("x.csv", b"\xef\xbb\xbf \n\n", "x.csv is an empty file"),
    "a number of 5,000 digits": ("x.json", coco().replace("48", "9" * 5000), "no JSON that can be"),
    "JSON of another encoding": ("x.json", b'{"images": "\xe9"}', "x.json, line 1: it is no UTF-8"),
    "images that are no list": ("x.json", '{"images": 1, "annotations": []}', "x.json: images: it"),
    "annotations that are none": ("x.json", '{"images": [], "annotations": {}}', "are no list"),
    "a billion laughs": ("a.xml", LAUGHS.format("ha" * 99), "line 2: it has a document type"),
    "an entity of a file": (
        "a.xml", LAUGHS.format("x").replace('b "x"', 'b SYSTEM "file:///etc/passwd"'), "type",
    ),
    "XML that ends early": ("a.xml", "<annotation>\n<filename>a", "a.xml, line 2: it is no sound"),
    "XML nested without end": ("a.xml", "<annotation>" * 99, "nested more than 50 deep"),
    "XML of an unknown encoding": ("a.xml", '<?xml version="1.0" encoding="x-y"?><a/>', "no sound"),
    "a table without columns": ("x.csv", "path,label,x,y,w,h\n", "read as CSV of boxes, has no"),
    "no object has a picture": ("x.json", coco(images=[]), "annotations[0]: its image_id is 1"),
}  # fmt: skip
"""Kind -> name, content, and what is said of a file of which nothing can be used."""

NAMED = {
    "a category that is not listed": ("x.json", of(category_id=9), "[0]: its category_id is 9"),
    "an image that is not listed": ("x.json", of(image_id=9), "annotations[0]: its image_id is 9"),
    "an id of two images": (
        "x.json", coco(images=[IMAGE, IMAGE | {"file_name": "c.jpg"}, OTHER]),
        "images[1]: 2 images have its id 1",
    ),
    "an image listed twice": (
        "x.json", coco(images=[IMAGE, IMAGE | {"id": 3}, OTHER]),
        "images[1]: another image before it is a.jpg, too",
    ),
    "a category without a name": (
        "x.json", coco(categories=[{"id": 1}]), "categories[0]: it has no name that is",
    ),
    "a box that is not a number": ("x.json", of(bbox=[1, float("nan"), 5, 5]), "y of bbox is nan"),
    "a box without end": ("x.json", of(bbox=[1, 1, float("inf"), 5]), "width of bbox is inf"),
    "a box of three numbers": ("x.json", of(bbox=[1, 1, 5]), "bbox is [1, 1, 5]; valid is [x, y"),
    "a box of texts": ("x.json", of(bbox=["1", 1, 5, 5]), 'x of bbox is "1"; a number is valid'),
    "a box without width": ("x.json", of(bbox=[1, 1, 0, 5]), "its size is 0 x 5 pixels"),
    "a box of negative height": ("x.json", of(bbox=[1, 9, 5, -5]), "its size is 5 x -5 pixels"),
    "a box beside the picture": ("x.json", of(bbox=[99, 1, 5, 5]), "it lies outside of"),
    "a box that stands there twice": (
        "x.json", coco([OBJECT, OBJECT | {"id": 2}]), "annotations[1]: the same box stands",
    ),
    "a score above 1": ("x.json", of(score=37.5), "its score is 37.5; valid is 0 to 1"),
    "a size that is no number": (
        "x.json", coco(images=[IMAGE | {"width": -3}, OTHER]), "its width is -3; a whole number",
    ),
    "a label that is empty": ("x.csv", HEAD + GOOD + "v.mp4,0, ,1,1,5,5\n", "it has no label"),
    "a frame below 0": ("x.csv", HEAD + GOOD + "v.mp4,-1,car,1,1,5,5\n", 'its frame is "-1"'),
    "a frame beyond all": ("x.csv", HEAD + GOOD + "v.mp4,9999999,car,1,1,5,5\n", "up to 1048576"),
    "half a frame": ("x.csv", HEAD + GOOD + "v.mp4,0.5,car,1,1,5,5\n", 'its frame is "0.5"'),
    "a video without a frame": ("x.csv", HEAD + GOOD + "v.mp4,,car,1,1,5,5\n", "no frame of it is"),
    "a label of control signs": ("x.csv", HEAD + GOOD + "v.mp4,0,a\x07,1,1,5,5\n", "label that is"),
    "a name of half a sign": (
        "x.json", coco(images=[IMAGE | {"file_name": "\ud800.jpg"}, OTHER]), "its name is no text",
    ),
    "a video_id that is a list": (
        "x.json", coco(images=[IMAGE | {"video_id": []}, OTHER]), "its video_id is [], and no",
    ),
    "a row that is too short": ("x.csv", HEAD + GOOD + "v.mp4,0,car,1,1\n", "has 5 columns"),
    "a track twice in a frame": (
        "gt.txt", "1,1,1,1,5,5,1\n1,1,2,2,5,5,1\n", "gt.txt, line 2: the track 1 is in the frame",
    ),
    "a class without a name": (
        "gt.txt", "1,1,1,1,5,5,1,1,1\n2,1,1,1,5,5,1,99,1\n", "gt.txt, line 2: its class is 99",
    ),
    "a row of MOT with words": ("gt.txt", "1,1,1,1,5,5,1\n2,1,x,1,5,5,1\n", 'its x is "x"'),
    "a track of an unknown label": (
        "v.xml", TRACK.format(label="bus", frame=3), "v.xml, line 2: its label is 'bus'",
    ),
    "a track beyond the task": (
        "v.xml", TRACK.format(label="car", frame=7), "line 2: its frames are 7 to 7",
    ),
    "a class that is not listed": ("labels/a.txt", "7 .5 .5 .1 .1", "line 1: its class is 7"),
    "pixels where YOLO has shares": ("labels/a.txt", "0 32 24 5 5", "it has 32; valid are shares"),
    "a row of YOLO with four numbers": ("labels/a.txt", "0 .5 .5 .1", "it has 4 columns; valid is"),
    "labels without a picture": ("labels/c.txt", "", "labels/c.txt: no picture has its name"),
}  # fmt: skip
"""Kind -> name, content, and what is said, while other frames are used."""


def place(tmp_path, name: str, content: str | bytes):
    """Write a file, of YOLO with what belongs to it; return what to read."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    if not name.startswith("labels/"):
        return path
    (tmp_path / "classes.txt").write_text("car\n")
    (tmp_path / "images").mkdir()
    for stem in "ab":
        Image.new("RGB", (64, 48)).save(tmp_path / "images" / f"{stem}.jpg")
    (tmp_path / "labels" / "b.txt").write_text("")
    return tmp_path


@pytest.mark.parametrize(("name", "content", "said"), REFUSED.values(), ids=REFUSED)
def test_a_file_of_which_nothing_can_be_used_is_refused(tmp_path, name, content, said):
    with pytest.raises(ManifestError) as error:
        parse_annotations(place(tmp_path, name, content))
    assert said in str(error.value) and len(str(error.value)) < 1000


@pytest.mark.parametrize(("name", "content", "said"), NAMED.values(), ids=NAMED)
def test_what_is_wrong_is_named_and_the_rest_is_used(tmp_path, name, content, said):
    found = parse_annotations(place(tmp_path, name, content))
    assert any(said in f"{fault.name}: {fault.reason}" for fault in found.rejected)
    assert found.frames
    broken = {"a.jpg"} if name == "x.json" and "may hide" in found.rejected[-1].reason else set()
    assert not broken & {frame.path for frame in found.frames}


def test_a_file_that_claims_more_frames_than_fit_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("vidfit.manifest.annotations.rows.MOST_FRAMES", 100)
    tasks = [
        {"data": {"video": f"{name}.mp4", "framesCount": 60}, "annotations": [{"result": []}]}
        for name in "ab"
    ]
    (tmp_path / "x.json").write_text(json.dumps(tasks))
    with pytest.raises(ManifestError, match=r"x.json has more than 100 frames"):
        parse_annotations(tmp_path / "x.json")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path):
    with (tmp_path / "x.json").open("wb") as file:
        file.write(b"{")
        file.truncate((1 << 29) + 1)
    with pytest.raises(ManifestError, match="has 536,870,913 bytes; at most 536,870,912 are read"):
        parse_annotations(tmp_path / "x.json")
