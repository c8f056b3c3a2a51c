"""The findings about one handler while they are made: what failed is said once, and what hangs on it is not asked."""

from __future__ import annotations

from ...errors import APIError, ConfigurationError, TransportError, WeComLoggingError
from .findings import NOTHING, Finding, Words
from .words import cause_of, remedy_of, words


class Notes:
    """``blocked_by`` is the check whose failure makes further questions useless, if there is one.

    ``down``: nothing at all can be asked, with whatever secret.
    """

    def __init__(self, handler: str, blocked_by: str = "") -> None:
        self.handler = handler
        self.blocked_by = blocked_by
        self.down = bool(blocked_by)
        self.findings: list[Finding] = []

    def good(self, check: str, cause: Words, subject: str = "") -> None:
        self.findings.append(Finding(self.handler, check, subject, True, cause))

    def bad(self, check: str, cause: Words, remedy: Words, *, subject: str = "", errcode: int | None = None) -> None:
        self.findings.append(Finding(self.handler, check, subject, False, cause, remedy, errcode))

    def unknown(self, check: str, cause: Words, remedy: Words = NOTHING, *, subject: str = "") -> None:
        """Neither good nor bad: it does not apply, or cannot be told."""
        self.findings.append(Finding(self.handler, check, subject, None, cause, remedy))

    def refused(self, check: str, error: WeComLoggingError, subject: str = "", cause: Words | None = None) -> None:
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
            en, zh = words("checks", self.blocked_by)
            cause = Words(f"not checked, because of “{en}” above", f"未检查，请先解决上面的“{zh}”问题")
            self.unknown(check, cause, subject=subject)
        return bool(self.blocked_by)
