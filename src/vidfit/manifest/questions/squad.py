"""SQuAD 1.1 and 2.0 (Rajpurkar et al. 2016, 2018) as JSON: ``data``, ``paragraphs``, ``qas``.

A question of 2.0 that its text does not answer has ``is_impossible`` and no answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from vidfit.contracts import Failure
from vidfit.documents import read_json, shown, to_json
from vidfit.errors import ManifestError
from vidfit.files import write_whole
from vidfit.manifest.questions.value import AnswerSpan, QuestionSet, TextQuestion
from vidfit.manifest.told import faults_of

_FORM = '{"data": [{"title": …, "paragraphs": [{"context": …, "qas": [{"question": …, …}]}]}]}'


def read_squad(path: Path) -> QuestionSet:
    """Read the questions of a file.

    An answer that does not stand where it says, a question without words or with the id of
    another, and whatever has another form is left out, with its place and the reason.

    Raises
    ------
    ManifestError
        If it is no such file, or no question of it can be used.
    """
    try:
        found = read_json(path)
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path} cannot be read as SQuAD: {error}") from error
    if not isinstance(found, dict) or not isinstance(found.get("data"), list):
        raise ManifestError(f"{path} is no SQuAD file: its form is {_FORM}")
    questions: dict[str, TextQuestion] = {}
    rejected: list[Failure] = []
    for place, one in _rows(found["data"], rejected):
        question = _question(place, one, rejected)
        if question is None:
            continue
        if question.key in questions:
            rejected.append(Failure(place, f"the id {question.key!r} is of another question, too"))
            continue
        questions[question.key] = question
    if not questions:
        raise ManifestError(f"{path} holds no question that can be used", faults_of(rejected))
    return QuestionSet(tuple(questions.values()), tuple(rejected))


def _rows(
    data: list[Any], rejected: list[Failure]
) -> Iterator[tuple[str, tuple[str, str, Mapping[str, Any]]]]:
    """Yield place, and article, context and question; what has another form is rejected."""
    for a, article in enumerate(data):
        where = f"data[{a}]"
        if not isinstance(article, dict) or not isinstance(article.get("paragraphs"), list):
            rejected.append(Failure(where, "it is no object with a list of paragraphs"))
            continue
        title = article.get("title")
        title = title if isinstance(title, str) and title.strip() else where
        for p, paragraph in enumerate(article["paragraphs"]):
            place = f"{where}.paragraphs[{p}]"
            if not isinstance(paragraph, dict) or not isinstance(paragraph.get("qas"), list):
                rejected.append(Failure(place, "it is no object with a list of qas"))
                continue
            context = paragraph.get("context")
            if not isinstance(context, str) or not context.strip():
                rejected.append(Failure(place, f"its context is {shown(context)}; give a text"))
                continue
            for q, row in enumerate(paragraph["qas"]):
                if isinstance(row, dict):
                    yield f"{place}.qas[{q}]", (title, context, row)
                else:
                    rejected.append(Failure(f"{place}.qas[{q}]", "it is no object"))


def _question(
    place: str, row: tuple[str, str, Mapping[str, Any]], rejected: list[Failure]
) -> TextQuestion | None:
    """Return a question, or ``None`` where it is rejected."""
    title, context, facts = row
    asked, key = facts.get("question"), facts.get("id", place)
    if not isinstance(asked, str) or not asked.strip():
        rejected.append(Failure(place, f"its question is {shown(asked)}; give words"))
        return None
    impossible = facts.get("is_impossible", False)
    answers = facts.get("answers", [])
    if not isinstance(answers, list) or not isinstance(impossible, bool):
        rejected.append(Failure(place, "its answers are no list, or is_impossible no truth value"))
        return None
    if impossible:
        return TextQuestion(str(key), asked, context, title, ())
    kept = []
    for number, answer in enumerate(answers):
        why = _wrong(answer, context)
        if why:
            rejected.append(Failure(f"{place}.answers[{number}]", why))
        else:
            kept.append(AnswerSpan(answer["text"], answer["answer_start"]))
    if not kept:
        if not answers:
            why = "it has no answer; say is_impossible where its text gives none"
            rejected.append(Failure(place, why))
        return None
    return TextQuestion(str(key), asked, context, title, tuple(kept))


def _wrong(answer: object, context: str) -> str:
    """Return what is wrong with an answer, if anything is."""
    if not isinstance(answer, dict) or not isinstance(answer.get("text"), str):
        return "it is no object with a text"
    text, start = answer["text"], answer.get("answer_start")
    if not text.strip():
        return "its text is empty"
    if type(start) is not int or start < 0:
        return f"its answer_start is {shown(start)}; give the sign that it begins at, from 0"
    if context.startswith(text, start):
        return ""
    other = context.find(text)
    if other < 0:
        return f"{shown(text)} is not in its context"
    return f"{shown(text)} is not at sign {start} of its context, but at {other}"


def write_squad(questions: Sequence[TextQuestion], path: Path) -> Path:
    """Write questions as SQuAD 2.0; those of one text that follow one another stay together."""
    data = []
    for title, of_article in groupby(questions, key=lambda one: one.article):
        paragraphs = [
            {"context": context, "qas": [_row(one) for one in of_context]}
            for context, of_context in groupby(of_article, key=lambda one: one.context)
        ]
        data.append({"title": title, "paragraphs": paragraphs})
    text = to_json({"version": "v2.0", "data": data}, ascii_only=False)
    return write_whole(path, text.encode())


def _row(question: TextQuestion) -> dict[str, Any]:
    return {
        "id": question.key,
        "question": question.asked,
        "is_impossible": not question.answers,
        "answers": [{"text": a.text, "answer_start": a.start} for a in question.answers],
    }


def write_predictions(answers: Mapping[str, str], path: Path) -> Path:
    """Write answers by id, as the official evaluation script reads them; "" is no answer."""
    return write_whole(path, to_json(dict(answers), ascii_only=False, indent=0).encode())
