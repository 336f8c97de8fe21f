from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest
from tests.called import call

from vidfit.errors import NotEnoughDataError, StoreError, VidfitError
from vidfit.jobs.pretrain.options import PretrainOptions
from vidfit.jobs.pretrain.run import run_pretrain
from vidfit.language.model import load_language

WORDS = (*"acdeghij", "cat", "dog", "saw", "the", "red", "man", "sat", "mat", "house")
OPTIONS = PretrainOptions(
    steps=60, vocabulary=280, width=32, layers=1, heads=2, length=32, windows=8, learning_rate=1e-2
)


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    for i in range(12):
        lines = (" ".join(rng.choice(WORDS, 9)) for _ in range(20))
        (folder / f"{i:02d}.txt").write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def found(texts, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    return run_pretrain(texts, out, OPTIONS), out


def test_whole_documents_are_held_out_and_judged_with_peers(found):
    report, out = found
    assert report.documents == {"learn": 10, "choose": 1, "test": 1}
    bits = {(one.name, one.reads_on): one.bits.value for one in report.coded}
    counted = ("7-gram", "4-gram of tokens", "gpt", "gpt with 4-gram")
    both = {(name, reads_on) for name in counted for reads_on in (False, True)}
    assert set(bits) == both | {("xz", True), ("bz2", True)}
    assert 0 < bits["gpt", True] < bits["gpt", False] + 0.05 < 4
    assert bits["gpt with 4-gram", False] < bits["gpt", False] + 1e-9
    written = json.loads((out / "pretraining.json").read_text())
    assert written["learned"] == report.learned and "NaN" not in json.dumps(written)


def test_the_model_is_the_one_that_was_judged(found, texts):
    report, out = found
    model = load_language(out / "model")
    held = next(p for p in sorted(texts.iterdir()) if not _seen(p, out))
    coded = next(one.bits.value for one in report.coded if one.name == "gpt" and not one.reads_on)
    assert model.score(held.read_text()) == pytest.approx(coded, rel=1e-5)


def _seen(path, out):
    tokens = load_language(out / "model").reader.encode(path.read_text()).astype("<u4").tobytes()
    return any(tokens in (out / "tokens" / f"{s}.bin").read_bytes() for s in ("learn", "choose"))


def test_a_model_that_loses_to_compressors_says_that_it_learned_no_language(texts, tmp_path):
    result = call("pretrain", texts, "--steps", "2", "--width", "12", "--layers", "1",
                  "--vocabulary", "257", "-o", tmp_path / "out")  # fmt: skip
    assert result.exit_code == 0
    assert (
        "It learned no language" in result.output and "given the same text, needs" in result.output
    )


def test_the_same_call_goes_on_and_ends_the_same(found, texts, tmp_path):
    report, out = found
    shutil.copytree(out / "tokens", tmp_path / "tokens")
    again = run_pretrain(texts, tmp_path, OPTIONS)
    assert [one.bits for one in again.coded if one.name == "gpt" and not one.reads_on] == [
        one.bits for one in report.coded if one.name == "gpt" and not one.reads_on
    ] or math.isnan(again.coded[0].bits.low)
    assert again.looks == report.looks
    (texts / "more.txt").write_text("one document more")
    try:
        with pytest.raises(StoreError, match="of another run"):
            run_pretrain(texts, tmp_path, OPTIONS)
    finally:
        (texts / "more.txt").unlink()


def test_labelled_texts_are_answered_beside_words(texts, tmp_path):
    rng = np.random.default_rng(1)
    rows = []
    for i in range(160):
        label = "ab"[i % 2]
        said = " ".join(rng.choice(WORDS, 6))
        rows.append(f"{said} {'good' if label == 'a' else 'bad'},{label},{i // 10}")
    (tmp_path / "labels.csv").write_text("text,label,group\n" + "\n".join(rows))
    options = PretrainOptions(**{**vars(OPTIONS), "steps": 2, "classify": tmp_path / "labels.csv"})
    tried = run_pretrain(texts, tmp_path / "out", options).classified
    by_name = {one.name: one for one in tried.answered}
    assert by_name["words"].accuracy.value == 1.0 and tried.winner is None
    assert by_name["majority class"].accuracy.value == pytest.approx(0.5)
    assert {"states", "words and states", "fine-tuned"} < set(by_name)
    assert (tried.learned, tried.tested, tried.groups) == (110, 50, 5)
    assert "No gain" in (tmp_path / "out" / "pretraining.md").read_text()


def test_too_few_documents_and_options_without_meaning_are_refused(texts, tmp_path):
    (tmp_path / "a.txt").write_text("one document")
    with pytest.raises(NotEnoughDataError, match="cut the text into more files"):
        run_pretrain(tmp_path / "a.txt", tmp_path / "out", OPTIONS)
    for options, complaint in (
        (PretrainOptions(network="gtp"), "did you mean 'gpt'"),
        (PretrainOptions(holdout=1.0), "holdout is 1.0"),
        (PretrainOptions(cpu_seconds=0), "cpu_seconds"),
        (PretrainOptions(steps=0), "steps is 0"),
        (PretrainOptions(width=100), "width is 100; give a multiple of 12"),
    ):
        with pytest.raises(VidfitError, match=complaint):
            run_pretrain(texts, tmp_path / "out", options)
