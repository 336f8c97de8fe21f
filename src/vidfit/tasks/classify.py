"""One class a clip."""

from vidfit.fusion import methods_for
from vidfit.fusion.learner import LinearProbe
from vidfit.labels import ONE
from vidfit.metrics import CLASS_MEASURES
from vidfit.reported import MAJORITY
from vidfit.tasks.task import Task

TASK = Task(
    name="classify",
    kind=ONE,
    measures=CLASS_MEASURES,
    asked="classification",
    baseline=MAJORITY,
    learner=LinearProbe(ONE),
    methods=methods_for(ONE),
)
