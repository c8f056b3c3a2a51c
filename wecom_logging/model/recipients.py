"""Who gets an app message: users, departments and tags, by id."""

from __future__ import annotations

from dataclasses import dataclass

EVERYBODY = "@all"


@dataclass(frozen=True, slots=True)
class Recipients:
    """Ids of members, departments and tags. ``users=("@all",)`` is everybody in the app's visible range.

    Limits for one message: 1 000 users, 100 departments, 100 tags.
    Source: https://developer.work.weixin.qq.com/document/path/90236
    """

    users: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.users or self.departments or self.tags)

    @property
    def only_members(self) -> bool:
        """Whether every receiver is named, so that each one's own rate limit can be kept."""
        return not self.departments and not self.tags and EVERYBODY not in self.users
