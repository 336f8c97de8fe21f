"""Labelled stretches of time in long videos: when something happens, and what.

A video is cut into windows, each a clip; a window is of the span that its middle lies in, or of
the background. Answers to windows that follow one another are smoothed by a chain of Markov.
"""

from vidfit.metrics.segments import SEGMENT_MEASURES
from vidfit.tasks.localise.learner import ChainedProbe
from vidfit.tasks.localise.moments import MOMENTS
from vidfit.tasks.localise.reading import read_windows
from vidfit.tasks.task import Task

TASK = Task(
    name="localise",
    kind=MOMENTS,
    measures=SEGMENT_MEASURES,
    asked="localisation in time",
    baseline="most frequent class",
    learner=ChainedProbe(),
    methods=("average",),
    read=read_windows,
    windows=True,
)
