"""Questions about texts, with what their answers are: SQuAD 1.1 and 2.0."""

from vidfit.manifest.questions.squad import read_squad, write_predictions, write_squad
from vidfit.manifest.questions.value import QuestionSet, TextAnswer, TextQuestion

__all__ = [
    "QuestionSet",
    "TextAnswer",
    "TextQuestion",
    "read_squad",
    "write_predictions",
    "write_squad",
]
