"""On Spark all is as here: the same features, the same answers, each once."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from tests.called import call
from tests.clips import write_backbone, write_clip

from vidfit import backbones as zoo
from vidfit.backbones.shuffled import Shuffled
from vidfit.contracts import Clip
from vidfit.errors import VidfitError
from vidfit.features import FeatureStore
from vidfit.features.extract import extract
from vidfit.features.fingerprint import fingerprint
from vidfit.jobs.fit.run import FitOptions, run_fit
from vidfit.jobs.predict.many import Predict, Video, predict_many
from vidfit.jobs.predict.predictor import load
from vidfit.jobs.shard.options import ShardOptions
from vidfit.jobs.shard.run import run_shard
from vidfit.launch import Here, launcher
from vidfit.runtime import accelerate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Ten clips, one of them broken."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(9):
        write_clip(folder / f"{i}.mp4", "left" if i % 2 else "right", seed=i)
    (folder / "broken.mp4").write_bytes(b"no video at all")
    return [Clip(str(path)) for path in sorted(folder.iterdir())]


def rows(store, backbone):
    return [(digest, seen.tokens_ND) for digest, seen in store.rows(backbone.spec)]


def test_features_are_those_of_here_bit_for_bit(spark, clips, tmp_path):
    own = zoo.load(write_backbone(tmp_path))
    motion = zoo.load("motion")
    backbones = [motion, accelerate(zoo.load("efficientnet-lite0@2")), own, Shuffled(motion)]
    backbones.append(fingerprint())
    there, here = FeatureStore(tmp_path / "there"), FeatureStore(tmp_path / "here")
    done = extract(clips, backbones, there, spark)
    same = extract(clips, backbones, here, Here(2))
    assert done.digests == same.digests and len(done.digests) == 9 == done.computed
    assert done.failures == same.failures and len(done.failures) == 1
    for backbone in backbones:
        found, wanted = rows(there, backbone), dict(rows(here, backbone))
        assert len(found) == len(wanted) == 9, backbone.spec.name
        for digest, tokens_ND in found:
            np.testing.assert_array_equal(tokens_ND, wanted[digest])
    again = extract(clips, backbones, there, spark)
    assert again.computed == 0 and again.digests == done.digests
    # What was written there is read here.
    assert extract(clips, backbones, there, Here(1)).computed == 0


def test_a_backbone_that_fails_is_named_as_it_is_here(spark, clips, tmp_path):
    broken = zoo.load(write_backbone(tmp_path).replace(":Colour", ":Broken"))
    done = extract(clips, [broken], FeatureStore(tmp_path / "there"), spark)
    assert "this network divides by zero" in done.backbone_failures["broken"]


def test_a_full_disk_is_said_in_one_line(spark, clips, tmp_path):
    (tmp_path / "store").write_text("a file where a folder is wanted")
    with pytest.raises(VidfitError, match=r"cannot write .*/store/") as caught:
        extract(clips, [fingerprint()], FeatureStore(tmp_path / "store"), spark)
    assert "\n" not in str(caught.value)


def test_a_fit_gives_the_same_report(spark, fitted, tmp_path):
    options = FitOptions(backbones=fitted.backbones, workers=2)
    here = run_fit(fitted.clips, tmp_path / "here", options)
    there = run_fit(
        fitted.clips, tmp_path / "there", FitOptions(backbones=fitted.backbones, on="spark")
    )
    assert there.clips == here.clips and there.chosen == here.chosen and there.score == here.score
    assert there.confusion_KK == here.confusion_KK
    assert [c.score for c in there.candidates] == [c.score for c in here.candidates]
    assert not list((tmp_path / "there").glob(".spark-*/job-*"))


def test_answers_come_in_order_and_memory_stays(spark, fitted):
    predictor = load(fitted.model, fitted.backbones[1:])
    paths = [str(path) for path in sorted(fitted.clips.rglob("*.mp4"))]
    paths.insert(3, "missing.mp4")
    here = list(predict_many(predictor, paths, Here(2)))
    # Not a list: taken as they are needed.
    there = list(predict_many(predictor, iter(paths), spark))
    assert there == here and "no such file" in there[3].reason


def test_parts_that_end_are_told_of(spark, fitted):
    class Told:
        count = 0

        def advance(self, count=1):
            self.count += count

    told = Told()
    predictor = load(fitted.model, fitted.backbones[1:])
    videos = [Video(str(path)) for path in sorted(fitted.clips.rglob("*.mp4"))]
    assert len(list(spark.map(Predict((predictor,)), videos, told))) == told.count == len(videos)
    assert list(spark.map(Predict((predictor,)), [])) == []


def test_the_command_line_writes_one_table(spark, fitted, tmp_path):
    import pyarrow.parquet as pq

    listed = tmp_path / "videos.csv"
    videos = sorted(fitted.clips.rglob("*.mp4"))
    listed.write_text("path\n" + "\n".join(os.path.relpath(v, tmp_path) for v in videos) + "\n")
    words = ["predict", fitted.model, listed, "--on", "spark", "--format", "parquet"]
    words += ["-o", tmp_path / "out", "--backbone", fitted.backbones[1]]
    result = call(*words)
    assert result.exit_code == 0, result.output
    table = pq.read_table(tmp_path / "out" / "answers.parquet").to_pylist()
    assert [Path(row["path"]).resolve() for row in table] == [v.resolve() for v in videos]
    assert all(row["label"] and row["failure"] is None for row in table)


@pytest.mark.parametrize("kind", [{}, {"by": "frame", "like": "efficientnet-lite0@2"}])
def test_shards_are_the_same_bytes(spark, clips, tmp_path, kind):
    source = Path(clips[0].path).parent
    here = run_shard(source, tmp_path / "here", ShardOptions(shard_clips=2, **kind))
    there = run_shard(source, tmp_path / "there", ShardOptions(shard_clips=2, on="spark", **kind))
    names = sorted(path.name for path in (tmp_path / "here").glob("[!.]*"))
    assert len(names) >= 6 and names == sorted(p.name for p in (tmp_path / "there").glob("[!.]*"))
    for name in names:
        assert (tmp_path / "here" / name).read_bytes() == (tmp_path / "there" / name).read_bytes()
    assert there.failures == here.failures and "broken.mp4" in here.failures[0].name
    again = run_shard(source, tmp_path / "there", ShardOptions(shard_clips=2, on="spark", **kind))
    assert again.were_there == here.document["totals"]["shards"] - 1  # the broken one is tried


def test_another_cluster_than_the_active_one_is_refused(spark, tmp_path):
    with pytest.raises(VidfitError, match="already; stop it first"):
        launcher("spark://elsewhere:7077", scratch=tmp_path)


def test_another_place_is_refused(tmp_path):
    with pytest.raises(VidfitError, match="no place 'sparc'"):
        launcher("sparc", scratch=tmp_path)
