from __future__ import annotations

import csv

import numpy as np
import pytest
from tests.called import call

from vidfit.errors import ManifestError, NotEnoughDataError
from vidfit.jobs.label.options import LabelOptions
from vidfit.jobs.label.run import run_label

WORDS = ["cat", "dog", "man", "house", "tree", "car", "street", "river"]


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "lines.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label", "episode"))
        for i in range(60):
            kind = "ab"[i % 2]
            said = " ".join([*rng.choice(WORDS, 4), "good" if kind == "a" else "bad", str(i)])
            writer.writerow((said, kind if i < 20 else "", i // 6))
    return path


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_texts_are_proposed_answered_and_kept(table, tmp_path):
    out, before = tmp_path / "out", table.read_bytes()
    found = run_label(table, out, LabelOptions(count=5))
    assert found.texts and found.labels == {"a": 10, "b": 10} and found.clip_count == 60
    assert [one.method for one in found.proposed] == ["margin"] * 5
    assert len({one.clip.group for one in found.proposed}) == 5
    to_label = out / "to-label.csv"
    asked = rows_of(to_label)
    assert [row["text"] for row in asked] == [one.clip.text for one in found.proposed]
    filled = [{**row, "label": "a" if "good" in row["text"] else "b"} for row in asked]
    with to_label.open("w", newline="") as file:
        writer = csv.DictWriter(file, filled[0])
        writer.writeheader()
        writer.writerows(filled)
    with pytest.raises(ManifestError, match="5 labels not read yet"):
        run_label(table, out, LabelOptions(count=5))
    filled[-1]["label"] = ""
    with to_label.open("w", newline="") as file:
        writer = csv.DictWriter(file, filled[0])
        writer.writeheader()
        writer.writerows(filled)
    first = run_label(table, out, LabelOptions(count=5, answers=to_label))
    assert first.empty == (filled[-1]["text"][:60],) and sum(first.labels.values()) == 24
    filled[-1]["label"] = "a" if "good" in filled[-1]["text"] else "b"
    with to_label.open("w", newline="") as file:
        writer = csv.DictWriter(file, filled[0])
        writer.writeheader()
        writer.writerows(filled)
    again = run_label(table, out, LabelOptions(count=5, answers=to_label))
    assert sum(again.labels.values()) == 25
    assert not {o.clip.text for o in again.proposed} & {o.clip.text for o in found.proposed}
    assert sum(bool(row["label"]) for row in rows_of(out / "clips.csv")) == 25
    assert table.read_bytes() == before


def test_answers_that_do_not_fit_are_refused(table, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text,label\nnever said,a\n")
    with pytest.raises(ManifestError, match="none of the texts"):
        run_label(table, tmp_path / "out", LabelOptions(answers=other))
    said = rows_of(table)[30]["text"]
    other.write_text(f"text,label\n{said},a\n{said},b\n")
    with pytest.raises(ManifestError, match="'a' and 'b'; correct"):
        run_label(table, tmp_path / "out", LabelOptions(answers=other))
    other.write_text("text,label\n,a\n")
    with pytest.raises(NotEnoughDataError, match="holds no text"):
        run_label(other, tmp_path / "out", LabelOptions())


@pytest.mark.parametrize("name", ["clips.csv", "to-label.csv"])
def test_the_users_own_table_is_never_written_to(tmp_path, name):
    own, answers = tmp_path / name, tmp_path / "answers.csv"
    own.write_text("text,label,note\nhello there,,mine\nwell now,b,\n")
    answers.write_text("text,label\nhello there,a\n")
    before = own.read_bytes()
    for options in (LabelOptions(), LabelOptions(answers=answers)):
        with pytest.raises(ManifestError, match="would be both the list of clips and"):
            run_label(own, tmp_path, options)
    assert own.read_bytes() == before


def test_the_command_names_texts_and_what_to_type_next(table, tmp_path):
    result = call("label", table, "--count", "3", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert "20 of 60 texts have a label: a 10, b 10" in result.output
    assert "3 texts to label next, by the method margin:" in result.output
    assert f"--answers {tmp_path / 'out' / 'to-label.csv'}" in result.output


def test_answers_that_contradict_the_table_are_refused(tmp_path):
    (tmp_path / "own.csv").write_text("text,label\na b,one\nc d,\ne f,\n")
    (tmp_path / "answers.csv").write_text("text,label\na b,two\n")
    options = LabelOptions(answers=tmp_path / "answers.csv")
    with pytest.raises(ManifestError, match="your table calls it 'one'"):
        run_label(str(tmp_path / "own.csv"), tmp_path / "out", options)
    assert not (tmp_path / "out/clips.csv").exists()


def test_rows_of_one_text_keep_their_own_labels(tmp_path):
    table, out = tmp_path / "lines.csv", tmp_path / "out"
    said = [("hey", "a"), ("hey", "b"), ("hey", "b"), *((f"well {i} {i}", "") for i in range(9))]
    rows = "".join(f"{text},{label},{i}\n" for i, (text, label) in enumerate(said))
    table.write_text(f"text,label,episode\n{rows}")
    found = run_label(table, out, LabelOptions(count=2))
    assert (
        "Of 1 text the table has several labels, such as of 'hey' ('b' and 'a')"
        in (found.warnings[0])
    )
    answers = tmp_path / "answers.csv"
    answers.write_text(f"text,label\n{found.proposed[0].clip.text},a\n")
    (out / "to-label.csv").unlink()
    for _ in range(2):  # what was kept is read again
        run_label(table, out, LabelOptions(count=2, answers=answers))
    kept = rows_of(out / "clips.csv")
    assert [row["label"] for row in kept if row["text"] == "hey"] == ["a", "b", "b"]
