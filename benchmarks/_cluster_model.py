"""How fast a cluster would be, from what a clip takes on one core: arithmetic, no measurement.

All stages of a clip but the driver's run at the same time on different clips, so that the slowest
of them sets the pace; what the driver does with each clip comes before and after, for
`vidfit.launch.spark.OnSpark` writes all items first and reads all results last.
"""

from __future__ import annotations

from dataclasses import dataclass

CORES, STORAGE, NETWORK, DRIVER = "cores", "storage", "network", "driver"


@dataclass(frozen=True)
class PerClip:
    """What a clip takes, as measured in one thread.

    Parameters
    ----------
    core_seconds
        CPU seconds of a worker: reading and hashing, decoding, networks, writing.
    read_bytes, written_bytes
        The video, and its features in the store.
    video_seconds
        Length of the clip.
    """

    core_seconds: float
    read_bytes: float
    written_bytes: float
    video_seconds: float

    @property
    def clips_a_video_hour(self) -> float:
        """Clips that an hour of video is cut into."""
        return 3600 / self.video_seconds


@dataclass(frozen=True)
class Overhead:
    """What Spark takes beside the work.

    Parameters
    ----------
    item_driver_seconds, item_core_seconds
        For each clip: of the driver, alone, before and after the work; and of a worker.
    part_driver_seconds, part_core_seconds
        For each part: of the driver, alone; and of a worker.
    dispatch_seconds
        From one part to the next, at the least: the driver starts no more.
    start_seconds
        Until executors have opened the networks.
    """

    item_driver_seconds: float = 0.0
    item_core_seconds: float = 0.0
    part_driver_seconds: float = 0.0
    part_core_seconds: float = 0.0
    dispatch_seconds: float = 0.0
    start_seconds: float = 0.0


@dataclass(frozen=True)
class Cluster:
    """A described cluster.

    Parameters
    ----------
    storage_bytes_a_second
        Of the file system that all executors share.
    network_bytes_a_second
        Of each executor.
    """

    executors: int
    cores: int
    storage_bytes_a_second: float
    network_bytes_a_second: float

    @property
    def slots(self) -> int:
        """Parts that run at once."""
        return self.executors * self.cores


def limits(
    clip: PerClip, overhead: Overhead, cluster: Cluster, part_clips: float
) -> dict[str, float]:
    """Return how many clips a second each resource could serve if it were the only one.

    Parameters
    ----------
    part_clips
        Clips of a part.
    """
    core_seconds = (
        clip.core_seconds + overhead.item_core_seconds + overhead.part_core_seconds / part_clips
    )
    moved_bytes = clip.read_bytes + clip.written_bytes
    driver_seconds = _alone(overhead, part_clips) + overhead.dispatch_seconds / part_clips
    return {
        CORES: cluster.slots / core_seconds,
        STORAGE: cluster.storage_bytes_a_second / moved_bytes,
        NETWORK: cluster.executors * cluster.network_bytes_a_second / moved_bytes,
        DRIVER: 1 / driver_seconds if driver_seconds else float("inf"),
    }


def saturated(served: dict[str, float]) -> str:
    """Return the resource that gives out first."""
    return min(served, key=served.__getitem__)


def seconds(
    clips: float, clip: PerClip, overhead: Overhead, cluster: Cluster, part_clips: float
) -> float:
    """Return how long so many clips take: the start, the driver alone, then the slowest stage."""
    served = limits(clip, overhead, cluster, part_clips)
    pace = min(served[CORES], served[STORAGE], served[NETWORK])
    if overhead.dispatch_seconds:
        pace = min(pace, part_clips / overhead.dispatch_seconds)
    return overhead.start_seconds + clips * (_alone(overhead, part_clips) + 1 / pace)


def _alone(overhead: Overhead, part_clips: float) -> float:
    """Return the seconds a clip in which only the driver works."""
    return overhead.item_driver_seconds + overhead.part_driver_seconds / part_clips
