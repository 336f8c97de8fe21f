"""Objects in frames: where they are, and what.

A row is a labelled frame. A detector finds boxes; which are objects of which class is learned
from what they look like, or taken from the detector where it knows the classes by name.
"""

from vidfit.metrics.boxes import BOX_MEASURES
from vidfit.tasks.detect.answers import box_answers
from vidfit.tasks.detect.head import took
from vidfit.tasks.detect.kind import KIND
from vidfit.tasks.detect.learner import ScoredAgain
from vidfit.tasks.detect.reading import read_frames
from vidfit.tasks.detect.seen import BOXES_APART
from vidfit.tasks.detect.shown import shown_boxes
from vidfit.tasks.detect.told import told_boxes
from vidfit.tasks.detect.trained import open_training
from vidfit.tasks.task import Task

TASK = Task(
    name="detect",
    kind=KIND,
    measures=BOX_MEASURES,
    asked="boxes of objects",
    baseline="no boxes",
    learner=ScoredAgain(),
    methods=("average",),
    pooling=BOXES_APART,
    row="frame",
    read=read_frames,
    windows=True,
    backbones=("nanodet",),
    declines=False,
    told=told_boxes,
    took=took,
    training=open_training,
    part=shown_boxes,
    answers=box_answers,
)
