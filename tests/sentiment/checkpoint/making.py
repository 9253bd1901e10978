"""A tiny checkpoint, made on the spot: a BERT of two layers that learned nine sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    PreTrainedTokenizerFast,
)

#: Tokens that it can read at once, the two ends included.
LENGTH = 48

TAUGHT = [
    ("the parcel never came and nobody answers", 0),
    ("terrible service , the heater is broken", 0),
    ("never again , terrible people", 0),
    ("the shop is open on sunday", 1),
    ("is the office open on monday ?", 1),
    ("they sell heaters and parcels", 1),
    ("thank you , lovely food and great people", 2),
    ("great service , the heater works", 2),
    ("lovely shop , thank you", 2),
]
FILLER = "and the"


def make_checkpoint(
    folder: Path, *, labels: Sequence[str] = ("negative", "neutral", "positive"), seed: int = 7
) -> Path:
    """Teach the sentences and save; with two labels the neutral ones are left out.

    With more labels than three, a sentence's class is stretched over them.
    """
    count = len(labels)
    taught = [(text, round(c * (count - 1) / 2)) for text, c in TAUGHT if count > 2 or c != 1]
    tokenizer = make_tokenizer()
    torch.set_num_threads(1)  # a network this small only waits for more
    torch.manual_seed(seed)
    network = BertForSequenceClassification(_config(len(tokenizer), labels))
    batch = tokenizer([text for text, _ in taught], padding=True, return_tensors="pt")
    wanted = torch.tensor([label for _, label in taught])
    steps = torch.optim.Adam(network.parameters(), lr=0.005)
    network.train()
    for _ in range(400):
        loss = network(**batch, labels=wanted).loss
        steps.zero_grad()
        loss.backward()
        steps.step()
        if loss.item() < 0.02:
            break
    else:
        raise AssertionError("it did not learn the sentences")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_headless(folder: Path) -> Path:
    """An encoder that was never taught to classify."""
    tokenizer = make_tokenizer()
    BertModel(_config(len(tokenizer), ("negative", "positive"))).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Whole words, in small letters; a word that it was not taught is unknown."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordLevelTrainer(special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator([text for text, _ in TAUGHT], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=LENGTH,
    )


def _config(words: int, labels: Sequence[str]) -> BertConfig:
    return BertConfig(
        vocab_size=words,
        hidden_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=LENGTH + 1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=0,
        id2label=dict(enumerate(labels)),
        label2id={label: place for place, label in enumerate(labels)},
    )
