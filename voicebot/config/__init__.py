"""`voicebot.toml` and its relatives: defaults < file < `VOICEBOT_*` environment < flags.

Every mistake of all sources is reported at once, with the file's line where there is one.
Secrets come from the environment or from a file named by `*_file`.
"""

from voicebot.config.loading import load_config
from voicebot.config.sections import (
    AsteriskConfig,
    BargeInConfig,
    Codec,
    Config,
    DiallingConfig,
    DialogsConfig,
    FetchConfig,
    Limits,
    LlmConfig,
    MediaConfig,
    Paths,
    Route,
    RouteLanguage,
    StoreConfig,
    SttConfig,
    TrunkConfig,
    TtsConfig,
    VadConfig,
)
from voicebot.config.zones import zone_of

__all__ = [
    "AsteriskConfig",
    "BargeInConfig",
    "Codec",
    "Config",
    "DiallingConfig",
    "DialogsConfig",
    "FetchConfig",
    "Limits",
    "LlmConfig",
    "MediaConfig",
    "Paths",
    "Route",
    "RouteLanguage",
    "StoreConfig",
    "SttConfig",
    "TrunkConfig",
    "TtsConfig",
    "VadConfig",
    "load_config",
    "zone_of",
]
