import numpy as np
import torch
from tests.pixels.generate.clips import SIZES, bank

from vidfit.pixels.generate.tokens import (
    Spoken,
    blocks,
    draw_tokens,
    first_tokens,
    frames_of,
    gpt_of,
    learn_codebook,
)


def test_blocks_hold_all_of_a_clip():
    frames = bank(6).frames_NTSSC
    np.testing.assert_array_equal(frames_of(blocks(frames), SIZES), frames)


def test_what_goes_on_says_what_the_network_says():
    """Keys and values that are kept change nothing: to rounding of float32."""
    torch.manual_seed(0)
    gpt = gpt_of(SIZES).eval()
    tokens = torch.randint(1, 16, (3, SIZES.tokens + 1))
    spoken = Spoken(gpt, SIZES.tokens + 1)
    with torch.no_grad():
        parts = [spoken.next(tokens[:, at]) for at in range(tokens.shape[1])]
        assert torch.allclose(torch.stack(parts, dim=1), gpt(tokens), atol=1e-5)


def test_drawn_tokens_are_centres_alone():
    gpt = gpt_of(SIZES)
    drawn = draw_tokens(gpt, np.array([0, 1, -1]), SIZES)
    assert drawn.shape == (3, SIZES.tokens)
    assert drawn.min() >= 1 and drawn.max() <= SIZES.codes
    assert first_tokens(np.array([0, 1, -1]), SIZES).tolist() == [17, 18, 0]


def test_a_codebook_has_its_size_though_there_are_few_blocks():
    book = learn_codebook(bank(2), SIZES, 0)
    assert len(book.centres_VD) == SIZES.codes
