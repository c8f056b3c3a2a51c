"""What a round trip found, as values: where each setting comes from, and a finding for each thing looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Words(NamedTuple):
    """The same in both languages."""

    en: str
    zh: str

    @classmethod
    def same(cls, text: str) -> Words:
        """What needs no translation: names and ids."""
        return cls(text, text)

    def within(self, language: str) -> str:
        """In ``"zh"`` or ``"en"``."""
        return self.zh if language == "zh" else self.en


NOTHING = Words("", "")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    ``handler`` is ``"app"``, ``"bot"``, the handler's name in the logging config, or empty for what all share.
    ``check`` is the stable name of what was looked at, ``subject`` which one. ``ok`` is None where it does not apply or
    could not be looked at; ``cause`` then says why. ``code`` is that of a `ConfigurationError`, or empty.
    """

    handler: str
    check: str
    subject: str
    ok: bool | None
    cause: Words
    remedy: Words = NOTHING
    errcode: int | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a value comes from.

    ``value`` is masked if it is a secret. ``source`` is ``"option"``, ``"configuration"``, ``"environment"``,
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
        return not any(finding.ok is False for finding in self.findings)

    def untried(self, handler: str) -> bool:
        """Whether nobody asked WeCom about this channel: that of an AI bot, without ``--send``."""
        return any(one.handler == handler and one.check == "aibot" and one.ok is None for one in self.findings)

    def arrives(self, handler: str) -> bool:
        """Whether an alert would arrive through this channel: nothing of its own failed, and nothing that all share.

        Of a group's bots one that works is enough, and without its state a handler goes on with memory.
        """
        mine = [finding for finding in self.findings if finding.handler in ("", handler)]
        good = {finding.check for finding in mine if finding.ok}
        enough = (good & {"bot", "send"}) | ({"state"} if "configuration" in good else set())
        return not any(finding.ok is False and finding.check not in enough for finding in mine)
