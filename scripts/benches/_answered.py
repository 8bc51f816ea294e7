"""Our detector on the labelled greetings: what it judged, when, and how that is counted."""

from __future__ import annotations

import json
import statistics
import time
from dataclasses import dataclass
from functools import cache

import numpy as np
from _greetings import FOLDER, FRAME, RATE, Samples, Scene

from voicebot.audio.frames import FRAME_MS, to_pcm
from voicebot.audio.levels import levels_db
from voicebot.engines.webrtc_vad import WebrtcVad
from voicebot.speech.answering import SURE, AnswerDetector, Answerer, AnswerEvent, AnswerRules, Beep, Judged

UTTERANCE_GAP_MS = 600
"""A recogniser gets an utterance after such a pause ..."""
RECOGNITION_MS = 300
"""... and takes so long for it."""
BEEP_TOLERANCE_MS = 150
TRANSCRIPTS = FOLDER / "transcripts.json"
NOISY = ("noise 10 dB", "mobile")
"""Conditions whose words are those recognised 10 dB above noise; of the others, on a quiet line."""


@dataclass(frozen=True)
class Heard:
    """One scene under one condition."""

    scene: Scene
    condition: str
    events: tuple[AnswerEvent, ...]

    @property
    def judgements(self) -> list[Judged]:
        return [one for one in self.events if isinstance(one, Judged) and one.by is not Answerer.UNKNOWN]

    @property
    def first(self) -> Judged | None:
        return next(iter(self.judgements), None)

    @property
    def last(self) -> Judged | None:
        return self.judgements[-1] if self.judgements else None

    @property
    def beeps(self) -> list[Beep]:
        return [one for one in self.events if isinstance(one, Beep)]

    @property
    def hung_up(self) -> bool:
        """Whether a campaign that hangs up on machines would have."""
        return any(one.by is Answerer.MACHINE and one.confidence >= SURE for one in self.judgements)


@cache
def transcripts() -> dict[str, dict[str, str]]:
    """Return what was recognised of each wav: {"clean" or "noisy": {file name: text}}."""
    found: dict[str, dict[str, str]] = json.loads(TRANSCRIPTS.read_text())
    return found


def utterances(scene: Scene, condition: str) -> list[tuple[int, str]]:
    """Return (when it is recognised, text) of what is spoken in the scene."""
    texts = transcripts()["noisy" if condition in NOISY else "clean"]
    found: list[tuple[int, str]] = []
    for index, (_, ended, line) in enumerate(scene.spoken):
        text = texts.get(line.path.name, "")
        if index and scene.spoken[index][0] - scene.spoken[index - 1][1] < UTTERANCE_GAP_MS and found:
            text = f"{found.pop()[1]} {text}"
        found.append((ended + UTTERANCE_GAP_MS + RECOGNITION_MS, text))
    return found


def hear(
    scene: Scene, condition: str, sound: Samples, *, words: bool, rules: AnswerRules | None = None
) -> Heard:
    """Feed a detector with the scene, frame by frame."""
    detector = AnswerDetector(RATE, rules)
    vad = WebrtcVad(3)
    frames = sound.reshape(-1, FRAME)
    levels = levels_db(frames)
    due = utterances(scene, condition) if words else []
    events: list[AnswerEvent] = []
    for index, frame in enumerate(frames):
        at_ms = (index + 1) * FRAME_MS
        events += detector.heard(frame, vad.is_speech(to_pcm(frame), RATE), at_ms, levels[index])
        while due and due[0][0] <= at_ms:
            events += detector.recognised(due.pop(0)[1], scene.language, at_ms)
    return Heard(scene, condition, tuple(events))


Confusion = dict[str, dict[str, int]]


def confusion(truths: list[tuple[str, str]]) -> Confusion:
    """Count (who it is, who was judged)."""
    table = {true: dict.fromkeys(("person", "machine", "unknown"), 0) for true in ("person", "machine")}
    for true, judged in truths:
        table[true][judged] += 1
    return table


def by_of(judged: Judged | None) -> str:
    return judged.by.value if judged else "unknown"


def figures(all_heard: list[Heard]) -> dict[str, object]:
    """Return all that is told of a set."""
    persons = [one for one in all_heard if one.scene.by == one.scene.then == "person"]
    machines = [one for one in all_heard if one.scene.by == one.scene.then == "machine"]
    waits = sorted(one.first.at_ms - one.scene.first_sound_ms for one in persons if one.first)
    found = missed = false = 0
    late: list[int] = []
    for one in all_heard:
        told = [beep.at_ms for beep in one.beeps]
        for ended, _ in one.scene.beeps:
            near = [at for at in told if abs(at - ended) <= BEEP_TOLERANCE_MS]
            if near:
                found += 1
                told.remove(near[0])
                late.append(near[0] - ended)
            else:
                missed += 1
        false += len(told)
    return {
        "first": confusion([(one.scene.by, by_of(one.first)) for one in all_heard]),
        "last": confusion([(one.scene.then, by_of(one.last)) for one in all_heard]),
        "persons_hung_up": sum(one.hung_up for one in persons),
        "persons": len(persons),
        "machines_hung_up": sum(one.hung_up for one in machines),
        "machines": len(machines),
        "first_ms_after_voice": {
            "median": statistics.median(waits) if waits else None,
            "p90": waits[int(len(waits) * 0.9)] if waits else None,
        },
        "beeps": {"found": found, "missed": missed, "false": false},
    }


def cost_us(sounds: list[Samples], rounds: int = 3) -> float:
    """Return the time of one frame of all `sounds`, without voice detection; the best of `rounds`."""
    work = []
    for sound in sounds:
        frames = list(sound.reshape(-1, FRAME))
        vad = WebrtcVad(3)
        flags = [vad.is_speech(to_pcm(frame), RATE) for frame in frames]
        work.append((frames, flags, levels_db(np.array(frames))))
    best = float("inf")
    count = sum(len(frames) for frames, _, _ in work)
    for _ in range(rounds):
        began = time.perf_counter()
        for frames, flags, levels in work:
            detector = AnswerDetector(RATE)
            for index, frame in enumerate(frames):
                detector.heard(frame, flags[index], (index + 1) * FRAME_MS, levels[index])
        best = min(best, time.perf_counter() - began)
    return best / count * 1e6
