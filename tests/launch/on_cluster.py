"""A process of its own for a cluster, as Spark has one a process.

``python -m tests.launch.on_cluster FOLDER`` prints what it found as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.clips import BACKBONE_FILE, write_clip, write_dataset

from vidfit import backbones as zoo
from vidfit.contracts import Clip
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.jobs.fit.run import FitOptions, run_fit
from vidfit.jobs.plan.options import PlanOptions
from vidfit.jobs.plan.run import run_plan
from vidfit.jobs.predict.many import predict_many
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.train.options import TrainOptions
from vidfit.jobs.train.run import run_train
from vidfit.launch import Here, launcher
from vidfit.launch.spark import OnSpark
from vidfit.planning.file import write_plan
from vidfit.testing.spark import Cluster, cluster

SLOW = BACKBONE_FILE.replace(
    "        import numpy as np\n",
    "        import time\n        time.sleep(0.1)\n        import numpy as np\n",
)


def slow_backbone(folder: Path) -> str:
    path = folder / "slow_backbone.py"
    path.write_text(SLOW)
    return f"{path}:Colour"


def killing(made: Cluster, when: Callable[[], bool]) -> tuple[threading.Thread, list[int]]:
    """Kill an executor once something is so."""
    killed: list[int] = []

    def run() -> None:
        while not when():
            time.sleep(0.02)
        killed.append(made.kill_executor())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, killed


def found(folder: Path) -> dict[str, object]:
    """Extract and answer on two workers, an executor of each killed meanwhile, then train."""
    with cluster(folder) as made:
        place = launcher(made.address, scratch=folder / "out")
        told = during_extraction(folder, made, place) | during_prediction(folder, made, place)
        told |= training(folder, made.address)
        place.session.stop()
    return told


def during_extraction(folder: Path, made: Cluster, place: OnSpark) -> dict[str, object]:
    backbone = zoo.load(slow_backbone(folder))
    clips = [
        Clip(str(write_clip(folder / "loose" / f"{i}.mp4", "left", seed=i, frames=8)))
        for i in range(32)
    ]
    store, parts = FeatureStore(folder / "there"), folder / "there"
    _, dead = killing(made, lambda: len(list(parts.rglob("part-*.parquet"))) >= 2)
    done = extract(clips, [backbone], store, place)
    rows = [digest for digest, _ in store.rows(backbone.spec)]
    here = FeatureStore(folder / "here")
    same = extract(clips, [backbone], here, Here(2))
    mine = dict(store.rows(backbone.spec))
    equal = all(
        np.array_equal(seen.tokens_ND, mine[digest].tokens_ND)
        for digest, seen in here.rows(backbone.spec)
    )
    return {
        "killed extracting": len(dead),
        "clips": len(done.digests),
        "failures": len(done.failures) + len(done.backbone_failures),
        "digests equal": done.digests == same.digests,
        "features equal": equal and mine.keys() == dict(here.rows(backbone.spec)).keys(),
        "written twice": sum(count - 1 for count in Counter(rows).values()),
    }


def during_prediction(folder: Path, made: Cluster, place: OnSpark) -> dict[str, object]:
    own = slow_backbone(folder)
    clips = write_dataset(folder / "clips")
    run_fit(clips, folder / "fit", FitOptions(backbones=(own,)))
    predictor = load(folder / "fit" / "model", (own,))
    paths = [str(path) for path in sorted(clips.rglob("*.mp4"))]
    here = list(predict_many(predictor, paths, Here(2), window_seconds=0.2))

    def unfinished() -> set[Path]:
        return {*folder.joinpath("out").glob(".spark-*/job-*/results/_temporary/*/*")}

    before = unfinished()
    _, dead = killing(made, lambda: bool(unfinished() - before))
    there = list(predict_many(predictor, paths, place, window_seconds=0.2))
    return {"killed answering": len(dead), "answers": len(there), "answers equal": there == here}


def training(folder: Path, address: str) -> dict[str, object]:
    """Train in two processes by torchrun, and by TorchDistributor on two workers."""
    clips = folder / "clips"
    chosen = PlanOptions(network="mean", backbone="motion", epochs=3)
    plan = run_plan(clips, folder / "plan", chosen)
    plan = replace(plan, layout=replace(plan.layout, processes=2, sharding="ddp"))
    write_plan(plan, folder / "plan.json")
    options = TrainOptions(plan=folder / "plan.json", holdout=0.0)
    run_train(clips, folder / "torchrun", options)
    shutil.copytree(folder / "torchrun" / "features", folder / "spark" / "features")
    run_train(clips, folder / "spark", replace(options, on=address))
    weights = [
        (folder / name / "run" / "trained.safetensors").read_bytes()
        for name in ("torchrun", "spark")
    ]
    return {"trained": len(weights[0]) > 1000, "weights equal": weights[0] == weights[1]}


if __name__ == "__main__":
    print(json.dumps(found(Path(sys.argv[1]))))  # noqa: T201
