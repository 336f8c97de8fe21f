from __future__ import annotations

import pytest

from vidfit.contracts import Failure
from vidfit.errors import ManifestError
from vidfit.manifest.texts import TextRow, is_text_table, open_texts


def test_texts_labels_and_what_belongs_together(tmp_path):
    path = tmp_path / "lines.csv"
    path.write_text('Text,label,episode,other\n"hi, you",a,1,x\n,b,1,x\nho,,2,x\n')
    table = open_texts(path)
    assert table.grouping == "from the column 'episode' of lines.csv"
    rows = list(table)
    assert rows[0] == TextRow("row 1", "hi, you", "a", "1")
    assert rows[1] == Failure("lines.csv, row 2", "has no text")
    assert rows[2] == TextRow("row 3", "ho", None, "2")
    assert list(table) == rows


def test_which_tables_are_of_texts_alone(tmp_path):
    tables = (("a.csv", "text,label", True), ("b.csv", "path,text", False),
              ("c.csv", "path,label", False), ("d.txt", "text,label", False))  # fmt: skip
    for name, head, alone in tables:
        (tmp_path / name).write_text(f"{head}\na,b\n")
        assert is_text_table(tmp_path / name) == alone
    assert not is_text_table(tmp_path) and not is_text_table("http://host/a.csv")
    with pytest.raises(ManifestError, match="no table with a column of texts"):
        open_texts(tmp_path / "c.csv")
