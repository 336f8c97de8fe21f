"""Find the pretrained models that fit your videos, and turn them into one model that runs.

::

    import vidfit

    report = vidfit.fit("clips/", Path("runs/clips"))
    model = vidfit.load(Path("runs/clips/model"))
    timeline = vidfit.predict(model, "video.mp4")

Names are imported when they are first used, so that ``import vidfit`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vidfit.answers import Timeline as Timeline
    from vidfit.client import Client as Client
    from vidfit.contracts import Clip as Clip
    from vidfit.contracts import Sampling as Sampling
    from vidfit.errors import BackboneError as BackboneError
    from vidfit.errors import BudgetError as BudgetError
    from vidfit.errors import ConsentError as ConsentError
    from vidfit.errors import ManifestError as ManifestError
    from vidfit.errors import ModelError as ModelError
    from vidfit.errors import NotEnoughDataError as NotEnoughDataError
    from vidfit.errors import StoreError as StoreError
    from vidfit.errors import VideoError as VideoError
    from vidfit.errors import VidfitError as VidfitError
    from vidfit.features import FeatureStore as FeatureStore
    from vidfit.jobs.ask.options import AskOptions as AskOptions
    from vidfit.jobs.ask.run import run_ask as ask
    from vidfit.jobs.ask.value import AskedTexts as AskedTexts
    from vidfit.jobs.benchmark.options import BenchmarkOptions as BenchmarkOptions
    from vidfit.jobs.benchmark.run import run_benchmark as benchmark
    from vidfit.jobs.compare.options import CompareOptions as CompareOptions
    from vidfit.jobs.compare.run import run_compare as compare
    from vidfit.jobs.compare.value import ArchitectureTable as ArchitectureTable
    from vidfit.jobs.compress.options import CompressOptions as CompressOptions
    from vidfit.jobs.compress.run import run_compress as compress
    from vidfit.jobs.compress.value import Compression as Compression
    from vidfit.jobs.convert.options import ConvertOptions as ConvertOptions
    from vidfit.jobs.convert.run import run_convert as convert
    from vidfit.jobs.convert.value import Converted as Converted
    from vidfit.jobs.exchange.run import run_pull as pull
    from vidfit.jobs.exchange.run import run_push as push
    from vidfit.jobs.export.run import run_export as export
    from vidfit.jobs.fit.options import FitOptions as FitOptions
    from vidfit.jobs.fit.run import run_fit as fit
    from vidfit.jobs.forecast.options import ForecastOptions as ForecastOptions
    from vidfit.jobs.forecast.run import run_forecast as forecast
    from vidfit.jobs.forecast.value import ForecastReport as ForecastReport
    from vidfit.jobs.fuse.options import FuseOptions as FuseOptions
    from vidfit.jobs.fuse.run import run_fuse as fuse
    from vidfit.jobs.fuse.value import Combination as Combination
    from vidfit.jobs.generate.fuse import run_fuse_generators as fuse_generators
    from vidfit.jobs.generate.options import GenerateOptions as GenerateOptions
    from vidfit.jobs.generate.run import run_generate as generate
    from vidfit.jobs.generate.sample import DrawnClips as DrawnClips
    from vidfit.jobs.generate.sample import run_sample as sample
    from vidfit.jobs.generate.value import GenerationReport as GenerationReport
    from vidfit.jobs.generate.value import GeneratorPool as GeneratorPool
    from vidfit.jobs.label.options import LabelOptions as LabelOptions
    from vidfit.jobs.label.run import run_label as label
    from vidfit.jobs.people.forget import run_forget as forget
    from vidfit.jobs.people.pairs import run_pairs as compare_pairs
    from vidfit.jobs.people.value import Forgotten as Forgotten
    from vidfit.jobs.people.value import PairFigures as PairFigures
    from vidfit.jobs.plan.options import PlanOptions as PlanOptions
    from vidfit.jobs.plan.pixels import PixelPlan as PixelPlan
    from vidfit.jobs.plan.pixels import run_pixel_plan as plan_pixels
    from vidfit.jobs.plan.run import run_plan as plan
    from vidfit.jobs.predict.people.run import people_in as people_in
    from vidfit.jobs.predict.people.value import VideoPeople as VideoPeople
    from vidfit.jobs.predict.predictor import load as load
    from vidfit.jobs.predict.run import run_predict as predict
    from vidfit.jobs.predict.run import run_predict_all as predict_all
    from vidfit.jobs.pretrain.clips import ClipPretraining as ClipPretraining
    from vidfit.jobs.pretrain.clips import ClipPretrainOptions as ClipPretrainOptions
    from vidfit.jobs.pretrain.clips import run_pretrain_clips as pretrain_clips
    from vidfit.jobs.pretrain.options import PretrainOptions as PretrainOptions
    from vidfit.jobs.pretrain.run import run_pretrain as pretrain
    from vidfit.jobs.pretrain.value import Pretraining as Pretraining
    from vidfit.jobs.read.options import ReadOptions as ReadOptions
    from vidfit.jobs.read.run import run_read as read
    from vidfit.jobs.read.value import ReadingReport as ReadingReport
    from vidfit.jobs.restore.options import RestoreOptions as RestoreOptions
    from vidfit.jobs.restore.run import run_restore as restore
    from vidfit.jobs.restore.value import RestoreReport as RestoreReport
    from vidfit.jobs.search.beside import indexing as indexing
    from vidfit.jobs.search.options import SearchOptions as SearchOptions
    from vidfit.jobs.search.run import run_search as search
    from vidfit.jobs.search.value import SearchResult as SearchResult
    from vidfit.jobs.select.run import run_select as select
    from vidfit.jobs.select.value import Ranking as Ranking
    from vidfit.jobs.shard.options import ShardOptions as ShardOptions
    from vidfit.jobs.shard.run import run_shard as shard
    from vidfit.jobs.train.options import TrainOptions as TrainOptions
    from vidfit.jobs.train.run import run_train as train
    from vidfit.jobs.train.value import TrainingReport as TrainingReport
    from vidfit.jobs.transcribe.options import TranscribeOptions as TranscribeOptions
    from vidfit.jobs.transcribe.run import run_transcribe as transcribe
    from vidfit.jobs.transcribe.value import Transcript as Transcript
    from vidfit.jobs.transcribe.value import Transcription as Transcription
    from vidfit.jobs.watch.options import WatchOptions as WatchOptions
    from vidfit.jobs.watch.run import run_watch as watch
    from vidfit.language.model import LanguageModel as LanguageModel
    from vidfit.language.model import load_language as load_language
    from vidfit.manifest import read_manifest as read_manifest
    from vidfit.manifest import write_manifest as write_manifest
    from vidfit.plans import Plan as Plan
    from vidfit.reported import Report as Report
    from vidfit.study.options import SelectOptions as SelectOptions

    __version__: str

_SOURCES = {
    "ArchitectureTable": "jobs.compare.value:ArchitectureTable",
    "AskOptions": "jobs.ask.options:AskOptions",
    "AskedTexts": "jobs.ask.value:AskedTexts",
    "BackboneError": "errors:BackboneError",
    "BenchmarkOptions": "jobs.benchmark.options:BenchmarkOptions",
    "BudgetError": "errors:BudgetError",
    "Client": "client:Client",
    "Clip": "contracts:Clip",
    "Combination": "jobs.fuse.value:Combination",
    "ClipPretrainOptions": "jobs.pretrain.clips:ClipPretrainOptions",
    "ClipPretraining": "jobs.pretrain.clips:ClipPretraining",
    "CompareOptions": "jobs.compare.options:CompareOptions",
    "ConsentError": "errors:ConsentError",
    "CompressOptions": "jobs.compress.options:CompressOptions",
    "Compression": "jobs.compress.value:Compression",
    "ConvertOptions": "jobs.convert.options:ConvertOptions",
    "Converted": "jobs.convert.value:Converted",
    "DrawnClips": "jobs.generate.sample:DrawnClips",
    "FeatureStore": "features:FeatureStore",
    "FitOptions": "jobs.fit.options:FitOptions",
    "Forgotten": "jobs.people.value:Forgotten",
    "ForecastOptions": "jobs.forecast.options:ForecastOptions",
    "ForecastReport": "jobs.forecast.value:ForecastReport",
    "FuseOptions": "jobs.fuse.options:FuseOptions",
    "GenerateOptions": "jobs.generate.options:GenerateOptions",
    "GenerationReport": "jobs.generate.value:GenerationReport",
    "GeneratorPool": "jobs.generate.value:GeneratorPool",
    "LabelOptions": "jobs.label.options:LabelOptions",
    "LanguageModel": "language.model:LanguageModel",
    "ManifestError": "errors:ManifestError",
    "ModelError": "errors:ModelError",
    "NotEnoughDataError": "errors:NotEnoughDataError",
    "PairFigures": "jobs.people.value:PairFigures",
    "PixelPlan": "jobs.plan.pixels:PixelPlan",
    "Plan": "plans:Plan",
    "PlanOptions": "jobs.plan.options:PlanOptions",
    "PretrainOptions": "jobs.pretrain.options:PretrainOptions",
    "Pretraining": "jobs.pretrain.value:Pretraining",
    "Ranking": "jobs.select.value:Ranking",
    "ReadOptions": "jobs.read.options:ReadOptions",
    "ReadingReport": "jobs.read.value:ReadingReport",
    "Report": "reported:Report",
    "RestoreOptions": "jobs.restore.options:RestoreOptions",
    "RestoreReport": "jobs.restore.value:RestoreReport",
    "Sampling": "contracts:Sampling",
    "SearchOptions": "jobs.search.options:SearchOptions",
    "SearchResult": "jobs.search.value:SearchResult",
    "SelectOptions": "study.options:SelectOptions",
    "ShardOptions": "jobs.shard.options:ShardOptions",
    "StoreError": "errors:StoreError",
    "Timeline": "answers:Timeline",
    "TrainOptions": "jobs.train.options:TrainOptions",
    "TrainingReport": "jobs.train.value:TrainingReport",
    "TranscribeOptions": "jobs.transcribe.options:TranscribeOptions",
    "Transcript": "jobs.transcribe.value:Transcript",
    "Transcription": "jobs.transcribe.value:Transcription",
    "VideoError": "errors:VideoError",
    "VidfitError": "errors:VidfitError",
    "VideoPeople": "jobs.predict.people.value:VideoPeople",
    "WatchOptions": "jobs.watch.options:WatchOptions",
    "ask": "jobs.ask.run:run_ask",
    "benchmark": "jobs.benchmark.run:run_benchmark",
    "compare": "jobs.compare.run:run_compare",
    "compare_pairs": "jobs.people.pairs:run_pairs",
    "compress": "jobs.compress.run:run_compress",
    "convert": "jobs.convert.run:run_convert",
    "export": "jobs.export.run:run_export",
    "fit": "jobs.fit.run:run_fit",
    "forget": "jobs.people.forget:run_forget",
    "forecast": "jobs.forecast.run:run_forecast",
    "fuse": "jobs.fuse.run:run_fuse",
    "fuse_generators": "jobs.generate.fuse:run_fuse_generators",
    "generate": "jobs.generate.run:run_generate",
    "indexing": "jobs.search.beside:indexing",
    "label": "jobs.label.run:run_label",
    "load": "jobs.predict.predictor:load",
    "load_language": "language.model:load_language",
    "people_in": "jobs.predict.people.run:people_in",
    "plan": "jobs.plan.run:run_plan",
    "plan_pixels": "jobs.plan.pixels:run_pixel_plan",
    "predict": "jobs.predict.run:run_predict",
    "predict_all": "jobs.predict.run:run_predict_all",
    "pretrain": "jobs.pretrain.run:run_pretrain",
    "pretrain_clips": "jobs.pretrain.clips:run_pretrain_clips",
    "pull": "jobs.exchange.run:run_pull",
    "push": "jobs.exchange.run:run_push",
    "read": "jobs.read.run:run_read",
    "read_manifest": "manifest:read_manifest",
    "sample": "jobs.generate.sample:run_sample",
    "restore": "jobs.restore.run:run_restore",
    "search": "jobs.search.run:run_search",
    "select": "jobs.select.run:run_select",
    "shard": "jobs.shard.run:run_shard",
    "train": "jobs.train.run:run_train",
    "transcribe": "jobs.transcribe.run:run_transcribe",
    "watch": "jobs.watch.run:run_watch",
    "write_manifest": "manifest:write_manifest",
}
"""Public name -> where it is, below this package."""

__all__ = sorted([*_SOURCES, "__version__"])  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("vidfit")
    if name not in _SOURCES:
        raise AttributeError(f"module 'vidfit' has no attribute {name!r}")
    module, _, attribute = _SOURCES[name].partition(":")
    value = globals()[name] = getattr(import_module(f"vidfit.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
