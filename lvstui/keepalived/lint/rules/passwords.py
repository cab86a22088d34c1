"""Authentication of adverts. No finding here shows a password or a part of one."""

from __future__ import annotations

from collections.abc import Iterator

from lvstui.keepalived.lint.context import LintContext
from lvstui.keepalived.lint.routers import InstanceLines, last, value
from lvstui.keepalived.text.lexer import strip
from lvstui.keepalived.text.tree import Statement
from lvstui.model.finding import Finding, FindingSeverity

_NEUTRAL = b' \t"'


def authentication(context: LintContext) -> Iterator[Finding]:
    """Passwords that are lost, cut or ignored."""
    for router in context.routers:
        for block in router.block.blocks(b"authentication"):
            kind, secret = last(block, b"auth_type"), last(block, b"auth_pass")
            if secret is not None:
                yield from _cut(secret)
            one_line = kind is not None and b"auth_pass" in kind.words[2:]
            if kind is not None and secret is None and not one_line:
                yield Finding(
                    "password-missing",
                    FindingSeverity.WARNING,
                    f"instance {router.name}: authentication without auth_pass: adverts are not "
                    "authenticated",
                    block.place,
                    fix="add auth_pass on both directors at the same time, or take the block out",
                )
            elif kind is None and secret is not None:
                yield Finding(
                    "authentication-without-type",
                    FindingSeverity.WARNING,
                    f"instance {router.name}: authentication without auth_type: adverts are not "
                    "authenticated",
                    block.place,
                    fix="add auth_type PASS on both directors at the same time",
                )
            elif kind is not None and value(kind) not in (b"PASS", b"AH"):
                yield Finding(
                    "authentication-unknown",
                    FindingSeverity.ERROR,
                    f"instance {router.name}: unknown auth_type: adverts are not authenticated",
                    kind.place,
                    fix="auth_type PASS, in capitals",
                )
            if kind is not None and secret is not None:
                yield from _ignored(router, kind)


def _ignored(router: InstanceLines, kind: Statement) -> Iterator[Finding]:
    why = "strict mode" if router.strict else "VRRP version 3" if router.version == 3 else ""
    if why:
        yield Finding(
            "authentication-ignored",
            FindingSeverity.WARNING,
            f"instance {router.name}: {why} knows no authentication: the password is ignored",
            kind.place,
            fix="take the block out" + (" or take vrrp_strict out" if router.strict else ""),
        )


def _cut(secret: Statement) -> Iterator[Finding]:
    """A # or ! in the middle of a password begins a comment."""
    if secret.text.base < 0 or secret.line > len(secret.file.lines):
        return
    raw = secret.file.lines[secret.line - 1]
    mark = strip(raw).comment
    if mark > 0 and raw[mark - 1] not in _NEUTRAL:
        yield Finding(
            "password-cut",
            FindingSeverity.ERROR,
            "the password is cut: a # or ! begins a comment even within a word",
            secret.place,
            fix='put it in double quotes: auth_pass "…"',
        )
