"""Alerts of every kind for the tests of rendering: by hand, and by hypothesis with hostile and very long texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from wecom_logging.model import Alert, Digest, Failure, Frame, Sample

PLAIN = Alert(
    id="0123abcd",
    level=40,
    level_name="ERROR",
    logger="shop.pay",
    message="it broke",
    template="it %s",
    time=1_700_000_000.0,
    host="web-1",
    process=4711,
    process_name="MainProcess",
    thread_name="MainThread",
    place=Frame("app/pay.py", 88, "charge"),
    module="pay",
)


def alert(**changes: Any) -> Alert:
    """An alert that differs from a plain one in what a test is about."""
    return replace(PLAIN, **changes)


# What a renderer gives a meaning, our own signs, and what cannot be seen.
SIGNS = (
    "<a href='http://evil'>x</a>",
    "<@all>",
    "<@zhangsan>",
    '<font color="warning">',
    "</font>",
    "[click](http://evil)",
    "![x](http://evil)",
    "**bold**",
    "`code`",
    "```\ncode\n```",
    "# heading",
    "> quote",
    "\n# ",
    "\n> ",
    "\n>> ",
    "](",
    "│ ",
    "… 3 lines cut …",
    "#k7f2",
    "(1/2)",
    "🔴 ERROR x: y",
    "\x00",
    "\x1b[31m",
    "\r",
    "\u2028",
    "\u2029",
    "\x85",
    "\u202e",
    "\u200b",
    "\ufeff",
    "\ud83d",
    "a" + "\u0301" * 30,
    "👨‍👩‍👧‍👦",
    "🇨🇳",
    "中文测试",
    "\t",
    " ",
    "\\",
    "*",
    "[",
    "]",
    "(",
    "<",
)

hostile = st.lists(st.one_of(st.sampled_from(SIGNS), st.text(max_size=20)), max_size=12).map("".join)
long_texts = st.builds(lambda unit, times: unit * times, hostile, st.integers(1, 300))
texts = st.one_of(hostile, hostile, long_texts)
short_texts = st.one_of(hostile, st.text(max_size=30))

frames = st.builds(Frame, short_texts, st.integers(1, 99999), short_texts, st.booleans(), short_texts)
simple_failures = st.builds(
    Failure,
    type=short_texts,
    text=texts,
    frames=st.lists(frames, max_size=25).map(tuple),
    omitted=st.sampled_from((0, 0, 936)),
    head=st.just(16),
    notes=st.lists(short_texts, max_size=3).map(tuple),
    link=st.sampled_from(("cause", "context")),
)


def _chain(failures: list[Failure]) -> tuple[Failure, ...]:
    return (*failures[:-1], replace(failures[-1], link="")) if failures else ()


chains = st.lists(simple_failures, max_size=4).map(_chain)
groups = st.builds(
    lambda failure, members: replace(failure, members=members, link=""),
    simple_failures,
    st.lists(st.lists(simple_failures, min_size=1, max_size=2).map(_chain), min_size=1, max_size=4).map(tuple),
)

alerts = st.builds(
    Alert,
    id=st.just("0123abcd"),
    level=st.sampled_from((0, 10, 20, 30, 40, 50, 10**9)),
    level_name=short_texts,
    logger=short_texts,
    message=texts,
    template=short_texts,
    time=st.sampled_from((0.0, 1_700_000_000.123, 1e20)),
    host=short_texts,
    process=st.sampled_from((None, 4711)),
    process_name=short_texts,
    thread_name=short_texts,
    place=frames,
    module=short_texts,
    service=short_texts,
    environment=short_texts,
    title=st.one_of(st.just(""), short_texts),
    fields=st.lists(st.tuples(short_texts, texts), max_size=6).map(tuple),
    stack=st.one_of(st.just(""), texts),
    failures=st.one_of(chains, groups.map(lambda failure: (failure,))),
    formatted=st.one_of(st.none(), st.none(), st.none(), texts),
)

moments = st.sampled_from((0.0, 1_700_000_000.5, 1_700_000_055.0, 1_700_090_000.0, 1e20, float("inf")))
samples = st.builds(Sample, time=moments, text=texts)
digests = st.builds(
    lambda alert, count, earlier, **others: Digest(alert, count, count + earlier, **others),
    alerts,
    st.sampled_from((0, 1, 2, 4321, 10**9)),
    st.sampled_from((0, 0, 1, 8024, 10**9)),
    since=moments,
    last=moments,
    samples=st.lists(samples, max_size=8).map(tuple),
    rates=st.lists(st.integers(0, 10**6), max_size=12).map(tuple),
    quiet_s=st.sampled_from((0.0, 0.0, 0.0, 0.5, 600.0, 36_000.0)),
    short_id=st.sampled_from(("k7f2", "k7f2m1ne0123")),
)
