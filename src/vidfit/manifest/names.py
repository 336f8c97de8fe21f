"""What file and folder names tell: suffixes, order, splits and junk."""

from __future__ import annotations

import re
from os.path import splitext
from pathlib import Path

from vidfit.shown import name_of
from vidfit.video.names import IMAGE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES
from vidfit.video.signature import holds_video

# fmt: off
NOTE_SUFFIXES = frozenset({
    ".txt", ".list", ".lst", ".md", ".rst", ".nfo", ".json", ".jsonl", ".xml", ".yaml",
    ".yml", ".csv", ".tsv", ".parquet", ".srt", ".vtt", ".log", ".ini", ".db", ".url", ".lnk",
    ".html", ".py", ".sh",
})
# fmt: on
TABLE_SUFFIXES = frozenset([".csv", ".tsv", ".parquet", ".pq"])
LIST_SUFFIXES = frozenset([".txt", ".list", ".lst"])
JUNK_NAMES = frozenset({"thumbs.db", "desktop.ini", "__macosx", "icon\r", "license", "readme"})

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "validate", "dev"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}
SPLIT_STEM = re.compile(
    r"(?:^|.*[_\-. ])(train(?:ing)?|val(?:id|idate|idation)?|test(?:ing)?)(?:[_\-. ]?list)?$"
)


def suffix(name: str) -> str:
    """Return the lower-case suffix of a name or path."""
    return splitext(name_of(name).rstrip("/"))[1].lower()  # noqa: PTH122  (it is asked thrice a file)


def is_video(name: str) -> bool:
    """Return whether a name has the suffix of a video."""
    return suffix(name) in VIDEO_SUFFIXES


def is_video_file(file: Path) -> bool:
    """Return whether a file is a video by its suffix, or, where that tells nothing, its bytes."""
    if is_video(file.name):
        return True
    return not (is_image(file.name) or is_junk(file.name)) and holds_video(file)


def is_image(name: str) -> bool:
    """Return whether a name has the suffix of a still image."""
    return suffix(name) in IMAGE_SUFFIXES


def is_sound(name: str) -> bool:
    """Return whether a name has the suffix of sound alone."""
    return suffix(name) in SOUND_SUFFIXES


def is_clip(name: str) -> bool:
    """Return whether a name has the suffix of a video, of a photo, or of sound."""
    return is_video(name) or is_image(name) or is_sound(name)


def is_junk(name: str) -> bool:
    """Return whether a file is of a kind that lies in data folders and means nothing."""
    return name.startswith(".") or name.lower() in JUNK_NAMES or suffix(name) in NOTE_SUFFIXES


def is_text(name: str) -> bool:
    """Return whether a name can be written as UTF-8 (file names of other encodings cannot)."""
    return not any("\ud800" <= letter <= "\udfff" for letter in name)


def split_word(text: str) -> str | None:
    """Return ``"train"``, ``"val"`` or ``"test"`` for the usual words, else ``None``."""
    return SPLIT_WORDS.get(text.strip().lower())


def split_of_list(stem: str) -> str | None:
    """Return the split that a list is for by its stem: ``kinetics_val_list`` is ``"val"``."""
    match = SPLIT_STEM.match(stem.lower())
    return split_word(match.group(1)) if match else None
