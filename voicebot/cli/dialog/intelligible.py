"""`voicebot dialog intelligible`: which prompts are misheard on the phone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Annotated

import typer

from voicebot.authoring.prompts.intelligible import MISHEARD_ABOVE, Hearing, compare, remedy
from voicebot.authoring.prompts.listening import Ears
from voicebot.authoring.prompts.saying import (
    PlacedPrompt,
    by_language,
    in_pieces,
    line_of,
    own_prompts_of,
    prompts_of,
)
from voicebot.authoring.prompts.sounding import Voices, route_of, telephone
from voicebot.cli.dialog.files import dialogs_in
from voicebot.cli.dialog.given import Given, given_of
from voicebot.cli.options import ConfigFile, Json
from voicebot.cli.progress import RenderProgress
from voicebot.config import Config, load_config
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.loading.yamlfile import YamlFile, read_yaml
from voicebot.dialog.turns import SpokenText
from voicebot.engines.phonemes import pronounce
from voicebot.errors import Problem, SpeechUnavailable, UserError

EXIT_MISHEARD = 1
ROBOT = 0.25
"""The same for a robot's voice."""
HOPELESS = 0.6
"""Share of misheard words of a whole language from which on its prompts are not to blame."""


@dataclass(frozen=True, slots=True)
class Examined:
    """A prompt, where it stands, and how it was heard."""

    file: Path
    line: int | None
    prompt: PlacedPrompt
    hearing: Hearing


def intelligible(
    files: Annotated[list[Path], typer.Argument(help="Dialog files, or folders of them.")],
    given: Given = None,
    own: Annotated[
        bool, typer.Option("--own", help="Listen also to what the bot says by itself, such as: Sorry?")
    ] = False,
    most: Annotated[
        float, typer.Option(min=0, max=1, help="Share of a prompt's words that may be heard otherwise.")
    ] = MISHEARD_ABOVE,
    language: Annotated[str, typer.Option(help="Language, if not that of the dialog.")] = "",
    engine: Annotated[str, typer.Option(help="Voice engine or a [tts.NAME], if not the route's.")] = "",
    voice: Annotated[str, typer.Option(help="The engine's name of the voice.")] = "",
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Let our own recogniser listen to every prompt at 8 kHz, and name those that it mishears.

    It hears them without knowing what to expect, as a caller does. Exit status 1 when prompts are misheard.
    Values are those of --given, else made up.
    """
    settings = load_config(config, secrets=False)
    values = given_of(given)
    work = [(file, *_prompts(file, values, language, own)) for file in dialogs_in(files)]
    with RenderProgress() as progress:
        found, who = asyncio.run(_examine(settings, work, engine, voice, most, progress.update))
    misheard = [row for row in found if row.hearing.misheard(most)]
    if as_json:
        typer.echo(json.dumps([_plain(row, most) for row in found], ensure_ascii=False))
    else:
        hopeless = _hopeless(found, who)
        for row in misheard:
            if row.prompt.language not in hopeless:
                typer.echo(_told(row))
        for language, rate in hopeless.items():
            typer.echo(
                f"{language}: {rate:.0%} of all words were heard otherwise. That is the voice or the "
                "recogniser, hardly your words; try another --engine (piper sounds like a person) or --voice "
                "(--json lists all)"
            )
        rate = mean([row.hearing.rate for row in found]) if found else 0.0
        typer.echo(
            f"{len(found)} prompts, {len(misheard)} misheard; on average {rate:.1%} of the words ({who})"
        )
    if misheard:
        raise typer.Exit(EXIT_MISHEARD)


def _prompts(
    file: Path, given: dict[str, str], language: str, by_itself: bool
) -> tuple[YamlFile, list[PlacedPrompt]]:
    """Return what can be spoken of a dialog, each text once."""
    dialog = load_dialog(file)
    has = dialog.file.needs.keys() | dialog.file.slots.keys() | dialog.file.values.keys()
    own = {name: value for name, value in given.items() if name in has or name.startswith("call.")}
    languages = (language,) if language else dialog.languages
    prompts: dict[tuple[str, str], PlacedPrompt] = {}
    for spoken in languages:
        said = (*prompts_of(dialog, own, spoken), *(own_prompts_of(dialog, spoken) if by_itself else ()))
        for prompt in (part for each in said for part in by_language(each)):
            if prompt.words:
                prompts.setdefault((prompt.language, prompt.words), prompt)
    text = file.read_text(encoding="utf-8-sig")
    return read_yaml(text, str(file)), list(prompts.values())


async def _examine(
    config: Config,
    work: list[tuple[Path, YamlFile, list[PlacedPrompt]]],
    engine: str,
    voice: str,
    most: float,
    progress: Callable[[int, int], None],
) -> tuple[list[Examined], str]:
    total, done = sum(len(prompts) for _, _, prompts in work), 0
    known: dict[tuple[str, str], Hearing] = {}
    found: list[Examined] = []
    speakers: dict[tuple[str, str], Voices] = {}
    who: dict[str, None] = {}
    try:
        async with AsyncExitStack() as stack:
            ears = await stack.enter_async_context(Ears(config.models))
            for file, yaml, prompts in work:
                route = route_of(config, file)
                names = (route.tts, route.voice) if route else ("", "")
                if names not in speakers:
                    voices = Voices(config, route, engine, voice)
                    speakers[names] = await stack.enter_async_context(voices)
                for prompt in prompts:
                    done += 1
                    key = prompt.language, prompt.words
                    if prompt.key == "own" and key in known:
                        continue  # told of with another file
                    if key not in known:
                        known[key] = await _hear(prompt, speakers[names], ears, most)
                        spoken_by = speakers[names].name(prompt.language) or "recordings"
                        who[f"{spoken_by}, heard by {ears.name(prompt.language)}"] = None
                    found.append(Examined(file, line_of(prompt, yaml)[0], prompt, known[key]))
                    progress(done, total)
            return found, "; ".join(who)
    except SpeechUnavailable as error:
        raise UserError(Problem(str(error), "`voicebot doctor` checks the engines")) from error


async def _hear(prompt: PlacedPrompt, voices: Voices, ears: Ears, most: float) -> Hearing:
    """Return how a prompt is heard as a whole; where it is misheard, once more and piece by piece.

    Some voices never say a thing twice alike, and Whisper loses the end of a list of like sentences.
    """
    hearings = []
    for ways in ([prompt.pieces], in_pieces(prompt)):
        heard = [await ears.hear(telephone(await voices.speak(pieces)), prompt.language) for pieces in ways]
        hearings.append(compare(prompt.words, " ".join(heard), prompt.language, pronounce()))
        if not hearings[-1].misheard(most):
            break
    return min(hearings, key=lambda hearing: hearing.rate)


def _told(row: Examined) -> str:
    place = f"{row.file}:{row.line}" if row.line else str(row.file)
    words = ", ".join(f'"{said or "-"}" as "{heard or "-"}"' for said, heard in row.hearing.suffered)
    made_up = f" (made up: {', '.join(row.prompt.sampled)})" if row.prompt.sampled else ""
    return (
        f"{place}: {row.prompt.name}: {row.hearing.rate:.0%} misheard{made_up}\n"
        f"    said:  {row.hearing.said}\n    heard: {row.hearing.heard or '(nothing)'}\n"
        f"    {words}\n    try:   {remedy(row.hearing, row.prompt.language)}"
    )


def _hopeless(found: list[Examined], who: str) -> dict[str, float]:
    """Return the languages of which nearly nothing is understood, with the share of misheard words."""
    robot = who.startswith(("pyttsx3", "espeak"))
    shares = {}
    for language in dict.fromkeys(row.prompt.language for row in found):
        share = mean(row.hearing.rate for row in found if row.prompt.language == language)
        if share > (ROBOT if robot else HOPELESS):
            shares[language] = share
    return shares


def _plain(row: Examined, most: float) -> dict[str, object]:
    hearing = row.hearing
    wrong = hearing.misheard(most)
    return {
        "file": str(row.file),
        "line": row.line,
        "name": row.prompt.name,
        "language": row.prompt.language,
        "said": hearing.said,
        "heard": hearing.heard,
        "word_error_rate": round(hearing.rate, 3),
        "misheard": wrong,
        "words": [{"said": said, "heard": heard} for said, heard in hearing.suffered],
        "made_up": list(row.prompt.sampled),
        "remedy": remedy(hearing, row.prompt.language) if wrong else "",
        "recorded": not any(isinstance(piece, SpokenText) for piece in row.prompt.pieces),
    }
