"""Which kind of label a list has is read off how it is written, or is asked for."""

from __future__ import annotations

import pytest

from vidfit.errors import ManifestError
from vidfit.manifest import read_manifest, told


def written(folder, text, name="clips.csv"):
    rows = text.strip().splitlines()
    for row in rows[1:]:
        (folder / row.split(",")[0]).write_bytes(b"")
    path = folder / name
    path.write_text("\n".join(rows) + "\n")
    return path


def labels(manifest):
    return [clip.label for clip in manifest.clips]


def test_labels_joined_by_a_bar_are_several(tmp_path):
    path = written(tmp_path, "path,label\na.mp4,sign|car\nb.mp4,car\nc.mp4,sign\nd.mp4,")
    found = read_manifest(path)
    assert found.kind.name == "several" and found.classes == ("car", "sign")
    assert labels(found) == ["car|sign", "car", "sign", None]
    line = told(found)[0]
    assert "several labels a clip: car 2, sign 2, 1 without a label" in line
    assert read_manifest(path, labels="one").classes == ("car", "sign", "sign|car")


def test_a_bar_in_the_name_of_one_class_joins_nothing(tmp_path):
    path = written(tmp_path, "path,label\na.mp4,left | go\nb.mp4,left | go\nc.mp4,stop")
    found = read_manifest(path)
    assert found.kind.name == "one" and found.classes == ("left | go", "stop")
    assert read_manifest(path, labels="several").classes == ("go", "left", "stop")


def test_columns_of_0_and_1_are_several_labels(tmp_path):
    path = written(
        tmp_path, "path,group,car,sign,note\na.mp4,r1,1,1,x\nb.mp4,r1,0,1,y\nc.mp4,r2,0,0,z"
    )
    found = read_manifest(path)
    assert found.kind.name == "several" and labels(found) == ["car|sign", "sign", ""]
    assert "car 1, sign 2, 1 with none of them" in told(found)[0]
    assert any("not used: note" in warning for warning in found.warnings)


def test_a_cell_that_is_neither_0_nor_1_rejects_its_row(tmp_path):
    rows = "".join(f"\nv{i}.mp4,{i % 2},1" for i in range(3000))
    path = written(tmp_path, "path,car,sign\nv9999.mp4,1,0" + rows + "\nlast.mp4,2,1")
    found = read_manifest(path)
    if found.kind.name == "several":  # the cell may or may not be in the sample of rows
        assert any("'car' is '2'; valid are 0 and 1" in f.reason for f in found.rejected)
    else:
        assert found.classes == ()


def test_one_column_of_0_and_1_is_no_class(tmp_path):
    path = written(tmp_path, "path,label,seen\na.mp4,x,1\nb.mp4,y,0")
    found = read_manifest(path)
    assert found.kind.name == "one" and found.classes == ("x", "y")


@pytest.mark.parametrize("column", ["value", "Score"])
def test_a_column_that_is_called_a_number_is_one(tmp_path, column):
    path = written(tmp_path, f"path,{column}\na.mp4,1.5\nb.mp4,-2\nc.mp4,4e1")
    found = read_manifest(path)
    assert found.kind.name == "number" and labels(found) == ["1.5", "-2", "4e1"]
    assert "a number a clip: 3 clips, -2 to 40, median 1.5" in told(found)[0]


def test_class_names_that_are_digits_are_no_numbers_unless_asked(tmp_path):
    path = written(tmp_path, "path,label\na.mp4,1\nb.mp4,2\nc.mp4,2")
    assert read_manifest(path).kind.name == "one"
    assert read_manifest(path, labels="number").kind.name == "number"


def test_a_label_that_is_no_number_is_named(tmp_path):
    path = written(tmp_path, "path,label\na.mp4,1\nb.mp4,high")
    with pytest.raises(ManifestError, match=r"b\.mp4 has the label 'high', which is no number"):
        read_manifest(path, labels="number")


def test_a_label_column_goes_before_a_score(tmp_path):
    path = written(tmp_path, "path,label,score\na.mp4,x,0.5\nb.mp4,y,0.7")
    assert read_manifest(path).kind.name == "one"
