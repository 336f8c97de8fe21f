"""Clips of a data set: where they are, what they show, which recording they come from."""

from vidfit.manifest.balanced import balanced_folds, counted_strata
from vidfit.manifest.lazily import is_list, iter_clips, stream_layout
from vidfit.manifest.read import read_manifest
from vidfit.manifest.shards import holds_shards, iter_members
from vidfit.manifest.splits import grouped_folds, holdout, random_folds
from vidfit.manifest.told import counted, faults_of, losses, noticed, refusal, told
from vidfit.manifest.value import Manifest
from vidfit.manifest.written import write_manifest

__all__ = [
    "Manifest",
    "balanced_folds",
    "counted",
    "counted_strata",
    "faults_of",
    "grouped_folds",
    "holdout",
    "holds_shards",
    "is_list",
    "iter_clips",
    "iter_members",
    "losses",
    "noticed",
    "random_folds",
    "read_manifest",
    "refusal",
    "stream_layout",
    "told",
    "write_manifest",
]
