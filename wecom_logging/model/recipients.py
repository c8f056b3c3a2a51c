"""Who gets a message: of an app users, departments and tags, by id or by what they are called; of an AI bot chats."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, fields, replace

EVERYBODY = "@all"

ON_CALL = "on-call:"
"""Before the name of a rota, where users are named."""

MAX_SENT_IDS = 100
"""So many of those who were told are kept by their user ids, and may answer."""

EVERYBODY_LOG = ""
"""In logs of what receivers got: messages whose receivers are not named."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """Members, departments and tags, and departments whose leaders are meant; of an AI bot ``chats``, by id.

    Each is an id or, until the directory was asked, a name; a user also a mobile number or an e-mail address.
    ``users=("@all",)`` is everybody in the app's visible range. Limits for one message: 1 000 users, 100 departments,
    100 tags. Source: https://developer.work.weixin.qq.com/document/path/90236
    """

    users: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    leader_of: tuple[str, ...] = ()
    chats: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.departments or self.tags or self.leader_of or self.chats)

    def with_others(self, others: Recipients) -> Recipients:
        """All of both, each once; with everybody no other member is named."""
        pairs = zip(astuple(self), astuple(others), strict=True)
        found = Recipients(*(tuple(dict.fromkeys((*mine, *more))) for mine, more in pairs))
        return replace(found, users=(EVERYBODY,)) if EVERYBODY in found.users else found

    def without(self, others: Recipients, ids: Callable[[Recipients], Iterable[str]]) -> Recipients:
        """Those whom the others do not reach, by whichever name: ``ids`` gives the user ids that are known of some."""
        kinds = [one.name for one in fields(Recipients)]
        each = {(kind, one): {*ids(Recipients(**{kind: (one,)}))} for kind in kinds for one in getattr(others, kind)}
        has_it = set[str]().union(*each.values()) - {EVERYBODY_LOG}

        def left(kind: str, one: str) -> bool:
            found = {*ids(Recipients(**{kind: (one,)}))}
            return (kind, one) not in each and not (found and found <= has_it)

        return self.only(left)

    def only(self, wanted: Callable[[str, str], bool]) -> Recipients:
        """Keeps the recipients for which ``wanted(kind, one)`` is true, with a kind such as ``"users"``."""
        kinds = [one.name for one in fields(Recipients)]
        return Recipients(**{kind: tuple(one for one in getattr(self, kind) if wanted(kind, one)) for kind in kinds})

    @property
    def rotas(self) -> tuple[str, ...]:
        """The names of the rotas among the users, in whose place those on call get it."""
        return tuple([one.removeprefix(ON_CALL) for one in self.users if one.startswith(ON_CALL)])

    def with_people(self, turns: Mapping[str, Iterable[str] | None]) -> Recipients:
        """With people in the place of rotas, each once."""
        named = (turns[one.removeprefix(ON_CALL)] if one.startswith(ON_CALL) else (one,) for one in self.users)
        return replace(self, users=tuple(dict.fromkeys(who for people in named for who in people or ())))

    @property
    def are_persons(self) -> bool:
        """True: each one is a person, or becomes one when a message goes; no department, tag or everybody."""
        return not (self.departments or self.tags) and EVERYBODY not in self.users

    @property
    def may_answer(self) -> bool:
        """True: all of them are known by id when a message goes, so that they may answer it."""
        return self.are_persons and len(self.users) <= MAX_SENT_IDS

    @property
    def only_members(self) -> bool:
        """Whether every receiver is named, so that each one's own rate limit can be kept."""
        return self.are_persons and not self.leader_of


@dataclass(frozen=True, slots=True)
class Route:
    """Who gets the alerts of a logger and all below it (``""``: of every logger), from a level on."""

    recipients: Recipients
    logger: str = ""
    level: int = 0

    def fits(self, logger: str, level: int) -> bool:
        """Whether an alert goes this way."""
        if level < self.level:
            return False
        return not self.logger or logger == self.logger or logger.startswith(f"{self.logger}.")
