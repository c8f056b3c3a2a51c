"""What WeCom shuts out, switched on and off by ``POST /sandbox/faults``, and the ban on those who guess secrets."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass

from .refusal import Refusal

WRONG_SECRETS = 5
BAN_S = 3600


@dataclass(slots=True)
class Restrictions:
    """Both are off at first.

    ``trusted_ips``: the addresses that may call with a token (企业可信IP); everybody else gets 60020. ``gettoken`` is
    not among those calls: it has no token, and no page says that it answers 60020.
    ``contacts_details``: False is a contacts-sync that was set up after 2022-08-15: it may read ids only and gets 48009
    for the rest (https://developer.work.weixin.qq.com/document/path/96079).
    """

    trusted_ips: frozenset[str] | None = None
    contacts_details: bool = True

    def check_address(self, ip: str) -> None:
        if self.trusted_ips is not None and ip not in self.trusted_ips:
            raise Refusal(60020)

    def check_details(self) -> None:
        if not self.contacts_details:
            raise Refusal(48009)


class SecretGuard:
    """Several wrong secrets close ``gettoken`` to an address for an hour, right secrets included (path/90313, 45009).

    The page says "several"; here it is five within an hour, and the hour counts from the fifth.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: defaultdict[str, deque[float]] = defaultdict(lambda: deque(maxlen=WRONG_SECRETS))

    def check(self, ip: str) -> None:
        wrong = self._wrong.get(ip, deque())
        if len(wrong) == WRONG_SECRETS and wrong[-1] - wrong[0] < BAN_S and self._clock() < wrong[-1] + BAN_S:
            raise Refusal(45009)

    def note(self, ip: str) -> None:
        self._wrong[ip].append(self._clock())
