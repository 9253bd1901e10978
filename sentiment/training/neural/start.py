"""The start of a training: the published encoder with the vocabulary that our languages need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer

from sentiment.training.neural.encoder import Network, from_published
from sentiment.training.neural.mixture import Labelled
from sentiment.training.neural.provenance import claim
from sentiment.training.neural.vocabulary import keep, tokenizer_of
from sentiment.training.neural.weights import find_weights, read_weights
from sentiment.training.posts import LabelledPost

SIZE: Final = 60_000
SEED: Final = 20
#: Lithuanian has hardly any text to count in, so its pieces are counted in a list of word forms.
FORMS: Final = "lt"
FORM_WEIGHT: Final = 0.05
#: Our own posts are few beside the public texts, and the only ones of whole languages.
POST_WEIGHT: Final = 8.0


def begin(
    folder: Path,
    texts: Iterable[Labelled],
    posts: Iterable[LabelledPost],
    *,
    made_of: Mapping[str, str],
) -> tuple[Network, Tokenizer]:
    """The untrained network and its tokenizer; the choice of pieces is kept in ``folder``.

    It is made once: posts that are written later do not change it, other texts are refused.
    ``made_of`` says what the texts are.
    """
    claim(folder, "pieces", made_of)
    published = read_weights(find_weights())
    chosen = folder / "pieces.json"
    if not chosen.exists():
        half = chosen.with_suffix(".half")
        half.write_text(json.dumps(keep(published.pieces, _weighted(texts, posts), SIZE)))
        half.replace(chosen)
    kept: list[int] = json.loads(chosen.read_text())
    tokenizer = tokenizer_of([published.pieces[i] for i in kept])
    tokenizer.save(str(folder / "tokenizer.json"))
    torch.manual_seed(SEED)  # the heads begin by chance
    return from_published(published, kept), tokenizer


def _weighted(
    texts: Iterable[Labelled], posts: Iterable[LabelledPost]
) -> Iterator[tuple[str, float]]:
    # Here, so that going on from a finished model, whose pieces are chosen, does without the lists.
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    for text in texts:
        yield text.text, 1.0
    for post in posts:
        yield post.text, POST_WEIGHT
    for form in DefaultDictionaryFactory().get_dictionary(FORMS):
        word = form.decode("utf-8") if isinstance(form, bytes) else form
        yield word, FORM_WEIGHT
