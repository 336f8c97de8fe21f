"""Rows of AVA, and what are none."""

from __future__ import annotations

from tests.manifest.spans.examples import (
    BOX,
    said,
    unread,
    why,
)

from vidfit.manifest.spans import (
    parse_ava,
)
from vidfit.manifest.spans.ava import action_names, is_ava


def test_ava_gives_seconds_that_follow_one_another_as_a_span():
    lines = [f"vid,0902,{BOX},12,0", f"vid,0903,{BOX},12,0", f"vid,0903,{BOX},12,1",
             f"vid,0905,{BOX},12,0", f"vid,0903,{BOX},80,0"]  # fmt: skip
    names = action_names('item {\n name: "stand"\n id: 12\n}\nitem { name: "watch" label_id: 80 }')
    rows = parse_ava("\n".join(lines), "ava.csv", names)
    assert said(rows) == [
        ("vid", "stand", 901.5, 903.5),
        ("vid", "stand", 904.5, 905.5),
        ("vid", "watch", 902.5, 903.5),
    ]
    assert [clip.label for clip in parse_ava(lines[0], "ava.csv").clips] == ["12"]
    assert "Boxes and persons" in rows.warnings[0]
    assert unread(rows) == [("vid", 0.0, 901.5), ("vid", 905.5, None)]


def test_a_row_that_is_not_of_ava_is_named():
    rows = parse_ava(f"vid,0902,{BOX},12,0\nvid,0903,{BOX},\nvid,x,{BOX},1,1", "ava.csv")
    assert list(why(rows)) == ["ava.csv, line 2", "ava.csv, line 3"]
    assert ("vid", 902.5, 903.5) in unread(rows) and ("vid", 0.0, None) in unread(rows)
    assert not is_ava("a.mp4,0,2,walk") and not is_ava("path,label,start,end")
