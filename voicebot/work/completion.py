"""A chat completion, put together from its stream of deltas. Pure.

The wire format is OpenAI's `chat.completion.chunk`, which most servers of language models speak.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from voicebot.dialog.turns import AskModel, Message, Replied, ToolUse
from voicebot.work.plain import NotPlain, parse_json

LONGEST_TEXT = 8_000
"""Characters of one reply: minutes of speech."""
MOST_TOOLS = 16
LONGEST_ARGUMENTS = 16_384
LONGEST_NAME = 128
DONE = "[DONE]"


class Malformed(ValueError):
    """What came is no chat completion, or is too large; the text says which."""


@dataclass(slots=True)
class _Tool:
    name: str = ""
    arguments: str = ""
    call_id: str = ""


class Completion:
    """One reply as it comes. `over` once the server has said that it is complete."""

    def __init__(self) -> None:
        self.over = False
        self._text: list[str] = []
        self._length = 0
        self._tools: dict[int, _Tool] = {}
        self._reason = ""

    @property
    def text(self) -> str:
        """All that was said so far."""
        return "".join(self._text)

    def take(self, data: str) -> str:
        """Take the data of one event, return what it adds to the text. Raises Malformed."""
        if data == DONE:
            self.over = True
            return ""
        choice = _first_choice(data)
        if choice is None:
            return ""  # usage figures, or a server's own notes
        message = choice.get("delta", choice.get("message"))
        added = ""
        if isinstance(message, dict):
            added = _text_of(message.get("content"))
            for index, call in enumerate(_listed(message.get("tool_calls"))):
                self._add_tool(index, call)
        if added:
            self._length += len(added)
            if self._length > LONGEST_TEXT:
                raise Malformed(f"the reply is longer than {LONGEST_TEXT} characters")
            self._text.append(added)
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self._reason = reason
        return added

    def reply(self) -> Replied:
        """Return the whole reply, or why it is none."""
        if not self.over and not self._reason:
            return Replied(self.text, error="the reply broke off")
        if self._reason == "content_filter":
            return Replied(self.text, error="the reply was withheld by the server's filter")
        tools = tuple(
            ToolUse(tool.name, tool.arguments or "{}", tool.call_id or f"call_{index}")
            for index, tool in sorted(self._tools.items())
        )
        for tool in tools:
            if not tool.name:
                return Replied(self.text, error="a tool is used that has no name")
            try:
                arguments = parse_json(tool.arguments)
            except NotPlain:
                arguments = None
            if not isinstance(arguments, dict):
                return Replied(self.text, error=f"the arguments of the tool `{tool.name}` are no JSON object")
        if not tools and not self.text.strip():
            return Replied(error="the reply is empty")
        return Replied(self.text, tools)

    def _add_tool(self, place: int, call: dict[str, Any]) -> None:
        index = call.get("index")
        index = index if isinstance(index, int) and not isinstance(index, bool) else place
        if index not in self._tools and len(self._tools) >= MOST_TOOLS:
            raise Malformed(f"more than {MOST_TOOLS} tools are used at once")
        tool = self._tools.setdefault(index, _Tool())
        if isinstance(call_id := call.get("id"), str):
            tool.call_id = tool.call_id or call_id[:LONGEST_NAME]
        function = call.get("function")
        if isinstance(function, dict):
            if isinstance(name := function.get("name"), str):
                tool.name = (tool.name + name)[: LONGEST_NAME + 1]
            arguments = function.get("arguments")
            if isinstance(arguments, dict):  # some servers do not write JSON within JSON
                arguments = json.dumps(arguments)
            if isinstance(arguments, str):
                tool.arguments += arguments
        if len(tool.arguments) > LONGEST_ARGUMENTS or len(tool.name) > LONGEST_NAME:
            raise Malformed("a tool's name or arguments are too long")


def request_of(work: AskModel, model: str, max_tokens: int) -> dict[str, Any]:
    """Return the body of the request."""
    body: dict[str, Any] = {
        "model": work.model or model,
        "messages": _messages(work.messages),
        "max_tokens": max_tokens,
        "stream": True,
    }
    if work.tools:
        body["tools"] = [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
                },
            }
            for tool in work.tools
        ]
    return body


def _messages(messages: tuple[Message, ...]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "tool":
            found.append({"role": "tool", "tool_call_id": message.call_id, "content": message.text})
        elif message.role == "assistant" and message.tool:
            call = {
                "id": message.call_id,
                "type": "function",
                "function": {"name": message.tool, "arguments": message.arguments or "{}"},
            }
            if found and "tool_calls" in found[-1]:  # of one reply
                found[-1]["tool_calls"].append(call)
            else:
                found.append({"role": "assistant", "content": message.text or None, "tool_calls": [call]})
        else:
            found.append({"role": message.role, "content": message.text})
    return found


def _first_choice(data: str) -> dict[str, Any] | None:
    try:
        chunk = parse_json(data)
    except NotPlain as error:
        raise Malformed(f"a part of the reply {error}") from error
    if not isinstance(chunk, dict):
        raise Malformed("a part of the reply is no JSON object")
    if fault := chunk.get("error"):
        code = fault.get("code") or fault.get("type") if isinstance(fault, dict) else None
        raise Malformed(f"the server reports an error{f': {code}'[:80] if code else ''}")
    choices = _listed(chunk.get("choices"))
    return choices[0] if choices else None


def _listed(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text_of(content: object) -> str:
    """Some servers send the text in parts."""
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in _listed(content) if isinstance(part.get("text"), str))
