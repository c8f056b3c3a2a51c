"""Who works in a company, as WeCom's directory (通讯录) has it: departments, members and tags."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Department:
    """A department (部门). The root has id 1 and ``parent_id`` 0.

    ``name`` is empty where WeCom was asked for ids alone. ``order``: the larger, the further up in the list.
    ``leaders`` are user ids. Source: https://developer.work.weixin.qq.com/document/path/90208
    """

    id: int
    name: str
    parent_id: int
    order: int = 0
    leaders: tuple[str, ...] = ()
    name_en: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A member (成员). What WeCom does not tell stays empty: an app gets no mobile, e-mail or gender.

    ``departments`` are ids, ``leader_of`` those of them that the member leads; ``gender`` is ``"male"``, ``"female"``
    or empty, ``status`` ``"active"``, ``"disabled"``, ``"not_activated"``, ``"left"`` or empty.
    Source: https://developer.work.weixin.qq.com/document/path/90196
    """

    user_id: str
    name: str
    departments: tuple[int, ...] = ()
    mobile: str = ""
    email: str = ""
    biz_mail: str = ""
    alias: str = ""
    position: str = ""
    gender: str = ""
    telephone: str = ""
    leader_of: tuple[int, ...] = ()
    main_department: int | None = None
    direct_leaders: tuple[str, ...] = ()
    status: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag (标签): a named list of members and departments, which are None where WeCom was not asked for them.

    Source: https://developer.work.weixin.qq.com/document/path/90213
    """

    id: int
    name: str
    users: tuple[str, ...] | None = None
    departments: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Result of a call about many items: all are changed but these, which do not exist or may not be touched."""

    invalid_users: tuple[str, ...] = ()
    invalid_departments: tuple[int, ...] = ()
    invalid_tags: tuple[int, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing was left out."""
        return not (self.invalid_users or self.invalid_departments or self.invalid_tags)
