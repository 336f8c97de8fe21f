from __future__ import annotations

import json

import pytest

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.language import texts
from vidfit.language.texts import pieces_of


def documents(source):
    found, failures = {}, []
    for piece in pieces_of(source):
        if isinstance(piece, Failure):
            failures.append(piece)
        else:
            found[piece.document] = found.get(piece.document, "") + piece.text
    return found, failures


def test_documents_of_all_kinds(tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "_PIECE_BYTES", 4)
    (tmp_path / "a.txt").write_text("line one\nline two")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
    squad = {"data": [{"title": "T", "paragraphs": [{"context": "x"}, {"context": "y"}]}]}
    (tmp_path / "c.json").write_text(json.dumps(squad))
    (tmp_path / "d.csv").write_text("text,label,episode\nhi,a,1\nho,b,2\nhe,a,1\n,a,1\n")
    (tmp_path / "e.json").write_text("[]")
    (tmp_path / "f.txt").write_bytes(b"\xff\xfe\xfa")
    (tmp_path / "g.vtt").write_text("WEBVTT")
    (tmp_path / "h.bin").write_text("no text")
    found, failures = documents(tmp_path)
    assert found == {
        "a.txt": "line one\nline two", "c.json: T": "x\ny", "d.csv: 1": "hi\nhe\n",
        "d.csv: 2": "ho\n", "sub/b.srt": "Hello",
    }  # fmt: skip
    assert [one.name for one in failures] == ["d.csv, row 4", "e.json", "f.txt", "g.vtt"]


def test_one_file_alone_and_none(tmp_path):
    (tmp_path / "a.md").write_text("words")
    assert documents(tmp_path / "a.md") == ({"a.md": "words"}, [])
    (tmp_path / "a.md").rename(tmp_path / "a.bin")
    with pytest.raises(ManifestError, match="holds no texts"):
        documents(tmp_path)
