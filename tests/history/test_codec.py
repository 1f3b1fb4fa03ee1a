"""What is stored as JSON comes back as it was; what older records lack takes its default."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given

from llamafarm.core.events import Failed
from llamafarm.core.reply import Reply
from llamafarm.core.types import Cost, Image, JsonValue, Message, Route, ToolCall, Usage
from llamafarm.history.codec import decode, decode_all, encode
from llamafarm.history.model import LaneSpec
from tests.history.database.strategies import MESSAGES, REPLIES, ROUTES, SPECS


def through_json(value: object) -> JsonValue:
    told: JsonValue = json.loads(json.dumps(value))
    return told


@given(MESSAGES, ROUTES, SPECS, REPLIES)
def test_what_is_decoded_is_what_was_encoded(message: Message, route: Route, spec: LaneSpec, reply: Reply) -> None:
    assert decode(Message, through_json(encode(message))) == message
    assert decode(Route, through_json(encode(route))) == route
    assert decode(LaneSpec, through_json(encode(spec))) == spec
    assert decode(Reply, through_json(encode(reply))) == reply


def test_what_is_encoded_is_plain_json() -> None:
    message = Message("user", "x", (ToolCall("1", "f", "{}"),), "2", (Image("image/png", "aGk="),), "Ada")
    assert through_json(encode(message)) == {
        "role": "user",
        "content": "x",
        "tool_calls": [{"id": "1", "name": "f", "arguments": "{}"}],
        "tool_call_id": "2",
        "images": [{"media_type": "image/png", "data": "aGk="}],
        "name": "Ada",
    }
    assert encode(Cost(Decimal("0.10"), "config"))["usd"] == "0.10"


def test_a_record_without_what_came_later_takes_the_default() -> None:
    assert decode(Message, {"role": "user", "content": "x"}) == Message("user", "x")
    assert decode(Usage, {}) == Usage()
    failed = {"at": 0.0, "kind": "TimedOut", "message": "m"}
    assert decode(Failed, failed) == Failed(at=0.0, kind="TimedOut", message="m")


def test_what_this_program_does_not_know_is_passed_over() -> None:
    (message,) = decode_all(Message, [{"role": "user", "content": "x", "mood": "merry"}])
    assert message == Message("user", "x")
