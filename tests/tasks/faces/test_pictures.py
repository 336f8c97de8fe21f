"""Pictures of people are read, one face each; what is wrong with one is said of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.coloured_people import COLOURS, block_picture, put_block, see_blocks, write_people

from vidfit.errors import ManifestError, VideoError
from vidfit.progress import SILENT
from vidfit.tasks.faces.pictures import aligned_faces, folder_of, read_people


@pytest.fixture(autouse=True)
def blocks(monkeypatch):
    see_blocks(monkeypatch)


def test_people_and_their_faces(tmp_path):
    write_people(tmp_path / "people", ["Åse O'Neil", "Chi"], 3)
    (tmp_path / "people" / "Chi" / "notes.txt").write_text("no picture")
    manifest = read_people(tmp_path / "people", None, None)
    assert manifest.classes == ("Chi", "Åse O'Neil")
    assert manifest.group_count == 6
    assert [failure.reason for failure in manifest.rejected] == ["it is no picture"]
    ready = aligned_faces(manifest, tmp_path / "out", SILENT)
    assert len(ready) == 6
    assert [clip.group for clip in ready.clips] == [clip.group for clip in manifest.clips]
    for clip in ready.clips:
        assert clip.path.startswith(str(tmp_path / "out" / "faces" / folder_of(clip.label)))
        assert Image.open(clip.path).size == (224, 224)
    assert any("people say too little of strangers" in line for line in ready.warnings)


def test_who_is_no_longer_there_is_gone(tmp_path):
    people = write_people(tmp_path / "people", ["Chi", "Dee"], 2)
    aligned_faces(read_people(people, None, None), tmp_path / "out", SILENT)
    shutil.rmtree(people / "Dee")
    (people / "Chi" / "1.png").unlink()
    ready = aligned_faces(read_people(people, None, None), tmp_path / "out", SILENT)
    left = [str(path) for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert left == [clip.path for clip in ready.clips]
    assert not (tmp_path / "out" / "faces" / "Dee").exists()


def test_pictures_with_no_face_or_two_and_the_same_under_two_names(tmp_path):
    people = write_people(tmp_path / "people", ["Chi", "Dee"], 3)
    rng = np.random.default_rng(0)
    Image.fromarray(np.full((60, 60, 3), 128, np.uint8)).save(people / "Chi" / "none.png")
    two = block_picture(COLOURS["Chi"], rng, at=(4, 4), side=40)
    put_block(two, COLOURS["Dee"], rng, (50, 80), 36)
    Image.fromarray(two).save(people / "Chi" / "two.png")
    shutil.copy(people / "Chi" / "0.png", people / "Dee" / "same.png")
    (people / "Dee" / "broken.png").write_bytes(b"no picture at all")
    ready = aligned_faces(read_people(people, None, None), tmp_path / "out", SILENT)
    why = {failure.name.rsplit("/", 2)[-2] + "/" + failure.name.rsplit("/", 1)[-1]: failure.reason
           for failure in ready.rejected}  # fmt: skip
    assert "no face is found" in why["Chi/none.png"]
    assert "2 faces are found" in why["Chi/two.png"]
    assert why["Chi/0.png"] == why["Dee/same.png"]
    assert "stands under 'Chi' and 'Dee'" in why["Chi/0.png"]
    assert why["Dee/broken.png"]
    assert len(ready) == 5


def test_people_without_pictures_and_hidden_folders_are_named(tmp_path):
    picture = tmp_path / "Ada" / "a.png"
    picture.parent.mkdir()
    picture.write_bytes(b"")
    (tmp_path / "Bob").mkdir()
    (tmp_path / ".old").mkdir()
    rejected = read_people(tmp_path, None, None).rejected
    assert [(Path(one.name).name, one.reason) for one in rejected] == [
        (".old", "folders that begin with a dot are passed over"),
        ("Bob", "it holds no picture"),
    ]


def test_nobody_and_unknown_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError, match="holds no picture of a person"):
        read_people(tmp_path / "empty", None, None)
    (tmp_path / "people" / "Unknown").mkdir(parents=True)
    with pytest.raises(ManifestError, match="is what strangers are called"):
        read_people(tmp_path / "people", None, None)
    blank = tmp_path / "blank" / "Eve" / "0.png"
    blank.parent.mkdir(parents=True)
    Image.fromarray(np.full((60, 60, 3), 128, np.uint8)).save(blank)
    with pytest.raises(ManifestError, match="no face can be learned"):
        aligned_faces(read_people(tmp_path / "blank", None, None), tmp_path / "out", SILENT)


def test_folders_of_names_are_safe_and_differ():
    names = ["a/b", "a_b", "..", "", "Åse", "x" * 300, "a\0b", "A:b"]
    folders = [folder_of(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(f not in ("", ".", "..") and not set(f) & set("/\\\0:") for f in folders)


def test_a_huge_picture_is_looked_at_small(tmp_path, monkeypatch):
    from vidfit.tasks.faces import pictures

    asked = []

    def nothing(frame, smallest):
        asked.append(smallest)
        return ()

    monkeypatch.setattr(pictures, "find_faces", nothing)
    with pytest.raises(VideoError, match="no face is found"):
        pictures.only_face(np.zeros((40, 6000, 3), np.uint8))
    assert asked == [300.0]
