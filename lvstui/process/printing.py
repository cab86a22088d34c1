"""The command line's one door to the terminal: what it prints, says on stderr and asks.

Names, file names, log lines and words of the command line itself may hold escape sequences. They
are made harmless where they enter, and here once more, whoever printed them: argparse too.
A JSON document that passes stays the same document, since a control becomes its own escape.
Where the encoding of a stream does not know one of our glyphs, its likeness in ASCII is written.
"""

from __future__ import annotations

import codecs
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

from lvstui.model.text import LIKENESS, printable, visible

if TYPE_CHECKING:
    from rich.console import Console


def _like(error: UnicodeError) -> tuple[str, int]:
    """What is written for characters that an encoding does not know: an escape has to do for those
    that are not ours."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    escaped = (LIKENESS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in unknown)
    return "".join(escaped), error.end


codecs.register_error("lvstui.like", _like)


def drawable(text: str, encoding: str | None) -> str:
    """`text` with what the encoding of a stream does not know in its likeness, else escaped."""
    encoding = encoding or "utf-8"
    return text.encode(encoding, "lvstui.like").decode(encoding)


def as_json(document: object, indent: int | None = None) -> str:
    """A document for stdout; what its encoding does not know as JSON's own escapes."""
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    encoding = sys.stdout.encoding or "utf-8"
    if text.encode(encoding, "replace").decode(encoding) == text:
        return text
    return json.dumps(document, indent=indent)


class CleanStream:
    """A text stream that lets no control character through but line ends and tabs.

    `buffer`, for bytes that are handed on as they are, is the stream's own.
    """

    def __init__(self, inner: TextIO) -> None:
        self.inner = inner
        """The stream itself, for text whose escape sequences are ours."""

    def write(self, text: str) -> int:
        """As the stream's; what its encoding does not know is written by its likeness."""
        self.inner.write(drawable(printable(text), self.inner.encoding))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@contextmanager
def clean_output() -> Iterator[None]:
    """Whatever is printed meanwhile, to stdout or stderr, passes the door."""
    before = sys.stdout, sys.stderr
    sys.stdout = cast(TextIO, CleanStream(sys.stdout))
    sys.stderr = cast(TextIO, CleanStream(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def ask(question: str) -> str:
    """What is typed to a question. Raises EOFError."""
    # input() itself would write its prompt past every stream.
    print(question, end="", flush=True)
    return input("")


def table_console(width: int | None = None) -> Console:
    """A console of Rich on stdout, for tables: its own colours pass, nobody else's."""
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment

    class Clean(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                if segment.control or segment.text == "\n":
                    yield segment
                else:
                    text = "\n".join(map(visible, segment.text.split("\n")))
                    yield Segment(drawable(text, file.encoding), segment.style)

    out = sys.stdout
    file = out.inner if isinstance(out, CleanStream) else out
    return Clean(file=file, highlight=False, width=width)
