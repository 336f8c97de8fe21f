from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from tests.tiny_reader import articles, question, squad

from vidfit.errors import ManifestError
from vidfit.manifest.questions import read_squad, write_predictions, write_squad

SHARED = Path(__file__).parents[4] / "shared" / "data" / "squad"


def written(tmp_path, document):
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_questions_come_back_as_they_were_written(tmp_path):
    asked = [*articles(3), question("n", "Who sleeps ?", "Cats sleep .", None, "b")]
    found = read_squad(write_squad(asked, tmp_path / "out.json"))
    assert found.questions == tuple(asked)
    assert found.rejected == ()
    assert found.articles == ("article 0", "article 1", "article 2", "b")
    assert [one.key for one in found.of({"b"})] == ["n"]
    path = write_predictions({"n": ""}, tmp_path / "said.json")
    assert json.loads(path.read_text()) == {"n": ""}


def answer(**facts):
    def change(document):
        document["data"][0]["paragraphs"][0]["qas"][0]["answers"][0].update(facts)

    return change


def at(*path, value):
    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


QAS = ("data", 0, "paragraphs", 0, "qas")
FAULTS = [
    (answer(text="carthage"), "answers[0]", '"carthage" is not in its context'),
    (answer(answer_start=3), "answers[0]", "not at sign 3 of its context, but at 24"),
    (answer(answer_start="24"), "answers[0]", 'answer_start is "24"'),
    (answer(answer_start=None), "answers[0]", "answer_start is null"),
    (answer(text=" "), "answers[0]", "its text is empty"),
    (at(*QAS, 0, "answers", value=[]), "qas[0]", "say is_impossible"),
    (at(*QAS, 0, "answers", value="anna"), "qas[0]", "its answers are no list"),
    (at(*QAS, 0, "question", value=""), "qas[0]", 'its question is ""'),
    (at(*QAS, 0, "id", value="0b"), "paragraphs[0].qas[0]", "is of another question, too"),
    (at(*QAS, 0, value=7), "qas[0]", "it is no object"),
    (at(*QAS, value=None), "paragraphs[0]", "list of qas"),
    (at("data", 0, "paragraphs", 0, "context", value=" "), "paragraphs[0]", "its context is"),
    (at("data", 0, "paragraphs", value={}), "data[0]", "list of paragraphs"),
]


@pytest.mark.parametrize(("change", "place", "why"), FAULTS)
def test_each_fault_is_named_with_its_place_and_stops_nothing(tmp_path, change, place, why):
    document = squad(*articles(2))
    changed = copy.deepcopy(document)
    change(changed)
    if why.startswith("is of another"):
        changed["data"].reverse()
    found = read_squad(written(tmp_path, changed))
    assert len(found.questions) >= 2
    (only,) = found.rejected
    assert only.name.endswith(place) and why in only.reason


def test_all_faults_of_a_file_without_a_sound_question_are_said(tmp_path):
    document = squad(*articles(3))
    for article in document["data"]:
        for paragraph in article["paragraphs"]:
            for row in paragraph["qas"]:
                row["answers"] = [{"text": "nowhere", "answer_start": 0}]
    with pytest.raises(ManifestError, match="no question that can be used") as told:
        read_squad(written(tmp_path, document))
    count = sum(len(p["qas"]) for a in document["data"] for p in a["paragraphs"])
    assert len(told.value.faults) == count > 1
    assert {why for _, why in told.value.faults} == {'"nowhere" is not in its context'}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"data": 3}', '{"data": []}', "\udcff"])
def test_what_is_no_squad_file_is_refused(tmp_path, content):
    path = tmp_path / "bad.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ManifestError, match=r"bad\.json"):
        read_squad(path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="SQuAD is not here")
def test_the_real_set_is_read_whole():
    found = read_squad(SHARED / "dev-v1.1.json")
    assert len(found.questions) == 4961
    assert (len(found.articles), found.rejected) == (24, ())
