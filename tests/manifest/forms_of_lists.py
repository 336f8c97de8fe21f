"""Forms of tables and lists."""

from __future__ import annotations

from pathlib import Path

from tests.clips import write_clip
from tests.manifest.made import Form, Make, rows, write

FRAMES = tuple(f"frames/{v}/img_{i:05d}.jpg" for v in ("one", "two") for i in range(3))
FOUR = ("a.mp4", "b.mp4", "c.mp4", "d.mp4")


def text(*lines: str, files: tuple[str, ...] = FOUR[:2], encoding: str = "utf-8") -> Make:
    """Return what makes a plain list."""
    return rows(*lines, files=files, name="list.txt", encoding=encoding)


def real(*lines: str) -> Make:
    """Return what makes a table of a real video of 50 frames, 12.5 a second."""

    def make(folder: Path) -> Path:
        write_clip(folder / "a.mp4", frames=50)
        return rows(*lines, files=())(folder)

    return make


def from_windows(folder: Path) -> Path:
    write(folder, "videos/a.mp4", "videos/b.mp4", "lists/notes.txt")
    lines = ("path,label", r"videos\a.mp4,walk", r"videos\b.mp4,stand")
    return rows(*lines, files=())(folder / "lists")


MISSING = [f"v{i}.mp4,{'xy'[i % 2]},0,9" for i in range(20)]

# fmt: off
LISTS = (
    Form("`path,label`", rows("path,label", "a.mp4,walk", "b.mp4,stand")),
    Form("`file_name,action`", rows("file_name,action", "a.mp4,walk", "b.mp4,stand")),
    Form("`video_name,choice`", rows("video_name,choice", "a.mp4,walk", "b.mp4,stand")),
    Form("`name,what`", rows("name,what", "a.mp4,walk", "b.mp4,stand")),
    Form("`a.mp4,walk`", rows("a.mp4,walk", "b.mp4,stand")),
    Form("`a.mp4,0,2,walk`", rows("a.mp4,0,2,walk", "b.mp4,0,2,stand")),
    Form("`a.mp4 walk`", text("a.mp4 walk", "b.mp4 stand")),
    Form("`a.mp4` tab `playing guitar`", text("a.mp4\tplaying guitar", "b.mp4\tsitting still")),
    Form("`a.mp4 playing guitar`", text("a.mp4 playing guitar", "b.mp4 sitting still")),
    Form("`a.mp4 0 3`", text("a.mp4 0 3", "b.mp4 1")),
    Form("`walk a.mp4`", text("walk a.mp4", "stand b.mp4")),
    Form("`folder total label`", text("one 3 0", "two 3 1", files=FRAMES)),
    Form("`folder offset total label`", text("one 0 2 0", "two 1 2 1", files=FRAMES)),
    Form("`#1.mp4 walk`, and a file of that name",
         text("# mine", "#1.mp4 walk", "b.mp4 stand", files=("#1.mp4", "b.mp4"))),
    Form("`start_frame,stop_frame`",
         real("path,label,start_frame,stop_frame", "a.mp4,walk,0,25", "a.mp4,stand,25,50")),
    Form("frames that the video does not have",
         real("path,label,start_frame,stop_frame", "a.mp4,walk,0,25", "a.mp4,stand,25,500")),
    Form("times `1:30` and `0:01:00`",
         rows("path,label,start,end", "a.mp4,walk,1:30,1:35", "b.mp4,stand,0:01:00,0:02:00")),
    Form("`sep=;`, decimal commas",
         rows("sep=;", "path;label;start;end", "a.mp4;walk;0,5;1,5", "b.mp4;stand;;")),
    Form("CSV in Windows-1252",
         rows("path,label", "a.mp4,caf\u00e9", "b.mp4,bar", encoding="cp1252")),
    Form("CSV in UTF-16", rows("path,label", "a.mp4,caf\u00e9", "b.mp4,bar", encoding="utf-16")),
    Form("list in Windows-1252", text("a.mp4 caf\u00e9", "b.mp4 bar", encoding="cp1252")),
    Form(r"`videos\a.mp4`, from the folder above", from_windows),
    Form("labels `1` and `1.0`",
         rows("path,label", "a.mp4,1", "b.mp4,1.0", "c.mp4,2", files=FOUR[:3])),
    Form("labels `NaN`, `None`, `null`",
         rows("path,label", "a.mp4,walk", "b.mp4,NaN", "c.mp4,None", "d.mp4,null", files=FOUR)),
    Form("labels `Walk` and `walk`", rows("path,label", "a.mp4,Walk", "b.mp4,walk")),
    Form("20 of 22 files are not there",
         rows("path,label,first,last", "a.mp4,x,0,9", "b.mp4,y,0,9", *MISSING)),
)
# fmt: on
