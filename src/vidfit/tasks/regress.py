"""A number a clip."""

from vidfit.fusion import methods_for
from vidfit.fusion.learner import LinearProbe
from vidfit.labels import A_NUMBER
from vidfit.metrics import NUMBER_MEASURES
from vidfit.tasks.task import Task

TASK = Task(
    name="regress",
    kind=A_NUMBER,
    measures=NUMBER_MEASURES,
    asked="regression",
    baseline="one number for all",
    learner=LinearProbe(A_NUMBER),
    methods=methods_for(A_NUMBER),
)
