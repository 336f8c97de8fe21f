"""Tiny random models of every family of Hugging Face encoders, saved as the hub has them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    import transformers

SIDE, PATCH, WIDTH, FRAMES = 32, 8, 16, 4
PLACES = (SIDE // PATCH) ** 2

_TRANSFORMER = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 2 * WIDTH,
    "image_size": SIDE,
    "patch_size": PATCH,
}
_STAGES = {"hidden_sizes": [8, WIDTH], "depths": [1, 1], "num_stages": 2}
_TEXT = {
    "hidden_size": WIDTH,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": WIDTH,
    "vocab_size": 32,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
_TWO_TOWERS = {"vision_config": _TRANSFORMER, "text_config": _TEXT}

# model_type -> config class, model class as on the hub (with heads and text towers), arguments
MODELS: dict[str, tuple[str, str, dict]] = {
    "resnet": (
        "ResNetConfig",
        "ResNetForImageClassification",
        {"embedding_size": 8, "hidden_sizes": [8, WIDTH], "depths": [1, 1]},
    ),
    "convnext": ("ConvNextConfig", "ConvNextForImageClassification", _STAGES),
    "convnextv2": ("ConvNextV2Config", "ConvNextV2ForImageClassification", _STAGES),
    "vit": ("ViTConfig", "ViTForImageClassification", _TRANSFORMER),
    "dinov2": ("Dinov2Config", "Dinov2Model", _TRANSFORMER),
    "dinov2_with_registers": (
        "Dinov2WithRegistersConfig",
        "Dinov2WithRegistersModel",
        _TRANSFORMER,
    ),
    "clip": ("CLIPConfig", "CLIPModel", _TWO_TOWERS),
    "clip_vision_model": ("CLIPVisionConfig", "CLIPVisionModel", _TRANSFORMER),
    "siglip": ("SiglipConfig", "SiglipModel", _TWO_TOWERS),
    "siglip_vision_model": ("SiglipVisionConfig", "SiglipVisionModel", _TRANSFORMER),
    "siglip2": (
        "Siglip2Config",
        "Siglip2Model",
        {"vision_config": {**_TRANSFORMER, "num_patches": PLACES}, "text_config": _TEXT},
    ),
    "siglip2_vision_model": (
        "Siglip2VisionConfig",
        "Siglip2VisionModel",
        {**_TRANSFORMER, "num_patches": PLACES},
    ),
    "videomae": (
        "VideoMAEConfig",
        "VideoMAEForVideoClassification",
        {**_TRANSFORMER, "num_frames": FRAMES},
    ),
    "timesformer": (
        "TimesformerConfig",
        "TimesformerForVideoClassification",
        {**_TRANSFORMER, "num_frames": FRAMES},
    ),
    "vivit": (
        "VivitConfig",
        "VivitForVideoClassification",
        {**_TRANSFORMER, "num_frames": FRAMES, "tubelet_size": [2, PATCH, PATCH]},
    ),
    "vjepa2": (
        "VJEPA2Config",
        "VJEPA2Model",
        {
            "hidden_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "crop_size": SIDE,
            "patch_size": PATCH,
            "frames_per_clip": FRAMES,
            "pred_hidden_size": 48,
            "pred_num_attention_heads": 2,
            "pred_num_hidden_layers": 1,
            "num_pooler_layers": 1,
        },
    ),
    "xclip": (
        "XCLIPConfig",
        "XCLIPModel",
        {
            "vision_config": {
                **_TRANSFORMER,
                "num_frames": FRAMES,
                "mit_hidden_size": WIDTH,
                "mit_intermediate_size": WIDTH,
                "mit_num_attention_heads": 2,
                "drop_path_rate": 0.0,
            },
            "text_config": _TEXT,
            "prompt_num_attention_heads": 2,
            "projection_dim": WIDTH,
        },
    ),
    "xclip_vision_model": (
        "XCLIPVisionConfig",
        "XCLIPVisionModel",
        {**_TRANSFORMER, "num_frames": FRAMES},
    ),
}

VIDEO = ("videomae", "timesformer", "vivit", "vjepa2", "xclip", "xclip_vision_model")

PROCESSOR = {
    "do_resize": True,
    "size": {"height": SIDE, "width": SIDE},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


def build(kind: str) -> transformers.PreTrainedModel:
    """A model with random weights, also where constructors leave zeros."""
    import transformers

    config_class, model_class, arguments = MODELS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, config_class)(**arguments)
    model = getattr(transformers, model_class)(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def write(kind: str, directory: Path, *, licence: str | None = None, **processor: object) -> Path:
    """Save a model with its processor's settings and model card."""
    build(kind).save_pretrained(directory)
    settings = json.dumps(PROCESSOR | processor)
    (directory / "preprocessor_config.json").write_text(settings, encoding="utf-8")
    if licence:
        card = f"---\nlanguage: en\nlicense: {licence}\ntags:\n- vision\n---\n# A model\n"
        (directory / "README.md").write_text(card, encoding="utf-8")
    return directory
