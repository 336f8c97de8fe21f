"""An error is one line for programs, and has a line for each fault for people."""

from __future__ import annotations

import pickle

from vidfit.errors import ManifestError


def test_an_error_names_its_first_faults():
    faults = [(f"a.csv, line {n}", "no box") for n in range(22)]
    error = ManifestError("nothing can be used", faults)
    assert str(error).startswith("nothing can be used: a.csv, line 0: no box; a.csv, line 1: ")
    assert str(error).endswith("a.csv, line 19: no box; and 2 more")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.faults) == (str(error), tuple(faults))


def test_an_error_without_faults_is_what_it_says():
    assert (str(ManifestError("there is no a.csv")), str(ManifestError())) == (
        "there is no a.csv",
        "",
    )
