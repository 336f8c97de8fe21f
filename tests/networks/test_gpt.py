from __future__ import annotations

import pytest
import torch

from vidfit.errors import BackboneError
from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.gpt import Gpt, GptLanguage, turned, turns

SHAPE = Shape(dim=0, tokens=8, classes=11, width=16, layers=2, heads=2, vocabulary=11, dropout=0.0)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return GptLanguage(SHAPE).eval()


def test_what_is_said_knows_of_no_later_token(network):
    tokens_BN = torch.randint(11, (3, 8))
    changed_BN = tokens_BN.clone()
    changed_BN[:, 5:] = (changed_BN[:, 5:] + 1) % 11
    with torch.no_grad():
        first, second = network(tokens_BN), network(changed_BN)
    torch.testing.assert_close(first[:, :5], second[:, :5])
    assert (first[:, 5:] - second[:, 5:]).abs().max() > 1e-3


def test_attention_sees_how_far_apart_tokens_are_and_not_where():
    torch.manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 8)
    turns_2NR = turns(20, 8, torch.device("cpu"))
    at = [
        float((turned(query, turns_2NR[:, i : i + 1]) * turned(key, turns_2NR[:, j : j + 1])).sum())
        for i, j in ((7, 3), (14, 10), (14, 3))
    ]
    assert at[0] == pytest.approx(at[1], abs=1e-5) and abs(at[0] - at[2]) > 1e-3


def test_one_matrix_embeds_and_says(network):
    names = [name for name, p in network.named_parameters() if 11 in p.shape]
    assert names == ["embedding.weight"]
    grown = [p for name, p in network.named_parameters() if "bias" in name and "attention" in name]
    assert grown == []


def test_a_language_model_becomes_a_head_over_clips_and_words(network):
    head = Gpt(Shape(dim=6, tokens=8, classes=3, width=16, layers=2, heads=2, vocabulary=11)).eval()
    missing, unexpected = head.load_state_dict(network.state_dict(), strict=False)
    assert not unexpected and {name.split(".")[0] for name in missing} == {"stem", "answer"}
    tokens_BND, text_BL = torch.randn(2, 3, 6), torch.tensor([[4, 5, 0], [6, 7, 8]])
    with torch.no_grad():
        both_BK = head(Clips(tokens_BND=tokens_BND, text_BL=text_BL))
        words_BK = head(Clips(text_BL=text_BL))
        present_BN = torch.tensor([[True, True, False], [True, True, True]])
        torn = tokens_BND.clone()
        torn[0, 2] = torch.nan
        padded_BK = head(Clips(torn, present_BN, text_BL=text_BL))
        alone_1K = head(Clips(tokens_BND[:1, :2], text_BL=text_BL[:1, :2]))
    assert (both_BK - words_BK).abs().max() > 1e-3
    torch.testing.assert_close(padded_BK[:1], alone_1K)
    torch.testing.assert_close(padded_BK[1], both_BK[1])


def test_clips_with_nothing_to_read_and_odd_heads_are_refused():
    with pytest.raises(BackboneError, match="neither tokens nor text"):
        Gpt(SHAPE)(Clips())
    with pytest.raises(BackboneError, match="multiple of 12"):
        GptLanguage(Shape(dim=0, tokens=8, classes=9, width=16, heads=6, vocabulary=9))
