from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.tiny_reader import articles, write_reader

pytest.importorskip("transformers")

from vidfit.backbones.reading import read_reader
from vidfit.errors import NotEnoughDataError, StoreError
from vidfit.jobs.read.learn import (
    ReadingRecipe,
    batches_of,
    beside_other_texts,
    learn,
    marked_windows,
)

RECIPE = ReadingRecipe(epochs=3, batch=4, rate=3e-3, most_tokens=32, overlap_tokens=8)


def weights(reader):
    return torch.cat([p.detach().ravel() for p in reader.network.parameters()])


def test_an_interrupted_run_goes_on_to_the_bit(tmp_path):
    folder = write_reader(tmp_path / "network")
    whole = read_reader(folder)
    rows = marked_windows(whole, articles(6), RECIPE)
    losses = learn(whole, rows, RECIPE)

    left = iter([False, False, True])
    first = read_reader(folder)
    assert learn(first, rows, RECIPE, tmp_path / "run", lambda: next(left)) is None
    second = read_reader(folder)
    assert learn(second, rows, RECIPE, tmp_path / "run") == losses
    assert torch.equal(weights(second), weights(whole))
    ended = read_reader(folder)  # it has ended: nothing is done again
    assert learn(ended, rows, RECIPE, tmp_path / "run", lambda: pytest.fail("a step")) == losses
    with pytest.raises(StoreError, match="another recipe"):
        learn(second, rows, replace(RECIPE, rate=1e-3), tmp_path / "run")


def test_answers_are_marked_where_they_stand(tmp_path):
    reader = read_reader(write_reader(tmp_path))
    asked = articles(2)
    rows = marked_windows(reader, [*asked, *beside_other_texts(asked, 1.0, 0)], RECIPE)
    said = [
        reader.tokenizer.decode(row.window.tokens_T[row.first : row.last + 1].tolist())
        for row in rows
    ]
    assert said[:4] == ["anna", "bern", "bert", "basel"]
    assert {(row.first, row.last) for row in rows[4:]} == {(0, 0)}


def test_a_text_that_says_the_answer_too_is_not_beside_a_question_without_one():
    asked = articles(3)
    found = beside_other_texts(asked, 1.0, 0)
    # Both texts of an article name who built the bridge; only one says where the mill was.
    assert {one.key[:2] for one in found} == {"0b", "1b", "2b"}
    assert all(one.answers == () and one.article[-1] == one.key[0] for one in found)
    assert beside_other_texts(asked, 0.0, 0) == []


def test_batches_hold_each_row_once():
    lengths = [5, 9, 2, 7, 7, 1, 3]
    batches = batches_of(lengths, 3, 0)
    assert sorted(row for batch in batches for row in batch) == list(range(7))
    assert batches != batches_of(lengths, 3, 1) and batches == batches_of(lengths, 3, 0)


def test_nothing_to_learn_from_is_said(tmp_path):
    reader = read_reader(write_reader(tmp_path))
    with pytest.raises(NotEnoughDataError, match="no question"):
        learn(reader, [], RECIPE)
    rows = marked_windows(reader, articles(2), RECIPE)
    with pytest.raises(NotEnoughDataError, match="loss is no number"):
        learn(reader, rows, replace(RECIPE, rate=1e30, warmup_share=1e-9))
