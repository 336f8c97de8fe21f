"""Files of pairs are read as they are written, and compared only with consent."""

from __future__ import annotations

import pytest
from tests.coloured_people import CONSENT, colour_encoder, see_blocks, write_people

from vidfit.errors import ConsentError, ManifestError, NotEnoughDataError
from vidfit.jobs.people.pairs import read_pairs, run_pairs


def test_pairs_of_lfw(tmp_path):
    file = tmp_path / "pairs.txt"
    file.write_text("2\t1\nAda_L\t1\t4\nAda_L\t1\tBob\t2\nBob\t2\t3\nBob\t1\tAda_L\t4\n")
    pairs = read_pairs(file, tmp_path)
    assert [(one.same, one.fold) for one in pairs] == [
        (True, 0), (False, 0), (True, 1), (False, 1)
    ]  # fmt: skip
    assert pairs[0].second == str(tmp_path / "Ada_L" / "Ada_L_0004.jpg")
    assert pairs[1].second == str(tmp_path / "Bob" / "Bob_0002.jpg")
    for text, complaint in (
        ("names first\n", "does not begin"), ("1\nAda 1\n", "a pair is"), ("1\nA x y\n", "no num")
    ):  # fmt: skip
        file.write_text(text)
        with pytest.raises(ManifestError, match=complaint):
            read_pairs(file, tmp_path)


def test_a_table_of_pairs_is_compared(tmp_path, monkeypatch):
    see_blocks(monkeypatch)
    write_people(tmp_path, ["Chi", "Dee"], 3)
    names = [f"{who}/{i}.png" for who in ("Chi", "Dee") for i in range(3)]
    lines = [f"{a},{b},{int(a[:3] == b[:3])}" for a in names for b in names if a < b]
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(["file_x,file_y,same", *lines, "Chi/0.png,gone.png,0"]))
    encoder = colour_encoder(tmp_path / "c.onnx")
    with pytest.raises(ConsentError, match="does not start"):
        run_pairs(file, consent="", backbone=encoder)
    found = run_pairs(file, consent=CONSENT, backbone=encoder)
    assert (found.pairs, found.same, found.folds) == (15, 6, 10)
    assert found.accepted_at_1 == found.accepted_at_01 == 1.0
    assert found.accuracy >= 0.9  # a threshold at the least alike pair of the other folds
    assert [one.name for one in found.failures] == [str(tmp_path / "gone.png")]
    file.write_text("\n".join(["file_x,file_y,same", *lines[:3]]))
    with pytest.raises(NotEnoughDataError, match="3 of 3 pairs can be compared"):
        run_pairs(file, consent=CONSENT, backbone=encoder)
