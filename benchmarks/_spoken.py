"""Clips of words, of sound, and of both beside pictures, from sets that lie beside the checkout."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import av

from vidfit.contracts import WORDS, Clip
from vidfit.manifest import read_manifest

DATA = Path(__file__).parents[2] / "shared" / "data"
LOUD, QUIET = "angry", "calm"


def missing() -> str:
    """Say which sets are not there, or nothing."""
    wanted = ("meld_text", "ravdess_audio", "fight_surv")
    gone = [name for name in wanted if not (DATA / name).is_dir()]
    return f"{', '.join(gone)} not in {DATA}" if gone else ""


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def lines_of_dialogue(every: int) -> list[Clip]:
    """Return lines with their sentiment; the recording is the episode."""
    rows = _rows(DATA / "meld_text" / "labels.csv")[::every]
    return [
        Clip(f"{WORDS}line {i}", label=row["label"], group=row["episode"], text=row["text"])
        for i, row in enumerate(rows)
    ]


def spoken_sentences(every: int) -> list[Clip]:
    """Return spoken sentences with their emotion; the recording is the actor."""
    rows = [r for r in _rows(DATA / "ravdess_audio" / "labels.csv") if r["repetition"] == "1"]
    rows.sort(key=lambda row: (row["group"], row["path"]))  # a part of them is of all actors
    folder = DATA / "ravdess_audio"
    return [
        Clip(str(folder / row["path"]), label=row["label"], group=row["group"])
        for row in rows[::every]
    ]


def spoken_scenes(folder: Path, an_actor: int) -> list[Clip]:
    """Return scenes of surveillance with a sentence spoken beside them, four classes of both.

    Each recording of scenes goes with one actor, so that neither stands on both sides of a split
    by actor. What is heard says nothing of what is seen.
    """
    scenes = _scenes()
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for clip in spoken_sentences(1):
        if clip.label in (LOUD, QUIET):
            said[str(clip.group)][str(clip.label)].append(clip.path)
    actors = sorted(said)
    of_actor: dict[str, list[Clip]] = defaultdict(list)
    for i, recording in enumerate(sorted(scenes, key=lambda one: -len(scenes[one]))):
        of_actor[actors[i % len(actors)]] += scenes[recording]
    clips = []
    for actor in actors:
        for i in range(an_actor):
            scene_label, emotion = ("fight", "noFight")[i % 2], (LOUD, QUIET)[i // 2 % 2]
            some = [clip for clip in of_actor[actor] if clip.label == scene_label]
            if not some or not said[actor][emotion]:
                continue
            scene = some[i // 4 % len(some)]
            voice = said[actor][emotion][i // 4 % len(said[actor][emotion])]
            file = folder / f"{actor}-{i:03d}.mkv"
            _joined(Path(scene.path), Path(voice), file)
            clips.append(Clip(str(file), label=f"{scene_label}, {emotion}", group=actor))
    return clips


def _scenes() -> dict[str, list[Clip]]:
    folder = DATA / "fight_surv"
    found: dict[str, list[Clip]] = defaultdict(list)
    for clip in read_manifest(folder).clips:
        found[clip.recording].append(clip)
    return found


def _joined(video: Path, sound: Path, file: Path) -> None:
    """Write the pictures of one file and the sound of another, neither coded anew."""
    with (
        av.open(str(video)) as pictures,
        av.open(str(sound)) as voice,
        av.open(str(file), "w") as out,
    ):
        parts = [(pictures, pictures.streams.video[0]), (voice, voice.streams.audio[0])]
        written = [out.add_stream_from_template(stream) for _, stream in parts]
        for (container, stream), new in zip(parts, written, strict=True):
            for packet in container.demux(stream):
                if packet.dts is not None:
                    packet.stream = new
                    out.mux(packet)


def without_sound(clips: Sequence[Clip], folder: Path, every: int) -> Iterator[Clip]:
    """Yield the clips, every so many of them with its sound taken away."""
    for i, clip in enumerate(clips):
        if i % every:
            yield clip
            continue
        file = folder / f"silent-{Path(clip.path).name}"
        with av.open(clip.path) as pictures, av.open(str(file), "w") as out:
            new = out.add_stream_from_template(pictures.streams.video[0])
            for packet in pictures.demux(pictures.streams.video[0]):
                if packet.dts is not None:
                    packet.stream = new
                    out.mux(packet)
        yield replace(clip, path=str(file))
