"""The public names and signatures; a change here is a change for every user."""

from __future__ import annotations

import inspect
import subprocess
import sys
from importlib.metadata import version

import pytest

import vidfit
from vidfit import errors

NAMES = {
    "__version__", "ArchitectureTable", "ask", "AskedTexts", "AskOptions", "ClipPretraining",
    "ClipPretrainOptions", "compare", "CompareOptions", "pretrain_clips", "BackboneError",
    "benchmark", "BenchmarkOptions", "BudgetError", "Client", "Clip",
    "Combination", "compare_pairs", "compress", "Compression", "CompressOptions",
    "ConsentError", "convert", "Converted", "ConvertOptions", "export", "FeatureStore", "fit",
    "DrawnClips", "FitOptions", "forget", "Forgotten", "fuse", "fuse_generators", "FuseOptions",
    "generate", "GenerateOptions", "GenerationReport", "GeneratorPool", "indexing", "sample",
    "label", "LabelOptions", "LanguageModel", "load", "load_language",
    "ManifestError", "ModelError", "NotEnoughDataError", "PairFigures", "people_in", "Plan",
    "forecast", "ForecastOptions", "ForecastReport", "PixelPlan", "plan_pixels",
    "plan", "PlanOptions", "predict", "predict_all", "pretrain", "PretrainOptions", "Pretraining",
    "pull", "push", "Ranking", "read",
    "read_manifest", "ReadingReport", "ReadOptions", "Report", "restore",
    "RestoreOptions", "RestoreReport", "Sampling", "search",
    "SearchOptions", "SearchResult", "select", "SelectOptions",
    "shard", "ShardOptions", "StoreError", "Timeline", "train", "TrainingReport",
    "TrainOptions", "transcribe", "TranscribeOptions", "Transcript",
    "Transcription", "VideoError", "VideoPeople", "VidfitError", "watch", "WatchOptions",
    "write_manifest",
}  # fmt: skip

SIGNATURES = {
    "fit": "(source: 'str | Path', output: 'Path', options: 'FitOptions' = FitOptions("
    "backbones=(), groups=None, minutes=None, memory_bytes=None, latency_seconds=None, "
    "commercial=False, metric=None, class_weights=None, prefer='cheapest', give_up=2.0, "
    "workers=None, "
    "download=False, on='here', labels=None, task=None, network_only=False, "
    "variants=False, consent=None, "
    "holdout=0.0, merge_duplicates=False, keep_untested=False, train=None), "
    "progress: 'Progress | None' = None) -> 'Report'",
    "ask": "(sources: 'Sequence[str | Path]', question: 'str', options: 'AskOptions' = AskOptions("
    "reader=None, top=3, false_answers=0.1), progress: 'Progress | None' = None) -> 'AskedTexts'",
    "read": "(source: 'str | Path', output: 'Path', options: 'ReadOptions' = ReadOptions("
    "backbone='minilm', test=None, holdout=0.25, false_answers=0.1, questions_an_article=40, "
    "recipe=ReadingRecipe(epochs=2, rate=0.0002, warmup_share=0.1, batch=16, decay=0.01, "
    "without_answer=0.1, most_tokens=384, overlap_tokens=128, seed=0, checkpoint_seconds=180.0), "
    "download=False), progress: 'Progress | None' = None) -> 'ReadingReport'",
    "restore": "(source: 'str | Path', output: 'Path', options: 'RestoreOptions' = "
    "RestoreOptions(scale=2, like=None, cpu_seconds=600.0, steps=None, pretrained=(), groups=None, "
    "most_bytes=500000000, width=32, blocks=3, recipe=RestoreRecipe(patch_pixels=24, "
    "batch=16, rate=0.001, seed=0), workers=None), progress: 'Progress | None' = None) -> "
    "'RestoreReport'",
    "select": "(source: 'str | Path', output: 'Path', options: 'SelectOptions' = SelectOptions("
    "backbones=(), groups=None, minutes=None, memory_bytes=None, latency_seconds=None, "
    "commercial=False, metric=None, class_weights=None, prefer='cheapest', give_up=2.0, "
    "workers=None, "
    "download=False, on='here', labels=None, task=None, network_only=False, "
    "variants=False, consent=None), "
    "progress: 'Progress | None' = None) -> 'Ranking'",
    "fuse": "(source: 'str | Path', output: 'Path', options: 'FuseOptions' = FuseOptions("
    "backbones=(), groups=None, minutes=None, memory_bytes=None, latency_seconds=None, "
    "commercial=False, metric=None, class_weights=None, prefer='cheapest', give_up=2.0, "
    "workers=None, "
    "download=False, on='here', labels=None, task=None, network_only=False, "
    "variants=False, consent=None, "
    "methods=(), student=False, keep_untested=False), "
    "progress: 'Progress | None' = None) -> 'Combination'",
    "fuse_generators": "(models: 'Sequence[Path]', clips: 'str | Path', output: 'Path', *, "
    "seed: 'int' = 0, progress: 'Progress | None' = None) -> 'GeneratorPool'",
    "compress": "(directory: 'Path', source: 'str | Path', output: 'Path', "
    "options: 'CompressOptions' = CompressOptions(max_loss=0.5, target='latency', techniques=(), "
    "distil_steps=200, groups=None, workers=None, unlabelled=None, own=(), task=None), "
    "progress: 'Progress | None' = None) "
    "-> 'Compression'",
    "convert": "(source: 'str | Path', output: 'Path', options: 'ConvertOptions' = ConvertOptions("
    "to='coco', media=None, pictures=False), progress: 'Progress | None' = None) -> 'Converted'",
    "label": "(source: 'str | Path', output: 'Path', options: 'LabelOptions' = LabelOptions("
    "count=10, answers=None, backbones=(), groups=None, workers=None, download=False, seed=0, "
    "on='here', task=None, model=None), "
    "progress: 'Progress | None' = None) -> 'Labelling'",
    "plan_pixels": "(task: 'str', source: 'str | Path', output: 'Path', options: 'Any', "
    "memory_bytes: 'int | None' = None, progress: 'Progress | None' = None) -> 'PixelPlan'",
    "forecast": "(source: 'str | Path', output: 'Path', options: 'ForecastOptions' = "
    "ForecastOptions(groups=None, seen=10, ahead=10, side_pixels=None, cpu_seconds=600.0, "
    "steps=None, networks=(), workers=None, seed=0), progress: 'Progress | None' = None) "
    "-> 'ForecastReport'",
    "plan": "(source: 'str | Path', output: 'Path', options: 'PlanOptions' = PlanOptions("
    "backbone='efficientnet-lite0', network='lstm', regime=None, gpu=None, memory_bytes=None, "
    "cores=None, epochs=None, batch=None, minutes=None, groups=None, unlabelled=None), "
    "progress: 'Progress | None' = None) -> 'Plan'",
    "train": "(source: 'str | Path', output: 'Path', options: 'TrainOptions' = TrainOptions("
    "plan=None, groups=None, holdout=0.2, workers=None, tensorboard=False, on='here', "
    "planning=PlanOptions("
    "backbone='efficientnet-lite0', network='lstm', regime=None, gpu=None, memory_bytes=None, "
    "cores=None, epochs=None, batch=None, minutes=None, groups=None, unlabelled=None), own=(), "
    "pretrained=None, unlabelled=None), "
    "progress: 'Progress | None' = None) -> 'TrainingReport'",
    "compare": "(source: 'str | Path', output: 'Path', options: 'CompareOptions' = CompareOptions("
    "architectures=('cnn', 'cnn-lstm', 'video-transformer', 'gpt'), "
    "backbones=('motion', 'efficientnet-lite0'), groups=None, cpu_seconds=60.0, pretrained=None, "
    "metric=None, side_pixels=64, workers=None), "
    "progress: 'Progress | None' = None) -> 'ArchitectureTable'",
    "pretrain_clips": "(source: 'str | Path', output: 'Path', "
    "options: 'ClipPretrainOptions' = ClipPretrainOptions(cpu_seconds=600.0, width=256, layers=1, "
    "heads=4, side_pixels=112, groups=None, workers=None), "
    "progress: 'Progress | None' = None) -> 'ClipPretraining'",
    "shard": "(source: 'str | Path', output: 'Path', options: 'ShardOptions' = ShardOptions("
    "by='video', shard_bytes=None, shard_clips=None, like=None, plan=None, groups=None, "
    "holdout=0.0, workers=None, on='here', own=()), "
    "progress: 'Progress | None' = None) -> 'Sharded'",
    "search": "(library: 'str | Path', query: 'str', output: 'Path', "
    "options: 'SearchOptions' = SearchOptions(by='look', top=12, "
    "backbone='efficientnet-lite0', shot_seconds=4.0, index=None, workers=None, download=False), "
    "progress: 'Progress | None' = None) -> 'SearchResult'",
    "export": "(directory: 'Path', output: 'Path', format: 'Format' = 'onnx', "
    "own: 'Sequence[str]' = (), progress: 'Progress | None' = None) -> 'Exported'",
    "push": "(directory: 'Path', destination: 'str', progress: 'Progress | None' = None) -> 'None'",
    "pull": "(source: 'str', directory: 'Path', progress: 'Progress | None' = None, "
    "own: 'Sequence[str]' = ()) -> 'None'",
    "load": "(directory: 'Path', own: 'Sequence[str]' = (), "
    "task: 'str | None' = None) -> 'Predictor'",
    "predict": "(predictor: 'Predictor', path: 'str', *, "
    "span: 'tuple[float, float | None]' = (0.0, None), window_seconds: 'float | None' = None, "
    "unknown: 'Unknown' = None, workers: 'int | None' = None, "
    "progress: 'Progress | None' = None) -> 'Timeline'",
    "predict_all": "(predictors: 'Sequence[Predictor]', path: 'str', *, "
    "span: 'tuple[float, float | None]' = (0.0, None), window_seconds: 'float | None' = None, "
    "workers: 'int | None' = None, kept: 'Path | None' = None, "
    "beside: 'LooksBeside | None' = None, text: 'str' = '', "
    "progress: 'Progress | None' = None) -> 'tuple[Timeline, ...]'",
    "watch": "(model: 'Path', folder: 'Path', output: 'Path', "
    "options: 'WatchOptions' = WatchOptions(every_seconds=2.0, once=False, window_seconds=None, "
    "unknown=None, own=(), task=None, workers=None), "
    "progress: 'Progress | None' = None) -> 'Iterator[Timeline | Failure]'",
    "read_manifest": "(source: 'str | Path', *, groups: 'Path | None' = None, "
    "labels: 'Labels | Kind | None' = None) -> 'Manifest'",
    "write_manifest": "(manifest: 'Manifest', path: 'str | Path') -> 'None'",
    "FitOptions": "(backbones: 'tuple[str, ...]' = (), groups: 'Path | None' = None, "
    "minutes: 'float | None' = None, memory_bytes: 'int | None' = None, "
    "latency_seconds: 'float | None' = None, commercial: 'bool' = False, "
    "metric: 'str | None' = None, class_weights: 'ClassWeights | None' = None, "
    "prefer: 'Preference' = 'cheapest', "
    "give_up: 'float' = 2.0, workers: 'int | None' = None, "
    "download: 'bool' = False, on: 'str' = 'here', labels: 'Labels | None' = None, "
    "task: 'str | None' = None, network_only: 'bool' = False, "
    "variants: 'bool' = False, consent: 'str | None' = None, holdout: 'float' = 0.0, "
    "merge_duplicates: 'bool' = False, keep_untested: 'bool' = False, "
    "train: 'bool | None' = None) -> None",
    "CompressOptions": "(max_loss: 'float' = 0.5, target: 'Target' = 'latency', "
    "techniques: 'tuple[str, ...]' = (), distil_steps: 'int' = 200, "
    "groups: 'Path | None' = None, workers: 'int | None' = None, "
    "unlabelled: 'str | Path | None' = None, own: 'tuple[str, ...]' = (), "
    "task: 'str | None' = None) -> None",
    "transcribe": "(paths: 'Sequence[str | Path]', options: 'TranscribeOptions', "
    "progress: 'Progress | None' = None) -> 'Transcription'",
    "TranscribeOptions": "(output: 'Path | None' = None, "
    "formats: 'tuple[str, ...]' = ('srt',), model: 'str' = 'whisper-tiny.en', "
    "language: 'str' = '', download: 'bool' = False, replace: 'bool' = False, "
    "workers: 'int | None' = None, on: 'str' = 'here') -> None",
    "ConvertOptions": "(to: 'To' = 'coco', media: 'Path | None' = None, "
    "pictures: 'bool' = False) -> None",
    "SelectOptions": "(backbones: 'tuple[str, ...]' = (), groups: 'Path | None' = None, "
    "minutes: 'float | None' = None, memory_bytes: 'int | None' = None, "
    "latency_seconds: 'float | None' = None, commercial: 'bool' = False, "
    "metric: 'str | None' = None, class_weights: 'ClassWeights | None' = None, "
    "prefer: 'Preference' = 'cheapest', "
    "give_up: 'float' = 2.0, workers: 'int | None' = None, "
    "download: 'bool' = False, on: 'str' = 'here', labels: 'Labels | None' = None, "
    "task: 'str | None' = None, network_only: 'bool' = False, "
    "variants: 'bool' = False, consent: 'str | None' = None) -> None",
    "SearchOptions": "(by: 'Way' = 'look', top: 'int' = 12, "
    "backbone: 'str' = 'efficientnet-lite0', shot_seconds: 'float' = 4.0, "
    "index: 'Path | None' = None, workers: 'int | None' = None, download: 'bool' = False) -> None",
    "ShardOptions": "(by: 'By' = 'video', shard_bytes: 'int | None' = None, "
    "shard_clips: 'int | None' = None, like: 'str | None' = None, plan: 'Path | None' = None, "
    "groups: 'Path | None' = None, holdout: 'float' = 0.0, workers: 'int | None' = None, "
    "on: 'str' = 'here', own: 'tuple[str, ...]' = ()) -> None",
    "FeatureStore": "(root: 'Path') -> 'None'",
    "Clip": "(path: 'str', start_seconds: 'float' = 0.0, end_seconds: 'float | None' = None, "
    "label: 'str | None' = None, group: 'str | None' = None, split: 'str | None' = None, "
    "text: 'str | None' = None) -> None",
    "Sampling": "(clip_len: 'int' = 1, num_clips: 'int' = 8, "
    "interval_seconds: 'float | None' = None, keyframes: 'bool' = False) -> None",
}

# What must not be loaded by `import vidfit`, nor by asking for help.
HEAVY = {
    "av", "cv2", "imagehash", "jinja2", "matplotlib", "numpy", "onnxruntime", "openvino", "PIL",
    "pyarrow", "scipy", "sklearn", "torch", "transformers",
}  # fmt: skip


def test_names():
    assert set(vidfit.__all__) == NAMES
    assert set(dir(vidfit)) >= NAMES
    for name in NAMES:
        assert getattr(vidfit, name) is not None


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    assert str(inspect.signature(getattr(vidfit, name))) == SIGNATURES[name]


def test_every_error_is_public_and_a_vidfit_error():
    tree = {cls.__name__ for cls in vars(errors).values() if inspect.isclass(cls)}
    assert tree == {name for name in NAMES if name.endswith("Error")}
    assert all(issubclass(getattr(vidfit, name), vidfit.VidfitError) for name in tree)


def test_the_version_is_that_of_the_package():
    assert vidfit.__version__ == version("vidfit")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fitt'"):
        _ = vidfit.fitt


@pytest.mark.parametrize(
    "code",
    [
        "import vidfit",
        "import vidfit; vidfit.VidfitError",
        "from vidfit.cli.main import app; app(['--help'], standalone_mode=False)",
        "from vidfit.cli.main import app; app(['fit', '--help'], standalone_mode=False)",
        "from vidfit.cli.main import app; app(['predict', '--help'], standalone_mode=False)",
    ],
)
def test_import_and_help_load_nothing_heavy(code):
    loaded = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "vidfit" in loaded
    assert HEAVY.intersection(loaded) == set()
