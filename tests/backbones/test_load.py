"""Names, and what becomes of wrong ones."""

import sys
from dataclasses import replace
from importlib import metadata

import numpy as np
import pytest

from vidfit import backbones
from vidfit.backbones.lite import efficientnet_lite0
from vidfit.contracts import Sampling
from vidfit.errors import BackboneError
from vidfit.features.digests import spec_key
from vidfit.testing import random_views

OWN = """
from vidfit.backbones.lite import efficientnet_lite0

class Mine:
    def __init__(self):
        self.base = efficientnet_lite0()
        self.spec = self.base.spec

    def forward(self, frames_BTHWC):
        return self.base.forward(frames_BTHWC)

    def save(self, directory):
        self.base.save(directory)

def number():
    return 5
"""


def test_candidate_is_loaded_by_name():
    assert backbones.load("efficientnet-lite0").spec.name == "efficientnet-lite0"


def test_unknown_name_lists_what_is_known():
    with pytest.raises(BackboneError) as caught:
        backbones.load("qqqq")
    assert "Did you mean" not in str(caught.value)
    assert all(name in str(caught.value) for name in (*backbones.BACKBONES, "vgg16", "hf"))


OWN_DATACLASS = """
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vidfit.backbones import RESTORE, motion
from vidfit.contracts import BackboneSpec

@dataclass(frozen=True)
class Twin:
    spec: BackboneSpec = field(default_factory=lambda: motion.motion().spec)

    def forward(self, frames_BTHWC):
        return motion.motion().forward(frames_BTHWC)

    def save(self, directory: Path) -> None:
        pass

def restore(directory, spec):
    return Twin()
"""


def test_own_file_may_hold_a_dataclass_and_is_found_again(tmp_path, monkeypatch):
    path = tmp_path / "twin_of_motion.py"
    path.write_text(OWN_DATACLASS)
    monkeypatch.delitem(sys.modules, "twin_of_motion", raising=False)
    twin = backbones.load(f"{path}:Twin")
    monkeypatch.setitem(backbones.RESTORE, twin.spec.family, "twin_of_motion:restore")
    backbones.save(twin, tmp_path / "saved")
    assert type(backbones.restore(tmp_path / "saved")).__name__ == "Twin"


def test_unknown_family_says_how_to_name_the_file(tmp_path, monkeypatch):
    backbones.save(backbones.load("motion"), tmp_path)
    monkeypatch.delitem(backbones.RESTORE, "motion")
    with pytest.raises(BackboneError, match=r"--backbone FILE\.py:NAME"):
        backbones.restore(tmp_path)


def test_own_file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    assert type(backbones.load(f"{path}:Mine")).__name__ == "Mine"
    with pytest.raises(BackboneError, match="gave a int, which is no backbone"):
        backbones.load(f"{path}:number")
    with pytest.raises(BackboneError, match=r"defines no 'Other'.*Mine"):
        backbones.load(f"{path}:Other")


def test_own_file_that_is_missing(tmp_path):
    with pytest.raises(BackboneError, match="there is no file"):
        backbones.load(f"{tmp_path / 'absent.py'}:Mine")


def test_entry_point(monkeypatch):
    point = metadata.EntryPoint(
        "theirs", "vidfit.backbones.lite:efficientnet_lite0", "vidfit.backbones"
    )
    monkeypatch.setattr(metadata, "entry_points", lambda group: metadata.EntryPoints([point]))
    assert "theirs" in backbones.names()
    assert backbones.load("theirs").spec.name == "efficientnet-lite0"


def test_missing_package_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "transformers", None)
    path = tmp_path / "mine.py"
    path.write_text("def make():\n    import transformers\n")
    with pytest.raises(BackboneError, match=r"pip install 'vidfit\[hf\]'"):
        backbones.load(f"{path}:make")


def test_sampling_is_replaced_and_paid_for():
    base = efficientnet_lite0()
    longer = backbones.with_sampling(base, Sampling(clip_len=3, num_clips=2))
    assert longer.spec.sampling == Sampling(3, 2)
    assert longer.spec.gmacs_per_clip == pytest.approx(6 * base.spec.gmacs_per_view)
    assert base.spec.sampling == Sampling(1, 8)


def test_sampling_of_another_length_is_refused(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(OWN)
    own = backbones.load(f"{path}:Mine")
    with pytest.raises(BackboneError, match="takes views of 1 frame "):
        backbones.with_sampling(own, Sampling(clip_len=16, num_clips=1))


@pytest.mark.parametrize("name", ["efficientnet-lite0", "motion", "transnetv2"])
def test_another_number_of_views_by_name(name):
    base, other = backbones.load(name).spec, backbones.load(f"{name}@3").spec
    assert other.name == f"{name}@3"
    assert other.sampling == replace(base.sampling, num_clips=3)
    assert other.gmacs_per_view == base.gmacs_per_view
    assert replace(other, name=name, sampling=base.sampling) == base


def test_keyframes_by_name():
    base, other = (
        backbones.load(name).spec for name in ("efficientnet-lite0", "efficientnet-lite0@key")
    )
    assert other.sampling == replace(base.sampling, keyframes=True)
    assert replace(other, name=base.name, sampling=base.sampling) == base
    assert spec_key(other) != spec_key(base)
    four = backbones.load("random:efficientnet-lite0@key4").spec
    assert four.name == "random:efficientnet-lite0@key4"
    assert four.sampling == Sampling(1, 4, keyframes=True)


@pytest.mark.parametrize(
    ("name", "sees"), [("motion@key", "views of several frames"), ("log-mel@key2", "sound")]
)
def test_keyframes_are_refused_by_what_sees_no_single_frames(name, sees):
    with pytest.raises(BackboneError, match=f"sees {sees}.*efficientnet-lite0@key"):
        backbones.load(name)


def test_views_keep_features_apart_in_a_store_unless_they_are_the_usual_number():
    usual, eight, four = (backbones.load(n).spec for n in ("motion", "motion@8", "motion@4"))
    assert spec_key(usual) == spec_key(eight) != spec_key(four)


@pytest.mark.parametrize(
    "name", ["random:efficientnet-lite0@2", "efficientnet-lite1@16", "efficientnet-lite0@key3"]
)
def test_views_and_the_name_come_back_from_disk(name, tmp_path):
    backbone = backbones.load(name)
    backbones.save(backbone, tmp_path)
    restored = backbones.restore(tmp_path)
    assert restored.spec == backbone.spec
    views = random_views(backbone.spec, 1)
    assert np.array_equal(restored.forward(views), backbone.forward(views))


def test_views_of_an_own_file_come_back_though_its_restore_forgets_them(tmp_path, monkeypatch):
    path = tmp_path / "forgetful_twin.py"
    path.write_text(OWN_DATACLASS)
    twin = backbones.load(f"{path}:Twin@5")
    monkeypatch.setitem(backbones.RESTORE, twin.spec.family, "forgetful_twin:restore")
    backbones.save(twin, tmp_path / "saved")
    assert backbones.restore(tmp_path / "saved").spec == twin.spec
    assert (twin.spec.name, twin.spec.sampling.num_clips) == ("motion@5", 5)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("efficientnet-lit0", "Did you mean 'efficientnet-lite0'"),
        ("vgg16", "no backbone called 'vgg16'"),  # of a family, and of no file
        ("motion@0", "asks for no view"),
        ("motion@x", "no backbone called 'motion@x'.*@VIEWS, a number"),
        ("motio@4", "Did you mean 'motion'"),
    ],
)
def test_names_that_are_none(name, complaint):
    with pytest.raises(BackboneError, match=complaint):
        backbones.load(name)


def test_import_is_cheap():
    import subprocess

    code = "import sys, vidfit.backbones, vidfit.runtime; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert {"torch", "onnxruntime", "openvino", "transformers", "cv2"}.isdisjoint(modules)


@pytest.mark.parametrize("stem", ["json", "wave", "numpy", "vidfit"])
def test_a_file_named_like_a_module_is_refused(tmp_path, stem):
    """It would stand in for that module wherever it is imported next."""
    path = tmp_path / f"{stem}.py"
    path.write_text("raise SystemExit('this must not run')")
    with pytest.raises(BackboneError, match=f"a module called '{stem}' exists already; rename"):
        backbones.load(f"{path}:Mine")
