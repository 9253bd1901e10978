"""Which of the 250 002 published pieces are kept, and the tokenizer made of them.

A piece is kept for how often the training texts need it. What a language without data needs is
kept for its letters: pieces with a Lithuanian letter stay although hardly a text counts for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from sentiment.neural.tokens import UNKNOWN

PAD: Final = 1
SPECIAL: Final = 4  #: the pieces of the lowest ids mean no text
#: Letters of the languages served first: every piece that has one is kept while there is room.
OWN_LETTERS: Final = frozenset("ąčęėįšųūžćđłńóśźż")


def tokenizer_of(pieces: list[tuple[str, float]]) -> Tokenizer:
    """A Unigram tokenizer as sentencepiece would cut, of pieces whose first four are special."""
    tokenizer = Tokenizer(Unigram(pieces, unk_id=UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer


def keep(
    pieces: list[tuple[str, float]], texts: Iterable[tuple[str, float]], size: int
) -> list[int]:
    """Ids of the ``size`` pieces to keep, in the published order.

    ``texts`` are pairs of a text and its weight. First come the special pieces and every single
    character that a text has, then pieces by weighted count, the rest by their published rank
    among the pieces with a letter of our first languages.
    """
    whole = tokenizer_of(pieces)
    counts: Counter[int] = Counter()
    letters: Counter[str] = Counter()
    batch: list[str] = []
    weights: list[float] = []
    for text, weight in texts:
        batch.append(text)
        weights.append(weight)
        if len(batch) == 4096:
            _count(whole, batch, weights, counts, letters)
            batch, weights = [], []
    _count(whole, batch, weights, counts, letters)
    kept = set(range(SPECIAL))
    kept.update(i for i, (piece, _) in enumerate(pieces) if len(piece) == 1 and letters[piece] > 1)
    own = [i for i, (piece, _) in enumerate(pieces) if OWN_LETTERS & set(piece.lower())]
    for candidates in (
        [i for i, count in counts.most_common() if count >= 3],
        own,
        [i for i, _ in counts.most_common()],
    ):
        for candidate in candidates:
            if len(kept) >= size:
                break
            kept.add(candidate)
    return sorted(kept)


def _count(
    tokenizer: Tokenizer,
    texts: list[str],
    weights: list[float],
    counts: Counter[int],
    letters: Counter[str],
) -> None:
    for encoding, weight in zip(
        tokenizer.encode_batch_fast(texts, add_special_tokens=False), weights, strict=True
    ):
        for piece in encoding.ids:
            counts[piece] += weight  # type: ignore[assignment]
    for text in texts:
        letters.update(text)
