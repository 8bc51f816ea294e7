"""All commands of AGI by their names, as `agi show commands` of Asterisk 22 lists them."""

from __future__ import annotations

from typing import Any

from voicebot.agi import commands, media, speech
from voicebot.agi.command import Command

_ALL: tuple[type[Command[Any]], ...] = (
    commands.Answer,
    commands.AsyncAgiBreak,
    commands.ChannelStatus,
    commands.DatabaseDel,
    commands.DatabaseDelTree,
    commands.DatabaseGet,
    commands.DatabasePut,
    commands.Exec,
    commands.GetFullVariable,
    commands.GetVariable,
    commands.Gosub,
    commands.Hangup,
    commands.NoOp,
    commands.SetAutoHangup,
    commands.SetCallerId,
    commands.SetContext,
    commands.SetExtension,
    commands.SetMusic,
    commands.SetPriority,
    commands.SetVariable,
    commands.TddMode,
    commands.Verbose,
    media.ControlStreamFile,
    media.GetData,
    media.GetOption,
    media.ReceiveChar,
    media.ReceiveText,
    media.RecordFile,
    media.SayAlpha,
    media.SayDate,
    media.SayDateTime,
    media.SayDigits,
    media.SayNumber,
    media.SayPhonetic,
    media.SayTime,
    media.SendImage,
    media.SendText,
    media.StreamFile,
    media.WaitForDigit,
    speech.SpeechActivateGrammar,
    speech.SpeechCreate,
    speech.SpeechDeactivateGrammar,
    speech.SpeechDestroy,
    speech.SpeechLoadGrammar,
    speech.SpeechRecognize,
    speech.SpeechSet,
    speech.SpeechUnloadGrammar,
)
COMMANDS: dict[str, type[Command[Any]]] = {command.name: command for command in _ALL}
