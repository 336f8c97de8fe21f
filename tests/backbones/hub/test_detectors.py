"""Detectors of Hugging Face, tiny and random: loaded, held against the library, and saved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vidfit import backbones
from vidfit.contracts import Detector
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone, random_views

SIDE = 64
NAMES = {0: "drone", 1: "bird", 2: "helicopter"}
_STAGES = {"embedding_size": 8, "hidden_sizes": [8, 8, 16, 16], "depths": [1, 1, 1, 1]}
_HEADS = {"d_model": 16, "encoder_attention_heads": 2, "decoder_attention_heads": 2,
          "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "num_queries": 10}  # fmt: skip
_REAL_TIME = {**_HEADS, "encoder_hidden_dim": 16, "encoder_in_channels": [8, 16, 16],
              "encoder_layers": 1, "decoder_in_channels": [16, 16, 16], "decoder_layers": 2,
              "num_denoising": 0}  # fmt: skip
KINDS = {
    "detr": ("Detr", "ResNetConfig", ["stage4"],
             {**_HEADS, "encoder_layers": 1, "decoder_layers": 1, "use_timm_backbone": False,
              "use_pretrained_backbone": False, "backbone": None}),
    "rt_detr_v2": ("RTDetrV2", "RTDetrResNetConfig", ["stage2", "stage3", "stage4"], _REAL_TIME),
    "yolos": ("Yolos", None, [],
              {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
               "intermediate_size": 16, "image_size": [SIDE, SIDE], "patch_size": 16,
               "num_detection_tokens": 10}),
}  # fmt: skip
PROCESSOR = {
    "size": {"height": SIDE, "width": SIDE},
    "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.3, 0.25],
    "do_normalize": True,
    "do_resize": True,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
}


def _write(kind: str, folder: Path) -> Path:
    transformers = pytest.importorskip("transformers")
    name, pictures, stages, arguments = KINDS[kind]
    if pictures:
        own = getattr(transformers, pictures)
        arguments = {
            **arguments,
            "backbone_config": own(**_STAGES, layer_type="basic", out_features=stages),
        }
    config = getattr(transformers, f"{name}Config")(**arguments, id2label=NAMES)
    torch.manual_seed(0)
    getattr(transformers, f"{name}ForObjectDetection")(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_gives_the_boxes_of_the_library(kind, tmp_path):
    transformers = pytest.importorskip("transformers")
    found = backbones.load(f"hf:{_write(kind, tmp_path)}")
    assert isinstance(found, Detector) and found.classes == tuple(NAMES.values())
    assert found.spec.licence == "apache-2.0" and found.spec.commercial_use
    check_backbone(found)
    views = random_views(found.spec, 1)
    model = getattr(transformers, f"{KINDS[kind][0]}ForObjectDetection").from_pretrained(tmp_path)
    pixels = found.candidates.network.pixels(torch.from_numpy(views))
    with torch.no_grad():
        output = model.eval()(pixel_values=pixels)
    processor = transformers.DetrImageProcessor if kind != "rt_detr_v2" else (
        transformers.RTDetrImageProcessor
    )  # fmt: skip
    (one,) = processor().post_process_object_detection(output, threshold=0.0, target_sizes=[(1, 1)])
    boxes_ND = found.forward(views)[0]
    scores_N = boxes_ND[:, 4:7].max(axis=1)
    assert np.all(np.diff(scores_N) <= 0) and (scores_N > 0).sum() == 10
    # The library gives the best class of each query, or the best pairs: the surest is the same.
    best = int(one["scores"].argmax())
    assert scores_N[0] == pytest.approx(float(one["scores"][best]), abs=1e-5)
    expected = np.clip(one["boxes"][best].numpy(), 0, 1)
    np.testing.assert_allclose(boxes_ND[0, :4], expected, atol=1e-5)
    assert boxes_ND[0, 4:7].argmax() == int(one["labels"][best])


def test_pictures_are_prepared_as_by_the_library(tmp_path):
    transformers = pytest.importorskip("transformers")
    found = backbones.load(f"hf:{_write('yolos', tmp_path)}")
    views = random_views(found.spec, 1)
    own = transformers.YolosImageProcessor(**{**PROCESSOR, "do_pad": False})
    expected = own(images=views[0, 0], return_tensors="pt")["pixel_values"]
    got = found.candidates.network.pixels(torch.from_numpy(views))
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=0)  # one multiplies, one divides


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"id2label": {}}, "names no classes"),
        ({"id2label": {"0": "a", "2": "b"}}, "with gaps"),
        ({"hidden_size": 10**7}, "numbers up to"),
        ({"num_detection_tokens": 20}, "do not fit|another shape|misshapen|shape"),
    ],
)
def test_a_config_that_is_not_of_the_weights_is_refused(change, complaint, tmp_path):
    folder = _write("yolos", tmp_path)
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BackboneError, match=complaint):
        backbones.load(f"hf:{folder}")


def test_a_network_that_would_be_fetched_by_name_is_refused(tmp_path):
    folder = _write("detr", tmp_path)
    path = folder / "config.json"
    facts = json.loads(path.read_text())
    facts |= {"backbone_config": None, "backbone": "resnet50", "use_timm_backbone": True}
    path.write_text(json.dumps(facts))
    with pytest.raises(BackboneError, match="names no backbone_config"):
        backbones.load(f"hf:{folder}")
