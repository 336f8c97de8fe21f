"""How well and how fast speech is written down, what a kill costs, and whether memory stays.

A minute of RAVDESS' two sentences, spoken by sixteen actors with a pause between them, is written
down by Whisper tiny.en: word error rate against what was said, and time as a share of that of the
sound. The same again, killed in the middle and begun anew, must give the same words. Three hours,
made of repeated packets, are read and looked through for speech; memory is compared with that of
five minutes (Whisper itself hears 28 seconds at once, however long the recording is).

    python -m benchmarks.transcribe [--quick]
"""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks._harness import arguments, environment, finish, measure, table
from benchmarks._spoken import DATA
from vidfit.backbones.package_weights import is_fetched
from vidfit.backbones.whisper import NAME, RATE_HERTZ
from vidfit.jobs.transcribe.options import TranscribeOptions
from vidfit.jobs.transcribe.run import run_transcribe
from vidfit.video.sound import SoundReader

ERROR_BAR = 0.25
"""Of words: the sentences are acted, some of them shouted or whispered."""

REALTIME_BAR = 1.0
"""Seconds of processor for a second of sound, on one core."""

MEMORY_BAR_BYTES = 64 * 2**20
"""What three hours may take more than five minutes do."""

_PAUSE_SECONDS = 0.8
_PEAK = """
import sys
from vidfit.backbones.speech import RATE_HERTZ, SpeechReader
from vidfit.hardware import peak_bytes
from vidfit.jobs.transcribe.pieces import pieces
from vidfit.video.sound import SoundReader
finder = SpeechReader("", "", "en", None)
with SoundReader(sys.argv[1], RATE_HERTZ) as reader:
    count = sum(1 for _ in pieces(reader.samples, finder.speech, RATE_HERTZ))
print(count, peak_bytes())
"""


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--long", action="store_true", help="three hours, too: minutes of work")
    options = parser.parse_args()
    start = environment()
    if not (DATA / "ravdess_audio").is_dir() or not is_fetched(NAME):
        why = f"needs {DATA / 'ravdess_audio'} and `vidfit models --fetch {NAME}`"
        raise SystemExit(f"not measured: {why}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["XDG_CACHE_HOME"], cache = (
            str(folder / "cache"),
            os.environ.get("XDG_CACHE_HOME"),
        )
        (folder / "cache" / "vidfit").mkdir(parents=True)
        weights = Path(cache or Path.home() / ".cache") / "vidfit" / "weights"
        (folder / "cache" / "vidfit" / "weights").symlink_to(weights)
        talk, said = _talk(folder, 6 if options.quick else 18)
        figures = _written_down(talk, said, folder)
        figures |= {} if options.quick else _killed(talk, figures["text"], folder)
        figures |= _memory(talk, folder) if options.long else {}
    table(
        ["what", "figure"], [[key, str(value)] for key, value in figures.items() if key != "text"]
    )
    more = figures.get("three hours more, bytes")
    long = f", {more / 2**20:.0f} MiB more for three hours (bar 64)" if more is not None else ""
    finish(
        options,
        figures,
        start,
        f"word error rate {figures['word error rate']:.1%} (bar {ERROR_BAR:.0%}), "
        f"{figures['seconds of processor a second']:.2f} s of processor a second of sound (bar "
        f"{REALTIME_BAR:g}), the same words after a kill: {figures.get('same after a kill')}{long}",
        met=None
        if options.quick
        else figures["word error rate"] <= ERROR_BAR
        and figures["seconds of processor a second"] <= REALTIME_BAR
        and bool(figures["same after a kill"])
        and (more is None or more <= MEMORY_BAR_BYTES),
    )


def _talk(folder: Path, sentences: int) -> tuple[Path, str]:
    """Write sentences of different actors one after the other; return the file and the words."""
    with (DATA / "ravdess_audio" / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = [r for r in csv.DictReader(file) if r["intensity"] == "normal"]
    rng = np.random.default_rng(0)
    chosen = [rows[int(i)] for i in rng.choice(len(rows), sentences, replace=False)]
    parts, pause = [], np.zeros(round(_PAUSE_SECONDS * RATE_HERTZ), np.float32)
    for row in chosen:
        with SoundReader(str(DATA / "ravdess_audio" / row["path"]), RATE_HERTZ) as reader:
            parts += [reader.samples(0), pause]
    path = folder / "talk.ogg"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libopus", rate=RATE_HERTZ, layout="mono")
        whole_S = np.concatenate(parts)
        for at in range(0, len(whole_S), 960):
            frame = av.AudioFrame.from_ndarray(whole_S[None, at : at + 960], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE_HERTZ, at
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path, " ".join(row["statement"] for row in chosen)


def _written_down(talk: Path, said: str, folder: Path) -> dict[str, Any]:
    options = TranscribeOptions(output=folder / "first", formats=("json", "srt"), workers=1)
    found = []
    cost = measure(lambda: found.append(run_transcribe([talk], options)))
    (one,) = found[0].transcripts
    return {
        "seconds of sound": round(one.duration_seconds, 1),
        "words said": len(said.split()),
        "word error rate": error_rate(said, one.text),
        "seconds of processor a second": cost.cpu_seconds / one.duration_seconds,
        "text": one.text,
    }


def error_rate(said: str, heard: str) -> float:
    """Return insertions, deletions and changes as a share of the words that were said."""
    first, second = (re.findall(r"[a-z']+", text.lower()) for text in (said, heard))
    row = list(range(len(second) + 1))
    for i, word in enumerate(first, 1):
        last, row[0] = row[0], i
        for j, other in enumerate(second, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (word != other))
    return row[-1] / len(first)


def _killed(talk: Path, text: str, folder: Path) -> dict[str, Any]:
    """Kill a run once it has kept a piece, and run it again."""
    store = folder / "cache" / "vidfit" / "transcripts"
    for known in store.glob("*.json"):
        known.unlink()
    code = "from vidfit.cli.main import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "transcribe",
        str(talk),
        "--output",
        str(folder / "killed"),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        kept = None
        while run.poll() is None and not kept:
            time.sleep(0.05)
            kept = next((p for p in store.glob(".partial-*") if p.stat().st_size > 100), None)
        run.send_signal(signal.SIGKILL)
    options = TranscribeOptions(output=folder / "again", workers=1)
    (one,) = run_transcribe([talk], options).transcripts
    return {"killed with a piece kept": bool(kept), "same after a kill": one.text == text}


def _memory(talk: Path, folder: Path) -> dict[str, Any]:
    peaks = {}
    for minutes in (5, 180):
        path = folder / f"{minutes}.ogg"
        _repeated(talk, path, 60 * minutes)
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True
        )
        count, peak = done.stdout.split()
        peaks[minutes] = int(peak)
        print(f"{minutes} minutes: {count} pieces, {int(peak) / 2**20:.0f} MiB")
    return {"three hours more, bytes": peaks[180] - peaks[5]}


def _repeated(source: Path, path: Path, seconds: float) -> None:
    """Write the packets of a file again and again, one time after the other."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        stream = given.streams.audio[0]
        new = out.add_stream_from_template(stream)
        packets = [(bytes(p), p.duration) for p in given.demux(stream) if p.size]
        at = 0
        while at * float(stream.time_base) < seconds:
            for content, duration in packets:
                packet = av.Packet(content)
                packet.pts = packet.dts = at
                packet.duration, packet.time_base, packet.stream = duration, stream.time_base, new
                out.mux(packet)
                at += duration or 0


if __name__ == "__main__":
    main()
