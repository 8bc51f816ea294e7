"""Everything that `voicebot.toml` can say. These models are the one source of validation and reference."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from voicebot.config.doors import AgiConfig, PanelConfig, TracingConfig
from voicebot.config.people import AgentConfig, ConferenceConfig, Name, QueueConfig, SupervisionConfig
from voicebot.config.section import Section

Codec = Literal["ulaw", "alaw", "slin", "g722"]


class AsteriskConfig(Section):
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


class MediaConfig(Section):
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


class SttConfig(Section):
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


class TtsConfig(Section):
    """One synthesiser, under a name that routes use."""

    engine: Literal["pyttsx3", "espeak", "piper"] = Field(description="See docs/speaking.md.")
    voice: str = Field("", description="The engine's name of the voice; empty: its default for the language.")
    model: str = Field("", description="Piper only: voice file below `models/`, or an absolute path.")
    rate: int = Field(0, ge=0, le=450, description="Words a minute; 0: the engine's default.")
    workers: int = Field(1, ge=0, le=64, description="Processes that hold the voice; 0 runs it in a thread.")
    timeout_s: float = Field(5.0, gt=0, le=60, description="A sentence later than this counts as a hang.")


class VadConfig(Section):
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


class BargeInConfig(Section):
    """When a caller may take the floor from a prompt."""

    confirm_ms: int = Field(
        280, ge=40, le=3000, description="Speech shorter than this is a cough: the prompt resumes."
    )
    resume_back_ms: int = Field(400, ge=0, le=5000, description="How far a resumed prompt goes back.")


class FetchConfig(Section):
    """What the `fetch` steps of dialogs may reach."""

    allow: tuple[str, ...] = Field(
        (),
        description="Addresses, networks and host names that are no part of the public internet and may be "
        "asked all the same: `127.0.0.0/8`, `booking.internal`.",
    )

    @field_validator("allow")
    @classmethod
    def _places(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for place in value:
            if not re.fullmatch(r"[0-9.]+(/[0-9]+)?|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(/[0-9]+)?", place):
                if not re.fullmatch(r"(?=.{1,253}$)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*", place):
                    raise ValueError(f"`{place}` is no host name; neither scheme, port nor path belong here")
                continue
            try:
                ipaddress.ip_network(place, strict=False)
            except ValueError as error:
                raise ValueError(f"`{place}` is neither an address nor a network") from error
        return value


class LlmConfig(Section):
    """The language model of `llm` steps: any endpoint that speaks OpenAI's chat completions."""

    url: str = Field("", description="Its base, such as http://127.0.0.1:11434/v1; empty: there is none.")
    model: str = Field("", description="Its name there; a step may name another.")
    key: SecretStr = Field(SecretStr(""), description="The API key; better by `key_env` or `key_file`.")
    key_env: str = Field("", description="Environment variable that holds the key.")
    key_file: str = Field("", description="File that holds the key, and nothing else.")
    max_tokens: int = Field(400, ge=1, le=8000, description="Longest reply that is asked for.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("must look like http://127.0.0.1:11434/v1")
        return value.rstrip("/")


def _zone(value: str) -> str:
    if value:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"`{value}` is no time zone; it is written like Europe/Berlin") from error
    return value


class DialogsConfig(Section):
    """What all dialogs have in common."""

    env: tuple[str, ...] = Field(
        (), description="Environment variables that dialogs may read: `BOOKING` as `env.BOOKING`."
    )
    timezone: str = Field(
        "",
        description="Zone of `now` and `today`, such as Europe/Berlin; empty: the machine's.",
    )
    reload: bool = Field(True, description="A saved dialog file is live for the next call.")
    sentence_vectors: bool = Field(
        False,
        description="Intents are also understood in words that no example has: the extra "
        "`voicebot[sentences]`, 130 MB of memory.",
    )

    _known_zone = field_validator("timezone")(_zone)

    @field_validator("env")
    @classmethod
    def _names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,63}", name):
                raise ValueError(f"`{name}` is no name of an environment variable")
            if name.startswith("VOICEBOT_"):
                raise ValueError(f"`{name}` may be a secret of the gateway's: dialogs cannot have it")
        return value


class RouteLanguage(Section):
    """Who listens and speaks in a further language of a route's dialog: `[routes.languages.ko-KR]`."""

    stt: str = Field("", description="Name of an [stt.<name>] section; empty: the route's.")
    tts: str = Field("", description="Name of a [tts.<name>] section; empty: the route's.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")


class Route(Section):
    """A called number, the dialog that answers it, and who listens and speaks."""

    number: str = Field(description="Called number, or an Asterisk pattern such as _6XX or _X.")
    dialog: str = Field(description="A dialog file, relative to the folder of the configuration file.")
    language: str = Field("", description="Overrides the dialog's language.")
    stt: str = Field("english", description="Name of an [stt.<name>] section.")
    tts: str = Field("english", description="Name of a [tts.<name>] section.")
    voice: str = Field("", description="Overrides the voice of the [tts.<name>] section.")
    timezone: str = Field("", description="Overrides dialogs.timezone.")
    record: bool = Field(False, description="Keep a stereo wav (caller left, bot right).")
    video: bool = Field(
        False,
        description="Let callers keep their picture, for a conference with video that they may come to.",
    )
    given: dict[str, Any] = Field(default_factory=dict, description="Values for the dialog's `needs`.")
    languages: dict[str, RouteLanguage] = Field(
        default_factory=dict, description="Who listens and speaks in further languages of the dialog."
    )

    def speech(self, language: str) -> RouteLanguage:
        """Return who listens and speaks in `language`, a tag such as ko-KR; every name is filled in."""
        found = self.languages.get(language)
        if found is None:
            primary = language.split("-")[0]
            found = next((each for tag, each in self.languages.items() if tag.split("-")[0] == primary), None)
        if found is None:
            return RouteLanguage(stt=self.stt, tts=self.tts, voice=self.voice)
        own_voice = self.voice if not found.tts or found.tts == self.tts else ""
        return RouteLanguage(
            stt=found.stt or self.stt, tts=found.tts or self.tts, voice=found.voice or own_voice
        )

    @property
    def speeches(self) -> tuple[RouteLanguage, ...]:
        """Who listens and speaks on this route, in any language; its own first."""
        own = RouteLanguage(stt=self.stt, tts=self.tts, voice=self.voice)
        return (own, *(self.speech(tag) for tag in self.languages))

    _known_zone = field_validator("timezone")(_zone)

    @field_validator("languages")
    @classmethod
    def _tags(cls, value: dict[str, RouteLanguage]) -> dict[str, RouteLanguage]:
        for tag in value:
            if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
                raise ValueError(f"`{tag}` is no tag of a language; it is written like ko-KR")
        return value

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


class Limits(Section):
    """How much, and for how long."""

    calls: int = Field(200, ge=1, description="Calls at once; more go to the dialplan's fallback.")
    call_s: int = Field(
        1800,
        ge=10,
        description="A call longer than this is ended, in seconds; not while queues, conferences or "
        "supervisors have the caller.",
    )
    drain_s: int = Field(60, ge=0, description="After SIGTERM live calls may last this long, in seconds.")
    reserve_mb: int = Field(200, ge=0, description="Free disk space below which recordings stop, in MB.")


class StoreConfig(Section):
    """Where campaigns, contacts, attempts and the ledger are kept."""

    url: str = Field(
        "sqlite:///voicebot.db",
        description="`sqlite:///FILE`, relative to `paths.var`, or `postgresql://user@host/database` where "
        "several machines dial.",
    )
    password: SecretStr = Field(SecretStr(""), description="Of the PostgreSQL user.")
    password_file: str = Field("", description="File that holds the password, and nothing else.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        if not value.startswith(("sqlite:///", "postgresql://")):
            raise ValueError(
                "must look like sqlite:///voicebot.db or postgresql://voicebot@127.0.0.1/voicebot"
            )
        return value


class TrunkConfig(Section):
    """A way out, under a name that campaigns use."""

    dial: str = Field(
        description="A channel for Dial(), with {number} (E.164 with +) or {digits} (without): "
        "PJSIP/{number}@trunk."
    )
    calls_per_second: float = Field(5.0, gt=0, le=1000, description="New calls a second, of all campaigns.")
    concurrent: int = Field(30, ge=1, le=100_000, description="Calls at once, of all campaigns.")

    @field_validator("dial")
    @classmethod
    def _dial(cls, value: str) -> str:
        if "{number}" not in value and "{digits}" not in value:
            raise ValueError("must hold {number} (with +) or {digits}, such as PJSIP/{number}@trunk")
        if not re.fullmatch(r"[A-Za-z0-9_./@:+{}-]{1,200}", value):
            raise ValueError("has a character that does not belong into a channel")
        return value


class DiallingConfig(Section):
    """Outbound calls: what this machine may dial, whatever a campaign says."""

    enabled: bool = Field(False, description="`voicebot serve` dials for campaigns that run.")
    spool: str = Field(
        "/var/spool/asterisk", description="Asterisk's spool folder; outgoing/ is in it. Must be writable."
    )
    prefixes: tuple[str, ...] = Field(
        (), description="Only numbers that begin so may be dialled: `+1`, `+49`; none: nothing may."
    )
    denied_prefixes: tuple[str, ...] = Field(
        (), description="Never dialled, whatever `prefixes` says; premium numbers never are either."
    )
    calls_per_second: float = Field(
        10.0, gt=0, le=1000, description="New calls a second, over all campaigns."
    )
    concurrent: int = Field(100, ge=1, le=100_000, description="Outbound calls at once, over all campaigns.")
    caller: str = Field(
        "", pattern=r"^(\+[0-9]{3,15})?$", description="Caller id of `voicebot call`, in E.164."
    )
    business: str = Field("", max_length=80, description="Whose calls those of `voicebot call` are.")
    trunk: str = Field("", description="Name of the [trunks.NAME] that `voicebot call` dials through.")
    profile: Literal["us", "uk", "eu"] = Field("us", description="Whose law binds `voicebot call`.")
    calls_a_day: int = Field(100_000, ge=1, description="Outbound calls on one day (UTC).")
    minutes_a_day: int = Field(100_000, ge=1, description="Minutes of outbound calls on one day (UTC).")

    @field_validator("prefixes", "denied_prefixes")
    @classmethod
    def _prefixes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for prefix in value:
            if not re.fullmatch(r"\+[0-9]{1,14}", prefix):
                raise ValueError(f"`{prefix}` is no beginning of a number; it is written like +1 or +4930")
        return value


class Paths(Section):
    """Folders, relative to the folder of the configuration file."""

    var: str = Field("var", description="Call records, recordings, caches.")
    models: str = Field("models", description="Speech models.")


class Config(Section):
    """The whole of `voicebot.toml`."""

    asterisk: AsteriskConfig = AsteriskConfig()
    media: MediaConfig = MediaConfig()
    vad: VadConfig = VadConfig()
    bargein: BargeInConfig = BargeInConfig()
    limits: Limits = Limits()
    paths: Paths = Paths()
    dialogs: DialogsConfig = DialogsConfig()
    fetch: FetchConfig = FetchConfig()
    llm: LlmConfig = LlmConfig()
    store: StoreConfig = StoreConfig()
    dialling: DiallingConfig = DiallingConfig()
    trunks: dict[str, TrunkConfig] = Field(default_factory=dict)
    agi: AgiConfig = AgiConfig()
    panel: PanelConfig = PanelConfig()
    tracing: TracingConfig = TracingConfig()
    supervision: SupervisionConfig = SupervisionConfig()
    queues: dict[Name, QueueConfig] = Field(default_factory=dict)
    agents: dict[Name, AgentConfig] = Field(default_factory=dict)
    conferences: dict[Name, ConferenceConfig] = Field(default_factory=dict)
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
    def dialog_state(self) -> Path:
        """The file in which a gateway says which dialogs it serves, for `voicebot doctor`."""
        return self.var / "dialogs.json"

    @property
    def models(self) -> Path:
        return self.resolve(self.paths.models)
