"""Frames between a lab's keeper, its clients on the host, and the agent inside the guest.

One frame: length of the payload (u32), channel (u32), kind (u8), payload; big endian.  A channel
is one session (a command, a shell); the upper 16 bits are the client's number, which the keeper
fills in, the lower 16 bits are chosen by the client.  Channel 0 belongs to keeper and agent alone.

Flow control, two layers:
* Host to guest on the serial line, at most LINK_WINDOW bytes are unacknowledged (LINK_ACK).  A
  throttled line of User-Mode Linux 6.1 never reads again (measured: after 100 kB in one piece the
  next byte does not arrive), so its 4096-byte buffer must never fill.
* In each channel, at most CHANNEL_WINDOW bytes of output are on the way; the reader gives back what
  it has consumed (CREDIT).  A reader that sleeps stops its own command and nobody else's.
"""

from __future__ import annotations

import json
import struct

TYPE_CHECKING = False  # the typing module costs start-up time in the guest
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HEADER = struct.Struct("!IIB")
LINK_WINDOW = 2048
CHANNEL_WINDOW = 256 * 1024
CHUNK = 16 * 1024
MAX_PAYLOAD = 1 << 20

HELLO = 1  # agent: the line is raw, frames may come (payload: JSON)
LINK_ACK = 2  # agent: u32 bytes taken from the line
OPEN = 3  # client: start a session (JSON request)
STARTED = 4  # agent: the session runs (JSON)
DATA_IN = 5  # client: bytes for standard input; an empty payload closes it
DATA_OUT = 6  # agent: standard output
DATA_ERR = 7  # agent: standard error
CREDIT = 8  # both: u32 bytes consumed (client: of output; agent: of input)
SIGNAL = 9  # client: u32 signal number
RESIZE = 10  # client: u16 rows, u16 columns
EXIT = 11  # agent: JSON {"status": n} or {"error": text}; the channel is closed
CALL = 12  # client: JSON request with one answer
ANSWER = 13  # agent: JSON
PHASE = 14  # agent: progress text while starting, JSON
GONE = 15  # keeper: the client with this number left (u32); end its sessions
POWEROFF = 16  # keeper: stop everything
MACHINE = 17  # client: JSON {"name", "action"} for the keeper itself, answered by ANSWER

U32 = struct.Struct("!I")
SIZE = struct.Struct("!HH")


def frame(kind: int, channel: int, payload: bytes = b"") -> bytes:
    return HEADER.pack(len(payload), channel, kind) + payload


def json_frame(kind: int, channel: int, value: Any) -> bytes:
    return frame(kind, channel, json.dumps(value).encode())


class Decoder:
    """Cuts a stream of bytes into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        """Complete frames as (kind, channel, payload).

        Raises ValueError when the stream cannot be frames of ours.
        """
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= HEADER.size:
            length, channel, kind = HEADER.unpack_from(buffer, start)
            if length > MAX_PAYLOAD:
                raise ValueError(f"frame of {length} bytes: the stream is out of step")
            end = start + HEADER.size + length
            if len(buffer) < end:
                break
            payload = bytes(buffer[start + HEADER.size : end])
            start = end
            yield kind, channel, payload
        del buffer[:start]
