"""Readers from random weights: the role-swap task, and networks small enough to learn it here.

A document tells of objects that are handed on, among other objects and in random order: ``p3 gave
o7 to p5 .``, ``p5 gave o7 to p1 .``, ``p1 gave o7 to p9 .`` In the second sentence the roles of p5
are swapped: ``who gave o7 to p5 ?`` is p3, ``to whom did p5 give o7 ?`` is p1, and two sentences
hold all words of either question. Who only counts words answers half of the questions.

Words of the text that stand in the question are marked (as by Chen et al. 2017, Reading Wikipedia,
section 3.2), and a convolution tells each token of its neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import Tensor, nn

from vidfit.backbones.reading import SpanNetwork
from vidfit.manifest.questions import AnswerSpan, TextQuestion
from vidfit.study.reading.answering import best_sentences
from vidfit.study.reading.passages import PartIndex, ReadText, Sentence, sentence_parts

PERSONS, OBJECTS, FILLERS = 40, 40, 60
_SPECIAL = ("[PAD]", "[CLS]", "[SEP]", "[UNK]")
_WORDS = ("who", "whom", "did", "give", "gave", "to", "?", ".")


def tokenizer() -> Tokenizer:
    """Return what cuts at spaces and knows all words."""
    words = [*_SPECIAL, *_WORDS]
    for letter, count in (("p", PERSONS), ("o", OBJECTS), ("f", FILLERS)):
        words += [f"{letter}{number}" for number in range(count)]
    made = Tokenizer(WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    made.pre_tokenizer = WhitespaceSplit()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    return made


def role_swaps(count: int, tokens: int, seed: int) -> list[TextQuestion]:
    """Return questions about documents of a number of tokens, each of its own."""
    rng = np.random.default_rng(seed)
    return [_role_swap(rng, tokens, f"{seed}-{number}") for number in range(count)]


def _role_swap(rng: np.random.Generator, tokens: int, key: str) -> TextQuestion:
    sentences: list[tuple[str, ...]] = []
    chains = []
    room = (tokens - 12) // 6
    for thing in rng.permutation(OBJECTS)[: max(1, room // 6)]:
        chain = [f"p{person}" for person in rng.permutation(PERSONS)[:4]]
        chains.append((chain, f"o{thing}"))
        sentences += [(a, "gave", f"o{thing}", "to", b, ".") for a, b in pairwise(chain)]
    while len(sentences) < room:
        sentences.append((*(f"f{f}" for f in rng.integers(0, FILLERS, 5)), "."))
    order = rng.permutation(len(sentences))
    (chain, thing), at = chains[0], int(rng.integers(1, 3))
    if rng.integers(2):
        asked, answer, told = f"who gave {thing} to {chain[at]} ?", chain[at - 1], sentences[at - 1]
    else:
        asked, answer, told = (
            f"to whom did {chain[at]} give {thing} ?",
            chain[at + 1],
            sentences[at],
        )
    text, start = "", -1
    for row in order:
        words = " ".join(sentences[row])
        if sentences[row] == told:
            start = len(text) + (0 if told[0] == answer else words.rindex(answer))
        text += f"{words} "
    return TextQuestion(key, asked, text.strip(), key, (AnswerSpan(answer, start),))


def by_words(question: TextQuestion) -> str:
    """Return the person who is not asked about, in the sentence that says most of a question."""
    edges, place = [], 0
    for part in question.context.split(" . "):
        edges.append(Sentence(place, place + len(part)))
        place += len(part) + 3
    parts = sentence_parts([ReadText("", question.context, tuple(edges))])
    best = best_sentences(question.asked, PartIndex(parts))
    asked = set(question.asked.split())
    named = [w for w in best[0].part.text.split() if w[0] == "p" and w not in asked] if best else []
    return named[0] if named else ""


class MatchedWords(nn.Module):
    """A network that marks spans, told which words of the text stand in the question, too."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.words: Any = network.get_input_embeddings()
        width = self.words.embedding_dim
        self.matched = nn.Embedding(2, width)
        self.near = nn.Conv1d(width, width, 5, padding=2)

    @property
    def config(self) -> Any:
        return self.network.config

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Any:
        in_text_BT = token_type_ids == 1
        same_BTT = input_ids[:, :, None] == input_ids[:, None, :]
        matched_BT = (same_BTT & ~in_text_BT[:, None, :]).any(2) & in_text_BT
        x_BTD = self.words(input_ids) + self.matched(matched_BT.long())
        x_BTD = x_BTD + self.near(x_BTD.transpose(1, 2)).transpose(1, 2).relu()
        return self.network(
            inputs_embeds=x_BTD, attention_mask=attention_mask, token_type_ids=token_type_ids
        )


@dataclass(frozen=True)
class Attention:
    """A kind of attention: class and config of transformers, and settings of the config."""

    kind: str
    model: str
    config: str
    settings: dict[str, Any]


def _bert_like(**more: Any) -> dict[str, Any]:
    return {
        "hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4,
        "intermediate_size": 256, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0,
        "type_vocab_size": 2, **more,
    }  # fmt: skip


def _funnel_like(blocks: list[int]) -> dict[str, Any]:
    """Return two layers and one that decodes; each block but the first looks at half the tokens."""
    return {
        "block_sizes": blocks, "num_decoder_layers": 1, "d_model": 128, "n_head": 4, "d_head": 32,
        "d_inner": 256, "hidden_dropout": 0.0, "attention_dropout": 0.0, "type_vocab_size": 3,
        "activation_dropout": 0.0, "initializer_std": 0.02,
    }  # fmt: skip


ATTENTIONS = {
    "full (BERT)": Attention("bert", "BertForQuestionAnswering", "BertConfig", _bert_like()),
    "block-sparse (BigBird)": Attention(
        "big_bird",
        "BigBirdForQuestionAnswering",
        "BigBirdConfig",
        _bert_like(num_random_blocks=2, attention_type="block_sparse"),
    ),
    "full (BigBird)": Attention(
        "big_bird",
        "BigBirdForQuestionAnswering",
        "BigBirdConfig",
        _bert_like(num_random_blocks=2, attention_type="original_full"),
    ),
    "pooled (Funnel)": Attention(
        "funnel", "FunnelForQuestionAnswering", "FunnelConfig", _funnel_like([1, 1])
    ),
    "full (Funnel)": Attention(
        "funnel", "FunnelForQuestionAnswering", "FunnelConfig", _funnel_like([2])
    ),
}


_BLOCKS = ((64, 4), (128, 8), (10**6, 16))
"""Sizes of blocks up to a number of tokens: nine blocks or less are looked at as a whole."""


def network(name: str, tokens: int, seed: int = 0, *, matched: bool = True) -> SpanNetwork:
    """Return a network of random weights for texts of up to a number of tokens."""
    import transformers

    of = ATTENTIONS[name]
    words = tokenizer()
    torch.manual_seed(seed)
    size = next(size for most, size in _BLOCKS if tokens <= most)
    blocks = {"block_size": size} if of.kind == "big_bird" else {}
    config = getattr(transformers, of.config)(
        vocab_size=words.get_vocab_size(),
        pad_token_id=0,
        sep_token_id=2,
        max_position_embeddings=tokens,
        **blocks,
        **of.settings,
    )
    made = getattr(transformers, of.model)(config)
    return SpanNetwork(MatchedWords(made) if matched else made, words, of.kind, knows_spans=False)
