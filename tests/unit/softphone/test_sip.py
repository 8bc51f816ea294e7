"""Category: unit. SIP messages and session descriptions: captured bytes in, the same meaning out."""

from __future__ import annotations

import pytest

from voicebot.softphone import sdp, sip

pytestmark = pytest.mark.unit

OK_OF_ASTERISK = (
    b"SIP/2.0 200 OK\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:44206;rport=44206;received=127.0.0.1;branch=z9hG4bK4c1b9a4727592016\r\n"
    b"Call-ID: 083115bfb15370ba@127.0.0.1\r\n"
    b"From: <sip:15550100@127.0.0.1>;tag=e3aee5ee0d2064bc\r\n"
    b"To: <sip:701@127.0.0.1>;tag=80bdbbe1-f12b-4867-894b-60964536591b\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:127.0.0.1:25060>\r\n"
    b"Allow: OPTIONS, SUBSCRIBE, INVITE, ACK, BYE\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length:   213\r\n\r\n"
    b"v=0\r\no=- 1 3 IN IP4 127.0.0.1\r\ns=Asterisk\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 27200 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:140\r\na=sendrecv\r\n"
)
BYE = (
    b"BYE sip:15550100@127.0.0.1:44206 SIP/2.0\r\n"
    b"v: SIP/2.0/UDP 127.0.0.1:25060;rport;branch=z9hG4bKPj753e8120\r\n"
    b"f: <sip:701@127.0.0.1>;tag=80bdbbe1\r\n"
    b'T: "Caller, A" <sip:15550100@127.0.0.1;tag=no>\r\n ;tag=e3aee5ee\r\n'
    b"i: 083115bfb15370ba@127.0.0.1\r\n"
    b"CSeq: 5354 BYE\r\n"
    b'Reason: Q.850;cause=16;text="Normal Clearing"\r\n'
    b"l: 0\r\n\r\n"
)


def test_a_captured_response_is_read() -> None:
    response = sip.parse(OK_OF_ASTERISK)
    assert isinstance(response, sip.Response)
    assert (response.status, response.reason, response.cseq) == (200, "OK", (1, "INVITE"))
    assert response.branch == "z9hG4bK4c1b9a4727592016"
    assert sip.parameter(response.headers.get("to"), "tag") == "80bdbbe1-f12b-4867-894b-60964536591b"
    assert response.headers.all("Allow")[2:4] == ["INVITE", "ACK"]
    assert sdp.read(response.body) == sdp.Media("127.0.0.1", 27200, 101, "sendrecv")


@pytest.mark.parametrize("captured", [OK_OF_ASTERISK, BYE])
def test_what_is_written_reads_back_the_same(captured: bytes) -> None:
    message = sip.parse(captured)
    assert sip.serialise(sip.parse(sip.serialise(message))) == sip.serialise(message)
    assert sip.parse(sip.serialise(message)).body == message.body


def test_compact_and_folded_headers_and_quoted_commas() -> None:
    request = sip.parse(BYE)
    assert isinstance(request, sip.Request)
    assert (request.method, request.call_id) == ("BYE", "083115bfb15370ba@127.0.0.1")
    to = request.headers.get("To")
    assert sip.parameter(to, "tag") == "e3aee5ee", "a parameter inside <> belongs to the URI"
    assert sip.uri_of(to) == "sip:15550100@127.0.0.1;tag=no"
    assert sip.split_list('"A, B" <sip:a,b@x>;q=1, <sip:c@y>') == ['"A, B" <sip:a,b@x>;q=1', "<sip:c@y>"]


def test_a_value_cannot_smuggle_in_a_header() -> None:
    with pytest.raises(ValueError, match="control characters"):
        sip.Headers().add("From", "<sip:x@y>\r\nX-Evil: 1")


@pytest.mark.parametrize(
    "noise",
    [
        b"",
        b"\r\n\r\n",
        b"hello",
        b"SIP/2.0 9 Nine\r\n\r\n",
        b"INVITE sip:x HTTP/1.1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nContent-Length: 5\r\n\r\nabc",
        b"SIP/2.0 200 OK\r\nno colon here\r\n\r\n",
        b"\xff\xfe\r\n\r\n",
    ],
)
def test_noise_is_a_syntax_error(noise: bytes) -> None:
    with pytest.raises(sip.SipSyntaxError):
        sip.parse(noise)


def test_the_body_ends_at_content_length() -> None:
    message = sip.parse(b"SIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nabcdef")
    assert message.body == b"ab"


def test_our_offer_is_read_as_it_was_meant() -> None:
    assert sdp.read(sdp.describe("192.0.2.7", 4000, session=1)) == sdp.Media("192.0.2.7", 4000, 101)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 0 RTP/AVP 0\r\n", "no audio"),
        (b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 4000 RTP/AVP 8\r\n", "mu-law"),
        (b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=video 4000 RTP/AVP 0\r\n", "no audio"),
    ],
)
def test_audio_that_we_cannot_take_is_refused(body: bytes, why: str) -> None:
    with pytest.raises(sdp.SdpError, match=why):
        sdp.read(body)


def test_the_stream_may_have_an_address_of_its_own() -> None:
    body = b"v=0\r\nc=IN IP4 1.1.1.1\r\nm=audio 4000 RTP/AVP 0\r\nc=IN IP4 2.2.2.2\r\na=sendonly\r\n"
    body += b"m=video 5000 RTP/AVP 96\r\nc=IN IP4 3.3.3.3\r\n"
    picture = sdp.VideoStream("3.3.3.3", 5000)
    assert sdp.read(body) == sdp.Media("2.2.2.2", 4000, None, "sendonly", (picture,))
    assert sdp.mirrored("sendonly") == "recvonly"


def test_every_offered_picture_is_answered_in_its_place_and_refused_where_none_is_wanted() -> None:
    offered = (
        sdp.VideoStream("1.1.1.1", 5000, 97),
        sdp.VideoStream("1.1.1.1", 0),
        sdp.VideoStream("1.1.1.1", 5004, 97, "sendonly"),
    )
    body = sdp.describe("2.2.2.2", 4000, 1, video=sdp.answered(offered, "2.2.2.2", 6000))
    assert [(each.port, each.payload_type, each.direction) for each in sdp.read(body).video] == [
        (6000, 97, "sendrecv"),
        (0, 96, "sendrecv"),
        (6000, 97, "recvonly"),
    ]
    assert [each.port for each in sdp.answered(offered, "2.2.2.2", 0)] == [0, 0, 0]
