"""Source "log": keepalived's words, from now on and a little back.

Where they are looked for: `log_places`. What they mean: `log_lines`. A flood (a host that logs
thousands of lines a second) is met with a budget: noise is dropped first, then everything but
state changes, and the number of lines left out is said.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable

from lvstui.model.facts import Available, DaemonSaid, Missing, Overrun
from lvstui.model.numbers import LAST_SECOND, PIDS, number
from lvstui.model.text import plain
from lvstui.sources.base import Context, Source
from lvstui.sources.daemon import find_pid
from lvstui.sources.log_follow import FileTail, Inotify, JournalTail
from lvstui.sources.log_lines import Repeats, facts_of, is_keepalived, split_syslog
from lvstui.sources.log_places import SYSLOG_FILES, LogPlace, find
from lvstui.sources.voices import STATES, Voices

_BACK_BYTES = 512 * 1024
_BACK_S = 1800.0
_LINES_PER_S = 3000
_FACTS_PER_S = 1500
# A dead switch takes thousands of real servers with it: their removals must get through.
_IMPORTANT_PER_S = 6000
_LOOK_AGAIN_S = 10.0
_SURE_LOOK_AGAIN_S = 60.0
_SAY_LEFT_OUT_S, _SAY_OVERRUN_S = 10.0, 2.0
_IMPORTANT = re.compile(
    rb"ntering [A-Z]+ STATE| service \[|quorum|permanent error|\) died|Reload|St(?:art|opp)\w+ Keep"
)
_CURSOR = re.compile(r"[0-9a-z=;]{1,400}")
_NOISE = re.compile(rb"gratuitous ARP|nsolicited Neighbour")
"""By the thousand at each takeover with many addresses; costs no budget."""
_IDENTS = ("Keepalived", "Keepalived_vrrp", "Keepalived_healthcheckers", "Keepalived_bfd")
_OF_PROGRAM = ("_COMM", "_EXE", "_SYSTEMD_UNIT")
"""What journald itself says of the writer; empty for one that has ended."""
_FIELDS = ",".join(("MESSAGE", "SYSLOG_IDENTIFIER", "SYSLOG_PID", "_PID", *_OF_PROGRAM))
_DOUBT = Missing(
    "log-words",
    "the log has lines in keepalived's name that none of its processes wrote: not believed",
    "look at them: any local user can write such lines to syslog",
)


class _Sink:
    """Lines in, facts out, within the budget of each second."""

    def __init__(self, context: Context, name: str, voices: Voices) -> None:
        self.context = context
        self._name = name
        self._began = time.clock_gettime(time.CLOCK_BOOTTIME)
        self._voices = voices
        self._doubt_said = False
        self._repeats = Repeats()
        self._second = 0.0
        self._lines = self._facts = self._important = 0
        self.left_out = 0
        self._faults, self._fault = 0, ""
        self._next_word = self._next_fault = 0.0
        self.heard = False
        """Whether a line of keepalived has come."""
        self.newest = 0.0
        """Epoch of the newest message."""
        self.cursor = ""
        """Where in the journal the last entry stood."""

    @property
    def began(self) -> float:
        """Epoch of our own start, whatever was done to the clock since."""
        return time.time() - (time.clock_gettime(time.CLOCK_BOOTTIME) - self._began)

    def budget_left(self) -> bool:
        """Whether this second still takes ordinary lines."""
        self._tick()
        return self._lines < _LINES_PER_S and self._facts < _FACTS_PER_S

    def _tick(self) -> None:
        now = time.monotonic()
        if self._faults and now >= self._next_fault:
            self._next_fault = now + _SAY_LEFT_OUT_S
            text = f"{self._faults} lines of the log not understood; the last: {self._fault}"
            self._faults = 0
            self._note(text)
        if now - self._second >= 1.0:
            self._second = now
            self._lines = self._facts = self._important = 0
            if self.left_out and now >= self._next_word:
                self._next_word = now + _SAY_OVERRUN_S
                count, self.left_out = self.left_out, 0
                self.context.emit(self._name, Overrun("lines of keepalived's log", count))

    def _note(self, text: str) -> None:
        self.context.emit(self._name, DaemonSaid("other", text, "lvstui"))

    def take(self, line: bytes, handle: Callable[[bytes], None]) -> None:
        """One line, whatever is in it: the log goes on behind a line that we fail at."""
        try:
            handle(line)
        except Exception as error:
            # The parsers are total; a fault of theirs must not hide the rest of the log.
            self._faults += 1
            self._fault = f"{type(error).__name__}: {plain(line, 80)}"
            self._tick()

    def file_line(
        self, line: bytes, past: bool, own: bool = False, after: float | None = None
    ) -> None:
        """One raw line of a log file; those up to `after` are known already."""
        if (not own and b"eepalived" not in line) or _NOISE.search(line):
            return
        if not past and not self._admit(line):
            return
        at, _, ident, pid, text = split_syslog(line.decode("utf-8", "backslashreplace"))
        if not is_keepalived(ident):
            return
        now = time.time()
        if after is not None and (at is None or at <= after):
            return
        if at is None:
            at = now
        elif past and at < self.began - _BACK_S:
            return
        elif past:
            # A log that came up after us is read from its start, and is news all the same.
            past = at < self.began - 1.0
        elif not past and at == int(at) and at <= now < at + 2.0:
            # The stamp has no fraction, and we are faster than a second.
            at = now
        sure = own or self._voices.believes(pid, at)
        self.message(at, ident, pid, text, past or not sure, sure)

    def journal_line(self, line: bytes) -> None:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(entry, dict):
            return
        cursor = entry.get("__CURSOR")
        if isinstance(cursor, str) and _CURSOR.fullmatch(cursor):
            self.cursor = cursor
        message = entry.get("MESSAGE")
        if isinstance(message, list):
            # Not UTF-8: an array of bytes.
            message = bytes(b & 0xFF for b in message if isinstance(b, int)).decode(
                "utf-8", "backslashreplace"
            )
        stamp = number(str(entry.get("__REALTIME_TIMESTAMP", "")), int(LAST_SECOND * 1e6))
        if not isinstance(message, str) or stamp is None:
            return
        at = stamp / 1e6
        past = at < self.began
        raw = message.encode("utf-8", "backslashreplace")
        if _NOISE.search(raw) or (not past and not self._admit(raw)):
            return
        if not self._wrote_it(entry):
            self._doubt()
            return
        pid = str(entry.get("SYSLOG_PID") or entry.get("_PID") or "")
        ident = str(entry.get("SYSLOG_IDENTIFIER") or "Keepalived")
        # With --log-console the journal also gets the console form, stamp and all.
        _, host, own, _, text = split_syslog(message)
        if own != "Keepalived" or host:
            text = message
        self.message(at, ident, number(pid, PIDS) or 0, text, past)

    def _wrote_it(self, entry: dict[str, object]) -> bool:
        """Whether keepalived wrote a line of the journal in its name: the kernel told journald who
        did. A script of root's may use the name, too."""
        told = [str(entry[name]) for name in _OF_PROGRAM if entry.get(name)]
        if not told or any("keepalived" in word.rpartition("/")[2] for word in told):
            return True
        pid = number(str(entry.get("_PID") or ""), PIDS) or 0
        return self._voices.believes(pid, time.time())

    def _doubt(self) -> None:
        if not self._doubt_said:
            self._doubt_said = True
            self.context.emit("log-words", _DOUBT)

    def message(
        self, at: float, ident: str, pid: int, text: str, past: bool, sure: bool = True
    ) -> None:
        """One message without its prefix; not sure: whoever wrote it, it changes no state."""
        self.heard = True
        # A stamp of next year must not make all that follows look old.
        self.newest = max(self.newest, min(at, time.time()))
        for fact in facts_of(text, ident, pid):
            if not sure and isinstance(fact, STATES):
                self._doubt()
            elif not self._repeats.is_repeat(fact, at):
                if not past:
                    self._facts += 1
                self.context.emit(self._name, fact, at, past)

    def _admit(self, line: bytes) -> bool:
        """The budget: cheap on purpose, every line of a flood comes through here."""
        if self.budget_left():
            self._lines += 1
            return True
        if self._important < _IMPORTANT_PER_S and _IMPORTANT.search(line):
            self._important += 1
            return True
        self.left_out += 1
        return False


class LogSource(Source):
    """Pushes the facts of keepalived's log lines.

    `pid` gives the daemon's parent process (0: unknown). `files` are the syslog files to look
    into (glob patterns); `journal` False never asks the journal.
    """

    name = "log"

    def __init__(
        self,
        pid: Callable[[], int] = find_pid,
        files: tuple[str, ...] = SYSLOG_FILES,
        place: Callable[[int], LogPlace | Missing] | None = None,
    ) -> None:
        self._pid = pid
        self._find = place or (lambda pid: find(pid, files))
        self._said: Missing | None = None
        self._works = False
        self._read_back = True
        self._sink: _Sink | None = None
        self._followed: tuple[LogPlace, Inotify, list[FileTail]] | None = None

    def run(self, context: Context) -> None:
        """See `Source`. Called again after a failure, it goes on where it was."""
        sink = self._sink
        if sink is None:
            sink = self._sink = _Sink(context, self.name, Voices(self._pid))
        sink.context = context
        # A failure has taken back what was said before it.
        self._works, self._said = False, None
        while not context.stop.is_set():
            place = self._find(self._pid())
            if isinstance(place, Missing):
                self._say(context, place)
                context.wait(5.0)
                continue
            if place.kind == "journal":
                self._follow_journal(context, sink)
            else:
                self._follow_files(context, sink, place)

    def _say(self, context: Context, missing: Missing) -> None:
        self._works = False
        if missing != self._said:
            self._said = missing
            context.emit(self.name, missing)

    def _available(self, context: Context) -> None:
        if not self._works:
            self._works, self._said = True, None
            context.emit(self.name, Available(self.name))

    def _follow_files(self, context: Context, sink: _Sink, place: LogPlace) -> None:
        """Until the log moved elsewhere or it is time to end. What is raised in between leaves
        the files open at their places, for the next run."""
        if self._followed is not None and self._followed[0] != place:
            self._leave()
        if self._followed is None and not self._begin(context, sink, place):
            context.wait(5.0)
            return
        assert self._followed is not None
        _, inotify, tails = self._followed
        own = place.kind == "own"
        self._available(context)
        again = time.monotonic() + _LOOK_AGAIN_S
        while not context.stop.is_set():
            inotify.wait(0.45)
            sink.budget_left()  # says what was left out before
            for tail in tails:
                self._drain(context, sink, tail, own)
            if time.monotonic() >= again:
                sure = place.sure and sink.heard
                again = time.monotonic() + (_SURE_LOOK_AGAIN_S if sure else _LOOK_AGAIN_S)
                if self._moved(place, self._find(self._pid()), sink):
                    break
        self._leave()

    def _begin(self, context: Context, sink: _Sink, place: LogPlace) -> bool:
        """Open the files and read back; False when one may not be read, which is said."""
        inotify = Inotify()
        tails = [FileTail(path, inotify) for path in place.paths]
        self._followed = place, inotify, tails
        # What was there before we came, once; of another place what is newer than that.
        after = None if self._read_back else max(sink.newest, sink.began)
        own = place.kind == "own"
        for tail in tails:
            try:
                lines = tail.open(_BACK_BYTES)
            except OSError as error:
                remedy = "run lvstui as root, or add the user to group adm"
                what = f"{plain(tail.path)}: {os.strerror(error.errno or 0)}"
                self._say(context, Missing(self.name, what, remedy))
                self._leave()
                return False
            for line in lines:
                sink.take(line, lambda one: sink.file_line(one, True, own, after))
        self._read_back = False
        return True

    def _leave(self) -> None:
        if self._followed is not None:
            _, inotify, tails = self._followed
            self._followed = None
            for tail in tails:
                tail.close()
            inotify.close()

    @staticmethod
    def _moved(place: LogPlace, found: LogPlace | Missing, sink: _Sink) -> bool:
        """Whether to leave `place` for what was found. A rotated log is not there until its next
        line is written, and names keepalived only then: who had it once waits for it."""
        if isinstance(found, Missing):
            return not sink.heard
        return found != place and (found.sure or not sink.heard)

    @staticmethod
    def _drain(context: Context, sink: _Sink, tail: FileTail, own: bool) -> None:
        while lines := tail.new_lines():
            for line in lines:
                sink.take(line, lambda one: sink.file_line(one, False, own))
            if tail.skipped:
                # About: keepalived's lines are some eighty bytes long.
                sink.left_out += tail.skipped // 80
                tail.skipped = 0
            if not sink.budget_left() and context.wait(0.02):
                return

    def _follow_journal(self, context: Context, sink: _Sink) -> None:
        """Until journalctl ends or it is time to end."""
        since = f"-{int(_BACK_S)}s" if self._read_back else "now"
        tail = JournalTail(journal_command(since, sink.cursor))
        self._read_back = False
        crowded = 0.0
        began = time.monotonic()
        try:
            while not context.stop.is_set():
                if not tail.wait(0.45):
                    # What was there has been read.
                    self._available(context)
                    continue
                if time.monotonic() - began > 1.0:
                    self._available(context)
                lines = tail.new_lines()
                if lines is None:
                    if time.monotonic() - began < 5.0:
                        # Perhaps it knows that place no more: not from there again.
                        sink.cursor = ""
                        remedy = "see what `journalctl -t Keepalived` says"
                        self._say(context, Missing(self.name, "journalctl ended at once", remedy))
                        context.wait(5.0)
                    return
                for line in lines:
                    sink.take(line, sink.journal_line)
                if sink.budget_left():
                    crowded = 0.0
                    continue
                # journalctl waits while we do not read.
                now = time.monotonic()
                crowded = crowded or now
                if now - crowded > 5.0:
                    # It would only get later and later: go on from now.
                    sink.cursor = ""
                    return
                context.wait(0.05)
        finally:
            tail.close()


def journal_command(since: str, cursor: str = "") -> list[str]:
    """How the journal is asked: keepalived's idents, and all that its program wrote; from where
    the last entry stood, when that is known, else `since`.

    Of root alone: an ident is what the writer says of itself, and anybody may write. The uid is
    what the kernel told journald.
    """
    alone = "_UID=0"
    idents = [w for ident in _IDENTS for w in ("+", f"SYSLOG_IDENTIFIER={ident}", alone)]
    begin = f"--after-cursor={cursor}" if cursor else f"--since={since}"
    how = ("--follow", "--output=json", f"--output-fields={_FIELDS}", "--no-pager", "--quiet")
    return ["journalctl", *how, "--lines=5000", begin, "_COMM=keepalived", alone, *idents]
