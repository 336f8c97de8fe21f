"""Names of classes: each is of one class, and a word of the glossary names what it says there."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parent.parent
SOURCES = ROOT / "src" / "vidfit"

MEANT = {
    "Degradation": "pixels.restore.degrade",
    "Restorer": "pixels.restore.restorer",
    "Steadied": "pixels.restore.steady",
    "Stretch": "pixels.restore.material",
    "Backbone": "contracts",
    "Box": "boxes",
    "Detector": "contracts",
    "Segmenter": "contracts",
    "ScoredAgain": "tasks.detect.learner",
    "BalancedAccuracy": "metrics.class_measures",
    "BrierScore": "metrics.class_measures",
    "Candidate": "reported",
    "Certificate": "jobs.compress.value",
    "Cue": "manifest.subtitles",
    "Piece": "jobs.transcribe.pieces",
    "Transcript": "jobs.transcribe.value",
    "Clip": "contracts",
    "Crossing": "tracking.events",
    "Encoder": "backbones.hub.encoder",
    "ExactMatch": "metrics.reading",
    "F1": "metrics.class_measures",
    "Gallery": "tasks.faces.gallery",
    "Learner": "fusion.learner",
    "LabelledFrame": "boxes",
    "LinearProbe": "fusion.learner",
    "LogLoss": "metrics.class_measures",
    "Measure": "metrics.measures",
    "Metric": "report.wording",
    "NearDuplicate": "reported",
    "Nested": "selection.nested",
    "Number": "labels.number",
    "Pack": "features.packs",
    "Passage": "jobs.search.transcripts",
    "Race": "selection.race",
    "Round": "selection.race",
    "Sample": "shards.samples",
    "Segment": "answers",
    "Shot": "jobs.search.shots",
    "Student": "jobs.fuse.value",
    "Task": "tasks.task",
    "Visit": "tracking.events",
    "Vocabulary": "networks.vocabulary",
}
"""Class that bears a term of the glossary -> where the class stands that is what the term says."""


def classes() -> dict[str, list[str]]:
    """Return the modules, below ``vidfit``, in which each name is that of a class."""
    found = defaultdict(list)
    for path in sorted(SOURCES.rglob("*.py")):
        module = ".".join(path.relative_to(SOURCES).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found[node.name].append(module.removesuffix(".__init__"))
    return found


def terms() -> list[str]:
    """Return the bold terms of the glossary, in its order."""
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    return re.findall(r"\*\*([^*]+)\*\*", glossary)


def class_names(term: str) -> set[str]:
    """Return what a class of that term would be called: of one, as classes are."""
    name = "".join(word[0].upper() + word[1:] for word in re.findall(r"[A-Za-z0-9]+", term))
    return {name, name.removesuffix("s"), re.sub("ies$", "y", name)}


def test_a_term_gives_the_names_that_a_class_of_it_would_have():
    assert "NearDuplicate" in class_names("Near-duplicates")
    assert "Family" in class_names("Families")
    assert "F1" in class_names("F1")


def test_no_two_classes_have_one_name():
    several = {name: where for name, where in classes().items() if len(where) > 1}
    assert several == {}


def test_each_term_is_explained_once():
    found = [term for term in terms() if terms().count(term) > 1]
    assert found == []


def test_a_class_named_as_a_term_is_what_the_glossary_says():
    known = classes()
    borne = {name for term in terms() for name in class_names(term) if name in known}
    assert {name: known[name] for name in borne} == {name: [MEANT[name]] for name in MEANT}
