"""Forms of folders."""

from __future__ import annotations

from pathlib import Path

from tests.manifest.made import Form, clips, crossed, rows, tree, write

FLOW = [f"walk/{v}/{kind}_{i}.jpg" for v in "ab" for kind in ("img", "flow_x") for i in (1, 2)]
PEOPLE = crossed(("alice", "bob"), ("walk", "stand"))


def levels(folder: Path) -> Path:
    return tree(*PEOPLE)(folder) / "RECORDING/CLASS"


def link(folder: Path) -> Path:
    write(folder, *clips("walk", "stand"))
    (folder / "stroll").symlink_to(folder / "walk", target_is_directory=True)
    return folder


def contradiction(folder: Path) -> Path:
    write(folder, *clips("walk", "stand"))
    (folder / "stand/copy.mp4").write_bytes((folder / "walk/walk-a.mp4").read_bytes())
    return folder


def hub(folder: Path) -> Path:
    return rows("file_name,label", "a.mp4,walk", "b.mp4,stand", name="metadata.csv")(folder).parent


def ucf(folder: Path) -> Path:
    names = clips("UCF-101/Walk", "UCF-101/Stand", ending=".avi")
    write(folder, *names, "ucfTrainTestlist/notes.txt")
    lists = folder / "ucfTrainTestlist"
    (lists / "classInd.txt").write_text("1 Walk\n2 Stand\n")
    listed = [name.removeprefix("UCF-101/") for name in names]
    (lists / "trainlist01.txt").write_text(f"{listed[0]} 1\n{listed[2]} 2\n")
    (lists / "testlist01.txt").write_text(f"{listed[1]}\n{listed[3]}\n")
    return folder


def kinetics(folder: Path) -> Path:
    ids = {"walking dog": "klm", "tasting beer": "no"}
    lines = [f"{label},abcdefghij{i},1,11,train" for label in ids for i in ids[label]]
    files = [f"{c.replace(' ', '_')}/abcdefghij{i}" for c in ids for i in ids[c] if i != "m"]
    write(folder, *(f"train/{file}_000001_000011.mp4" for file in files))
    header = "label,youtube_id,time_start,time_end,split"
    return rows(header, *lines, files=(), name="train.csv")(folder).parent


def elsewhere(folder: Path) -> Path:
    write(folder, *clips("train/walk", "train/stand"))
    return rows("/datasets/kinetics/walk/a.mp4 0", files=(), name="train.csv")(folder).parent


# fmt: off
FOLDERS = (
    Form("`walk/`, `stand/`", tree(*clips("walk", "stand"))),
    Form("photos in `cat/`, `dog/`", tree(*clips("cat", "dog", of=3, ending=".jpg"))),
    Form("`train/walk/`, `test/walk/`, …", tree(*crossed(("train", "test"), ("walk", "stand")))),
    Form("`Training set/walk/`, `Test set/walk/`, …",
         tree(*crossed(("Training set", "Test set"), ("walk", "stand")))),
    Form("`walk/train/`, `walk/test/`, …", tree(*crossed(("walk", "stand"), ("train", "test")))),
    Form("`train/`, `test/` with loose videos", tree(*clips("train", "test"))),
    Form("`test/walk/` beside `walk/`, `stand/`", tree(*clips("walk", "stand", "test/walk"))),
    Form("`test/` with loose videos beside `walk/`, `stand/`",
         tree(*clips("walk", "stand", "test"))),
    Form("`train/` beside `bus/`, `car/`", tree(*clips("train", "bus", "car"))),
    Form("`walk/person1/`, `stand/person1/`, …",
         tree(*crossed(("walk", "stand"), ("person1", "person2")))),
    Form("`subject0/walk/`, `subject1/walk/`, …",
         tree(*crossed(("subject0", "subject1"), ("walk", "stand")))),
    Form("`subject0/walk/`, `subject0/stand/`, no other",
         tree(*clips("subject0/walk", "subject0/stand"))),
    Form("`alice/walk/`, `bob/walk/`, …", tree(*PEOPLE)),
    Form("the same, asked for as `RECORDING/CLASS`", levels),
    Form("`Videos-Part-1/abuse/`, `Videos-Part-2/arrest/`",
         tree(*clips("Videos-Part-1/abuse", "Videos-Part-2/arrest"))),
    Form("`videos/` with class folders beside `splits/` with text",
         tree(*clips("videos/walk", "videos/stand"), "splits/walk_split1.txt")),
    Form("`UCF-101/` beside `ucfTrainTestlist/`", ucf),
    Form("`clips/` with loose videos", tree(*clips("clips"))),
    Form("an empty folder beside class folders", tree(*clips("walk", "stand"), "sit/")),
    Form("`Walk/` and `walk/`", tree(*clips("Walk", "walk", "stand"))),
    Form("`café/` with `é` composed and decomposed",
         tree(*clips("caf\u00e9", "cafe\u0301", "stand"))),
    Form("a link to a class folder", link),
    Form("`img_1.jpg` and `flow_x_1.jpg` in one folder", tree(*FLOW, *clips("stand"))),
    Form("vidfit's output beside class folders",
         tree(*clips("walk", "stand"), "out/report.json", "out/answers/a.mp4")),
    Form("one file in two classes", contradiction),
    Form("`metadata.csv` beside loose videos", hub),
    Form("Kinetics: `train.csv` beside `train/CLASS/`", kinetics),
    Form("`train.csv` with paths of another machine", elsewhere),
)
# fmt: on
