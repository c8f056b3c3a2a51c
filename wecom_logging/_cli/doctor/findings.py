"""What a round trip found, as values: where each setting comes from, and a finding for each thing looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ..._text.said import Said
from ...errors import APIError, ConfigurationError, TransportError, WeComLoggingError
from ..texts import NOTHING, cause_of, remedy_of, said


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``handler`` is ``"app"``, ``"bot"``, the handler's name in the logging config, or empty for what all share.
    ``check`` is the stable name of what was looked at, ``subject`` which one. ``ok`` is None where it does not apply or
    could not be looked at; ``cause`` then says why. ``code`` is that of a `ConfigurationError`, or empty. ``warning``:
    it is not, and alerts arrive all the same.
    """

    handler: str
    check: str
    subject: str
    ok: bool | None
    cause: Said
    remedy: Said = NOTHING
    errcode: int | None = None
    code: str = ""
    warning: bool = False

    @property
    def failed(self) -> bool:
        """Whether it keeps alerts from arriving as they are to."""
        return self.ok is False and not self.warning


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a value comes from.

    ``value`` is masked if it is a secret. ``source`` is ``"configuration"``, ``"environment"``,
    ``"file"``, ``"default"`` or ``"missing"``; ``place`` says which.
    """

    handler: str
    name: str
    value: str
    source: str
    place: str


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. ``handlers`` are the names of the channels that are configured."""

    handlers: tuple[str, ...]
    settings: tuple[Setting, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether an alert would arrive through every channel that was tried."""
        return not any(finding.failed for finding in self.findings)

    def untried(self, handler: str) -> bool:
        """Whether WeCom was not asked about this channel: that of an AI bot, without ``--send``."""
        return any(one.handler == handler and one.check == "aibot" and one.ok is None for one in self.findings)

    def arrives(self, handler: str) -> bool:
        """Whether an alert would arrive through this channel: nothing of its own failed, and nothing that all share.

        Of a group's bots one that works is enough, and without its state a handler goes on with memory.
        """
        mine = [finding for finding in self.findings if finding.handler in ("", handler)]
        good = {finding.check for finding in mine if finding.ok}
        enough = (good & {"bot", "send"}) | ({"state"} if "configuration" in good else set())
        return not any(finding.failed and finding.check not in enough for finding in mine)


class Notes:
    """The findings about one handler while they are made: what failed is said once, and what hangs on it is not asked.

    ``blocked_by`` is the check whose failure makes further questions useless, if there is one.

    ``down``: nothing at all can be asked, with whatever secret.
    """

    def __init__(self, handler: str, blocked_by: str = "") -> None:
        self.handler = handler
        self.blocked_by = blocked_by
        self.down = bool(blocked_by)
        self.findings: list[Finding] = []

    def good(self, check: str, cause: Said, subject: str = "") -> None:
        self.findings.append(Finding(self.handler, check, subject, True, cause))

    def bad(
        self,
        check: str,
        cause: Said,
        remedy: Said,
        *,
        subject: str = "",
        errcode: int | None = None,
        warning: bool = False,
    ) -> None:
        self.findings.append(Finding(self.handler, check, subject, False, cause, remedy, errcode, warning=warning))

    def warn_only(self, about: Callable[[Finding], bool]) -> None:
        """Alerts arrive all the same."""
        self.findings = [replace(one, warning=True) if one.ok is False and about(one) else one for one in self.findings]

    def unknown(self, check: str, cause: Said, remedy: Said = NOTHING, *, subject: str = "") -> None:
        """Neither good nor bad: it does not apply, or cannot be told."""
        self.findings.append(Finding(self.handler, check, subject, None, cause, remedy))

    def refused(self, check: str, error: WeComLoggingError, subject: str = "", cause: Said | None = None) -> None:
        """An error, with the remedy of its table. After a `TransportError` nothing more is asked."""
        errcode = error.errcode if isinstance(error, APIError) else None
        code = error.code if isinstance(error, ConfigurationError) else ""
        said = cause or cause_of(error)
        self.findings.append(Finding(self.handler, check, subject, False, said, remedy_of(error), errcode, code))
        if isinstance(error, TransportError):
            self.blocked_by = check
            self.down = True

    def skipped(self, check: str, subject: str = "") -> bool:
        """Say that it was not asked, where something before it failed."""
        if self.blocked_by:
            cause = said("found.because", check=said(f"checks.{self.blocked_by}"))
            self.unknown(check, cause, subject=subject)
        return bool(self.blocked_by)

    def skip(self, *checks: str) -> None:
        for check in checks:
            self.skipped(check)
