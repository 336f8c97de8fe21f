"""A wrong name is answered with the way to name a model."""

import pytest

from vidfit.backbones.unknown import unknown_name

KNOWN, FAMILIES = ["motion", "efficientnet-lite0"], ["efficientnet-lite0", "hf", "vgg16", "random"]


def said(name):
    return unknown_name(name, KNOWN, FAMILIES)


def test_every_way_to_name_one_is_said():
    assert said("qqqq") == (
        "There is no backbone called 'qqqq'. Valid are motion, efficientnet-lite0; "
        "hf:ORG/NAME with --download, a model on the Hugging Face hub; hf:FOLDER, one that "
        "transformers saved; FILE.py:NAME, an encoder of your own; FAMILY:FILE, weights in a "
        "file, with the family one of vgg16; and any of these with @VIEWS, a number, behind it, "
        "@key for keyframes alone, or :int8 for 8 bits. "
        "`vidfit models --loadable` lists what runs here."
    )


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("efficientnet-lit0", "Did you mean 'efficientnet-lite0'? Valid"),
        ("facebook/dinov2-small", "Did you mean 'hf:facebook/dinov2-small'? Valid"),
        ("dinov2-smal", "Did you mean 'hf:facebook/dinov2-small'? Valid"),
        ("vgg16", "Did you mean 'vgg16:FILE'? Valid"),
        ("timm/eva02_tiny", "Models of timm do not load here: timm needs torchvision"),
        ("microsoft/resnet-50", "For the hub's model write 'hf:microsoft/resnet-50' and"),
        (
            "microsoft/beit-tiny",
            "For the hub's model write 'hf:microsoft/beit-tiny' and --download",
        ),
        (
            "resnet50",
            "The catalogue has 'timm/resnet50.a1_in1k', which does not load here: timm needs",
        ),
        (
            "timm/resnet18.a1_in1k",
            "The catalogue has 'timm/resnet18.a1_in1k', which does not load here: timm needs",
        ),
    ],
)
def test_nearest_name_or_why_it_does_not_load(name, hint):
    assert hint in said(name)


def test_folder_that_transformers_saved_is_named_with_its_prefix(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert f"For that folder write 'hf:{tmp_path}'." in said(str(tmp_path))
