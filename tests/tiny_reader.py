"""Small readers of random weights as folders, and questions about texts of few words."""

from __future__ import annotations

import json

import torch

from vidfit.manifest.questions import AnswerSpan, TextQuestion

WORDS = [
    "who", "where", "built", "lives", "the", "a", "bridge", "tower", "mill", "anna", "bert",
    "carla", "in", "by", "of", "and", "near", "river", "town", "bern", "basel", "it", "was",
    ".", ",", "?", "old", "new", "cats", "dogs", "sleep", "bark",
]  # fmt: skip
SPECIAL = ["[PAD]", "[CLS]", "[SEP]", "[UNK]"]

_BERT = {
    "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
    "max_position_embeddings": 64,
}  # fmt: skip
CONFIGS = {
    "bert": ("BertConfig", _BERT),
    "big_bird": ("BigBirdConfig", {**_BERT, "block_size": 2, "num_random_blocks": 1}),
    "funnel": (
        "FunnelConfig",
        {"block_sizes": [1, 1], "num_decoder_layers": 1, "d_model": 16, "n_head": 2, "d_head": 8,
         "d_inner": 16},
    ),
    "modernbert": (
        "ModernBertConfig",
        {**_BERT, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1,
         "sep_token_id": 2, "local_attention": 8, "global_attn_every_n_layers": 1},
    ),
}  # fmt: skip


def write_tokenizer(folder):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    words = {word: number for number, word in enumerate([*SPECIAL, *WORDS])}
    made = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 1), ("[SEP]", 2)],
    )
    made.save(str(folder / "tokenizer.json"))


def write_reader(folder, kind="bert", *, encoder=False):
    """Write a reader, or an encoder that has no head to mark spans."""
    import transformers

    from vidfit.backbones.reading import READERS

    name, settings = CONFIGS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, name)(vocab_size=len(SPECIAL) + len(WORDS), **settings)
    network = getattr(transformers, READERS[kind].model)(config)
    made = getattr(network, network.base_model_prefix) if encoder else network
    made.save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def question(key, asked, context, answer=None, article="a"):
    answers = (AnswerSpan(answer, context.index(answer)),) if answer else ()
    return TextQuestion(key, asked, context, article, answers)


def squad(*questions):
    """Return questions as the document of a SQuAD file."""
    data = [
        {
            "title": one.article,
            "paragraphs": [
                {
                    "context": one.context,
                    "qas": [
                        {
                            "id": one.key,
                            "question": one.asked,
                            "answers": [
                                {"text": a.text, "answer_start": a.start} for a in one.answers
                            ],
                        }
                    ],
                }
            ],
        }
        for one in questions
    ]
    return json.loads(json.dumps({"version": "1.1", "data": data}))


BUILDERS = ("anna", "bert", "carla")
PLACES = ("bern", "basel", "town")


def articles(count=4):
    """Return two questions about each of some articles, with an answer of one word each."""
    found = []
    for number in range(count):
        who, where = BUILDERS[number % 3], PLACES[number % 3]
        first = f"The bridge was built by {who} . It was old ."
        second = f"Near the river the mill of {who} was in {where} . Cats sleep and dogs bark ."
        found += [
            question(f"{number}a", "Who built the bridge ?", first, who, f"article {number}"),
            question(f"{number}b", "Where was the mill ?", second, where, f"article {number}"),
        ]
    return found
