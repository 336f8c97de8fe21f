"""Clips as loose files, and the same by video in shards; not to be written to."""

from __future__ import annotations

import pytest
from tests.clips import write_dataset
from tests.sharded import BY_VIDEO

from vidfit.jobs.shard.run import run_shard


@pytest.fixture(scope="package")
def loose(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("loose"))


@pytest.fixture(scope="package")
def by_video(loose, tmp_path_factory):
    folder = tmp_path_factory.mktemp("by_video")
    run_shard(loose, folder, BY_VIDEO)
    return folder
