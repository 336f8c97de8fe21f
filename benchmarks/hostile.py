"""Altered models, plans, lists and shard indexes: refused in words, whatever was altered.

Each file is altered once and read in a forked process with the limits of `vidfit.study.trial`, with
a module at hand that leaves a file behind if anything imports or runs it. What passes the trial
is opened and asked as `predict` does, and there an answer that is no number counts, and an error
that is not vidfit's own.
"""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks import _hostile_models as honest
from benchmarks import _mutations as mutations
from benchmarks._harness import arguments, environment, finish, table
from vidfit.errors import VidfitError

MODELS, LISTS = 2_000, 500
QUICK_SHARE = 0.1
LONGEST_SECONDS, MOST_BYTES = 10.0, 2 * 2**30
PATIENCE_SECONDS = 60.0
PROCESSES = 2

FAULTS = ("code run", "traceback", "hang", "memory", "no number")
"""What must never be; ``refused``, ``ended`` by a limit and ``answered`` may."""

Work = Callable[[Path, random.Random], str]


@dataclass(frozen=True)
class Attack:
    """A kind of file to alter.

    Parameters
    ----------
    share
        Of the attacks on models and plans, or on lists.
    source
        The honest folder or file.
    alter
        Given the copy, alters it.
    read
        Reads the copy as a command does, and says how that ended.
    """

    name: str
    share: float
    source: Path
    alter: Callable[[Path, random.Random], None]
    read: Callable[[Path], str]


@dataclass(frozen=True)
class Ending:
    """How an attack ended, what was said, and what it took.

    ``seconds`` are of the processor, as machines are busy; on the clock, where it had to be ended.
    """

    attack: str
    how: str
    words: str
    seconds: float
    peak_bytes: int


def read_model(model: Path) -> str:
    """Try a model in this process, then open it and answer as `predict` does."""
    from vidfit.jobs.predict.predictor import Predictor
    from vidfit.model import load_model
    from vidfit.study import trial
    from vidfit.study.model_card import model_card_markdown
    from vidfit.study.opened_model import parts_of

    mutations.rehashed(model)
    _revised(model)
    try:
        trial.limit(model)
        trial.run_trial(model)
    except VidfitError:
        raise
    except Exception as error:  # the child says it in a line, and ends
        return f"refused\t{type(error).__name__} of a library"
    opened = parts_of(model, load_model(model))
    model_card_markdown(opened.model)
    predictor = Predictor(opened.model, opened.members, opened.head)
    probability = predictor.answer({m.spec.name: _features(m) for m in opened.members}).probability
    return "answered\t" if 0 <= probability <= 1 else f"no number\t{probability}"


def read_plan(plan: Path) -> str:
    """Read a plan as `train` and its workers do."""
    from vidfit.planning.file import read_plan

    read_plan(plan)
    return "answered\t"


def read_list(clips: Path) -> str:
    """Read a list of clips as every job does."""
    from vidfit.manifest import read_manifest

    read_manifest(clips)
    return "answered\t"


def read_shards(folder: Path) -> str:
    """Read shards as every job does, then as ``shard --verify`` does."""
    from vidfit.jobs.shard.verify import verify_shards

    read_list(folder)
    verify_shards(folder, workers=1)
    return "answered\t"


def attacks(folder: Path) -> tuple[list[Attack], list[Attack]]:
    """Return the attacks on models and plans, and those on lists."""
    models, documents = honest.write_models(folder / "models"), honest.write_documents(folder / "d")
    shards = honest.write_shards(folder / "shards")

    def inside(name: str, alter: mutations.Mutation) -> mutations.Mutation:
        return lambda copy, rng: alter(copy / name, rng)

    member = "backbones/0/"
    on_models = [
        ("model.json", 0.2, "stack", inside("model.json", mutations.in_json)),
        ("spec.json", 0.15, "config", inside(f"{member}spec.json", mutations.in_json)),
        ("config.json", 0.2, "config", inside(f"{member}config.json", mutations.in_json)),
        ("shape.json", 0.05, "frames", inside(f"{member}shape.json", mutations.in_json)),
        ("weights", 0.08, "config", inside(f"{member}model.safetensors", mutations.in_safetensors)),
        ("head: stack", 0.06, "stack", inside("head.safetensors", mutations.in_safetensors)),
        ("head: network", 0.06, "network", inside("head.safetensors", mutations.in_safetensors)),
        ("network.onnx", 0.1, "onnx", inside(f"{member}network.onnx", mutations.in_onnx)),
    ]
    found = [Attack(n, s, models[m], alter, read_model) for n, s, m, alter in on_models]
    found.append(Attack("plan.json", 0.1, documents["plan"], mutations.in_json, read_plan))
    in_document = inside(honest.DOCUMENT, mutations.in_json)
    in_index = inside(honest.INDEX, mutations.in_bytes)
    on_lists = [
        Attack("clips.csv", 0.3, documents["csv"], mutations.in_bytes, read_list),
        Attack("clips.txt", 0.2, documents["txt"], mutations.in_bytes, read_list),
        Attack("shards.json", 0.15, shards["shards"], in_document, read_shards),
        Attack("shards.json, format 1", 0.1, shards["first format"], in_document, read_shards),
        Attack("index.parquet", 0.25, shards["shards"], in_index, read_list),
    ]
    return found, on_lists


def run(planned: Sequence[Attack], canary: Path, seed: int) -> list[Ending]:
    """Make each attack in a process of its own, several at once."""
    running: dict[int, tuple[Attack, int, float, Path]] = {}
    endings: list[Ending] = []
    waiting = list(enumerate(planned))[::-1]
    while waiting or running:
        while waiting and len(running) < PROCESSES:
            number, attack = waiting.pop()
            place = Path(tempfile.mkdtemp(prefix="attack-"))
            reader, writer = os.pipe()
            child = os.fork()
            if not child:
                os.close(reader)
                _child(attack, place, random.Random(seed + number), writer)
            os.close(writer)
            running[child] = (attack, reader, time.perf_counter(), place)
        child, status, usage = os.wait4(-1, os.WNOHANG)
        if not child:
            _end_late(running)
            time.sleep(0.002)
            continue
        attack, reader, started, place = running.pop(child)
        seconds = time.perf_counter() - started
        with os.fdopen(reader, errors="replace") as stream:
            said = stream.read()
        seconds = usage.ru_utime + usage.ru_stime if seconds < PATIENCE_SECONDS else seconds
        endings.append(_ending(attack, said, status, (seconds, usage.ru_maxrss * 1024)))
        if canary.exists():
            canary.unlink()
            endings[-1] = Ending(attack.name, "code run", said, seconds, 0)
        shutil.rmtree(place, ignore_errors=True)
    return endings


def _child(attack: Attack, place: Path, rng: random.Random, writer: int) -> None:
    """Alter a copy, read it, say how it ended, and leave without a word more."""
    said = "traceback\tnothing"
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        source = attack.source
        copy = place / source.name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, copy)
        attack.alter(copy, rng)
        said = attack.read(copy)
    except VidfitError as error:
        said = f"refused\t{error}"
    except BaseException as error:  # what a user would see as a traceback
        said = f"traceback\t{type(error).__name__}: {error}"
    finally:
        os.write(writer, said.encode("utf-8", "replace")[:60_000])
        os._exit(0)


def _end_late(running: dict[int, tuple[Attack, int, float, Path]]) -> None:
    for child, (_, _, started, _) in running.items():
        if time.perf_counter() - started > PATIENCE_SECONDS:
            os.kill(child, 9)


def _ending(attack: Attack, said: str, status: int, took: tuple[float, int]) -> Ending:
    how, _, words = said.partition("\t")
    if not said:
        how, words = "ended", f"status {status}"
    if took[0] > LONGEST_SECONDS:
        how = "hang"
    elif took[1] > MOST_BYTES:
        how = "memory"
    return Ending(attack.name, how, words, *took)


def _revised(model: Path) -> None:
    """Name altered weights by their new digest in the spec, as whoever altered them can."""
    from vidfit.backbones import saved, weights

    place = model / "backbones" / "0"
    try:
        spec = saved._read_spec(place / saved.SPEC_FILE)
        module, _, function = saved.RESTORE[spec.family].partition(":")
        made = getattr(sys.modules.get(module) or __import__(module, fromlist=["_"]), function)
        state = made(place, spec).network.state_dict()
        facts = json.loads((place / saved.SPEC_FILE).read_text(encoding="utf-8"))
        facts["revision"] = weights.digest(state)
        (place / saved.SPEC_FILE).write_text(json.dumps(facts), encoding="utf-8")
        mutations.rehashed(model)
    except Exception:
        return  # it is refused before its digest matters


def _features(member: object) -> object:
    """Return what a member sees in a clip of noise."""
    from vidfit.contracts import ClipFeatures
    from vidfit.study import trial

    return ClipFeatures(trial._tokens(member), np.zeros(1, int), np.zeros(1), 0.0)  # type: ignore[arg-type]


def _warm() -> None:
    """Import what readers need, once for all processes."""
    import onnx
    import onnxruntime
    import torch
    import transformers.modeling_utils

    import vidfit.jobs.predict.run
    import vidfit.jobs.shard.verify
    import vidfit.manifest
    import vidfit.planning.file  # noqa: F401

    del onnx, onnxruntime, transformers
    torch.set_num_threads(1)
    # Processes do not end by themselves what no child may do: reach out.
    os.environ["HF_HUB_OFFLINE"] = "1"


def planned(of: Sequence[Attack], count: int) -> list[Attack]:
    """Return attacks by their shares."""
    return [attack for attack in of for _ in range(round(attack.share * count))]


def main() -> None:
    """Make all attacks and show how they ended."""
    parser = arguments(__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print what was said of each fault")
    options = parser.parse_args()
    start = environment()
    share = QUICK_SHARE if options.quick else 1.0
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        canary = folder / "canary"
        _plant(folder / "evil", canary)
        _warm()
        on_models, on_lists = attacks(folder)
        whole = [replace(one, alter=_unaltered) for one in (*on_models, *on_lists)]
        for ending in run(whole, canary, options.seed):
            if ending.how != "answered":
                raise SystemExit(f"{ending.attack} is not answered as it was: {ending}")
        every = planned(on_models, round(share * MODELS)) + planned(on_lists, round(share * LISTS))
        endings = run(every, canary, options.seed)
    _report(endings, options, start)


def _unaltered(copy: Path, rng: random.Random) -> None:
    """Leave an honest file as it is."""


def _plant(folder: Path, canary: Path) -> None:
    """Put a module where imports and relative paths find it that tells when it is run."""
    folder.mkdir()
    code = f"import pathlib\npathlib.Path({str(canary)!r}).touch()\n"
    for name in ("evil", "kernel", "adapter"):
        (folder / f"{name}.py").write_text(code, encoding="utf-8")
    sys.path.append(str(folder))
    os.chdir(folder)


def _report(endings: Sequence[Ending], options: object, start: dict[str, object]) -> None:
    hows = ("refused", "ended", "answered", *FAULTS)
    counts = {name: Counter(e.how for e in endings if e.attack == name) for name in
              dict.fromkeys(e.attack for e in endings)}  # fmt: skip
    table(["altered", "count", *hows], [
        [name, str(found.total()), *(str(found[how]) for how in hows)]
        for name, found in counts.items()
    ])  # fmt: skip
    if getattr(options, "show", False):
        for ending in endings:
            if ending.how in (*FAULTS, "ended"):
                print(f"  {ending.attack}: {ending.how}: {ending.words[:300]!r}")
    faults = Counter(ending.how for ending in endings if ending.how in FAULTS)
    slowest = max(ending.seconds for ending in endings)
    largest = max(ending.peak_bytes for ending in endings) / 2**30
    print(f"slowest {slowest:.1f} s, largest {largest:.2f} GiB")
    said = ", ".join(f"{faults[fault]} {fault}" for fault in FAULTS)
    figures = {
        "endings": {name: dict(found) for name, found in counts.items()},
        "slowest_seconds": slowest,
        "largest_gib": largest,
    }
    finish(
        options,  # type: ignore[arg-type]
        figures,
        start,
        f"{len(endings):,} altered files: {said} (bar: 0 of each)",
        met=not faults,
    )


if __name__ == "__main__":
    main()
