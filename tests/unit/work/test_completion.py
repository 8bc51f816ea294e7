"""unit: streams of chat completions, well and badly formed; sentences cut out of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicebot.dialog.turns import AskModel, Message, Replied, Tool, ToolUse
from voicebot.work.completion import Completion, Malformed, request_of
from voicebot.work.cutting import SentenceCutter
from voicebot.work.sse import LineTooLong, SseParser

pytestmark = pytest.mark.unit


def chunk(text: str | None = None, *, finish: str | None = None, tools: list[Any] | None = None) -> str:
    delta: dict[str, Any] = {}
    if text is not None:
        delta["content"] = text
    if tools is not None:
        delta["tool_calls"] = tools
    return json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def replied(*events: str) -> Replied:
    completion = Completion()
    for event in events:
        completion.take(event)
    return completion.reply()


def test_words_add_up() -> None:
    assert replied(chunk("We "), chunk("open."), chunk(finish="stop"), "[DONE]") == Replied("We open.")
    assert replied('{"choices": [], "usage": {}}', chunk("Yes."), "[DONE]") == Replied("Yes.")


def test_tool_calls_are_put_together_from_their_pieces() -> None:
    first = [{"index": 0, "id": "c1", "function": {"name": "book", "arguments": ""}}]
    second = [{"index": 1, "id": "c2", "function": {"name": "person", "arguments": "{}"}}]
    reply = replied(
        chunk("Sure.", tools=first),
        chunk(tools=[{"index": 0, "function": {"arguments": '{"day": '}}]),
        chunk(tools=second),
        chunk(tools=[{"index": 0, "function": {"arguments": '"tuesday"}'}}]),
        chunk(finish="tool_calls"),
    )
    assert reply == Replied(
        "Sure.", (ToolUse("book", '{"day": "tuesday"}', "c1"), ToolUse("person", "{}", "c2"))
    )


def test_dialects_of_other_servers_are_understood() -> None:
    whole = {
        "choices": [{"message": {"content": [{"type": "text", "text": "Yes."}]}, "finish_reason": "stop"}]
    }
    assert replied(json.dumps(whole)) == Replied("Yes.")
    tool = [{"function": {"name": "book", "arguments": {"day": 1}}}]
    assert replied(chunk(tools=tool, finish="stop")).tools == (ToolUse("book", '{"day": 1}', "call_0"),)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([chunk("We ")], "broke off"),
        (["[DONE]"], "empty"),
        ([chunk("No.", finish="content_filter")], "filter"),
        ([chunk(tools=[{"function": {"name": "book", "arguments": "{"}}], finish="stop")], "no JSON object"),
        (
            [chunk(tools=[{"function": {"name": "book", "arguments": "[1]"}}], finish="stop")],
            "no JSON object",
        ),
        ([chunk(tools=[{"function": {"arguments": "{}"}}], finish="stop")], "no name"),
    ],
)
def test_replies_that_are_none(events: list[str], why: str) -> None:
    assert why in replied(*events).error


@pytest.mark.parametrize(
    "event",
    [
        "{", "[]", '"x"', "[" * 1000, chunk("x" * 9000), '{"error": {"code": 500, "message": "4111"}}',
        chunk(tools=[{"index": n, "function": {"name": "x"}} for n in range(20)]),
        chunk(tools=[{"index": 0, "function": {"arguments": "x" * 20_000}}]),
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused_without_its_words(event: str) -> None:
    with pytest.raises(Malformed) as caught:
        Completion().take(event)
    assert "4111" not in str(caught.value)


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) |
    st.dictionaries(st.sampled_from(["choices", "delta", "message", "content", "tool_calls", "index",
    "function", "name", "arguments", "finish_reason", "id", "error"]), inner)))  # fmt: skip
def test_any_json_is_a_reply_or_refused(value: Any) -> None:
    completion = Completion()
    try:
        completion.take(json.dumps({"choices": [value]}))
    except Malformed:
        return
    completion.reply()


def test_the_request_speaks_the_dialect_of_openai() -> None:
    messages = (
        Message("system", "Be brief."),
        Message("assistant", "", tool="book", arguments='{"day": 1}', call_id="c1"),
        Message("assistant", "", tool="person", call_id="c2"),
        Message("tool", "done", call_id="c1"),
    )
    body = request_of(AskModel("step", messages, (Tool("book", "Books."),)), "small", 50)
    assert (body["model"], body["max_tokens"], body["stream"]) == ("small", 50, True)
    assert [len(each.get("tool_calls", ())) for each in body["messages"]] == [0, 2, 0]
    assert body["messages"][2] == {"role": "tool", "tool_call_id": "c1", "content": "done"}
    assert body["tools"][0]["function"]["parameters"] == {"type": "object", "properties": {}}


@given(st.lists(st.integers(1, 7), max_size=20))
def test_events_are_found_however_the_stream_is_cut(sizes: list[int]) -> None:
    stream = b': alive\r\nevent: x\r\ndata: {"a": 1}\r\n\r\ndata:[DONE]'
    parser, found = SseParser(), []
    for size in (*sizes, len(stream)):
        found += parser.feed(stream[:size])
        stream = stream[size:]
    assert found + parser.end() == ['{"a": 1}', "[DONE]"]


def test_a_line_without_end_is_refused() -> None:
    parser = SseParser()
    with pytest.raises(LineTooLong):
        for _ in range(100):
            parser.feed(b"x" * 1000)


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_sentences_are_told_as_soon_as_the_next_begins(size: int) -> None:
    text = "We open at 9 a.m. on weekdays. Dr. Miller is in. Is that fine?"
    cutter, found = SentenceCutter(), []
    for start in range(0, len(text), size):
        found += cutter.feed(text[start : start + size])
    assert len(found) >= (1 if size > 30 else 2)
    assert found + cutter.end() == ["We open at 9 a.m. on weekdays.", "Dr. Miller is in.", "Is that fine?"]
