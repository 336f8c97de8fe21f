from __future__ import annotations

import json

import pytest
from tests.called import call
from tests.tiny_reader import articles, question, squad, write_reader

pytest.importorskip("transformers")

from vidfit.errors import NotEnoughDataError, VidfitError
from vidfit.jobs.read.learn import ReadingRecipe
from vidfit.jobs.read.options import ReadOptions
from vidfit.jobs.read.run import run_read
from vidfit.jobs.read.terminal import lines
from vidfit.manifest.questions import write_squad
from vidfit.study.reading.saved import load_trained

RECIPE = ReadingRecipe(epochs=1, batch=4, most_tokens=32, overlap_tokens=8)


def file_of(path, questions):
    path.write_text(json.dumps(squad(*questions)), encoding="utf-8")
    return path


def test_a_reader_is_measured_on_articles_that_it_has_not_seen(tmp_path):
    base = f"hf:{write_reader(tmp_path / 'network', encoder=True)}"
    source = file_of(tmp_path / "squad.json", articles(8))
    options = ReadOptions(base, holdout=0.5, false_answers=0.5, recipe=RECIPE)
    report = run_read(source, tmp_path / "out", options)
    assert (report.questions, report.articles) == (8, 4)
    assert (report.passage.questions, report.passage.articles) == (8, 4)
    assert report.passage.sentence_holds.value == 1.0  # the best sentence says the answer
    assert report.no_answer.without == 8
    trained = load_trained(tmp_path / "out" / "model")
    assert set(trained.thresholds) == {0.01, 0.02, 0.05, 0.1, 0.2, 0.5}
    written = json.loads((tmp_path / "out" / "report.json").read_text())
    assert written["passage"]["f1"]["value"] == report.passage.f1.value
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["model", "report.json"]
    assert any("exact match" in line for line in lines(report))


def test_articles_of_the_test_are_not_learned_from(tmp_path):
    base = f"hf:{write_reader(tmp_path / 'network')}"
    source = file_of(tmp_path / "squad.json", articles(5))
    impossible = question("n", "Where was the tower ?", "Cats sleep .", None, "article 1")
    test = write_squad([*articles(3), impossible], tmp_path / "test.json")
    report = run_read(source, tmp_path / "out", ReadOptions(base, test=test, recipe=RECIPE))
    assert (report.articles, report.passage.articles) == (2, 3)
    assert (report.passage.questions, report.no_answer.without) == (6, 7)
    assert [f.name.rpartition(": ")[2] for f in report.failures] == [
        "article 0", "article 1", "article 2",
    ]  # fmt: skip


def test_fit_makes_a_reader_and_says_what_it_is_worth(tmp_path):
    base = f"hf:{write_reader(tmp_path / 'network')}"
    source = file_of(tmp_path / "squad.json", [*articles(8), question("x", "Who ?", "anna .", "a")])
    out = tmp_path / "out"
    result = call("fit", source, "--task", "read", "--backbone", base, "--output", out)
    assert result.exit_code == 0, result.output
    assert "learned from 1" in result.stdout and f"Model    {out / 'model'}" in result.stdout
    assert call("ask", source.parent, "Who ?", "--reader", out / "model").exit_code == 2  # no text
    two = call("fit", source, "--task", "read", "--backbone", base, "--backbone", base)
    assert two.exit_code == 2 and "one --backbone" in two.stderr


def test_too_few_articles_are_refused(tmp_path):
    source = file_of(tmp_path / "squad.json", articles(2))
    with pytest.raises(NotEnoughDataError, match="whole articles are put aside"):
        run_read(source, tmp_path / "out", ReadOptions(recipe=RECIPE))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (ReadOptions(holdout=0.0), "holdout"),
        (ReadOptions(false_answers=0.3), "valid are 0.01"),
        (ReadOptions(recipe=ReadingRecipe(epochs=0)), "epochs"),
    ],
)
def test_what_has_no_meaning_is_refused(tmp_path, options, why):
    with pytest.raises(VidfitError, match=why):
        run_read(tmp_path / "squad.json", tmp_path / "out", options)
