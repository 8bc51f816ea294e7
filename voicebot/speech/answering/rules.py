"""The figures by which is judged who answered. Evidence is in log-odds: above 0 speaks for a machine."""

from __future__ import annotations

from dataclasses import dataclass

Curve = tuple[tuple[float, float], ...]
"""Points (x, y) with growing x; straight between them, level outside."""


def at(curve: Curve, x: float) -> float:
    """Return the curve's y at `x`."""
    before_x, before_y = curve[0]
    if x <= before_x:
        return before_y
    for point_x, point_y in curve[1:]:
        if x <= point_x:
            return before_y + (point_y - before_y) * (x - before_x) / (point_x - before_x)
        before_x, before_y = point_x, point_y
    return before_y


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """Times in ms, levels in dB, evidence in log-odds. See docs/answering.md for how they were found.

    pause_ms:         so long a silence ends a greeting: they wait for us
    turn_ms:          after so long a silence what is said is a turn of a conversation, no more greeting
    silence_ms:       nobody has spoken for so long: told once
    speaking:         evidence of a greeting that goes on, by its length so far
    waited:           evidence of a greeting that has ended, by its length
    patience:         evidence of the silence after it, by the silence's length
    answered_again:   evidence of a short utterance after they waited: machines do not ask twice
    beep, fax, operator:   evidence of these tones
    machine_words, person_words, hint_words:   evidence of what was recognised
    judged:           total evidence from which on a judgement is made, and is turned round
    """

    pause_ms: int = 700
    turn_ms: int = 2000
    silence_ms: int = 3500
    speaking: Curve = ((3000, 0.0), (4200, 0.8), (6200, 1.3), (7000, 1.5), (9000, 2.6))
    waited: Curve = ((600, -2.0), (1600, -1.8), (2600, -1.1), (4200, -0.2), (6000, 1.0), (9000, 2.0))
    patience: Curve = ((700, 0.0), (3000, -1.0), (6000, -1.6))
    answered_again: float = -1.5
    beep: float = 4.0
    fax: float = 6.0
    operator: float = 6.0
    machine_words: float = 4.0
    person_words: float = -3.0
    hint_words: float = 1.2
    judged: float = 0.6
