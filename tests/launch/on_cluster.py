"""One process for each scenario: Spark has one cluster a process.

``python -m tests.launch.on_cluster SCENARIO FOLDER`` prints what it found as JSON.
"""

from __future__ import annotations

import json
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
from vidfit.features import FeatureStore, extract
from vidfit.jobs.fit import FitOptions, run_fit
from vidfit.jobs.options import PlanOptions, TrainOptions
from vidfit.jobs.plan import run_plan
from vidfit.jobs.predict import load, predict_many
from vidfit.jobs.train import run_train
from vidfit.launch import Here, launcher
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


def during_extraction(folder: Path) -> dict[str, object]:
    """Extract on two workers while one executor is killed."""
    backbone = zoo.load(slow_backbone(folder))
    clips = [
        Clip(str(write_clip(folder / "clips" / f"{i}.mp4", "left", seed=i, frames=8)))
        for i in range(48)
    ]
    with cluster(folder) as made:
        place = launcher(made.address, scratch=folder / "out")
        store = FeatureStore(folder / "there")
        parts = Path(folder / "there")
        _, killed = killing(made, lambda: len(list(parts.rglob("part-*.parquet"))) >= 2)
        done = extract(clips, [backbone], store, place)
        rows = [digest for digest, _ in store.rows(backbone.spec)]
        place.session.stop()
    here = FeatureStore(folder / "here")
    same = extract(clips, [backbone], here, Here(2))
    mine = dict(store.rows(backbone.spec))
    equal = all(
        np.array_equal(seen.tokens_ND, mine[digest].tokens_ND)
        for digest, seen in here.rows(backbone.spec)
    )
    return {
        "killed": len(killed),
        "clips": len(done.digests),
        "failures": len(done.failures) + len(done.backbone_failures),
        "digests_equal": done.digests == same.digests,
        "features_equal": equal and mine.keys() == dict(here.rows(backbone.spec)).keys(),
        "written_twice": sum(count - 1 for count in Counter(rows).values()),
    }


def during_prediction(folder: Path) -> dict[str, object]:
    """Answer videos on two workers while one executor is killed."""
    own = slow_backbone(folder)
    clips = write_dataset(folder / "clips")
    run_fit(clips, folder / "fit", FitOptions(backbones=(own,)))
    predictor = load(folder / "fit" / "model", (own,))
    paths = [str(path) for path in sorted(clips.rglob("*.mp4"))] * 2
    here = list(predict_many(predictor, paths, Here(2), window_seconds=0.2))
    with cluster(folder) as made:
        place = launcher(made.address, scratch=folder / "out")
        _, killed = killing(
            made, lambda: any(folder.joinpath("out").glob(".spark-*/job-*/results/_temporary/*/*"))
        )
        there = list(predict_many(predictor, paths, place, window_seconds=0.2))
        place.session.stop()
    return {"killed": len(killed), "answers": len(there), "equal": there == here}


def training(folder: Path) -> dict[str, object]:
    """Train in two processes by torchrun, and by TorchDistributor on two workers."""
    clips = write_dataset(folder / "clips")
    plan = run_plan(
        clips,
        folder / "plan",
        PlanOptions(network="mean", backbone="efficientnet-lite0@1", epochs=3),
    )
    plan = replace(plan, layout=replace(plan.layout, processes=2, sharding="ddp"))
    write_plan(plan, folder / "plan.json")
    options = TrainOptions(plan=folder / "plan.json", holdout=0.0)
    run_train(clips, folder / "torchrun", options)
    with cluster(folder) as made:
        run_train(clips, folder / "spark", replace(options, on=made.address))
        from pyspark.sql import SparkSession

        SparkSession.getActiveSession().stop()
    weights = [
        (folder / name / "run" / "trained.safetensors").read_bytes()
        for name in ("torchrun", "spark")
    ]
    return {"bytes": len(weights[0]), "equal": weights[0] == weights[1]}


SCENARIOS = {
    "extraction": during_extraction,
    "prediction": during_prediction,
    "training": training,
}

if __name__ == "__main__":
    found = SCENARIOS[sys.argv[1]](Path(sys.argv[2]))
    print(json.dumps(found))  # noqa: T201
