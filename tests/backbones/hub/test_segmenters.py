"""Segmenters of Hugging Face, tiny and random: held against the library, and saved."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.tasks.segment.drawn import drawn

from vidfit import backbones
from vidfit.backbones import saved
from vidfit.backbones.catalogue import licence_refusal, lookup
from vidfit.backbones.hub.segmenters import in_cells
from vidfit.contracts import Detector, Segmenter
from vidfit.errors import BackboneError
from vidfit.features.places import MOST_BLOCKS, Places, in_places
from vidfit.metrics.areas import VOID, LabelledMask, PixelAccuracy
from vidfit.tasks.segment.kind import named
from vidfit.tasks.segment.learner import CellProbe
from vidfit.testing import check_backbone, random_views
from vidfit.video import VideoReader

SIDE = 64
NAMES = {0: "road", 1: "sky", 2: "tree"}
_SWIN = {"image_size": SIDE, "embed_dim": 8, "depths": [1, 1, 1, 1], "num_heads": [1, 1, 1, 1],
         "window_size": 2, "out_features": ["stage1", "stage2", "stage3", "stage4"]}  # fmt: skip
KINDS = {
    "eomt": ("Eomt", "UniversalSegmentation",
             {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "patch_size": 16,
              "image_size": SIDE, "num_queries": 5, "num_blocks": 2, "num_upscale_blocks": 1}),
    "mask2former": ("Mask2Former", "UniversalSegmentation",
                    {"feature_size": 32, "mask_feature_size": 32, "hidden_dim": 32,
                     "encoder_feedforward_dim": 16, "encoder_layers": 1, "decoder_layers": 2,
                     "num_attention_heads": 2, "dim_feedforward": 16, "num_queries": 5}),
    "segformer": ("Segformer", "SemanticSegmentation",
                  {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16],
                   "num_attention_heads": [1, 1, 2, 2], "decoder_hidden_size": 16}),
}  # fmt: skip
PROCESSOR = {
    "size": {"height": SIDE, "width": SIDE}, "image_mean": [0.4, 0.5, 0.6],
    "image_std": [0.2, 0.3, 0.25], "do_normalize": True, "do_resize": True, "do_rescale": True,
    "rescale_factor": 1 / 255, "resample": 2,
}  # fmt: skip


def write(kind: str, folder: Path, licence: str = "other") -> Path:
    transformers = pytest.importorskip("transformers")
    name, what, arguments = KINDS[kind]
    if kind == "mask2former":
        arguments = {**arguments, "backbone_config": transformers.SwinConfig(**_SWIN)}
    config = getattr(transformers, f"{name}Config")(**arguments, id2label=NAMES)
    torch.manual_seed(0)
    model = getattr(transformers, f"{name}For{what}")(config)
    with torch.no_grad():
        for one in model.parameters():  # as they are drawn, all places are alike
            one.add_(0.3 * torch.randn_like(one))
    model.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PROCESSOR))
    (folder / "README.md").write_text(f"---\nlicense: {licence}\n---\n")
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_says_of_places_what_the_library_says(kind, tmp_path):
    transformers = pytest.importorskip("transformers")
    found = backbones.load(f"hf:{write(kind, tmp_path)}")
    assert isinstance(found, Segmenter) and not isinstance(found, Detector)
    assert found.cell_classes == tuple(NAMES.values()) and found.taken_for == ""
    check_backbone(found)
    views = random_views(found.spec, 1)
    places = Places.of(found.forward(views)[0])
    assert places.grid == (8, 8) and places.levels == (3, 0, 16 if kind != "mask2former" else 64)
    name, what, _ = KINDS[kind]
    model = getattr(transformers, f"{name}For{what}").from_pretrained(tmp_path).eval()
    with torch.no_grad():
        output = model(pixel_values=found.network.pixels(torch.from_numpy(views)))
    if kind == "eomt":
        # The library puts patches of a picture together there; one of one size is as by the other.
        processor = transformers.Mask2FormerImageProcessor()
    else:
        processor = getattr(transformers, f"{name}ImageProcessor")()
    arguments = {"target_sizes": [(8, 8)]}
    (expected_YX,) = processor.post_process_semantic_segmentation(output, **arguments)
    said_YXC = np.exp(places.fine_YXF)
    np.testing.assert_allclose(said_YXC.sum(axis=2), 1.0, atol=1e-3)
    # The library scales by points, cells are means: what is sure is the same in both.
    sure_YX = np.sort(said_YXC, axis=2)[..., -1] - np.sort(said_YXC, axis=2)[..., -2] > 0.1
    same_YX = said_YXC.argmax(axis=2) == expected_YX.numpy()
    assert sure_YX.sum() > 10 and same_YX[sure_YX].mean() > 0.9


@pytest.mark.parametrize("kind", KINDS)
def test_is_saved_and_restored(kind, tmp_path):
    found = backbones.load(f"hf:{write(kind, tmp_path / 'in')}")
    saved.save(found, tmp_path / "out")
    again = saved.restore(tmp_path / "out")
    assert again.spec == found.spec and again.cell_classes == found.cell_classes
    views = random_views(found.spec, 2)
    np.testing.assert_array_equal(again.forward(views), found.forward(views))


def test_pictures_are_prepared_as_by_the_library(tmp_path):
    """Scaled whole to the size of the processor, antialiased, and normalised."""
    transformers = pytest.importorskip("transformers")
    found = backbones.load(f"hf:{write('segformer', tmp_path)}")
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (20, 30, 3), np.uint8))
    picture = small.resize((150, 100), Image.Resampling.BICUBIC)
    picture.save(tmp_path / "picture.png")
    with VideoReader(str(tmp_path / "picture.png")) as reader:
        frame_HWC = next(iter(reader.frames([0]))).rgb(found.spec.preprocessing)
    own = transformers.SegformerImageProcessor(**PROCESSOR)
    expected = own(images=np.asarray(picture), return_tensors="pt")["pixel_values"]
    got = found.network.pixels(torch.from_numpy(frame_HWC[None, None]))
    # Through yuv and libswscale: some grey levels of 255, where a std is a quarter of that.
    assert (got - expected).abs().mean() < 4 / 255 / 0.25
    exact = found.network.pixels(torch.from_numpy(np.array(picture)[None, None, :SIDE, :SIDE]))
    plain = transformers.SegformerImageProcessor(**{**PROCESSOR, "do_resize": False})
    expected = plain(images=np.asarray(picture)[:SIDE, :SIDE], return_tensors="pt")["pixel_values"]
    torch.testing.assert_close(exact, expected, atol=1e-5, rtol=0)


def test_what_it_says_of_places_is_learned_from(tmp_path):
    """Classes, no middle cells, and what the encoder saw: three levels as any encoder has."""
    found = backbones.load(f"hf:{write('segformer', tmp_path)}")
    rng, rows, masks = np.random.default_rng(0), [], []
    for i in range(6):
        picture, mask = drawn(rng, SIDE, SIDE)
        Image.fromarray(mask).save(tmp_path / f"{i}.png")
        masks.append(LabelledMask(str(tmp_path / f"{i}.png"), (0, 1, 2, VOID), 3))
        rows.append(in_places(found.forward(picture[None, None])[0]))
    kind, folds = named((*NAMES.values(), "void")), np.arange(6) % 3
    truth = np.empty(6, object)
    truth[:] = masks
    head, _ = CellProbe(kind).fit(np.stack(rows), truth, folds)
    again = CellProbe(kind).restore(head.state(), [len(rows[0])], 3)
    answers = head.log_probabilities([np.stack(rows)])
    np.testing.assert_array_equal(again.log_probabilities([np.stack(rows)]), answers)
    right = PixelAccuracy().figure(PixelAccuracy().sums(truth, answers)[None])[0]
    assert right > 0.6  # of random features; the most frequent class has a half


def test_cells_are_means_of_the_places_in_them():
    values = torch.arange(24.0).reshape(1, 1, 4, 6)
    whole = in_cells(values, 2, 3)
    torch.testing.assert_close(whole, torch.nn.functional.avg_pool2d(values, 2))
    # Of 4 rows in 3 cells each has a whole one and a third of another.
    torch.testing.assert_close(in_cells(values, 3, 5).mean(), values.mean())
    torch.testing.assert_close(in_cells(torch.ones(1, 2, 5, 7), 13, 13), torch.ones(1, 2, 13, 13))


def test_no_more_blocks_than_there_may_be_and_no_more_classes(tmp_path):
    folder = write("segformer", tmp_path)
    settings = {**PROCESSOR, "size": {"height": 640, "width": 512}}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    found = backbones.load(f"hf:{folder}")
    tokens_ND = found.forward(random_views(found.spec, 1))[0]
    assert tokens_ND.shape[0] == 169 <= MOST_BLOCKS and Places.of(tokens_ND).grid == (52, 52)
    path = folder / "config.json"
    names = {str(n): f"class {n}" for n in range(256)}
    path.write_text(json.dumps({**json.loads(path.read_text()), "id2label": names}))
    with pytest.raises(BackboneError, match=r"256 classes|do not fit|shape"):
        backbones.load(f"hf:{folder}")


@pytest.mark.parametrize(
    ("licence", "allowed"), [("other", None), ("cc-by-nc-4.0", False), ("mit", True)]
)
def test_the_licence_is_that_of_its_card(licence, allowed, tmp_path):
    found = backbones.load(f"hf:{write('segformer', tmp_path, licence)}")
    assert (found.spec.licence, found.spec.commercial_use) == (licence, allowed)
    assert bool(licence_refusal(licence, allowed)) is (licence != "mit")


@pytest.mark.parametrize(
    "name",
    ["nvidia/segformer-b0-finetuned-ade-512-512", "facebook/mask2former-swin-small-coco-instance"],
)
def test_published_ones_for_research_only_are_known_before_they_are_fetched(name):
    entry = lookup(f"hf:{name}")
    assert "forbids commercial use" in licence_refusal(entry.licence, entry.commercial_use)
