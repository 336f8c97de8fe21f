"""No answer is lost, none is taken for another clip, and the user's list stays as it was."""

from __future__ import annotations

import csv

import pytest

from vidfit.contracts import Clip
from vidfit.errors import ManifestError
from vidfit.jobs.label import answers as module
from vidfit.jobs.label.answers import gather, read_answers, with_labels, write_to_label
from vidfit.jobs.label.value import Proposed
from vidfit.manifest import Manifest, read_manifest


@pytest.fixture
def source(tmp_path):
    """Five clips: one with a label, two spans of one video, one name that needs quotes."""
    path = tmp_path / "mine" / "clips.csv"
    path.parent.mkdir()
    path.write_text(
        "path,label,group,start_seconds,end_seconds\n"
        "a.mp4,run,r1,,\n"
        "b.mp4,,r1,0,1.1\n"
        "b.mp4,,r1,1.1,\n"
        "c.mp4,,r2,,\n"
        '"d, e.mp4",,r2,,\n'
    )
    return path


def fill(path, *labels):
    """Fill in the column ``label`` from the top, as a person would in a spreadsheet."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row, label in zip(rows, labels, strict=False):
        row["label"] = label
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return path


def propose(source, output, *rows):
    clips = read_manifest(source).clips
    return write_to_label([Proposed(clips[i], "typical", "why, not") for i in rows], output)


def labels(source, found):
    return [clip.label for clip in with_labels(read_manifest(source), found).clips]


def test_the_list_to_fill_in_is_a_manifest_in_the_order_of_priority(source, tmp_path):
    path = propose(source, tmp_path / "out", 4, 2)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["rank"], row["label"], row["method"], row["why"]) for row in rows] == [
        ("1", "", "typical", "why, not"),
        ("2", "", "typical", "why, not"),
    ]
    known = read_manifest(source).clips
    assert read_manifest(path).clips == (known[4], known[2])


def test_answers_go_to_a_list_of_their_own_and_the_rest_stays_empty(source, tmp_path):
    before = source.read_bytes()
    output = tmp_path / "out"
    path = fill(propose(source, output, 4, 2, 3), "sit", "run", "")
    found = gather(read_manifest(source), source, output, path)
    assert labels(source, found) == ["run", None, "run", None, "sit"]
    assert [clip.path for clip in found.empty] == [read_manifest(source).clips[3].path]
    merged = read_manifest(output / "clips.csv")
    assert merged.clips == with_labels(read_manifest(source), found).clips
    assert source.read_bytes() == before


def test_the_same_call_goes_on_and_remembers_earlier_rounds(source, tmp_path):
    output = tmp_path / "out"
    for row, label in ((4, "sit"), (2, "run")):
        path = fill(propose(source, output, row), label)
        gather(read_manifest(source), source, output, path)
    found = gather(read_manifest(source), source, output, None)
    assert labels(source, found) == ["run", None, "run", None, "sit"]
    assert found.empty == ()  # there was no list to fill in


def test_a_later_answer_replaces_an_earlier_one(source, tmp_path):
    output = tmp_path / "out"
    for label in ("sit", "run"):
        found = gather(
            read_manifest(source), source, output, fill(propose(source, output, 4), label)
        )
    assert labels(source, found)[4] == "run"


def test_answers_that_nobody_read_are_not_replaced(source, tmp_path):
    output = tmp_path / "out"
    path = fill(propose(source, output, 4, 2), "sit", "")
    with pytest.raises(ManifestError, match=r"has 1 label not read yet, e.g. 'sit'.*--answ"):
        gather(read_manifest(source), source, output, None)
    gather(read_manifest(source), source, output, path)
    gather(read_manifest(source), source, output, None)  # they are known by now


def test_a_crash_between_answers_and_proposals_loses_nothing(source, tmp_path, monkeypatch):
    output = tmp_path / "out"
    path = fill(propose(source, output, 4), "sit")
    filled = path.read_bytes()

    def crash(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_check_all_read", crash)
    with pytest.raises(KeyboardInterrupt):
        gather(read_manifest(source), source, output, path)
    assert path.read_bytes() == filled
    monkeypatch.undo()
    again = gather(read_manifest(source), source, output, path)
    assert labels(source, again)[4] == "sit"


@pytest.mark.parametrize(
    ("separator", "encoding"), [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-16")]
)
def test_what_a_spreadsheet_saves_is_taken_back(source, tmp_path, separator, encoding):
    """It writes other separators and encodings, decimal commas, and 15 digits of a number."""
    source.write_text(source.read_text().replace("0,1.1", "0,0.30000000000000004"))
    path = propose(source, tmp_path / "out", 1, 4)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        header, *table = list(csv.reader(file))
    for row, label in zip(table, ("caf\u00e9", "sit"), strict=True):
        row[1] = label
        row[3] = row[3].replace("0.30000000000000004", "0,3" if separator == ";" else "0.3")
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=separator).writerows([header, *table])
    found = gather(read_manifest(source), source, tmp_path / "out", path)
    assert labels(source, found) == ["run", "caf\u00e9", None, None, "sit"]


def test_a_clip_that_is_not_in_the_list_is_refused(source, tmp_path):
    output = tmp_path / "out"
    known = read_manifest(source)
    other = Clip(str(tmp_path / "mine" / "b.mp4"), 0.5, 1.1)
    path = fill(write_to_label([Proposed(other, "typical", "")], output), "sit")
    with pytest.raises(ManifestError, match=r"has .*b.mp4#0.5, which is none of the 5 clips"):
        gather(known, source, output, path)
    assert not (output / "clips.csv").exists()


def test_an_answer_against_the_users_own_label_is_refused(source, tmp_path):
    path = fill(propose(source, tmp_path / "out", 0), "sit")
    with pytest.raises(ManifestError, match=r"a.mp4 'sit', but it is known as 'run'; correct one"):
        read_answers(path, read_manifest(source))
    assert read_answers(fill(path, "run"), read_manifest(source)).empty == ()


def test_two_answers_to_one_clip_are_refused(source, tmp_path):
    path = fill(propose(source, tmp_path / "out", 4, 4), "sit", "run")
    with pytest.raises(ManifestError, match="known as 'sit'"):
        read_answers(path, read_manifest(source))


def test_a_row_that_cannot_be_read_is_refused(source, tmp_path):
    path = propose(source, tmp_path / "out", 4)
    with path.open("a") as file:
        file.write("half a row,sit\n")
    with pytest.raises(ManifestError, match=r"cannot be read to the end: to-label.csv, line 3"):
        read_answers(path, read_manifest(source))


def test_there_is_no_such_list(tmp_path):
    with pytest.raises(ManifestError, match=r"There is no .*gone.csv; give the list"):
        read_answers(tmp_path / "gone.csv", Manifest(()))


@pytest.mark.parametrize("name", ["clips.csv", ""])
def test_the_users_own_list_is_never_written_to(source, name):
    with pytest.raises(ManifestError, match="would be both the list of clips and where answers"):
        gather(read_manifest(source), source.parent / name, source.parent, None)


def test_the_users_own_list_is_not_taken_for_the_one_to_fill_in(source):
    own = source.rename(source.with_name("to-label.csv"))
    with pytest.raises(ManifestError, match="would be both the list of clips and the one to fill"):
        gather(read_manifest(own), own, own.parent, None)
