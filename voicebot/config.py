"""`voicebot.toml` and its relatives: defaults < file < `VOICEBOT_*` environment < flags.

Every mistake of all sources is reported at once, with the file's line where there is one.
Secrets come from the environment or from a file named by `*_file`.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from rapidfuzz import process as closest

from voicebot.errors import Problem, UserError

ENVIRONMENT_PREFIX = "VOICEBOT_"
DEFAULT_FILE = "voicebot.toml"

Codec = Literal["ulaw", "alaw", "slin", "g722"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class AsteriskConfig(_Section):
    """Where Asterisk is and how we log in."""

    ari_url: str = Field(
        "http://127.0.0.1:8088", description="Base URL of Asterisk's HTTP server, without /ari."
    )
    ari_user: str = Field("voicebot", description="User of ari.conf.")
    ari_password: SecretStr = Field(
        SecretStr(""),
        description="Its password; better by VOICEBOT_ASTERISK__ARI_PASSWORD or ari_password_file.",
    )
    ari_password_file: str = Field("", description="File that holds the password, and nothing else.")
    app: str = Field(
        "voicebot",
        description="Name of the Stasis application; one gateway per name.",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
    )
    ami_host: str = Field("127.0.0.1", description="Host of Asterisk's manager interface.")
    ami_port: int = Field(5038, ge=1, le=65535, description="Its TCP port.")
    ami_user: str = Field("voicebot", description="User of manager.conf.")
    ami_password: SecretStr = Field(SecretStr(""), description="Its secret; empty: AMI is not used.")
    ami_password_file: str = Field("", description="File that holds the secret, and nothing else.")

    @field_validator("ari_url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must look like http://127.0.0.1:8088")
        return value.rstrip("/")


class MediaConfig(_Section):
    """The RTP side of the gateway."""

    bind: str = Field("127.0.0.1", description="Address on which we receive RTP.")
    advertise: str = Field(
        "",
        description="Address that Asterisk sends RTP to, if it differs from `bind`.",
        validate_default=True,
    )
    first_port: int = Field(
        12000, ge=1024, le=65534, description="First RTP port; each call takes an even one."
    )
    last_port: int = Field(12999, ge=1025, le=65535, description="Last RTP port.", validate_default=True)
    codec: Codec = Field("ulaw", description="What Asterisk sends us and we send it.")

    @property
    def sample_rate(self) -> int:
        """Of the PCM inside the gateway, in Hz: G.722 is the only wideband codec that Asterisk takes here."""
        return 16000 if self.codec == "g722" else 8000

    @field_validator("last_port")
    @classmethod
    def _range(cls, value: int, others: ValidationInfo) -> int:
        if value <= others.data.get("first_port", 0):
            raise ValueError("must be above first_port")
        return value

    @field_validator("advertise")
    @classmethod
    def _reachable(cls, value: str, others: ValidationInfo) -> str:
        if others.data.get("bind") in ("0.0.0.0", "::") and not value:
            raise ValueError("bind is for all interfaces, so this must be the address that Asterisk reaches")
        return value


class SttConfig(_Section):
    """One recogniser, under a name that routes use."""

    engine: Literal["vosk", "whisper", "pocketsphinx"] = Field(description="See docs/engines.md.")
    model: str = Field(
        "", description="Folder below `models/`, or an absolute path; empty: the engine's own default."
    )
    workers: int = Field(1, ge=0, le=64, description="Processes that hold the model; 0 runs it in a thread.")
    timeout_s: float = Field(2.0, gt=0, le=30, description="A result later than this counts as a hang.")
    reject_below: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Confidence under which a transcript counts as not understood; 0: the engine's own.",
    )


class TtsConfig(_Section):
    """One synthesiser, under a name that routes use."""

    engine: Literal["pyttsx3", "espeak", "piper"] = Field(description="See docs/speaking.md.")
    voice: str = Field("", description="The engine's name of the voice; empty: its default for the language.")
    model: str = Field("", description="Piper only: voice file below `models/`, or an absolute path.")
    rate: int = Field(0, ge=0, le=450, description="Words a minute; 0: the engine's default.")
    workers: int = Field(1, ge=0, le=64, description="Processes that hold the voice; 0 runs it in a thread.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="A sentence later than this counts as a hang.")


class VadConfig(_Section):
    """Voice activity detection and end-pointing, in ms where not said otherwise."""

    engine: Literal["webrtcvad", "silero"] = Field(
        "webrtcvad", description="Silero resists noise better and costs more."
    )
    aggressiveness: int = Field(3, ge=0, le=3, description="webrtcvad's mode.")
    threshold: float = Field(
        0.5, gt=0, lt=1, description="Silero's probability above which a frame is speech."
    )
    onset_ms: int = Field(100, ge=20, le=1000, description="Speech this long starts an utterance.")
    preroll_ms: int = Field(
        300, ge=0, le=2000, description="Audio before the onset that recognition hears as well."
    )


class BargeInConfig(_Section):
    """When a caller may take the floor from a prompt."""

    confirm_ms: int = Field(
        280, ge=40, le=3000, description="Speech shorter than this is a cough: the prompt resumes."
    )
    resume_back_ms: int = Field(400, ge=0, le=5000, description="How far a resumed prompt goes back.")


class Route(_Section):
    """A called number, the dialog that answers it, and who listens and speaks."""

    number: str = Field(description="Called number, or an Asterisk pattern such as _6XX or _X.")
    dialog: str = Field(description="A dialog file, relative to the folder of the configuration file.")
    language: str = Field("", description="Overrides the dialog's language.")
    stt: str = Field("english", description="Name of an [stt.<name>] section.")
    tts: str = Field("english", description="Name of a [tts.<name>] section.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")
    record: bool = Field(False, description="Keep a stereo wav (caller left, bot right).")
    given: dict[str, Any] = Field(default_factory=dict, description="Values for the dialog's `needs`.")

    @field_validator("number")
    @classmethod
    def _number(cls, value: str) -> str:
        if not re.fullmatch(r"\+?[0-9*#A-D]{1,32}|_[0-9XZNxzn.!*#+\[\]-]{1,64}", value):
            raise ValueError("is neither a number nor an Asterisk pattern (_6XX, _X., _[2-9]XX)")
        if re.search(r"[\[\]]", re.sub(r"\[[0-9*#+-]+\]", "", value)):
            raise ValueError("has a set that is not like [2-9] or [135]")
        try:
            re.compile("".join(re.findall(r"\[[^\]]*\]", value)))
        except re.error as error:
            raise ValueError("has a range that runs backwards") from error
        return value


class Limits(_Section):
    """How much, and for how long."""

    calls: int = Field(200, ge=1, description="Calls at once; more go to the dialplan's fallback.")
    call_s: int = Field(1800, ge=10, description="A call longer than this is ended, in seconds.")
    drain_s: int = Field(60, ge=0, description="After SIGTERM live calls may last this long, in seconds.")
    reserve_mb: int = Field(200, ge=0, description="Free disk space below which recordings stop, in MB.")


class Paths(_Section):
    """Folders, relative to the folder of the configuration file."""

    var: str = Field("var", description="Call records, recordings, caches.")
    models: str = Field("models", description="Speech models.")


class Config(_Section):
    """The whole of `voicebot.toml`."""

    asterisk: AsteriskConfig = AsteriskConfig()
    media: MediaConfig = MediaConfig()
    vad: VadConfig = VadConfig()
    bargein: BargeInConfig = BargeInConfig()
    limits: Limits = Limits()
    paths: Paths = Paths()
    stt: dict[str, SttConfig] = Field(default_factory=lambda: {"english": SttConfig(engine="whisper")})
    tts: dict[str, TtsConfig] = Field(default_factory=lambda: {"english": TtsConfig(engine="pyttsx3")})
    routes: tuple[Route, ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Nothing that callers say is logged at info or above."
    )
    log_format: Literal["console", "json"] = Field("console", description="For people or for machines.")
    base: Path = Field(
        Path(), exclude=True, description="Folder that relative paths start from; set by the loader."
    )

    def resolve(self, path: str) -> Path:
        """Return `path` below the configuration's folder, unless it is absolute."""
        return (self.base / path).resolve()

    @property
    def var(self) -> Path:
        return self.resolve(self.paths.var)

    @property
    def models(self) -> Path:
        return self.resolve(self.paths.models)


def load_config(
    path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Mapping[str, Any] | None = None,
    *,
    secrets: bool = True,
) -> Config:
    """Read the configuration from `path` (or ./voicebot.toml if it exists), the environment, and flags.

    `flags` uses dotted keys: {"asterisk.ari_url": ...}. Without `secrets` the `*_file`s are not read, for
    commands that do not talk to Asterisk. Raises UserError with every problem found.
    """
    environment = os.environ if environment is None else environment
    explicit = path is not None
    path = path or Path(environment.get(f"{ENVIRONMENT_PREFIX}CONFIG", DEFAULT_FILE))
    text = ""
    data: dict[str, Any] = {}
    if path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+), column (\d+)", str(error))
            line, column = (int(found[1]), int(found[2])) if found else (None, None)
            what = "not valid TOML: " + re.sub(r" \(at line \d+, column \d+\)", "", str(error))
            raise UserError(Problem(what, "see toml.io", str(path), line, column)) from error
        except UnicodeDecodeError as error:
            raise UserError(Problem("is not UTF-8 text", "save the file as UTF-8", str(path))) from error
        except OSError as error:
            raise UserError(Problem(f"cannot be read: {error.strerror}", "", str(path))) from error
    elif explicit:
        raise UserError(
            Problem("no such configuration file", "docs/configuration.md shows a small one", str(path))
        )
    outside: dict[str, str] = {}  # dotted names of settings from elsewhere: where they come from
    for name, value in environment.items():
        if dotted := _setting_of(name):
            _put(data, dotted, value)
            outside[dotted] = name
    for dotted, value in (flags or {}).items():
        if value is not None:
            _put(data, dotted, value)
            outside[dotted] = "--" + dotted.split(".")[-1].replace("_", "-")
    data["base"] = path.parent.resolve()
    problems = _read_secrets(data, text, str(path)) if secrets else []
    problems += _unknown_engines(data, text, str(path))
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        problems += _problems(error, text, str(path), outside)
        raise UserError(sorted(problems, key=lambda problem: problem.line or 0)) from error
    if problems:
        raise UserError(problems)
    return config


def _unknown_engines(data: dict[str, Any], text: str, source: str) -> list[Problem]:
    """Find routes that name a recogniser or a voice that is not there; of other mistakes knows Config."""
    problems: list[Problem] = []
    routes = data.get("routes")
    for index, route in enumerate(routes if isinstance(routes, list) else ()):
        for kind in ("stt", "tts"):
            name = route.get(kind, "english") if isinstance(route, dict) else None
            there = data.get(kind, {"english": None})
            if isinstance(name, str) and isinstance(there, dict) and name not in there:
                keys = ["routes", str(index), kind]
                what = f"{'.'.join(keys)}: there is no [{kind}.{name}]"
                remedy = f"there are {', '.join(there)}" if there else f"add [{kind}.{name}]"
                problems.append(Problem(what, remedy, source, _line_of(keys, text)))
    return problems


def _read_secrets(data: dict[str, Any], text: str, source: str) -> list[Problem]:
    """Put what the `*_file`s hold in the place of the secrets that are not given; return what went wrong."""
    section = data.get("asterisk")
    problems: list[Problem] = []
    if not isinstance(section, dict):
        return problems
    for name in ("ari_password", "ami_password"):
        file = section.get(f"{name}_file")
        if not file or section.get(name):
            continue
        path = data["base"] / str(file)
        try:
            section[name] = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no text"
            what = f"asterisk.{name}_file: {path} cannot be read ({why})"
            remedy = "write the password there, or run scripts/asterisk up, which does"
            problems.append(Problem(what, remedy, source, _line_of(["asterisk", f"{name}_file"], text)))
    return problems


def _setting_of(variable: str) -> str:
    """`VOICEBOT_ASTERISK__ARI_URL` means `asterisk.ari_url`; other names without `__` are no settings: ""."""
    dotted = variable.removeprefix(ENVIRONMENT_PREFIX).lower().replace("__", ".")
    ours = variable.startswith(ENVIRONMENT_PREFIX) and (
        "." in dotted or dotted in ("log_level", "log_format")
    )
    return dotted if ours else ""


def _put(data: dict[str, Any], dotted: str, value: Any) -> None:
    *parents, last = dotted.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise UserError(
                Problem(
                    f"{dotted}: `{parent}` is no table",
                    "unset it, or correct the file",
                    "environment or flag",
                )
            )
    data[last] = value


def _problems(error: ValidationError, text: str, source: str, outside: Mapping[str, str]) -> list[Problem]:
    problems = []
    for fault in error.errors():
        keys = [str(part) for part in fault["loc"]]
        dotted = ".".join(keys)
        message, remedy = _in_words(fault["type"], fault["msg"]), ""
        if fault["type"] == "extra_forbidden":
            near = closest.extractOne(keys[-1], _settings_beside(keys), score_cutoff=60)
            remedy = f"did you mean `{near[0]}`?" if near else "see docs/configuration.md"
        inner = next((name for name in outside if name == dotted or name.startswith(f"{dotted}.")), "")
        place, line = (outside[inner], None) if inner else (source, _line_of(keys, text))
        problems.append(Problem(f"{dotted}: {message}" if dotted else message, remedy, place, line))
    return problems


def _in_words(kind: str, message: str) -> str:
    """Say pydantic's message in terms of TOML."""
    words = {
        "extra_forbidden": "unknown setting",
        "missing": "must be given",
        "string_pattern_mismatch": "must be 1 to 64 letters, digits, _ and -",
        "string_type": "must be a text: put it in quotes",
        "tuple_type": "must be an array of tables: [[routes]]",
        "dict_type": "must be a table",
        "model_type": "must be a table",
    }
    return words.get(kind) or message.removeprefix("Value error, ").replace("Input should be", "must be")


def _settings_beside(keys: list[str]) -> list[str]:
    model: Any = Config
    for key in keys[:-1]:
        field = getattr(model, "model_fields", {}).get(key)
        if field is None:
            model = {"stt": SttConfig, "tts": TtsConfig, "routes": Route}.get(keys[0], Config)
            break
        model = field.annotation
    return list(getattr(model, "model_fields", Route.model_fields))


def _line_of(keys: list[str], text: str) -> int | None:
    """Find the line of a setting in TOML text: the n-th `[[table]]`, or `[a.b]`, then `key =`."""
    table: list[str] = []
    counts: dict[str, int] = {}
    here: list[str] = []
    best: tuple[int, int | None] = (0, None)  # how much of `keys` the line stands for
    for number, line in enumerate(text.splitlines(), 1):
        if match := re.match(r"\s*\[\[([^\]]+)\]\]", line):
            name = match[1].strip()
            table = [*name.split("."), str(counts.get(name, 0))]
            counts[name] = counts.get(name, 0) + 1
            here = table
        elif match := re.match(r"\s*\[([^\]]+)\]", line):
            here = match[1].strip().split(".")
        elif match := re.match(r'\s*"?([A-Za-z0-9_.-]+)"?\s*=', line):
            here = [*here[: len(here)], *match[1].split(".")]
        if here == keys:
            return number
        if len(here) > best[0] and keys[: len(here)] == here:
            best = (len(here), number)
        if match and "=" in line and not line.lstrip().startswith("["):
            here = here[: -len(match[1].split("."))]
    return best[1]
