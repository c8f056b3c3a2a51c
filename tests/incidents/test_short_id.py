"""The id that people read and type."""

from __future__ import annotations

from itertools import islice

from wecom_logging._incidents.fingerprint import group_key
from wecom_logging._incidents.short_id import short_ids
from wecom_logging.model import Recipients

from ..state.conftest import alert


def test_it_says_nothing_of_who_gets_the_alert_but_where_one_store_has_two() -> None:
    meant = [None, Recipients(users=("li",)), Recipients(chats=("li",)), Recipients(chats=("li", "ops"))]
    keys = [group_key(alert("the disk is full"), one) for one in meant]
    assert len(set(keys)) == 4
    assert all(len(key) == 32 for key in keys)
    ids = [list(islice(short_ids(key), 2)) for key in keys]
    assert len({first for first, _ in ids}) == 1
    assert len({second for _, second in ids}) == 4
    assert all(second.startswith(first) for first, second in ids)
    other = group_key(alert("the disk is empty"), None)
    assert next(short_ids(other)) != ids[0][0]
