"""A class for each place of a picture: semantic segmentation.

Labelled are pictures, or frames, each with a mask. An encoder of places looks at them in their own
shape; a linear softmax on what it says of each cell answers.
"""

from vidfit.features.places import IN_PLACES
from vidfit.metrics.areas import AREA_MEASURES
from vidfit.tasks.segment.answers import mask_answers
from vidfit.tasks.segment.drawing import drawn_masks
from vidfit.tasks.segment.kind import MASKS
from vidfit.tasks.segment.learner import CellProbe
from vidfit.tasks.segment.reading import as_named, read_masks
from vidfit.tasks.segment.shown import shown_masks
from vidfit.tasks.segment.told import told_places
from vidfit.tasks.task import Task

TASK = Task(
    name="segment",
    kind=MASKS,
    measures=AREA_MEASURES,
    asked="segmentation",
    baseline="place prior",
    learner=CellProbe(),
    methods=("average",),
    pooling=IN_PLACES,
    row="picture",
    read=read_masks,
    backbones=("efficientnet-lite0-places", "efficientnet-lite2-places"),
    declines=False,
    suited=as_named,
    prepare=drawn_masks,
    told=told_places,
    part=shown_masks,
    answers=mask_answers,
)
