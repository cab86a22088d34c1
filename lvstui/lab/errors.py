"""The one error that people see from the lab."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do what was asked.

    what: what failed, one sentence.  why: the evidence (a program's last words, a limit), may be
    empty.  remedy: what the reader can do about it, may be empty.
    """

    def __init__(self, what: str, why: str = "", remedy: str = "") -> None:
        self.what = what
        self.why = why
        self.remedy = remedy
        super().__init__(str(self))

    def __str__(self) -> str:
        text = self.what
        if self.why:
            text += "\n  why: " + self.why.strip().replace("\n", "\n       ")
        if self.remedy:
            text += "\n  what to do: " + self.remedy
        return text
