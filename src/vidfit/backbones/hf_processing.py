"""What a Hugging Face image or video processor does, read from its file.

Only the facts are read: our reader scales (always antialiased bilinear, where many processors
ask for bicubic), and the network normalises.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from vidfit.contracts import Preprocessing
from vidfit.documents import read_json
from vidfit.errors import BackboneError

FILES = ("preprocessor_config.json", "video_preprocessor_config.json")

_PLAIN_RESCALE = 1 / 255
# ConvNextImageProcessor scales to size / crop_pct and crops, up to this size.
_CROPS_BELOW_PIXELS = 384
_DEFAULT_CROP_SHARE = 224 / 256


def read_processor(directory: Path) -> dict[str, Any]:
    """Read the processor's settings.

    Raises
    ------
    BackboneError
        When the directory has none, or the file is damaged.
    """
    for name in FILES:
        path = directory / name
        if path.is_file():
            try:
                settings: dict[str, Any] = read_json(path)
            except (OSError, ValueError) as error:
                raise BackboneError(
                    f"{path} is no JSON ({error}). Download the model again."
                ) from error
            if isinstance(settings, dict):
                return settings
            raise BackboneError(f"{path} holds no settings. Download the model again.")
    raise BackboneError(
        f"{directory} has no {FILES[0]}, so it is unknown how its network wants its pictures. "
        "Copy that file from the model's page beside config.json."
    )


def preprocessing_of(settings: dict[str, Any]) -> Preprocessing:
    """Translate a processor's settings.

    Raises
    ------
    BackboneError
        When they give no size, or one of an unknown form.
    """
    try:
        mean, std = _normalisation(settings)
        height, width, short_side = _geometry(settings)
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise BackboneError(
            f"The processor's settings cannot be understood ({error}). Correct them in its file, "
            "or download the model again."
        ) from error
    return Preprocessing(height, width, short_side, mean, std)


def _normalisation(
    settings: dict[str, Any],
) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
    """Fold rescaling, offset and normalisation into one mean and std on the 0-255 scale."""
    factor = settings.get("rescale_factor", _PLAIN_RESCALE)
    factor = factor if settings.get("do_rescale", True) else 1.0
    # ViViT brings pixels to [-1, 1] before it normalises.
    offset = 1.0 if settings.get("offset", False) else 0.0
    normalises = settings.get("do_normalize", True)
    mean = settings.get("image_mean") if normalises else None
    std = settings.get("image_std") if normalises else None
    red, green, blue = ((value + offset) / factor for value in mean or (0.0, 0.0, 0.0))
    red_std, green_std, blue_std = (value / factor for value in std or (1.0, 1.0, 1.0))
    return (red, green, blue), (red_std, green_std, blue_std)


def _geometry(settings: dict[str, Any]) -> tuple[int, int, int | None]:
    size, crop = settings.get("size"), settings.get("crop_size")
    crops = settings.get("do_center_crop", False) and crop is not None
    if "max_num_patches" in settings and size is None:
        side = int(settings["max_num_patches"] ** 0.5) * int(settings.get("patch_size", 16))
        return side, side, None
    if "crop_pct" in settings:
        return _convnext(_short_side(size), settings["crop_pct"] or _DEFAULT_CROP_SHARE)
    if crops:
        return *_height_width(crop), _short_side(size)
    if isinstance(size, dict) and "shortest_edge" in size:
        short = _short_side(size)
        return short, short, short
    return *_height_width(size), None


def _convnext(size: int, crop_share: float) -> tuple[int, int, int | None]:
    crops = size < _CROPS_BELOW_PIXELS
    return size, size, int(size / crop_share) if crops else None


def _short_side(size: object) -> int:
    if isinstance(size, dict) and "shortest_edge" in size:
        return int(size["shortest_edge"])
    return min(_height_width(size))


def _height_width(size: object) -> tuple[int, int]:
    if isinstance(size, int):
        return size, size
    if isinstance(size, dict) and {"height", "width"} <= size.keys():
        return int(size["height"]), int(size["width"])
    raise BackboneError(
        f"The processor's size {size!r} is of an unknown form; known are a number, "
        "height and width, and shortest_edge. Correct it in the processor's file."
    )
