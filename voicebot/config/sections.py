"""Everything that `voicebot.toml` can say. These models are the one source of validation and reference."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from voicebot.config.dialling import DiallingConfig, StoreConfig, TrunkConfig
from voicebot.config.dialogs import DialogsConfig, FetchConfig, LlmConfig, Route
from voicebot.config.doors import AgiConfig, PanelConfig, TracingConfig
from voicebot.config.patterns import APPLICATION
from voicebot.config.people import AgentConfig, ConferenceConfig, Name, QueueConfig, SupervisionConfig
from voicebot.config.section import Section
from voicebot.config.speech import BargeInConfig, SttConfig, TtsConfig, VadConfig

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
        pattern=APPLICATION,
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


class Limits(Section):
    """How much, and for how long."""

    calls: int = Field(200, ge=1, description="Calls at once; more go to the dialplan's fallback.")
    call_s: int = Field(
        1800,
        ge=10,
        description="A call longer than this is ended, in seconds; not while queues, conferences or "
        "supervisors have the caller.",
    )
    drain_s: int = Field(
        60,
        ge=0,
        description="After SIGTERM live calls may last this long, in seconds; callers and agents talk on.",
    )
    reserve_mb: int = Field(200, ge=0, description="Free disk space below which recordings stop, in MB.")


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
