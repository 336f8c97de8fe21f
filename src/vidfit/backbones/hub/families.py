"""How each family of Hugging Face encoders is called, and how its tokens are pooled.

Imports neither torch nor transformers, so that the catalogue can ask what is known here.
Shape letters: B views, P spatial places, N tokens in time order, D features.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from vidfit.contracts import Architecture, Sees

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedConfig


def _whole(pooled: Tensor, steps: int) -> Tensor:
    """Take what the model pooled: an average, an attention head, or a normalised CLS token."""
    return pooled.flatten(1)


def _cls(tokens_BPD: Tensor, steps: int) -> Tensor:
    """Take the CLS token, after the last normalisation."""
    return tokens_BPD[:, 0]


def _tubes(tokens_BPD: Tensor, steps: int) -> Tensor:
    """Average over places; time is the slowest axis."""
    count, _, dim = tokens_BPD.shape
    return tokens_BPD.reshape(count, steps, -1, dim).mean(2)


def _tubes_after_cls(tokens_BPD: Tensor, steps: int) -> Tensor:
    """Average over places; time is the slowest axis, and a CLS token goes before."""
    return _tubes(tokens_BPD[:, 1:], steps)


def _places_first(tokens_BPD: Tensor, steps: int) -> Tensor:
    """Average over places; time is the fastest axis, and a CLS token goes before."""
    count, _, dim = tokens_BPD.shape
    return tokens_BPD[:, 1:].reshape(count, -1, steps, dim).mean(1)


@dataclass(frozen=True, slots=True)
class Family:
    """What a ``model_type`` needs.

    ``model`` is the class in transformers, of which ``part`` is the encoder; ``arguments`` go
    to its constructor. ``pool`` takes its last tokens, or with ``pooled`` what it pooled of
    them, and the number of time steps; it makes one feature of each image, [B, D], or tokens
    in time order, [B, N, D], of a view. ``frames`` is the field of the config with the length
    of a view; images have none.
    ``left_out`` are the beginnings of names of tensors (heads, text towers, decoders) that a
    file may hold and the encoder does not need.
    """

    model: str
    pool: Callable[[Tensor, int], Tensor] = _whole
    frames: str | None = None
    part: str | None = None
    input_name: str = "pixel_values"
    arguments: tuple[tuple[str, object], ...] = ()
    left_out: tuple[str, ...] = ("classifier", "pooler")
    sees: Sees = "frames"
    layout: Literal["images", "views", "patches"] = "images"
    architecture: Architecture = "transformer"

    @property
    def pooled(self) -> bool:
        """Whether the model's own pooling is taken."""
        return self.pool is _whole

    def steps(self, config: PreTrainedConfig) -> int:
        """Return the number of time steps in the tokens of a view."""
        if self.frames is None:
            return 1
        tubelet = getattr(config, "tubelet_size", 1)
        frames = int(getattr(config, self.frames))
        return frames // int(tubelet if isinstance(tubelet, int) else tubelet[0])


_NO_POOLER = (("add_pooling_layer", False),)
_DINO = ("classifier", "layernorm.head")
_TEXT = ("text_model", "text_projection", "visual_projection", "logit_", "classifier")

_CLIP = Family("CLIPVisionModel", left_out=_TEXT)
_SIGLIP = Family("SiglipVisionModel", left_out=_TEXT)
_SIGLIP2 = Family("Siglip2VisionModel", left_out=_TEXT, layout="patches")
FAMILIES: dict[str, Family] = {
    "resnet": Family("ResNetModel", architecture="cnn2d"),
    "convnext": Family("ConvNextModel", architecture="cnn2d"),
    "convnextv2": Family("ConvNextV2Model", architecture="cnn2d"),
    "vit": Family("ViTModel", _cls, arguments=_NO_POOLER),
    "dinov2": Family("Dinov2Model", left_out=_DINO),
    "dinov2_with_registers": Family("Dinov2WithRegistersModel", left_out=_DINO),
    "clip": _CLIP,
    "clip_vision_model": _CLIP,
    "siglip": _SIGLIP,
    "siglip_vision_model": _SIGLIP,
    "siglip2": _SIGLIP2,
    "siglip2_vision_model": _SIGLIP2,
    "videomae": Family(
        "VideoMAEModel",
        _tubes,
        frames="num_frames",
        left_out=(
            "classifier",
            "fc_norm",
            "decoder",
            "encoder_to_decoder",
            "mask_token",
            "position_embeddings",
        ),
        layout="views",
    ),
    "timesformer": Family("TimesformerModel", _places_first, frames="num_frames", layout="views"),
    "vivit": Family(
        "VivitModel", _tubes_after_cls, frames="num_frames", arguments=_NO_POOLER, layout="views"
    ),
    "vjepa2": Family(
        "VJEPA2Model",
        _tubes,
        frames="frames_per_clip",
        input_name="pixel_values_videos",
        layout="views",
    ),
    "xclip": Family("XCLIPModel", frames="num_frames", part="vision_model"),
    "xclip_vision_model": Family("XCLIPVisionModel", frames="num_frames"),
}
"""``model_type`` of config.json -> family.

======================================  ==================================================
resnet, convnext, convnextv2            average over the image
vit, dinov2, dinov2_with_registers      CLS token
clip, siglip, siglip2                   the vision tower's pooled output (CLS, attention head)
xclip                                   CLS token of each frame, which has seen the others
videomae, vivit, vjepa2                 mean over places, one token per tubelet (2 frames)
timesformer                             mean over places, one token per frame
bert, roberta, modernbert and the like  mean over the words of a text (`hub.text`)
wav2vec2, hubert, wavlm                 mean over each second (`hub.sound`)
audio-spectrogram-transformer           what it pooled of ten seconds (`hub.sound`)
======================================  ==================================================
"""


_OF_WORDS = {
    "albert": "AlbertModel",
    "bert": "BertModel",
    "deberta-v2": "DebertaV2Model",
    "distilbert": "DistilBertModel",
    "electra": "ElectraModel",
    "modernbert": "ModernBertModel",
    "mpnet": "MPNetModel",
    "roberta": "RobertaModel",
    "xlm-roberta": "XLMRobertaModel",
}
_HEADS = ("classifier", "pooler", "cls", "lm_head", "head", "decoder", "qa_outputs", "vocab_")
_SPOKEN = ("lm_head", "classifier", "projector", "quantizer", "project_", "proj_out", "decoder")


def _text(model: str) -> Family:
    """Return a family of encoders of words; what follows the last layer is left out."""
    return Family(model, _cls, left_out=_HEADS, sees="words")


def _sound(model: str) -> Family:
    """Return a family of encoders of sound."""
    return Family(model, _cls, left_out=(*_SPOKEN, "masked_spec_embed"), sees="sound")


HEARD_AND_READ: dict[str, Family] = {
    **{kind: _text(model) for kind, model in _OF_WORDS.items()},
    "audio-spectrogram-transformer": _sound("ASTModel"),
    "hubert": _sound("HubertModel"),
    "wav2vec2": _sound("Wav2Vec2Model"),
    "wavlm": _sound("WavLMModel"),
}
"""``model_type`` of encoders of words and of sound -> family."""

KINDS = {**FAMILIES, **HEARD_AND_READ}
"""All encoders."""


DETECTORS: dict[str, tuple[str, bool]] = {
    "d_fine": ("DFineForObjectDetection", False),
    "deimv2": ("Deimv2ForObjectDetection", False),
    "detr": ("DetrForObjectDetection", True),
    "rf_detr": ("RfDetrForObjectDetection", False),
    "rt_detr": ("RTDetrForObjectDetection", False),
    "rt_detr_v2": ("RTDetrV2ForObjectDetection", False),
    "yolos": ("YolosForObjectDetection", True),
}
"""``model_type`` of a detector -> its class, and whether its last class is that nothing is there
(then scores are a softmax; each by itself otherwise)."""


SEGMENTERS: dict[str, str] = {
    "eomt": "EomtForUniversalSegmentation",
    "mask2former": "Mask2FormerForUniversalSegmentation",
    "segformer": "SegformerForSemanticSegmentation",
}
"""``model_type`` of a segmenter -> its class."""
