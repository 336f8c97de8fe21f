"""What many tests need: a model that was fitted once."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from vidfit.threads import sleep_while_waiting

# Before numpy is imported: the small fits of the tests need no threads.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sleep_while_waiting()


@dataclass(frozen=True)
class Fitted:
    """A finished fit of two classes with six recordings each; not to be written to."""

    clips: Path
    output: Path
    backbones: tuple[str, ...]

    @property
    def model(self) -> Path:
        return self.output / "model"

    def warm(self, output: Path) -> Path:
        """Give an output folder the features of this fit: of its clips none is decoded again."""
        shutil.copytree(self.output / "features", output / "features")
        return output


def pytest_collection_modifyitems(items) -> None:
    """Begin with what is slow: one worker would end with it, and the others wait."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory) -> None:
    """Keep what outlives a run away from the user's own folder."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(autouse=True)
def scheduling():
    """Undo what SVT-AV1 does: run as root, it makes its process one of real time.

    What comes after it in the process would starve what runs beside it.
    """
    yield
    for task in Path("/proc/self/task").glob("*") if hasattr(os, "sched_getscheduler") else ():
        with suppress(OSError):
            if os.sched_getscheduler(int(task.name)) != os.SCHED_OTHER:
                os.sched_setscheduler(int(task.name), os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(scope="session")
def fitted(tmp_path_factory) -> Fitted:
    from tests.clips import write_backbone, write_dataset

    from vidfit.jobs.fit.run import FitOptions, run_fit

    folder = tmp_path_factory.mktemp("fitted")
    backbones = ("motion", write_backbone(folder))
    clips = write_dataset(folder / "clips")
    run_fit(clips, folder / "out", FitOptions(backbones=backbones))
    return Fitted(clips, folder / "out", backbones)


@pytest.fixture
def rng():
    import numpy as np

    return np.random.default_rng(0)
