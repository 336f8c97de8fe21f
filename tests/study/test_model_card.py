"""The card says what a model is and what it is worth, and shows names as they are."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.clips import spec
from tests.test_model import example

from vidfit.errors import ModelError
from vidfit.study.model_card import escaped, model_card_markdown


def member(name: str, licence: str = "Apache-2.0", commercial_use: bool | None = True) -> dict:
    from dataclasses import asdict

    facts = spec(name, licence=licence, commercial_use=commercial_use, parameters=4_650_000)
    return asdict(facts)


def card(*members: dict, **changes) -> dict:
    facts = {
        "task": "classification",
        "data": "clips",
        "clips": 300,
        "recordings": 44,
        "protocol": "nested cross-validation, 5 folds",
        "accuracy": {"value": 0.783, "low": 0.721, "high": 0.84},
        "majority": {"value": 0.5, "low": 0.45, "high": 0.55},
        "calibration_error": 0.034,
        "members": list(members),
        "limits": "Scores hold for clips like the training clips.",
    }
    return {**facts, **changes}


def shown(*members: dict, **changes) -> str:
    names = tuple(m["name"] for m in members)
    return model_card_markdown(replace(example(), members=names, card=card(*members, **changes)))


def test_the_heading_counts_as_one_reads():
    both = replace(example(), card=card())
    alone = replace(both, classes=("fight",))
    number = replace(both, classes=("value",), task="regress")
    heads = [
        next(line for line in model_card_markdown(model).splitlines() if line.startswith("# "))
        for model in (both, alone, number)
    ]
    assert [head.rpartition(": ")[2] for head in heads] == [
        "2 classes of video",
        "1 class of video",
        "a number of video",
    ]


def front_matter(text: str) -> list[str]:
    assert text.startswith("---\n")
    return text.split("---\n")[1].splitlines()


def test_the_hub_is_told_what_it_is():
    lines = front_matter(shown(member("motion"), member("lite")))
    assert lines == [
        "license: apache-2.0",
        "library_name: vidfit",
        "pipeline_tag: video-classification",
        "tags:",
        '- "vidfit"',
        '- "video-classification"',
        '- "motion"',
        '- "lite"',
        "metrics:",
        "- accuracy",
    ]


def test_scores_come_with_intervals_protocol_and_the_baseline():
    text = shown(member("motion"))
    assert "| accuracy (top-1) | 78.3 % [72.1, 84.0] |" in text
    assert "| always the most frequent class | 50.0 % [45.0, 55.0] |" in text
    assert "Held out: nested cross-validation, 5 folds." in text
    assert "clips: 300 clips, 44 recordings" in text
    assert "calibration error: 3.4 points" in text
    assert "## Limits\n\nScores hold for clips like the training clips." in text
    assert "vidfit predict model video.mp4" in text


def test_sampling_preprocessing_and_thresholds_are_given():
    text = shown(member("motion"))
    assert "| motion | 4 x 1 | even | 16 x 16 | whole frame |" in text
    assert "below a probability of 40.0 %" in text and "temperature of 1.5" in text
    assert "What share of clips that is was not measured." in text


def test_what_is_declined_is_said_where_it_was_measured():
    known, new = {"value": 0.07, "low": 0.05, "high": 0.1}, {"value": 0.3, "low": 0.2, "high": 0.4}
    facts = {"known": known, "strict_known": new, "new": new, "strict_new": new, "auroc": 0.8,
             "classes_left_out": 4, "why": ""}  # fmt: skip
    text = shown(member("motion"), declines=facts)
    assert "7.0 % \\[5.0, 10.0\\] of clips of known classes and 30.0 %" in text
    with pytest.raises(ModelError, match="card cannot be put into words"):
        shown(member("motion"), declines={"known": known})


@pytest.mark.parametrize(
    ("parts", "licence", "verdict"),
    [
        ([("MIT", True), ("MIT", True)], "mit", "The licences of all parts allow commercial use"),
        ([("MIT", True), ("Apache-2.0", True)], "other", "allow commercial use"),
        (
            [("MIT", True), ("CC-BY-NC-4.0", False)],
            "other",
            "**No commercial use** of the whole: part1 forbids it",
        ),
        ([("CC-BY-NC-4.0", False)], "cc-by-nc-4.0", "**No commercial use**"),
        ([("unknown", None)], "other", "**Commercial use is unclear**: the licence of part0"),
        ([("unknown", None), ("CC-BY-NC-4.0", False)], "other", "**No commercial use**"),
    ],
)
def test_the_strictest_licence_is_said_plainly(parts, licence, verdict):
    members = [member(f"part{i}", *facts) for i, facts in enumerate(parts)]
    text = shown(*members)
    assert front_matter(text)[0] == f"license: {licence}"
    assert verdict in text


def test_names_are_shown_and_never_read_as_markup():
    evil = 'a|b`c`\n---\nlicense: mit <script> "x" [y](z)'
    text = model_card_markdown(
        replace(example(), classes=(evil, "go"), members=(evil,), card=card(member(evil)))
    )
    assert text.count("\n---\n") == 1 and front_matter(text)[0] == "license: apache-2.0"
    assert "<script>" not in text.split("---\n", 2)[2]
    row = next(line for line in text.splitlines() if line.startswith("| a\\|b"))
    assert row.replace("\\|", "").count("|") == 7
    assert escaped("[y](z)\n# x") == "\\[y\\](z) \\# x"


def test_a_compressed_model_says_at_what_loss():
    compression = {
        "technique": "int8-static",
        "details": ["one", "two"],
        "from": "out/model",
        "accuracy": {"value": 0.78, "low": 0.7, "high": 0.85},
        "loss": {"value": 0.002, "low": -0.01, "high": 0.004},
        "similarity": 0.9991,
        "footprint": {
            "engine": "onnx", "latency_seconds": 0.01, "latency_ratio": 1.8,
            "size_bytes": 4_100_000, "memory_bytes": 1,
        },
        "protocol": "cross-validation",
    }  # fmt: skip
    text = shown(member("lite"), compression=compression)
    assert "Made by int8-static from out/model: one, two." in text
    assert "| accuracy lost | +0.2 points [-1.0, 0.4] |" in text
    assert "| times as fast | 1.80 |" in text and "| size | 4.1 MB |" in text
    assert "## Compression" not in shown(member("lite"))


def test_a_model_without_a_card_or_a_score_says_so():
    text = model_card_markdown(replace(example(), card={}))
    assert "No clips were put aside: there is no score." in text and "metrics:" not in text
    assert "| org/two | unknown | unclear | unknown |" in text
    assert front_matter(text)[0] == "license: other"
    unscored = shown(member("motion"), accuracy=None, majority=None)
    assert "there is no score" in unscored


def test_another_metric_is_named_with_its_own_figures():
    loss = {"value": 0.412, "low": 0.35, "high": 0.48}
    text = shown(member("motion"), metric="log-loss", score=loss, majority=loss, even=True)
    assert "| log-loss | 0.412 [0.350, 0.480] |" in text
    assert "| always the most frequent class | 0.412 [0.350, 0.480] |" in text
    assert "as if every class were as frequent" in text
    assert "as if every class" not in shown(member("motion"))
