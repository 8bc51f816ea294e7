"""Which of several meanings does an utterance carry? Closed sets of phrases against tolerant ears.

An utterance is compared with every phrase of every meaning: as a whole, contained in it, nearly the same
(recognisers misspell), or sharing its telling words. What is left over of the utterance casts doubt.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapidfuzz import fuzz

from voicebot.dialog.language.lexicon import Lexicon
from voicebot.dialog.language.text import Tokens, is_content, tokens_of, without_fillers, worded

ACCEPT = 0.6
"""Score from which on a meaning is taken."""

AMBIGUOUS = 0.12
"""Two meanings nearer than this are both plausible: neither is taken, unless one is more telling."""

_NEAR = 0.84
"""Similarity (0 to 1) of letters from which on two phrases count as the same, misspelt."""
_NEAR_LETTERS = 5
"""Shorter phrases must be the same to the letter."""
_NEAR_SYLLABLES = 3
"""The same in Korean syllables."""
_WORD_NEAR = 75
"""Similarity (0 to 100) that the words in which a misspelt phrase differs must have."""
_LEFTOVER = 0.12
"""Doubt for each telling word that the phrase does not explain; `weak` phrases doubt more."""
_LEFTOVER_EDGE = 0.06
_LEFTOVER_WEAK = 0.42
_LEFTOVER_WEAK_FIRST = 0.2
_PARTIAL = 0.74
"""Score of an utterance that has only some of the telling words of a phrase, or has them scattered."""
_NEGATED_WITHIN = 4
"""A negator up to this many words before a phrase turns it round, if nothing telling stands between."""
_TURNED_ROUND = 0.75
_CORRECTIONS = frozenset(("mean", "sorry", "no", "actually", "rather", "wait", "instead", "아니"))
_LONGEST_TOKENS = 40
"""Words of an utterance; no answer is longer."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing that a caller may mean. `generic` (yes, no) gives way to a more specific one beside it."""

    name: str
    phrases: tuple[Tokens, ...]
    generic: bool = False
    command: bool = False
    opposite: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A phrase found in the utterance at tokens [start, end); `size` is its length in words."""

    meaning: Meaning
    start: int
    end: int
    similarity: float
    size: int
    weak: bool
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Scored:
    meaning: Meaning
    score: float
    start: int
    end: int
    size: int
    weak: bool
    exact: bool = False

    def overlaps(self, other: Scored) -> bool:
        return self.start < other.end and other.start < self.end

    def rivals(self, best: Scored) -> bool:
        """Whether this is as plausible as `best`: about as good, or said in full beside it."""
        said_too = self.exact and not self.weak and not self.meaning.command and not self.overlaps(best)
        return best.score - self.score < AMBIGUOUS or said_too


def compile_meaning(
    name: str, phrases: tuple[str, ...], lexicon: Lexicon, *, command: bool = False
) -> Meaning:
    """Prepare phrases for comparison."""
    generic = phrases in (lexicon.yes, lexicon.no) or name in ("yes", "no")
    opposite = {"yes": "no", "no": "yes"}.get(name, "") if generic else ""
    tokens = tuple(
        dict.fromkeys(t for phrase in phrases if (t := worded(tokens_of(phrase, lexicon), lexicon)))
    )
    return Meaning(name, tokens, generic, command, opposite)


def best_meaning(text: str, meanings: tuple[Meaning, ...], lexicon: Lexicon) -> tuple[Meaning, float] | None:
    """Return what the caller most likely means with a score of 0 to 1, or None where nothing is plausible."""
    tokens = worded(tokens_of(text, lexicon), lexicon)[:_LONGEST_TOKENS]
    if not tokens:
        return None
    # Fillers first stay in, since "please do" and "I think so" are answers; then they are taken out.
    core = without_fillers(tokens, lexicon)
    found = [_decide(words, meanings, lexicon) for words in dict.fromkeys((tokens, core))]
    return max((f for f in found if f), key=lambda f: f[1], default=None)


def _decide(tokens: Tokens, meanings: tuple[Meaning, ...], lexicon: Lexicon) -> tuple[Meaning, float] | None:
    scored = [s for s in _score_all(tokens, meanings, lexicon) if s.score >= ACCEPT]
    if _unsure(tokens, lexicon):
        scored = [s for s in scored if not s.meaning.generic]
    specific = [s for s in scored if not s.meaning.generic]
    if specific and len(specific) < len(scored):
        scored = specific  # "no, I want to move it": the wish says more than the no
    scored.sort(key=lambda s: (-s.score, s.meaning.command, -s.size))
    if not scored:
        return None
    first = scored[0]
    rivals = [s for s in scored[1:] if s.rivals(first)]
    if not rivals:
        return first.meaning, first.score
    everyone = [first, *rivals]
    strong = [s for s in everyone if not s.weak]
    if len(strong) == 1:
        return strong[0].meaning, strong[0].score
    ours = [s for s in everyone if not s.meaning.command]
    if len(ours) == 1:
        return ours[0].meaning, ours[0].score
    last = max(everyone, key=lambda s: s.start)
    if all(s is last or _corrected(s, last, tokens) for s in everyone):
        return last.meaning, last.score
    longest = max(everyone, key=lambda s: s.size)
    if all(s is longest or (s.size < longest.size and s.overlaps(longest)) for s in everyone):
        return longest.meaning, longest.score
    return None


def _corrected(earlier: Scored, later: Scored, tokens: Tokens) -> bool:
    """Whether a word such as "sorry" between two answers takes the first one back."""
    between = tokens[earlier.end : later.start]
    return any(token in _CORRECTIONS for token in between) or "i mean" in " ".join(between)


def _unsure(tokens: Tokens, lexicon: Lexicon) -> bool:
    joined = f" {' '.join(tokens)} "
    end = "" if lexicon.endings else " "
    return any(f" {phrase}{end}" in joined for phrase in lexicon.unsure)


def _score_all(tokens: Tokens, meanings: tuple[Meaning, ...], lexicon: Lexicon) -> list[Scored]:
    hits: list[Hit] = []
    windows = _Windows(tokens, {})
    for meaning in meanings:
        for phrase in meaning.phrases:
            hits += _hits(windows, phrase, meaning, lexicon)
    # "no problem" is one phrase; the "no" inside it says nothing of its own.
    spans: dict[tuple[int, int, str], float] = {}
    for hit in hits:
        span = (hit.start, hit.end, hit.meaning.name)
        spans[span] = max(hit.similarity, spans.get(span, 0.0))
    for decoy in lexicon.decoys:
        for start, spoken in windows.of(len(decoy.split())):
            if spoken == decoy.replace(" ", ""):
                spans[start, start + len(decoy.split()), ""] = 1.0
    outer = [
        hit
        for hit in hits
        if not any(
            start <= hit.start
            and hit.end <= end
            and end - start > hit.end - hit.start
            and name != hit.meaning.name
            and similarity >= hit.similarity - 0.1
            for (start, end, name), similarity in spans.items()
        )
    ]
    turned = {hit.meaning.opposite for hit in outer if hit.negated and hit.meaning.name == "yes"}
    scored = [
        best
        for meaning in meanings
        if (
            best := _score(
                meaning, [h for h in outer if h.meaning is meaning and not h.negated], tokens, lexicon
            )
        )
    ]
    named = {s.meaning.name for s in scored}
    for meaning in meanings:
        if meaning.generic and meaning.name in turned and meaning.name not in named:
            content = sum(1 for token in tokens if is_content(token, lexicon))
            scored.append(Scored(meaning, _TURNED_ROUND - _LEFTOVER * max(0, content - 2), 0, 1, 1, True))
        if not meaning.generic and meaning.name not in named:
            scored += [s for s in (_partial(meaning, tokens, lexicon),) if s]
    return scored


def _score(meaning: Meaning, hits: list[Hit], tokens: Tokens, lexicon: Lexicon) -> Scored | None:
    """Score a meaning by its best phrase; its other phrases in the utterance explain words as well."""
    if not hits:
        return None
    explained = {at for hit in hits for at in range(hit.start, hit.end)}
    unexplained = [at for at, t in enumerate(tokens) if at not in explained and is_content(t, lexicon)]
    best: Scored | None = None
    for hit in hits:
        if hit.weak:
            doubt = _LEFTOVER_WEAK_FIRST if hit.start == 0 else _LEFTOVER_WEAK
        elif meaning.generic and (hit.start == 0 or hit.end == len(tokens)):
            doubt = _LEFTOVER_EDGE
        else:
            doubt = _LEFTOVER / (1 + (hit.size - 1) / 4)
        score = hit.similarity - doubt * len(unexplained)
        if hit.weak and unexplained and (meaning.command or (hit.start == 0 and hit.size > 1)):
            score -= _LEFTOVER_WEAK
        if len(unexplained) == 0 and hit.end - hit.start < len(tokens):
            score -= 0.01
        if best is None or (score, hit.size) > (best.score, best.size):
            best = Scored(
                meaning, max(0.0, score), hit.start, hit.end, hit.size, hit.weak, hit.similarity > 0.96
            )
    return best


@dataclass(frozen=True, slots=True)
class _Windows:
    """All runs of neighbouring words of an utterance, joined, by their number of words."""

    tokens: Tokens
    by_length: dict[int, list[tuple[int, str]]]

    def of(self, length: int) -> list[tuple[int, str]]:
        """Return (start, joined words) of each run of `length` words."""
        if length not in self.by_length:
            starts = range(len(self.tokens) - length + 1)
            self.by_length[length] = [(at, "".join(self.tokens[at : at + length])) for at in starts]
        return self.by_length[length]


def _hits(windows: _Windows, phrase: Tokens, meaning: Meaning, lexicon: Lexicon) -> list[Hit]:
    tokens = windows.tokens
    joined = "".join(phrase)
    size = len(phrase)
    weak = _is_weak(phrase, meaning, lexicon)
    negating = _negates(phrase, lexicon)
    slack = 3 if lexicon.endings else 1
    longer = 10 if lexicon.endings else max(2, len(joined) // 5)
    hits = []
    for length in range(max(1, size - 1), size + 1 + slack):
        for start, spoken in windows.of(length):
            if abs(len(spoken) - len(joined)) > longer:
                continue
            end = start + length
            similarity = _similarity(spoken, joined, tokens[start:end], phrase, lexicon)
            if similarity:
                negated = not negating and _negated(tokens, start, end, lexicon)
                hits.append(Hit(meaning, start, end, similarity, size, weak, negated))
    return hits


def _similarity(spoken: str, joined: str, window: Tokens, phrase: Tokens, lexicon: Lexicon) -> float:
    if spoken == joined:
        return 1.0 if window == phrase else 0.98
    if lexicon.endings:
        if spoken.startswith(joined):
            # A particle may follow, but not the rest of another word ("예" is not in "예약").
            return 0.97 if _is_ending(spoken[len(joined) :], lexicon) else 0.0
        same_length = len(joined) >= _NEAR_SYLLABLES and abs(len(spoken) - len(joined)) <= 1
        return _near(spoken, joined) if same_length else 0.0
    if len(joined) < _NEAR_LETTERS:
        return 0.0
    similarity = _near(spoken, joined)
    if not similarity or _negates(window, lexicon) != _negates(phrase, lexicon) or _undone(window, phrase):
        return 0.0
    heard, meant = _differing(window, phrase)
    if not (heard and meant):
        return 0.0 if any(is_content(token, lexicon) for token in (*heard, *meant)) else similarity
    if fuzz.ratio("".join(heard), "".join(meant)) < _WORD_NEAR:
        return 0.0
    return similarity


def _differing(window: Tokens, phrase: Tokens) -> tuple[Tokens, Tokens]:
    """Leave out the words that both have at their start and at their end."""
    first = 0
    while first < min(len(window), len(phrase)) and window[first] == phrase[first]:
        first += 1
    window, phrase = window[first:], phrase[first:]
    last = 0
    while last < min(len(window), len(phrase)) and window[-1 - last] == phrase[-1 - last]:
        last += 1
    return window[: len(window) - last], phrase[: len(phrase) - last]


def _near(spoken: str, joined: str) -> float:
    return float(fuzz.ratio(spoken, joined, score_cutoff=_NEAR * 100)) / 100 * 0.97


def _is_ending(rest: str, lexicon: Lexicon) -> bool:
    """Whether `rest` is one or two particles."""
    return rest in lexicon.endings or any(
        rest.startswith(first) and rest[len(first) :] in lexicon.endings for first in lexicon.endings
    )


def _negates(tokens: Tokens, lexicon: Lexicon) -> bool:
    return any(token in lexicon.negators or token == "no" for token in tokens)


def _undone(window: Tokens, phrase: Tokens) -> bool:
    """Whether a prefix turns a word round: correct, incorrect."""
    prefixes = ("in", "un", "dis", "non", "im")
    return any(
        heard != meant and (heard in {p + meant for p in prefixes} or meant in {p + heard for p in prefixes})
        for heard in window
        for meant in phrase
    )


def _negated(tokens: Tokens, start: int, end: int, lexicon: Lexicon) -> bool:
    for token in reversed(tokens[max(0, start - _NEGATED_WITHIN) : start]):
        if token in lexicon.negators:
            return True
        if is_content(token, lexicon):
            break
    return any(token in lexicon.negators_after for token in tokens[end : end + 1])


def _is_weak(phrase: Tokens, meaning: Meaning, lexicon: Lexicon) -> bool:
    text = " ".join(phrase)
    if meaning.generic:
        return text in lexicon.weak
    if meaning.command:
        return text in ("what", "again", "options", "human", "reception") or not any(
            is_content(t, lexicon) for t in phrase
        )
    return False


def _partial(meaning: Meaning, tokens: Tokens, lexicon: Lexicon) -> Scored | None:
    """Score an utterance whose telling words are those of a phrase, not all of them or not in its order."""
    said = [t for t in tokens if is_content(t, lexicon) and not t.isdigit()]
    if not said or meaning.command or _negates(tokens, lexicon) or lexicon.endings:
        return None
    best: Scored | None = None
    for phrase in meaning.phrases:
        telling = [t for t in phrase if is_content(t, lexicon)]
        shared = [t for t in telling if t in said]
        if not shared or len(telling) < 2:
            continue
        missing = len(telling) - len(shared)
        extra = len([t for t in said if t not in telling])
        if missing > len(shared):
            continue
        score = _PARTIAL + 0.1 * (missing == 0) - 0.06 * missing - _LEFTOVER * extra
        if best is None or score > best.score:
            first = tokens.index(shared[0])
            best = Scored(meaning, score, first, first + len(shared), len(shared), False)
    return best
