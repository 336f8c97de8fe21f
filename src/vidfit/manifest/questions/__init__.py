"""Questions about texts, with what their answers are: SQuAD 1.1 and 2.0."""

from vidfit.manifest.questions.squad import read_squad, write_predictions, write_squad
from vidfit.manifest.questions.value import AnswerSpan, QuestionSet, TextQuestion

__all__ = [
    "QuestionSet",
    "AnswerSpan",
    "TextQuestion",
    "read_squad",
    "write_predictions",
    "write_squad",
]
