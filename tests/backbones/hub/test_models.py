from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.backbones import tiny_hf

from vidfit.backbones import loading_report, restore, save
from vidfit.backbones.encoder import count_gmacs
from vidfit.backbones.hub import models
from vidfit.backbones.hub.families import FAMILIES
from vidfit.backbones.hub.reading import preprocessing_of
from vidfit.contracts import Preprocessing, Sampling
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone, random_views

pytest.importorskip("transformers", reason="vidfit[hf] is not installed")

# The model itself and its tokens run the same sums; only the layout of memory differs.
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def directories(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("hub")
    return {kind: tiny_hf.write(kind, root / kind) for kind in tiny_hf.MODELS}


def test_every_family_is_tested():
    assert set(tiny_hf.MODELS) == set(FAMILIES)


@pytest.mark.parametrize("kind", tiny_hf.MODELS)
def test_every_family_keeps_the_contract(directories, kind):
    check_backbone(models.load(str(directories[kind])))


@pytest.mark.parametrize("kind", tiny_hf.MODELS)
def test_tokens_are_those_of_the_plain_model(directories, kind):
    backbone = models.load(str(directories[kind]))
    views = random_views(backbone.spec, 2)
    expected = plain_tokens(kind, views)
    assert backbone.forward(views).shape == expected.shape
    np.testing.assert_allclose(backbone.forward(views), expected, rtol=0, atol=TOLERANCE)


def plain_tokens(kind: str, views_BTHWC: np.ndarray) -> np.ndarray:
    """What transformers gives for the same pixels, pooled here frame by frame."""
    model = tiny_hf.build(kind)
    encoder = getattr(model, "vision_model", model.base_model)
    mean, std = (np.array(tiny_hf.PROCESSOR[f"image_{name}"]) for name in ("mean", "std"))
    pixels = torch.from_numpy((views_BTHWC / 255 - mean) / std).float().permute(0, 1, 4, 2, 3)
    tokens = []
    with torch.inference_mode():
        for view in pixels:
            if kind.startswith("siglip2"):
                tokens.append(plain_siglip2(encoder, view))
            elif kind == "vjepa2":
                states = encoder(view[None], skip_predictor=True).last_hidden_state[0]
                tokens.append(
                    places_averaged(states, [step_of_tube(i) for i in range(len(states))])
                )
            elif kind in ("videomae", "vivit"):
                states = encoder(view[None]).last_hidden_state[0][int(kind == "vivit") :]
                tokens.append(
                    places_averaged(states, [step_of_tube(i) for i in range(len(states))])
                )
            elif kind == "timesformer":
                states = encoder(view[None]).last_hidden_state[0][1:]
                steps = [i % tiny_hf.FRAMES for i in range(len(states))]
                tokens.append(places_averaged(states, steps))
            elif kind == "vit":
                tokens.append(encoder(view).last_hidden_state[:, 0])
            else:
                tokens.append(encoder(view).pooler_output.flatten(1))
    return torch.stack(tokens).numpy()


def step_of_tube(index: int) -> int:
    return index // tiny_hf.PLACES


def places_averaged(states: torch.Tensor, steps: list[int]) -> torch.Tensor:
    groups = [[i for i, step in enumerate(steps) if step == s] for s in sorted(set(steps))]
    return torch.stack([states[group].mean(0) for group in groups])


def plain_siglip2(encoder, images: torch.Tensor) -> torch.Tensor:
    from transformers.models.siglip2 import image_processing_pil_siglip2 as published

    cut = [published.convert_image_to_patches(image.numpy(), tiny_hf.PATCH) for image in images]
    patches = torch.from_numpy(np.stack(cut))
    side = tiny_hf.SIDE // tiny_hf.PATCH
    mask = torch.ones(patches.shape[:2], dtype=torch.long)
    shapes = torch.tensor([[side, side]] * len(images))
    return encoder(patches, mask, shapes).pooler_output


@pytest.mark.parametrize(
    ("kind", "processor", "settings"),
    [
        ("siglip", "SiglipImageProcessorPil", {"size": {"height": 32, "width": 32}}),
        ("siglip2", "Siglip2ImageProcessorPil", {"patch_size": 8, "max_num_patches": 16}),
        ("clip", "CLIPImageProcessorPil", {"size": {"shortest_edge": 32}, "crop_size": 32}),
    ],
)
def test_pictures_of_the_right_size_are_seen_as_the_published_processor_shows_them(
    tmp_path, kind, processor, settings
):
    import transformers

    directory = tiny_hf.write(kind, tmp_path)
    published = getattr(transformers, processor)(**settings)
    published.save_pretrained(directory)
    backbone = models.load(str(directory))
    assert backbone.spec.preprocessing.height_pixels == tiny_hf.SIDE
    views = random_views(backbone.spec, 2)
    shown = published(list(views.reshape(-1, *views.shape[2:])), return_tensors="pt")
    model = tiny_hf.build(kind)
    with torch.inference_mode():
        if kind == "clip":  # its features stand before the projection to those of words
            found = model.vision_model(**shown).pooler_output
        else:
            found = model.get_image_features(**shown)
    expected = getattr(found, "pooler_output", found).reshape(len(views), -1, tiny_hf.WIDTH)
    np.testing.assert_allclose(backbone.forward(views), expected, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", ["videomae", "timesformer", "vivit", "vjepa2"])
def test_tokens_of_videos_are_in_time_order(tmp_path, monkeypatch, kind):
    # Without layers nothing mixes: a changed frame may change its own time step only.
    config, model, arguments = tiny_hf.MODELS[kind]
    monkeypatch.setitem(tiny_hf.MODELS, kind, (config, model, arguments | {"num_hidden_layers": 0}))
    backbone = models.load(str(tiny_hf.write(kind, tmp_path)))
    before = random_views(backbone.spec, 1)
    after = before.copy()
    after[:, -1] = 255 - after[:, -1]
    changed = np.abs(backbone.forward(after) - backbone.forward(before)).max(axis=(0, 2)) > 1e-4
    assert changed.tolist() == [False] * (len(changed) - 1) + [True]


def test_sampling_follows_the_config(directories):
    assert models.load(str(directories["vit"])).spec.sampling == Sampling(1, 8)
    for kind in tiny_hf.VIDEO:
        assert models.load(str(directories[kind])).spec.sampling == Sampling(tiny_hf.FRAMES, 1)


def test_image_encoders_take_longer_views(directories):
    backbone = models.load(str(directories["convnext"])).with_sampling(Sampling(3, 2))
    assert backbone.forward(random_views(backbone.spec, 1)).shape[1] == 3


@pytest.mark.parametrize("kind", ["vit", "videomae", "resnet"])
def test_gmacs_are_counted_as_if_attention_were_plain_products(directories, kind):
    backbone = models.load(str(directories[kind]))
    network, spec = backbone.network, backbone.spec
    if kind != "resnet":
        network.model.set_attn_implementation("eager")
    counted = count_gmacs(network, spec.preprocessing, spec.sampling.clip_len)
    assert spec.gmacs_per_view == pytest.approx(counted)


def test_a_saved_model_is_again_a_model_of_transformers(directories, tmp_path):
    backbone = models.load(str(directories["xclip"]))
    save(backbone, tmp_path)
    again = models.load(str(tmp_path))
    assert again.spec.revision == backbone.spec.revision
    assert restore(tmp_path).spec == backbone.spec


@pytest.mark.parametrize(
    ("licence", "commercial_use"),
    [
        ("apache-2.0", True),
        ("MIT", True),
        ("bsd-3-clause", True),
        ("cc-by-nc-4.0", False),
        ("other", None),
    ],
)
def test_the_licence_is_read_from_the_card(tmp_path, licence, commercial_use):
    spec = models.load(str(tiny_hf.write("resnet", tmp_path, licence=licence))).spec
    assert (spec.licence, spec.commercial_use) == (licence.lower(), commercial_use)


def test_without_a_card_the_licence_is_unknown(directories):
    spec = models.load(str(directories["resnet"])).spec
    assert (spec.licence, spec.commercial_use) == ("unknown", None)


def normal(**settings: object) -> Preprocessing:
    return preprocessing_of({**tiny_hf.PROCESSOR, **settings})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"size": {"height": 224, "width": 192}}, (224, 192, None)),
        ({"size": 224}, (224, 224, None)),
        (
            {"size": {"shortest_edge": 256}, "do_center_crop": True, "crop_size": 224},
            (224, 224, 256),
        ),
        (
            {
                "size": {"shortest_edge": 292},
                "do_center_crop": True,
                "crop_size": {"height": 256, "width": 256},
            },
            (256, 256, 292),
        ),
        ({"size": {"shortest_edge": 224}, "crop_pct": 0.875}, (224, 224, 256)),
        ({"size": {"shortest_edge": 384}, "crop_pct": 0.875}, (384, 384, None)),
        ({"size": None, "max_num_patches": 256, "patch_size": 16}, (256, 256, None)),
    ],
)
def test_sizes_as_processors_write_them(settings, expected):
    found = normal(**settings)
    assert (found.height_pixels, found.width_pixels, found.short_side_pixels) == expected


@pytest.mark.parametrize("size", [None, "big", {"longest_edge": 224}])
def test_sizes_of_unknown_form_fail(size):
    with pytest.raises(BackboneError, match="unknown form"):
        normal(size=size)


def test_normalisation_is_on_the_scale_of_bytes():
    assert normal().mean == pytest.approx((123.675, 116.28, 103.53))
    assert normal().std == pytest.approx((58.395, 57.12, 57.375))
    assert normal(do_normalize=False).std == pytest.approx((255, 255, 255))


def test_vivit_has_an_offset():
    found = normal(rescale_factor=1 / 127.5, offset=True, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    white, black = (255 - found.mean[0]) / found.std[0], (0 - found.mean[0]) / found.std[0]
    # (2 - 1 - 0.5) / 0.5 and (0 - 1 - 0.5) / 0.5
    assert (white, black) == pytest.approx((1, -3))


def drop(state):
    del state["resnet.embedder.embedder.convolution.weight"]


def reshape(state):
    state["resnet.embedder.embedder.normalization.weight"] = torch.ones(9)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (drop, r"missing: embedder\.embedder\.convolution\.weight"),
        (reshape, r"normalization\.weight \(9,\) instead of \(8,\)"),
    ],
)
def test_tensors_that_are_missing_or_of_another_shape_are_named(
    directories, tmp_path, change, complaint
):
    with pytest.raises(BackboneError, match=complaint):
        models.load(str(altered(directories["resnet"], tmp_path, change)))


def test_what_was_taken_and_what_was_ignored_is_reported(directories):
    backbone = models.load(str(directories["resnet"]))
    taken = loading_report(backbone)
    assert taken.count == len(backbone.network.model.state_dict())
    assert taken.ignored == ("classifier.1.bias", "classifier.1.weight")
    assert taken.missing == taken.misshapen == ()


def test_text_towers_are_reported_as_ignored(directories):
    taken = loading_report(models.load(str(directories["clip"])))
    towers = {name.partition(".")[0] for name in taken.ignored}
    assert towers >= {"text_model", "text_projection"} and "vision_model" not in towers


def test_tensors_that_are_left_over_are_named(directories, tmp_path):
    def add(state):
        state["resnet.strange"] = torch.zeros(1)

    with pytest.warns(UserWarning, match="does not use: .*strange"):
        models.load(str(altered(directories["resnet"], tmp_path, add)))


def test_bin_files_of_tensors_are_read(directories, tmp_path):
    from safetensors.torch import load_file

    copied = copy(directories["vit"], tmp_path)
    torch.save(load_file(copied / "model.safetensors"), copied / "pytorch_model.bin")
    (copied / "model.safetensors").unlink()
    expected = models.load(str(directories["vit"])).spec.revision
    assert models.load(str(copied)).spec.revision == expected


def test_bin_files_with_code_are_refused(directories, tmp_path):
    copied = copy(directories["vit"], tmp_path)
    (copied / "model.safetensors").unlink()
    torch.save({"weight": Trap(tmp_path / "ran")}, copied / "pytorch_model.bin")
    with pytest.raises(BackboneError, match="cannot be read as weights"):
        models.load(str(copied))
    assert not (tmp_path / "ran").exists()


class Trap:
    """Creates a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def test_code_of_a_model_is_refused_and_not_run(directories, tmp_path):
    copied = copy(directories["vit"], tmp_path)
    config = json.loads((copied / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "code.Config"}}
    (copied / "config.json").write_text(json.dumps(config))
    (copied / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(BackboneError, match="code of its own, which is never done"):
        models.load(str(copied))
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("config.json", None, "no Hugging Face model"),
        ("preprocessor_config.json", None, "how its network wants its pictures"),
        ("model.safetensors", None, "holds no weights that can be read"),
        ("config.json", "{", "config.json"),
        ("preprocessor_config.json", "{", "preprocessor_config.json"),
        ("config.json", '{"model_type": "gpt2"}', "'gpt2'; known are resnet"),
    ],
)
def test_files_that_are_missing_damaged_or_of_another_kind(
    directories, tmp_path, file, text, complaint
):
    copied = copy(directories["vit"], tmp_path)
    (copied / file).unlink()
    if text is not None:
        (copied / file).write_text(text)
    with pytest.raises(BackboneError, match=complaint):
        models.load(str(copied))


def test_a_missing_directory_fails(tmp_path):
    with pytest.raises(BackboneError, match="no directory"):
        models.load(str(tmp_path / "absent"))


def test_a_name_on_the_hub_needs_leave_to_download():
    with pytest.raises(BackboneError, match="download=True"):
        models.load("vidfit-tests/never-fetched")


def copy(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target / "model"))


def altered(source: Path, target: Path, change) -> Path:
    """Copy a model, and change its tensors."""
    from safetensors.torch import load_file, save_file

    copied = copy(source, target)
    state = load_file(copied / "model.safetensors")
    change(state)
    save_file(state, copied / "model.safetensors", metadata={"format": "pt"})
    return copied
