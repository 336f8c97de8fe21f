"""Any of several classes a clip."""

from vidfit.fusion import methods_for
from vidfit.fusion.learner import LinearProbe
from vidfit.labels import SEVERAL
from vidfit.metrics import SEVERAL_MEASURES
from vidfit.tasks.task import Task

TASK = Task(
    name="tag",
    kind=SEVERAL,
    measures=SEVERAL_MEASURES,
    asked="classification, several labels",
    baseline="class shares",
    learner=LinearProbe(SEVERAL),
    methods=methods_for(SEVERAL),
)
