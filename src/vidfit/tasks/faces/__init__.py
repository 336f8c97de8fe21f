"""Who is in a picture, among people who agreed to be known; everybody else is unknown.

A row is an aligned face of a picture of a person; its recording is the picture, or the session
that a table of groups names. Nothing starts without a stated consent.
"""

from vidfit.features import Pooling
from vidfit.metrics.identities import IDENTITY_MEASURES
from vidfit.tasks.faces.gallery import LearnGallery, mean_direction
from vidfit.tasks.faces.kind import IDENTITY
from vidfit.tasks.faces.pictures import aligned_faces, read_people
from vidfit.tasks.task import Task

TASK = Task(
    name="faces",
    kind=IDENTITY,
    measures=IDENTITY_MEASURES,
    asked="who it is, or nobody who is known",
    baseline="always unknown",
    learner=LearnGallery(),
    pooling=Pooling(mean_direction, 1),
    row="face",
    read=read_people,
    backbones=("dlib-face",),
    declines=False,
    prepare=aligned_faces,
    consent="faces of people are measured and compared",
)
