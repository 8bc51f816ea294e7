"""`voicebot dialog say`: hear what a prompt sounds like on the phone."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from voicebot.audio.frames import Samples
from voicebot.audio.wav import serialize_wav
from voicebot.authoring.prompts.saying import PlacedPrompt, prompts_of
from voicebot.authoring.prompts.sounding import RATE, Voices, route_of, telephone
from voicebot.cli.dialog.given import Given, given_of
from voicebot.cli.harmless import harmless
from voicebot.cli.options import ConfigFile, Json
from voicebot.config import Config, load_config
from voicebot.dialog.checking.suggest import near
from voicebot.dialog.language.languages import known
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.turns import SpokenText
from voicebot.errors import Problem, SpeechUnavailable, UserError

PLAYERS = (
    ("paplay",),
    ("aplay", "-q"),
    ("play", "-q"),
    ("ffplay", "-nodisp", "-autoexit", "-loglevel", "error"),
)
"""Programs that play a wav file, in the order in which they are tried."""
GAP_MS = 700
"""Silence between prompts that are played in a row."""


def say(
    file: Annotated[Path | None, typer.Argument(help="A dialog file; not needed with --text.")] = None,
    step: Annotated[
        str, typer.Argument(help="A step, or one of its prompts such as move.nomatch.2; all without it.")
    ] = "",
    text: Annotated[str, typer.Option(help="Say this instead of a dialog's prompts.")] = "",
    given: Given = None,
    language: Annotated[str, typer.Option(help="Language, if not that of the dialog.")] = "",
    engine: Annotated[str, typer.Option(help="Voice engine or a [tts.NAME], if not the route's.")] = "",
    voice: Annotated[str, typer.Option(help="The engine's name of the voice.")] = "",
    law: Annotated[
        Literal["ulaw", "alaw", "none"], typer.Option(help="Telephone line; none: hi-fi.")
    ] = "ulaw",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Wav file to write, or a folder with --all.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Write each prompt to a wav of its own.")] = False,
    config: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Hear what the prompts of a dialog sound like, at 8 kHz as on the phone.

    They are played where there is a player (paplay, aplay, play, ffplay); otherwise, and with --output, they
    are written to a wav file.
    """
    settings = load_config(config, secrets=False)
    if every and output is None:
        raise UserError("--all needs a folder", "add --output prompts/")
    prompts = _wanted(file, step, text, given_of(given), language)
    spoken = asyncio.run(_render(settings, file, prompts, engine, voice, law))
    written = _write(prompts, spoken, output, every)
    if as_json:
        typer.echo(
            json.dumps(
                [_plain(*row) for row in zip(prompts, spoken, written, strict=True)], ensure_ascii=False
            )
        )
        return
    for prompt, samples in zip(prompts, spoken, strict=True):
        made_up = f"  ({', '.join(prompt.sampled)} made up)" if prompt.sampled else ""
        typer.echo(f"{prompt.name}: {harmless(prompt.words)}  {len(samples) / RATE:.1f} s{made_up}")
    if output is not None:
        typer.echo(f"written: {harmless(str(output))}")
    else:
        _play(_joined(spoken))


def _wanted(
    file: Path | None, step: str, text: str, given: dict[str, str], language: str
) -> tuple[PlacedPrompt, ...]:
    if language and not known(language):
        typer.echo(
            f"note: {language} has no words of its own here; the voice may speak it all the same", err=True
        )
    if text:
        spoken = language or (load_dialog(file).language if file else "en-US")
        return (PlacedPrompt("", "text", 1, 1, text, (SpokenText(text, spoken),), spoken, (), ()),)
    if file is None:
        raise UserError("nothing to say", "give a dialog file, or --text")
    dialog = load_dialog(file)
    prompts = prompts_of(dialog, given, language)
    filled = dialog.steps[step].fill if step in dialog.steps else ()
    slots = tuple(f"slots.{name}." for name in filled)
    chosen = tuple(
        prompt
        for prompt in prompts
        if not step
        or step in (prompt.step, prompt.name, prompt.name.rpartition(".")[0])
        or (slots and prompt.key.startswith(slots))
    )
    if not chosen:
        names = list(dict.fromkeys(p.step or p.key for p in prompts))
        remedy = near(step, names) or f"there are {', '.join(names)}"
        raise UserError(Problem(f"nothing is said at `{step}`", remedy, str(file)))
    return chosen


async def _render(
    config: Config, file: Path | None, prompts: tuple[PlacedPrompt, ...], engine: str, voice: str, law: str
) -> list[Samples]:
    route = route_of(config, file) if file else None
    async with Voices(config, route, engine, voice) as voices:
        try:
            spoken = [await voices.speak(prompt.pieces) for prompt in prompts]
        except SpeechUnavailable as error:
            raise UserError(Problem(str(error), "`voicebot doctor` checks the engines")) from error
    if law == "none":
        return spoken
    return [telephone(samples, "alaw" if law == "alaw" else "ulaw") for samples in spoken]


def _write(
    prompts: tuple[PlacedPrompt, ...], spoken: list[Samples], output: Path | None, every: bool
) -> list[Path | None]:
    if output is None:
        return [None] * len(prompts)
    try:
        if not every:
            output.write_bytes(serialize_wav(_joined(spoken), RATE))
            return [output] * len(prompts)
        output.mkdir(parents=True, exist_ok=True)
        paths = [output / f"{prompt.name}.wav" for prompt in prompts]
        for path, samples in zip(paths, spoken, strict=True):
            path.write_bytes(serialize_wav(samples, RATE))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(Problem(f"cannot be written: {reason}", "", str(output))) from error
    return [*paths]


def _joined(spoken: list[Samples]) -> Samples:
    gap = np.zeros(RATE * GAP_MS // 1000, np.int16)
    parts = [part for samples in spoken for part in (samples, gap)]
    return np.concatenate(parts[:-1]) if parts else gap


def _play(samples: Samples) -> None:
    """Play, or say where the wav is where nothing can play it."""
    player = next((player for player in PLAYERS if shutil.which(player[0])), None)
    with tempfile.NamedTemporaryFile(prefix="voicebot-", suffix=".wav", delete=False) as wav:
        wav.write(serialize_wav(samples, RATE))
    if player is not None:
        try:
            done = subprocess.run([*player, wav.name], stderr=subprocess.DEVNULL, check=False)
        except KeyboardInterrupt:
            Path(wav.name).unlink()
            return
        if done.returncode == 0:
            Path(wav.name).unlink()
            return
    why = f"{player[0]} cannot play here" if player else "no player found (paplay, aplay, play, ffplay)"
    typer.echo(f"{why}; listen to {wav.name}")


def _plain(prompt: PlacedPrompt, samples: Samples, path: Path | None) -> dict[str, object]:
    return {
        "name": prompt.name,
        "step": prompt.step,
        "key": prompt.key,
        "text": prompt.words,
        "language": prompt.language,
        "made_up": list(prompt.sampled),
        "ms": len(samples) * 1000 // RATE,
        "wav": str(path) if path else None,
    }
