"""Each class is answered from its own query."""

from __future__ import annotations

import torch

from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.encoder_decoder import AnswerByQuery, EncoderDecoder

SHAPE = Shape(dim=6, tokens=5, classes=4, width=8, layers=2, heads=2, dropout=0.0)


def test_a_query_answers_for_its_class_alone():
    torch.manual_seed(0)
    network, clips = EncoderDecoder(SHAPE).eval(), Clips(torch.randn(3, 5, 6))
    with torch.no_grad():
        before_BK = network(clips)
        network.query_KE[2] *= -1.0  # a shift would be normalised away
        moved_K = (network(clips) - before_BK).abs().amax(0) > 1e-6
    assert moved_K.tolist() == [False, False, True, False]


def test_the_answer_is_a_weight_vector_a_class():
    torch.manual_seed(0)
    answer, query_BKE = AnswerByQuery(SHAPE), torch.randn(3, 4, 8)
    normal_BKE = torch.nn.functional.layer_norm(query_BKE, (8,))
    expected_BK = torch.einsum("bke,ke->bk", normal_BKE, answer.weight_KE) + answer.bias_K
    torch.testing.assert_close(answer(query_BKE), expected_BK)
