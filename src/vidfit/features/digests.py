"""What identifies clips and encoders in a store."""

from __future__ import annotations

import hashlib
from pathlib import Path

from vidfit.contracts import BackboneSpec, Clip, is_words
from vidfit.documents import to_json
from vidfit.errors import VideoError
from vidfit.video.address import content_key
from vidfit.video.contents import contents
from vidfit.video.member import read_member, split_member
from vidfit.video.source import frame_files, is_url
from vidfit.video.stored import holds_frames, stored_digest

_BLOCK_BYTES = 1 << 20


def file_digest(path: str) -> str:
    """Return the sha256 of a video's bytes (of all images of a folder of frames).

    A clip of words alone has that of its name. For a URL, the digest of the file system's own
    content key (ETag, size, time). A member of a shard has the digest of the loose file; where the
    shard is at a URL, its index says it.

    Raises
    ------
    VideoError
        If the file cannot be read.
    """
    if member := split_member(path):
        return _member_digest(path, *member)
    if is_words(path):  # two clips may say the same word and be two
        return hashlib.sha256(path.encode()).hexdigest()
    sha = hashlib.sha256()
    try:
        if "://" in path:
            return hashlib.sha256(content_key(path).encode()).hexdigest()
        root = Path(path)
        # Frames count in the order in which they are shown.
        for file in frame_files(root) if root.is_dir() else [root]:
            with file.open("rb") as stream:
                while block := stream.read(_BLOCK_BYTES):
                    sha.update(block)
    except OSError as error:
        raise VideoError(f"{path}: {error.strerror or error}") from error
    return sha.hexdigest()


def _member_digest(path: str, archive: str, name: str) -> str:
    if is_url(archive) and name in (told := contents(archive).digests):
        return told[name]
    if holds_frames(path):
        return stored_digest(path)
    return hashlib.sha256(read_member(path)).hexdigest()


def clip_digest(clip: Clip, content: str | None = None) -> str:
    """Return what identifies a clip in a store: its video's bytes and its span.

    Neither its name nor its label count: a moved or relabelled clip keeps its features. Of its
    text see `row_key`.
    """
    span = f"{clip.start_seconds!r}:{clip.end_seconds!r}"
    return hashlib.sha256(f"{content or file_digest(clip.path)}:{span}".encode()).hexdigest()


def row_key(spec: BackboneSpec, clip: Clip, digest: str) -> str:
    """Return what identifies a clip among what one encoder saw: words count where it reads."""
    if spec.sees != "words" and not spec.reads:
        return digest
    return hashlib.sha256(f"{digest}:{clip.text}".encode()).hexdigest()


def spec_key(spec: BackboneSpec) -> str:
    """Return what identifies an encoder in a store: weights, sampling and preprocessing."""
    facts = [
        spec.family,
        spec.revision,
        spec.sampling.facts,
        spec.preprocessing.facts,
    ]
    if spec.sees != "frames":
        facts.append(spec.sees)
    if spec.reads:
        facts.append("reads")
    return hashlib.sha256(to_json(facts, sort_keys=True).encode()).hexdigest()[:32]
