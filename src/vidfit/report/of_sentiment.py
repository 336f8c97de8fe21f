"""Words for the figures of sentiment (`vidfit.tasks.sentiment.measures`)."""

OF_SENTIMENT: dict[str, tuple[str, str, bool]] = {
    "acc2-has0": (
        "accuracy of the sign",
        "the share of clips whose sign is answered rightly, 0 counted as positive",
        True,
    ),
    "acc2-non0": (
        "accuracy of the sign without zeros",
        "the share of clips whose sign is answered rightly, of those whose number is not 0",
        True,
    ),
    "f1-has0": (
        "F1 of the sign",
        "the mean over signs, weighted by their clips, 0 counted as positive",
        True,
    ),
    "f1-non0": (
        "F1 of the sign without zeros",
        "the mean over signs, weighted by their clips, of those whose number is not 0",
        True,
    ),
    "acc7": ("accuracy of seven classes", "of numbers rounded to -3, -2, ... 3", True),
    "acc5": ("accuracy of five classes", "of numbers cut to [-2, 2] and rounded", True),
    "sims-acc2": ("accuracy of two ranges", "up to 0, and above", True),
    "sims-acc3": ("accuracy of three ranges", "up to -0.1, up to 0.1, and above", True),
    "sims-acc5": ("accuracy of five ranges", "up to -0.7, -0.1, 0.1, 0.7, and above", True),
    "sims-f1": ("F1 of two ranges", "weighted by the clips of each", True),
    "correlation": ("Pearson's correlation", "of answers and true numbers", False),
}
"""Name of a measure -> what it is called, what it is, and whether it is shown in percent."""
