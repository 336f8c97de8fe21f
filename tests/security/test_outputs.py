"""One process writes to an output; places and terminals that cannot be written are said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.called import call

from vidfit.cli import answer
from vidfit.errors import StoreError, VideoError
from vidfit.files import claimed
from vidfit.runtime import cache

HOLD = "import sys, time, pathlib; from vidfit.files import claimed\n" + (
    "with claimed(pathlib.Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
)
RUN = "from vidfit.cli.main import main; main()"


def vidfit(*words: object, **options) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run(
        [sys.executable, "-c", RUN, *map(str, words)],
        env=environment, timeout=120, text=True, stderr=options.pop("stderr", subprocess.PIPE),
        check=False, **options,
    )  # fmt: skip


@pytest.fixture
def holder(tmp_path):
    """Another process that holds an output."""
    output = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(output)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process, output
    process.kill()
    process.wait(10)
    process.stdout.close()


# ---------------------------------------------------------------- one writer


def test_an_output_is_held_while_it_is_written_and_left_as_it_was(tmp_path):
    output = tmp_path / "a" / "out"
    with claimed(output):
        assert output.is_dir()
        with pytest.raises(StoreError, match=rf"another vidfit \(process {os.getpid()}\)"):
            claimed(output).__enter__()
    assert not (tmp_path / "a").exists()  # nothing was written
    with claimed(output):
        (output / "kept").touch()
    assert [path.name for path in output.iterdir()] == ["kept"]


COMMANDS = [
    ("fit", "clips", "-o"), ("select", "clips", "-o"), ("fuse", "clips", "-o"),
    ("compare", "clips", "-o"), ("fit", "clips", "--task", "forecast", "-o"),
    ("label", "clips", "-o"), ("train", "clips", "-o"), ("plan", "clips", "-o"),
    ("compress", "model", "clips", "-o"), ("predict", "model", "clips", "-o"),
    ("shard", "clips"), ("convert", "clips"), ("watch", "model", "clips", "-o"),
    ("sample", "model", "-o"), ("pretrain", "clips", "-o"), ("transcribe", "clips", "-o"),
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_second_writer_is_refused_before_it_does_anything(fitted, holder, words):
    process, output = holder
    places = {"clips": fitted.clips, "model": fitted.model}
    result = call(*(places.get(word, word) for word in words), output)
    assert result.exit_code == 2
    assert f"another vidfit (process {process.pid}) writes to {output}" in result.stderr
    assert [path.name for path in output.iterdir()] == [".vidfit-lock"]


def test_a_writer_that_was_killed_holds_nothing(holder):
    process, output = holder
    os.kill(process.pid, signal.SIGKILL)
    process.wait(10)
    assert (output / ".vidfit-lock").exists()
    with claimed(output):
        assert (output / ".vidfit-lock").read_text() == str(os.getpid())
    assert not (output / ".vidfit-lock").exists()


def test_many_processes_take_turns(tmp_path):
    """A lock file that is removed while another process opens it is no lock."""
    work = (
        "import os, pathlib, sys, time; from vidfit.files import claimed\n"
        "from vidfit.errors import StoreError, VideoError\n"
        "folder, done = pathlib.Path(sys.argv[1]), 0\n"
        "while done < 20:\n"
        "    try:\n"
        "        with claimed(folder):\n"
        "            os.mkdir(folder / 'alone'); os.rmdir(folder / 'alone'); done += 1\n"
        "    except StoreError: time.sleep(0.002)\n"
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").touch()
    processes = [
        subprocess.Popen([sys.executable, "-c", work, str(tmp_path / "out")]) for _ in range(3)
    ]
    try:
        assert [process.wait(120) for process in processes] == [0, 0, 0]
    finally:
        for process in processes:
            process.kill()


# ---------------------------------------------------------------- places


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_an_output_that_is_a_file_is_said_first(fitted, tmp_path, words, monkeypatch):
    monkeypatch.setattr("vidfit.video.reader.VideoReader.__init__", _never)
    (tmp_path / "out").write_text("mine")
    places = {"clips": fitted.clips, "model": fitted.model}
    result = call(*(places.get(word, word) for word in words), tmp_path / "out")
    assert result.exit_code == 2
    assert f"cannot write to {tmp_path / 'out'}: it is a file" in result.stderr
    assert (tmp_path / "out").read_text() == "mine"


def _never(*args: object) -> None:
    raise AssertionError("a video was opened")


def test_an_output_that_cannot_be_written_is_said_first(fitted):
    result = call("fit", fitted.clips, "-o", "/proc/out")
    assert result.exit_code == 2 and "cannot write to /proc/out: " in result.stderr


def test_a_cache_that_cannot_be_written_is_said_once(tmp_path):
    folder = tmp_path / "file"
    folder.touch()
    with pytest.warns(RuntimeWarning, match="XDG_CACHE_HOME") as told:
        path = cache.writable(folder / "a.onnx")
        again = cache.writable(folder / "b.onnx")
        cache.write_note(folder / "a.json", "network", {})
    assert len(told) == 1 and path.parent == again.parent != folder
    assert cache.write(path, lambda new: new.write_bytes(b"network")) == 7
    assert cache.whole(path)


def test_a_cache_that_can_be_written_is_used(tmp_path):
    assert cache.writable(tmp_path / "new" / "a.onnx") == tmp_path / "new" / "a.onnx"


def test_a_writer_that_fails_on_one_video_loses_no_other_answer(fitted, tmp_path, monkeypatch):
    clips = sorted((fitted.clips / "left").iterdir())[:2]
    write = answer.write_timeline

    def fail_once(timeline, path):
        if timeline.path == str(clips[0]):
            raise VideoError(f"{timeline.path}: it is gone")
        return write(timeline, path)

    monkeypatch.setattr(answer, "write_timeline", fail_once)
    result = call("predict", fitted.model, *clips, "-o", tmp_path)
    assert result.exit_code == 1 and f"{clips[0]}: not answered: it is gone" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == [f"{clips[1].stem}.json"]


# ---------------------------------------------------------------- terminals


@pytest.fixture
def clip(fitted) -> Path:
    return fitted.clips / "left" / "left0.mp4"


def test_a_reader_that_goes_away_ends_it_quietly(fitted, clip):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, "predict", str(fitted.model), *[str(clip)] * 2],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait(120) == 141
    process.stderr.close()


def test_full_and_closed_streams(fitted, clip, tmp_path):
    with Path("/dev/full").open("w") as full:
        done = vidfit("predict", fitted.model, clip, "-o", tmp_path / "a", stdout=full)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert "No space left on device" in done.stderr
        done = vidfit(
            "predict", fitted.model, clip, "-o", tmp_path / "b", stdout=subprocess.PIPE, stderr=full
        )
        assert done.returncode == 0 and "frames seen" in done.stdout
        assert vidfit("--help", stdout=full).returncode == 2
    closed = {"preexec_fn": lambda: (os.close(1), os.close(2)), "stderr": None}
    assert vidfit("predict", fitted.model, clip, "-o", tmp_path / "c", **closed).returncode == 0
    assert (tmp_path / "b" / "left0.json").exists() and (tmp_path / "c" / "left0.json").exists()


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=["latin-1", "ascii", "C"],
)
def test_signs_that_a_terminal_lacks_are_written_otherwise(request, tmp_path, environment):
    fit = (
        "import vidfit.jobs.fit.run as job; from tests.report.example import example_report\n"
        "job.run_fit = lambda *_: example_report()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", fit + RUN, "fit", "clips", "-o", str(tmp_path)],
        env={**os.environ, **environment}, timeout=120, capture_output=True, check=False,
        cwd=request.config.rootpath,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out = done.stdout.decode("latin-1")
    assert (
        "| > | efficientnet-lite0 |" in out or "| \u00e2\u0086\u0092 | efficientnet-lite0 |" in out
    )


def test_an_interrupt_is_one_line(monkeypatch, fitted, tmp_path):
    def interrupt(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("vidfit.jobs.fit.run.run_fit", interrupt)
    result = call("fit", fitted.clips, "-o", tmp_path)
    assert result.exit_code == 130 and "the same command goes on" in result.stderr
