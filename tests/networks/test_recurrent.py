"""The recurrent heads against torch's packed sequences, and how they start."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from vidfit.networks import Shape
from vidfit.networks.clips import Clips
from vidfit.networks.recurrent import (
    AdditiveAttention,
    BiLstmAttention,
    Lstm,
    recurrent,
    reversed_in_time,
)

SHAPE = Shape(dim=6, tokens=5, classes=3, width=8, layers=1, dropout=0.0)
LENGTHS = torch.tensor([5, 2, 1, 4])
PRESENT_BN = torch.arange(5) < LENGTHS[:, None]


def test_the_state_is_that_of_torch_packed_sequences():
    torch.manual_seed(0)
    network, tokens_BND = Lstm(SHAPE).eval(), torch.randn(4, 5, 6)
    packed = pack_padded_sequence(
        network.stem(tokens_BND), LENGTHS, batch_first=True, enforce_sorted=False
    )
    _, (last_1BE, _) = network.lstm(packed)
    found_BK = network(Clips(tokens_BND, PRESENT_BN))
    torch.testing.assert_close(found_BK, network.answer(last_1BE[0]), atol=1e-6, rtol=0)


def test_both_directions_are_those_of_torch_packed_sequences():
    torch.manual_seed(0)
    network, tokens_BND = BiLstmAttention(SHAPE).eval(), torch.randn(4, 5, 6)
    both = nn.LSTM(8, 8, batch_first=True, bidirectional=True)
    onward = dict(network.onward.named_parameters())
    back = {f"{name}_reverse": p for name, p in network.back.named_parameters()}
    both.load_state_dict(onward | back)
    packed = pack_padded_sequence(
        network.stem(tokens_BND), LENGTHS, batch_first=True, enforce_sorted=False
    )
    states_BNF, _ = pad_packed_sequence(both(packed)[0], batch_first=True)
    score_BN = network.pooling.score(torch.tanh(network.pooling.hidden(states_BNF)))[..., 0]
    pooled = []
    for score_N, states_NF, length in zip(score_BN, states_BNF, LENGTHS, strict=True):
        pooled.append(torch.softmax(score_N[:length], 0) @ states_NF[:length])
    found_BK = network(Clips(tokens_BND, PRESENT_BN))
    torch.testing.assert_close(found_BK, network.answer(torch.stack(pooled)), atol=1e-6, rtol=0)


def test_only_what_is_real_is_turned_around():
    x_BNE = torch.tensor([[1.0, 2.0, 3.0, 0.0, 0.0]])[..., None]
    present_BN = torch.tensor([[True, True, True, False, False]])
    turned_BNE = reversed_in_time(x_BNE, present_BN)
    assert turned_BNE[0, :, 0].tolist() == [3.0, 2.0, 1.0, 0.0, 0.0]
    assert torch.equal(reversed_in_time(turned_BNE, present_BN), x_BNE)


def test_attention_weighs_one_state_of_a_thousand_when_it_stands_out():
    pooling = AdditiveAttention(2, 1)
    with torch.no_grad():
        pooling.hidden.weight.copy_(torch.tensor([[1.0, 0.0]]))
        pooling.hidden.bias.zero_()
        pooling.score.weight.fill_(30.0)
    states_BNF = torch.zeros(1, 1000, 2)
    states_BNF[0, 700] = torch.tensor([5.0, 1.0])
    pooled_BF = pooling(states_BNF, torch.ones(1, 1000, dtype=torch.bool))
    assert float(pooled_BF[0, 1].detach()) > 0.99


def test_it_starts_with_open_forget_gates_and_orthogonal_memory():
    torch.manual_seed(0)
    lstm = recurrent(Shape(dim=6, tokens=5, classes=3, width=8, layers=2))
    for layer in range(2):
        bias = getattr(lstm, f"bias_ih_l{layer}") + getattr(lstm, f"bias_hh_l{layer}")
        assert bias.detach().reshape(4, 8).mean(1).tolist() == [0.0, 1.0, 0.0, 0.0]
        for gate in getattr(lstm, f"weight_hh_l{layer}").detach().chunk(4):
            torch.testing.assert_close(gate @ gate.T, torch.eye(8), atol=1e-5, rtol=0)
