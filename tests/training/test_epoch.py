"""What an epoch did is read back as it was."""

from __future__ import annotations

import json
import math
from dataclasses import asdict

import pytest

from vidfit.documents import to_json
from vidfit.training.epoch import Epoch, epoch_of


def test_an_epoch_without_validation_clips_is_read_back():
    epoch = Epoch(3, 0.5, 2, 8, 1e-3, math.nan, math.nan, math.inf)
    text = to_json(asdict(epoch))
    again = epoch_of(json.loads(text, parse_constant=pytest.fail))
    assert (again.number, again.loss, again.seconds) == (3, 0.5, math.inf)
    assert math.isnan(again.log_loss) and math.isnan(again.accuracy)
    assert repr(epoch_of(asdict(epoch))) == repr(epoch)  # files of before hold bare NaN
    with pytest.raises(TypeError):
        epoch_of({"number": 3})
