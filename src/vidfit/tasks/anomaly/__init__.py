"""What is unusual in long videos, learned from recordings in which nothing is.

A video is cut into windows, each a clip. Only windows of normal recordings are learned from; how
rare a window is among those that were not learned from is the answer. Events, where some are
labelled, judge and choose.
"""

from vidfit.metrics.unusual import UNUSUAL_MEASURES
from vidfit.tasks.anomaly.kind import KIND, USUAL
from vidfit.tasks.anomaly.learner import LearnNormal
from vidfit.tasks.anomaly.reading import read_recordings_of, without_events
from vidfit.tasks.task import Task

TASK = Task(
    name="anomaly",
    kind=KIND,
    measures=UNUSUAL_MEASURES,
    asked="what is unusual",
    baseline=f"always {USUAL}",
    learner=LearnNormal(),
    read=read_recordings_of,
    windows=True,
    backbones=("speed-grid", "motion@2", "efficientnet-lite0@2"),
    declines=False,
    suited=without_events,
)
