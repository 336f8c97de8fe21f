"""Clips of a data set: where they are, what they show, which recording they come from."""

from vidfit.manifest.lazily import is_list, iter_videos
from vidfit.manifest.read import read_manifest
from vidfit.manifest.shards import holds_shards, iter_members
from vidfit.manifest.splits import grouped_folds, holdout, random_folds
from vidfit.manifest.table import write_manifest
from vidfit.manifest.value import Manifest

__all__ = [
    "Manifest",
    "grouped_folds",
    "holdout",
    "holds_shards",
    "is_list",
    "iter_members",
    "iter_videos",
    "random_folds",
    "read_manifest",
    "write_manifest",
]
