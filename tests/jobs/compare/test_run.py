"""One data set, the same folds and budget for each; what is finished is not learned again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from tests.clips import write_dataset

from vidfit.errors import ModelError, VidfitError
from vidfit.jobs.compare import run as comparing
from vidfit.jobs.compare.fits import RowBudget
from vidfit.jobs.compare.options import CompareOptions
from vidfit.jobs.compare.run import run_compare
from vidfit.jobs.compare.terminal import architectures_markdown

OPTIONS = CompareOptions(
    ("cnn", "video-transformer"), ("motion",), cpu_seconds=0.2, side_pixels=32, workers=1
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Twelve clips that move left or right, each a recording of its own, and one without label."""
    folder = tmp_path_factory.mktemp("compare")
    clips = write_dataset(folder / "clips")
    return run_compare(clips, folder / "out", OPTIONS), clips, folder / "out"


def test_each_architecture_has_its_rows_and_the_probe_of_motion_wins(compared):
    table, _, _ = compared
    assert {row.name: row.how for row in table.rows} == {
        "motion": "frozen",
        "cnn on frames": "supervised",
        "video-transformer on frames": "supervised",
        "video-transformer pretrained, frozen": "self-supervised, frozen",
        "video-transformer pretrained": "self-supervised, fine-tuned",
    }
    assert table.best.name == "motion" and table.best.score.value == 1.0
    assert table.best.standing == "best" and table.best.behind_best.value == 0.0
    assert table.trained_gain.over == "motion"
    assert [pair.over for pair in table.pretraining] == ["video-transformer on frames"] * 2
    for row in table.rows:
        assert row.seconds_per_clip > 0
        assert (row.gmacs_per_clip > 0) == (row.name != "motion")
        # A step that has begun ends, beyond a budget that is shorter than a step on slow machines.
        assert row.learn_seconds < 50 * OPTIONS.cpu_seconds
        assert (row.pretrain_seconds > 0) == row.how.startswith("self-supervised")


def test_what_was_written_says_what_was_found(compared):
    table, _, output = compared
    document = json.loads((output / "architectures.json").read_text(encoding="utf-8"))
    assert document["format"] == "vidfit.architectures/1"
    assert [row["name"] for row in document["rows"]] == [row.name for row in table.rows]
    said = architectures_markdown(table)
    assert "Does training pay?" in said and "without labels first pay?" in said
    page = (output / "architectures.html").read_text(encoding="utf-8")
    assert all(row.name in page for row in table.rows)


def test_finished_rows_are_kept_and_a_damaged_one_is_learned_again(compared, monkeypatch):
    table, clips, output = compared
    learned = set()
    real = comparing.fit_fold

    def fit_fold(row, part, of, budget):
        learned.add(row.name)
        return real(row, part, of, budget)

    monkeypatch.setattr(comparing, "fit_fold", fit_fold)
    broken = min((output / "rows").iterdir())
    broken.write_bytes(b"no row")
    again = run_compare(clips, output, OPTIONS)
    assert len(learned) == 1 and broken.stat().st_size > 10
    before = {row.name: row.score for row in table.rows if row.name not in learned}
    after = {row.name: row.score for row in again.rows if row.name not in learned}
    assert after == before


def test_no_fold_learns_from_the_clips_that_it_answers(compared, monkeypatch):
    _, clips, output = compared
    seen = []

    def fit_fold(row, part, of, budget: RowBudget):
        asked = {of.recordings_A[i] for i in part.test_M}
        known = np.concatenate([part.learn_M, part.choose_M, part.bare_A])
        seen.append(not asked & {of.recordings_A[i] for i in known})
        assert not set(part.learn_M) & set(part.choose_M)
        raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "fit_fold", fit_fold)
    with pytest.raises(KeyboardInterrupt):
        run_compare(clips, output, replace(OPTIONS, cpu_seconds=0.3))
    assert seen == [True]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architectures": ("cnn-lstn",)}, "did you mean 'cnn-lstm'"),
        ({"cpu_seconds": 0.0}, "cpu_seconds is 0.0; give more than 0"),
        ({"side_pixels": 8}, "side_pixels is 8; it is 32 to 512"),
        ({"backbones": ()}, "name an encoder"),
    ],
)
def test_what_has_no_meaning_is_refused(changes, said, tmp_path):
    with pytest.raises(VidfitError, match=said):
        run_compare(tmp_path, tmp_path / "out", replace(OPTIONS, **changes))


def test_a_folder_without_weights_is_refused_before_any_work(tmp_path):
    with pytest.raises(ModelError, match="holds no weights to start from"):
        run_compare(tmp_path, tmp_path / "out", replace(OPTIONS, pretrained=tmp_path))
