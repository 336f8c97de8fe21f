from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vidfit.backbones.motion import FEATURE_NAMES, MotionBackbone, motion, restore
from vidfit.contracts import Sampling
from vidfit.errors import BackboneError
from vidfit.testing import check_backbone

HEIGHT, WIDTH = 96, 160


@pytest.fixture(scope="module")
def backbone() -> MotionBackbone:
    return motion()


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    return cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 3), None, 0, 255, cv2.NORM_MINMAX)


def moved(picture, *, shift=(0.0, 0.0), growth=1.0, turn_degrees=0.0):
    """What a picture looks like after its content has shifted, grown and turned clockwise."""
    affine = cv2.getRotationMatrix2D((WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5), -turn_degrees, growth)
    affine[:, 2] += shift
    size = (WIDTH, HEIGHT)
    return cv2.warpAffine(picture, affine, size, borderMode=cv2.BORDER_REFLECT_101)


def features(backbone, *frames) -> dict[str, float]:
    tokens_BND = backbone.forward(np.stack(frames)[None])
    return dict(zip(FEATURE_NAMES, tokens_BND[0, -1].tolist(), strict=True))


def test_keeps_the_contract(backbone):
    check_backbone(backbone)


def test_every_feature_has_one_name(backbone):
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES) == backbone.spec.dim


@pytest.mark.parametrize(
    ("motion_of_content", "name", "expected"),
    [
        ({"shift": (4.0, 0.0)}, "pan_x", 4 / WIDTH),
        ({"shift": (0.0, -3.0)}, "pan_y", -3 / HEIGHT),
        ({"growth": 1.04}, "zoom", 0.04),
        # On a frame that is wider than high, a turn is seen as roll and shear.
        ({"turn_degrees": 2.0}, "roll", np.radians(2) * (WIDTH / HEIGHT + HEIGHT / WIDTH) / 2),
    ],
)
def test_camera_motion_is_measured_and_taken_away(
    backbone, texture, motion_of_content, name, expected
):
    found = features(backbone, texture, moved(texture, **motion_of_content))
    # Flow at the border, where content comes in, is a guess.
    assert found[name] == pytest.approx(expected, rel=0.15)
    assert found["residual_q50"] < np.log(0.004)
    assert found["flow_q50"] > found["residual_q50"] + 1


def test_what_moves_beside_the_camera_is_found_where_it_is(backbone, texture):
    after = moved(texture, shift=(3.0, 0.0))
    rows, columns = slice(0, 24), slice(40, 80)
    after[rows, columns] = moved(texture, shift=(-2.0, 0.0))[rows, columns]
    found = features(backbone, texture, after)
    cells = [found[f"cell_{i}"] for i in range(16)]
    assert found["pan_x"] == pytest.approx(3 / WIDTH, rel=0.15)
    assert int(np.argmax(cells)) == 1
    assert found["cell_rank_0"] == max(cells)
    assert found["direction_4"] == max(found[f"direction_{i}"] for i in range(8))


def test_violent_change_leaves_a_warping_error(backbone, texture):
    gentle = features(backbone, texture, moved(texture, shift=(3.0, 0.0)))
    violent = features(backbone, texture, 255 - texture)
    assert violent["warp_mean"] > gentle["warp_mean"] + 0.5


def test_a_reversal_is_an_acceleration(backbone, texture):
    # A part of the picture, as the camera's own motion is taken away first.
    steady, reversing = [texture.copy() for _ in range(3)], [texture.copy() for _ in range(3)]
    for frames, shifts in ((steady, (2.0, 4.0)), (reversing, (2.0, 0.0))):
        for frame, shift in zip(frames[1:], shifts, strict=True):
            frame[20:60, 40:100] = moved(texture, shift=(shift, 0.0))[20:60, 40:100]
    gained = features(backbone, *reversing)["acceleration_q90"]
    assert gained > features(backbone, *steady)["acceleration_q90"] + 0.5


def test_stillness_is_a_number_like_any_other(backbone, texture):
    black = np.zeros_like(texture)
    still = features(backbone, black, black, black)
    assert all(np.isfinite(list(still.values())))
    assert still["residual_mean"] == pytest.approx(np.log(0.001))
    assert still["moving_fraction"] == 0
    assert still["pan_x"] == 0


@pytest.mark.parametrize("size", [(1, 1), (2, 200), (37, 33)])
def test_tiny_and_odd_frames_are_described(backbone, size):
    frames = np.random.default_rng(0).integers(0, 256, (1, 2, *size, 3)).astype(np.uint8)
    tokens_BND = backbone.forward(frames)
    assert tokens_BND.shape == (1, 1, len(FEATURE_NAMES))
    assert np.isfinite(tokens_BND).all()


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((1, 1, 96, 160, 3), np.uint8),
        np.zeros((1, 2, 96, 160, 3), np.float32),
        np.zeros((2, 96, 160, 3), np.uint8),
    ],
)
def test_views_that_are_no_pairs_of_rgb_fail(backbone, frames):
    with pytest.raises(BackboneError, match=r"\[B, T, H, W, 3\]"):
        backbone.forward(frames)


def test_opencv_starts_no_threads(backbone):
    assert cv2.getNumThreads() == 1


def test_views_may_be_longer(backbone):
    longer = backbone.with_sampling(Sampling(5, 2, 0.1))
    assert longer.forward(np.zeros((2, 5, 96, 160, 3), np.uint8)).shape[:2] == (2, 4)


@pytest.mark.parametrize("sampling", [Sampling(1, 8, 0.1), Sampling(3, 8, None)])
def test_sampling_without_a_fixed_gap_fails(backbone, sampling):
    with pytest.raises(BackboneError, match="fixed interval_seconds"):
        backbone.with_sampling(sampling)


def test_features_of_another_version_fail(backbone, tmp_path):
    with pytest.raises(BackboneError, match="motion-0"):
        restore(tmp_path, replace(backbone.spec, revision="motion-0"))
