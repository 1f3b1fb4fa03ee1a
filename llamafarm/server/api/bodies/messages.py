"""Messages as callers send them, and as the engine knows them.

The names of unions' members stand in round brackets, so that they can be left out where an error is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from llamafarm.core.types import Image, Message, ToolCall

DATA_URL = r"^data:image/[A-Za-z0-9.+-]+;base64,[A-Za-z0-9+/]+={0,2}$"


class Strict(BaseModel):
    """Base of all parts of a request: no value is bent into another type, and what is not known is left out."""

    model_config = ConfigDict(strict=True, extra="ignore")


class TextPart(Strict):
    """A piece of a message's text."""

    type: Literal["text"]
    text: str


class RefusalPart(Strict):
    """What a model said where it would not answer, as clients send it back: it was its text."""

    type: Literal["refusal"]
    refusal: str

    @property
    def text(self) -> str:
        """The words."""
        return self.refusal


class ImageUrl(Strict):
    """A picture as a data URL. Addresses are not fetched: nobody but the model's server is called for a request."""

    url: str = Field(pattern=DATA_URL, examples=["data:image/png;base64,iVBORw0KGgo="])


class ImagePart(Strict):
    """A picture in a user's message."""

    type: Literal["image_url"]
    image_url: ImageUrl

    def image(self) -> Image:
        """As the engine knows it."""
        media_type, _, data = self.image_url.url.removeprefix("data:").partition(";base64,")
        return Image(media_type.lower(), data)


def _form(value: Any) -> str:
    return "(parts)" if isinstance(value, list) else "(text)"


def _kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else getattr(value, "type", None)
    return f"({kind})"


def _one_of(kinds: str) -> Discriminator:
    return Discriminator(_kind, custom_error_type="part", custom_error_message=f"The type of a part here is {kinds}")


Text = Annotated[str, Tag("(text)")]
UserPart = Annotated[
    Annotated[TextPart, Tag("(text)")] | Annotated[ImagePart, Tag("(image_url)")], _one_of("text or image_url")
]
SaidPart = Annotated[
    Annotated[TextPart, Tag("(text)")] | Annotated[RefusalPart, Tag("(refusal)")], _one_of("text or refusal")
]
Content = Annotated[Text | Annotated[list[TextPart], Tag("(parts)")], Discriminator(_form)]
SaidContent = Annotated[Text | Annotated[list[SaidPart], Tag("(parts)")], Discriminator(_form)]
UserContent = Annotated[Text | Annotated[list[UserPart], Tag("(parts)")], Discriminator(_form)]


class Spoken(Strict):
    """What most messages have: `content` is text, or a list of text parts, which are joined by line ends."""

    content: Content
    name: str | None = None


class SystemMessage(Spoken):
    """Instructions; `developer` is OpenAI's newer word for `system`."""

    role: Literal["system", "developer"]

    def message(self) -> Message:
        """As the engine knows it."""
        return Message("system", text(self.content), name=self.name)


class UserMessage(Strict):
    """What the user says: text, or a list of parts, some of which may be pictures."""

    role: Literal["user"]
    content: UserContent
    name: str | None = None

    def message(self) -> Message:
        """As the engine knows it."""
        parts = self.content if isinstance(self.content, list) else []
        images = tuple(part.image() for part in parts if isinstance(part, ImagePart))
        return Message("user", text(self.content), images=images, name=self.name)


class Function(Strict):
    """The function of a tool call; `arguments` is JSON text, as the model wrote it."""

    name: str
    arguments: str


class Call(Strict):
    """A tool call that a model asked for."""

    id: str
    type: Literal["function"] = "function"
    function: Function


class AssistantMessage(Strict):
    """What a model said, and the tool calls that it asked for."""

    role: Literal["assistant"]
    content: SaidContent | None = None
    name: str | None = None
    tool_calls: list[Call] | None = None

    def message(self) -> Message:
        """As the engine knows it."""
        calls = tuple(ToolCall(call.id, call.function.name, call.function.arguments) for call in self.tool_calls or ())
        return Message("assistant", text(self.content), calls, name=self.name)


class ToolMessage(Spoken):
    """What a tool answered to the call `tool_call_id`."""

    role: Literal["tool"]
    tool_call_id: str

    def message(self) -> Message:
        """As the engine knows it."""
        return Message("tool", text(self.content), tool_call_id=self.tool_call_id, name=self.name)


def text(content: str | Sequence[TextPart | RefusalPart | ImagePart] | None) -> str:
    """A message's content as one text."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if not isinstance(part, ImagePart))


def _speaker(value: Any) -> str:
    role = value.get("role") if isinstance(value, dict) else getattr(value, "role", None)
    return "(system)" if role == "developer" else f"({role})"


ChatMessage = Annotated[
    Annotated[SystemMessage, Tag("(system)")]
    | Annotated[UserMessage, Tag("(user)")]
    | Annotated[AssistantMessage, Tag("(assistant)")]
    | Annotated[ToolMessage, Tag("(tool)")],
    Discriminator(
        _speaker,
        custom_error_type="role",
        custom_error_message="A message's role is system, developer, user, assistant or tool",
    ),
]
Messages = Annotated[list[ChatMessage], Field(min_length=1)]
