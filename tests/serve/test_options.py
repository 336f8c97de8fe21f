"""What is safe to ask for."""

from __future__ import annotations

import pytest

from vidfit.errors import VidfitError
from vidfit.serve.options import ServeOptions

TOKEN = "t" * 32


def test_this_machine_alone_needs_nothing_more(tmp_path):
    ServeOptions(tmp_path).check()
    ServeOptions(tmp_path, host="::1").check()


@pytest.mark.parametrize(
    ("more", "lacks"),
    [
        ({}, "--token-file FILE and --allow-host NAME"),
        ({"token": TOKEN}, "needs --allow-host NAME"),
        ({"allow_hosts": ("videos.example",)}, "needs --token-file FILE"),
    ],
)
def test_other_machines_need_a_token_and_a_name(tmp_path, more, lacks):
    with pytest.raises(VidfitError, match=lacks):
        ServeOptions(tmp_path, host="0.0.0.0", **more).check()


def test_with_both_other_machines_are_let_in(tmp_path):
    options = ServeOptions(tmp_path, host="0.0.0.0", token=TOKEN, allow_hosts=("Videos.example",))
    options.check()
    assert options.hosts == {"127.0.0.1", "localhost", "::1", "videos.example"}


@pytest.mark.parametrize(
    ("more", "why"),
    [({"token": "short"}, "at least 24"), ({"port": 70_000}, "0 to 65535"), ({"jobs": 0}, "1 or")],
)
def test_what_has_no_meaning_is_refused(tmp_path, more, why):
    with pytest.raises(VidfitError, match=why):
        ServeOptions(tmp_path, **more).check()
