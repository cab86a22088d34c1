"""Files for a host by standard input, which no transcript and no process list shows."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field


@dataclass(slots=True)
class Payload:
    """Bytes of several files, one behind the other, and the shell lines that part them again."""

    data: bytearray = field(default_factory=bytearray, repr=False)
    lines: list[str] = field(default_factory=list)

    def add(self, name: str, data: bytes, folder: str = "$T") -> None:
        """Put a file in; it comes out as `FOLDER/NAME` of what stands in `FOLDER/all`."""
        target = f'"{folder}/"{shlex.quote(name)}'
        if data:
            # head on a pipe may read more than it gives: only a file can be cut in pieces.
            self.lines.append(
                f'tail -c +{len(self.data) + 1} "{folder}/all" | head -c {len(data)} > {target}'
            )
        else:
            self.lines.append(f": > {target}")
        self.data += data

    def add_text(self, name: str, text: str) -> None:
        """Put a text in; bytes that were no UTF-8 where it was read are the same bytes again."""
        self.add(name, text.encode("utf-8", "surrogateescape"))

    def unpack(self) -> str:
        """The shell function `unpack`."""
        return "\n".join(["unpack() {", *(f"  {line} &&" for line in self.lines), "  :", "}", ""])
