"""Benchmarks state their bars, and fail where one is missed."""

from __future__ import annotations

import argparse
import ast
import json
from pathlib import Path

import pytest
from benchmarks import compare
from benchmarks._harness import finish
from benchmarks.selection_regret import _without_clips

from vidfit.contracts import Cost

ROOT = Path(__file__).parent.parent
MODULES = sorted(p for p in (ROOT / "benchmarks").glob("*.py") if not p.name.startswith("_"))
WITHOUT_BAR = {"motion_settings", "recipes", "track_looks"}
"""Benchmarks that compare and promise nothing."""


def closing_calls(path):
    calls = (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call))
    return [call for call in calls if getattr(call.func, "id", "") == "finish"]


def verdict(call):
    return next(keyword.value for keyword in call.keywords if keyword.arg == "met")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_a_benchmark_computes_whether_its_bar_is_met_or_says_that_it_has_none(path):
    verdicts = [verdict(call) for call in closing_calls(path)]
    assert verdicts
    constants = [each.value for each in verdicts if isinstance(each, ast.Constant)]
    assert constants == ([None] if path.stem in WITHOUT_BAR else [])


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_the_last_line_of_a_benchmark_names_its_bar(path):
    assert ("(bar" in path.read_text() or "; bar " in path.read_text()) == (
        path.stem not in WITHOUT_BAR
    )


def options(path=None):
    return argparse.Namespace(json=path)


@pytest.mark.parametrize(("met", "said"), [(True, "bar met"), (None, "no bar")])
def test_a_benchmark_ends_with_its_headline_and_verdict(met, said, capsys):
    finish(options(), {}, {}, "2 s (bar 3)", met=met)
    assert capsys.readouterr().out.splitlines()[-1] == f"2 s (bar 3): {said}"


def test_a_missed_bar_ends_with_status_one_after_the_figures_are_written(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        finish(options(tmp_path / "all.json"), {"x": 4}, {}, "4 s (bar 3)", met=False)
    assert ended.value.code == 1
    assert capsys.readouterr().out.splitlines()[-1] == "4 s (bar 3): bar NOT met"
    written = json.loads((tmp_path / "all.json").read_text())
    assert (written["headline"], written["figures"]) == ("4 s (bar 3): bar NOT met", {"x": 4})


def test_a_benchmark_cannot_leave_its_verdict_out():
    with pytest.raises(TypeError, match="met"):
        finish(options(), {}, {}, "2 s (bar 3)")


def test_what_would_be_taken_without_clips_is_read_from_the_catalogue():
    names = ("motion", "efficientnet-lite1@16", "efficientnet-lite2@4", "efficientnet-lite2@16",
             "transnetv2", "random:efficientnet-lite2", "mobilenetv2@8")  # fmt: skip
    costs = {name: Cost(0.01, 0.001 * i) for i, name in enumerate(names)}
    # 7.6 M parameters; 77.6 % on ImageNet, of two samplings the dearer.
    assert _without_clips(costs) == {
        "largest": "transnetv2", "best published": "efficientnet-lite2@16"
    }  # fmt: skip


def taken(clips, wall, gib):
    return {"clips": clips, "wall": wall, "cpu": 1.5 * wall, "peak bytes": int(gib * 2**30)}


@pytest.mark.parametrize(
    ("wall", "large_wall", "gib", "met"),
    [(59, 780, 5.9, True), (61, 780, 5.9, False), (59, 800, 5.9, False), (59, 780, 6.1, False)],
)
def test_each_bar_of_the_comparison_can_be_missed(wall, large_wall, gib, met):
    figures = {
        "letters": taken(985, wall, 1), "1,000": taken(1000, 46.2, 1),
        "13,000": taken(13_000, large_wall, gib),
    }  # fmt: skip
    headline, found = compare._headline(figures)
    assert found == met
    assert headline.startswith(f"{wall} s for letters (bar 60 s")
    assert f"times one of 1,000 (bar 1.3); {gib} GiB (bar 6)" in headline


def test_the_comparison_of_one_size_claims_no_growth():
    headline, met = compare._headline({"letters": taken(985, 30, 0.5)})
    assert met and headline == (
        "30 s for letters (bar 60 s; 45 s of the processor); 0.5 GiB (bar 6)"
    )
