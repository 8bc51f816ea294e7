"""`voicebot.toml` and its relatives: defaults < file < `VOICEBOT_*` environment < flags.

Every mistake of all sources is reported at once, with the file's line where there is one.
Secrets come from the environment or from a file named by `*_file`.
"""

from voicebot.config.dialling import DiallingConfig, StoreConfig, TrunkConfig
from voicebot.config.dialogs import DialogsConfig, FetchConfig, LlmConfig, Route, RouteLanguage
from voicebot.config.doors import AgiConfig, PanelConfig, TracingConfig
from voicebot.config.loading import OF_ASTERISK, load_config
from voicebot.config.people import AgentConfig, ConferenceConfig, QueueConfig, SupervisionConfig
from voicebot.config.sections import AsteriskConfig, Codec, Config, Limits, MediaConfig, Paths
from voicebot.config.speech import BargeInConfig, SttConfig, TtsConfig, VadConfig
from voicebot.config.zones import zone_of

__all__ = [
    "OF_ASTERISK",
    "AgentConfig",
    "AgiConfig",
    "AsteriskConfig",
    "BargeInConfig",
    "Codec",
    "ConferenceConfig",
    "Config",
    "DiallingConfig",
    "DialogsConfig",
    "FetchConfig",
    "Limits",
    "LlmConfig",
    "MediaConfig",
    "PanelConfig",
    "Paths",
    "QueueConfig",
    "Route",
    "RouteLanguage",
    "StoreConfig",
    "SttConfig",
    "SupervisionConfig",
    "TracingConfig",
    "TrunkConfig",
    "TtsConfig",
    "VadConfig",
    "load_config",
    "zone_of",
]
