"""``vidfit models``: tables, filters, one model in full, and wrong words."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tests.called import call

from vidfit.backbones import OF_TASKS
from vidfit.backbones.catalogue import entries, find, status
from vidfit.backbones.package_weights import PACKAGE_WEIGHTS
from vidfit.cli.model_filters import millions


def models(*words: object):
    return call("models", *words)


def names(*words: object) -> list[str]:
    result = models(*words, "--json")
    assert result.exit_code == 0, result.output
    return [row["name"] for row in json.loads(result.stdout)]


@pytest.fixture(autouse=True)
def _empty_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_all_models_are_listed_in_full_when_piped():
    result = models()
    assert result.exit_code == 0 and result.stderr == ""
    head, *rows = result.stdout.split("\n\n")[0].splitlines()
    expected = "model input gives here params M GMACs/clip commercial licence"
    assert head.split() == expected.split()
    assert len(rows) == len(entries())
    first_words = {row.split("  ")[0] for row in rows}
    assert first_words == {entry.name for entry in entries()}  # no name is cut
    assert "…" not in result.stdout and not any(row.endswith(" ") for row in rows)
    assert f"{len(entries())} models: 11 ready, 14 after --download, 9 from a file" in result.stdout


def test_what_is_at_hand_comes_first_and_cheapest_before():
    rows = models("--modality", "image").stdout.splitlines()
    assert [row.split()[0] for row in rows[1:4]] == [
        "efficientnet-lite0-places",
        "efficientnet-lite1-places",
        "efficientnet-lite2-places",
    ]


@pytest.mark.parametrize(
    ("words", "passes"),
    [
        (["--task", "action-recognition"], lambda e: "action-recognition" in e.tasks),
        (["--modality", "text"], lambda e: "text" in e.modality.split("+")),
        (["--max-params", "20M"], lambda e: e.parameters_m is not None and e.parameters_m <= 20),
        (["--max-gmacs", "50"], lambda e: e.gmacs_per_clip is not None and e.gmacs_per_clip <= 50),
        (["--licence", "CC-BY"], lambda e: "cc-by" in e.licence.lower()),
        (["--commercial"], lambda e: e.commercial_use is True),
        (["--loadable"], lambda e: status(e).loadable),
        (["--present"], lambda e: status(e).present is True),
        (
            ["--task", "clip-encoder", "--commercial", "--max-params", "400M", "--loadable"],
            lambda e: (
                "clip-encoder" in e.tasks
                and e.commercial_use
                and (e.parameters_m is not None and e.parameters_m <= 400)
                and status(e).loadable
            ),
        ),
    ],
)
def test_filters_keep_what_they_say(words, passes):
    expected = [entry.name for entry in entries() if passes(entry)]
    assert 0 < len(expected) < len(entries())
    assert names(*words) == expected


def test_each_says_what_it_gives_and_what_its_weights_are_fetched_by():
    rows = {row["name"]: row for row in json.loads(models("--json").stdout)}
    given = {name: row["gives"] for name, row in rows.items()}
    assert {name: given[name] for name in OF_TASKS} == {
        "efficientnet-lite0-places": "places",
        "efficientnet-lite1-places": "places",
        "efficientnet-lite2-places": "places",
        "dlib-face": "faces",
        "log-mel": "sound",
        "minilm": "words",
        "nanodet": "boxes",
        "selfie": "person mask",
        "speed-grid": "speeds",
        "vader": "words",
        "whisper-tiny.en": "sound",
    }
    assert (given["selfie"], given["motion"], given["openai-community/gpt2"]) == (
        "person mask", "clips", "",
    )  # fmt: skip
    for name in PACKAGE_WEIGHTS.keys() - {"mnist-digits"}:  # pictures, and no model
        assert rows[name]["status"]["loadable"] is False and rows[name]["licence"]
    assert "--fetch dlib-face" in rows["dlib-face"]["status"]["reason"]
    used = models("efficientnet-lite0-places").stdout
    assert "vidfit fit PICTURES --task segment --backbone efficientnet-lite0-places\n" in used


def test_cost_counts_all_views():
    """A ViT-S at 6.1 GMACs is dear once eight frames are seen."""
    assert find("facebook/dinov2-small").gmacs_per_view < 10
    assert "hf:facebook/dinov2-small" not in names("--max-gmacs", 10)
    assert "hf:facebook/dinov2-small" in names("--max-gmacs", 49)


def test_an_open_licence_is_not_allowed_and_counted():
    open_ones = [entry for entry in entries() if entry.commercial_use is None]
    result = models("--commercial")
    assert f"--commercial: {len(open_ones)} left out because the licence leaves it open" in (
        result.stderr
    )
    assert not {entry.name for entry in open_ones} & set(names("--commercial"))


def test_figures_that_are_not_known_are_counted():
    unknown = sum(entry.gmacs_per_clip is None for entry in entries())
    assert f"--max-gmacs 5: {unknown} left out because the figure is not known" in (
        models("--max-gmacs", 5).stderr
    )


def test_when_nothing_matches_each_filter_says_what_it_left():
    result = models("--task", "shot-detection", "--max-gmacs", "1", "--commercial")
    assert result.exit_code == 0 and result.stdout == ""
    assert (
        f"No model passes all filters. Of {len(entries())}: --task shot-detection left 1; "
        "--max-gmacs 1 left 0; --commercial left 0."
    ) in result.stderr
    assert names("--task", "shot-detection", "--max-gmacs", "1") == []


def test_one_model_in_full():
    result = models("mcg-nju/VideoMAE-base-finetuned-kinetics")
    assert result.exit_code == 0
    lines = {line[:18].strip(): line[18:] for line in result.stdout.splitlines()}
    assert lines["model"] == "hf:MCG-NJU/videomae-base-finetuned-kinetics"
    assert "x 1 view = 180.3 GMACs a clip" in lines["cost"]
    assert lines["commercial use"] == "its licence (CC-BY-NC-4.0) forbids commercial use"
    assert "MODEL_ZOO.md" in lines["source"]
    assert "Kinetics-400 top-1 80.9 (at 5x3 views)" in result.stdout
    assert lines["to use it"] == (
        "vidfit fit CLIPS --backbone hf:MCG-NJU/videomae-base-finetuned-kinetics --download"
    )


def test_one_model_that_is_at_hand_and_one_that_cannot_be_loaded():
    ready = models("motion").stdout
    assert "here              ready" in ready and "--backbone motion\n" in ready
    own = models("vgg16:FILE").stdout
    assert "put its path in the place of FILE" in own and "licence           not known" in own
    other = models("timm/resnet18.a1_in1k").stdout
    assert "timm needs torchvision" in other and "to use it" not in other


def test_one_model_as_json():
    facts = json.loads(models("transnetv2", "--json").stdout)
    assert facts["commercial_use"] is True and facts["gmacs_per_clip"] == pytest.approx(9.98, 1e-3)
    assert facts["metrics"]["ClipShots F1"] == 77.9
    assert facts["status"] == {"loadable": True, "present": True, "reason": ""}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["dinov2-smal"], "Did you mean 'hf:facebook/dinov2-small'?"),
        (["--task", "clip-encoders"], "Did you mean 'clip-encoder'? Valid are action-recognition"),
        (["--modality", "videos"], "Did you mean 'video'? Valid are audio, image, text, video."),
        (["--licence", "apachee"], "Did you mean 'apache-2.0'?"),
        (["--licence", "qqqq"], "no licence in the catalogue has the words 'qqqq'. `vidfit"),
        (["--max-params", "big"], "'big' is no count of parameters; write 100M"),
        (["--max-gmacs", "-1"], "--max-gmacs"),
        (["motion", "--present"], "give it, or filters, not both"),
    ],
)
def test_wrong_words_are_answered_with_what_is_valid(words, message):
    result = models(*words)
    assert result.exit_code == 2 and result.stdout == ""
    assert message in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("text", "count"),
    [("100M", 100), ("100", 100), ("1.2B", 1200), ("1.2g", 1200), ("500k", 0.5), (None, None)],
)
def test_counts_of_parameters(text, count):
    assert millions(text) == count


def test_a_narrow_terminal_breaks_names_and_cuts_none():
    code = (
        "import sys; sys.stdout.isatty = lambda: True\n"
        "from vidfit.cli.main import app; app(['models', '--task', 'frame-encoder'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "80", "TERM": "dumb"},
    )
    table = done.stdout.split("\n\n")[0]
    assert max(map(len, table.splitlines())) <= 80
    first_column = table.splitlines()[0].index("input")
    letters = "".join(line[:first_column].strip() for line in table.splitlines())
    assert "timm/vit_base_patch16_224.augreg2_in21k_ft_in1k" in letters


def test_the_answer_needs_nothing_heavy():
    code = (
        "import sys\nfrom vidfit.cli.main import app\n"
        "app(['models', '--present'], standalone_mode=False)\nprint(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]
    heavy = {"torch", "transformers", "av", "cv2", "matplotlib", "scipy", "sklearn", "httpx"}
    assert "vidfit.cli.models" in loaded.split() and heavy.isdisjoint(loaded.split())
