"""Networks that others trained are read from their files: ncnn's, and transformers'."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.moving import frames

from vidfit.backbones.package_weights import is_fetched
from vidfit.errors import BackboneError
from vidfit.pixels.restore import pretrained
from vidfit.pixels.restore.material import rounded_luma
from vidfit.pixels.restore.pretrained import RealEsrgan, SmallRealEsrgan, load_pretrained

LUMA = rounded_luma(frames(count=3, height=16, width=24))


def as_ncnn(network):
    """Return the files of a network: names of layers, and weights of 16 bits with a flag."""
    lines, data = ["7767517", "0 0"], b""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            lines.append("Convolution x 1 1 a b")
            weight = module.weight.detach().numpy().astype("<f2").tobytes()
            bias = module.bias.detach().numpy().astype("<f4").tobytes()
            data += (0x01306B47).to_bytes(4, "little") + weight + b"\0" * (-len(weight) % 4) + bias
        elif isinstance(module, torch.nn.PReLU):
            lines.append("PReLU x 1 1 a b")
            data += module.weight.detach().numpy().astype("<f4").tobytes()
    return "\n".join(lines), data


@pytest.mark.parametrize("make", [SmallRealEsrgan, lambda: RealEsrgan(1, 8, 4)])
def test_weights_of_ncnn_are_read_in_their_order(make):
    torch.manual_seed(0)
    true, other = make(), make()
    layers, data = as_ncnn(true)
    pretrained._fill(other, layers, data, "x")
    picture = torch.rand(1, 3, 9, 11)
    with torch.inference_mode():
        made, wanted = other(picture), true(picture)
    assert made.shape == (1, 3, 36, 44)
    assert made == pytest.approx(wanted, abs=2e-2)


def test_files_that_do_not_fit_are_refused():
    network = RealEsrgan(1, 8, 4)
    layers, data = as_ncnn(network)
    with pytest.raises(BackboneError, match="damaged"):
        pretrained._fill(network, layers, data + b"\0\0\0\0", "x")
    with pytest.raises(BackboneError, match="cut short"):
        pretrained._fill(network, layers, data[:-4], "x")
    with pytest.raises(BackboneError, match="of another network"):
        pretrained._fill(SmallRealEsrgan(), layers, data, "x")


@pytest.mark.parametrize("name", ["realesrgan-anime"])
def test_the_packaged_network_is_near_the_picture(name):
    if not is_fetched(name):
        pytest.skip(f"{name} is not fetched")
    from vidfit.pixels.restore.enlarge import larger

    made = load_pretrained(name).restored(LUMA[1])
    bicubic = larger(LUMA[1:2].astype(np.float32), 4)[0]
    assert made.shape == (64, 96) and np.abs(made - bicubic).mean() < 20


def test_swin2sr_of_a_folder(tmp_path):
    transformers = pytest.importorskip("transformers")
    config = transformers.Swin2SRConfig(
        image_size=16, embed_dim=12, depths=[1], num_heads=[2], window_size=4, upscale=2,
        upsampler="pixelshuffledirect",
    )  # fmt: skip
    torch.manual_seed(0)
    network = transformers.Swin2SRForImageSuperResolution(config).eval()
    network.save_pretrained(tmp_path / "swin")
    found = load_pretrained(f"hf:{tmp_path / 'swin'}")
    assert found.scale == 2
    made = found.restored(LUMA[1])
    seen = LUMA[1].astype(np.float32)
    grey = ((torch.from_numpy(seen) - 16) / 219).expand(1, 3, *seen.shape)
    with torch.inference_mode():
        wanted = network(pixel_values=grey).reconstruction[0]
    weights = torch.tensor([65.481, 128.553, 24.966])[:, None, None]
    luma = ((wanted * weights).sum(0) + 16).clamp(0, 255)
    assert made == pytest.approx(luma.numpy(), abs=1e-2)


@pytest.mark.parametrize("name", ["nothing", "hf:no/such/folder"])
def test_names_of_nothing_are_refused(name):
    with pytest.raises(BackboneError):
        load_pretrained(name)
