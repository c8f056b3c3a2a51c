"""Cutting by bytes: for all of Unicode, lone surrogates included."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._masking.redact import redact
from wecom_logging._text.cut import CAP_BYTES, cap, head, size, tail, trim, wrap

any_text = st.text(st.characters(), max_size=200)  # lone surrogates too
mixed = st.lists(st.sampled_from(["a", "é", "中", "👍", "👨‍👩‍👧", "🇨🇳", "\ud83d", " ", "\n"]), max_size=120).map(
    "".join
)
texts = st.one_of(any_text, mixed)
many = settings(max_examples=300, deadline=None)


def stored(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


@pytest.mark.slow
@pytest.mark.case("C04")
@many
@given(texts, st.integers(-1, 300))
def test_head_is_the_longest_beginning_that_fits(text: str, most: int) -> None:
    found = head(text, most)
    assert text.startswith(found)
    assert stored(found) <= max(most, 0)
    assert found == text or stored(text[: len(found) + 1]) > most


@pytest.mark.slow
@many
@given(texts, st.integers(-1, 300))
def test_tail_is_the_longest_end_that_fits(text: str, most: int) -> None:
    found = tail(text, most)
    assert text.endswith(found)
    assert stored(found) <= max(most, 0)
    assert found == text or stored(text[len(text) - len(found) - 1 :]) > most


@pytest.mark.slow
@pytest.mark.case("C04")
@many
@given(texts, st.integers(0, 300))
def test_trim_fits_and_says_that_it_has_cut(text: str, most: int) -> None:
    found = trim(text, most)
    assert size(found) <= most
    if size(text) <= most:
        assert found == text
    elif most > 3:
        assert found.endswith("…")
        assert text.startswith(found[:-1])


@pytest.mark.slow
@many
@given(texts, st.integers(4, 50))
def test_wrapped_lines_fit_and_joined_give_the_line_again(text: str, most: int) -> None:
    pieces = wrap(text, most)
    assert "".join(pieces) == text
    assert all(size(piece) <= most for piece in pieces)


@pytest.mark.slow
@many
@given(texts, st.integers(1, 8), st.integers(128, 600))
def test_cap_keeps_both_ends_within_the_bytes(text: str, times: int, most: int) -> None:
    text *= times
    found = cap(text, most)
    assert size(found) <= most
    if size(text) <= most:
        assert found == text
    else:
        first, last = found.split(" characters cut … ", 1)
        first, _, number = first.rpartition(" … ")
        assert text.startswith(first)
        assert text.endswith(last)
        assert len(first) + int(number) + len(last) == len(text)


@pytest.mark.slow
@many
@given(st.lists(st.text("abcdef0123456789", min_size=1, max_size=60), min_size=1, max_size=80), st.integers(128, 600))
def test_a_word_that_the_cap_tears_is_dropped_whole(words: list[str], most: int) -> None:
    kept = cap(" ".join(words), most).split()
    marks = {"…", "characters", "cut"}
    assert all(word in marks or word in words or word.isdecimal() for word in kept)


@pytest.mark.case("C17")
def test_a_secret_longer_than_the_cap_leaves_nothing() -> None:
    assert "s" * 10 not in cap("s" * 200_000)


def test_chinese_without_white_space_keeps_its_ends() -> None:
    found = cap("开头" + "中" * 100_000 + "结尾")
    assert found.startswith("开头")
    assert found.endswith("结尾")
    assert 60_000 < size(found) <= CAP_BYTES


def test_one_huge_word_between_small_ones_costs_linear_work() -> None:
    text = cap("begin " + "x" * 2_000_000 + " end" * 200)
    assert text.startswith("begin  … 2000")
    assert text.endswith(" end" * 50)
    assert "x" not in text


@pytest.mark.slow
@pytest.mark.case("C17")
@pytest.mark.parametrize("named", ["password: {}", "Cookie: a=b; sid={}", "Authorization: Token {}", "pwd='so {} is'"])
@pytest.mark.parametrize("filler", ["word ", "line\n"])
def test_a_cut_between_a_secret_and_its_name_shows_neither(named: str, filler: str) -> None:
    secret = named.format("hunter2CANARY") + ("\n" if filler.endswith("\n") else " ")
    for part in range(len(secret) + 1):  # so much of it stands before the tail
        text = filler * 20_000 + secret + (filler * 4000)[: 16 * 1024 - len(secret) + part]
        assert "CANARY" not in redact(cap(text)), part


@pytest.mark.slow
@pytest.mark.case("C17")
def test_a_name_whose_value_the_cap_cuts_still_hides_it() -> None:
    for end in range(46 * 1024, 49 * 1024, 17):
        text = ("word " * 20_000)[:end] + " password='so long CANARY" + " word" * 20_000
        assert "CANARY" not in redact(cap(text)), end


def test_lines_of_one_byte_cost_linear_work() -> None:
    pieces = wrap("x" * 3_000_000, 700)
    assert len(pieces) == 4286
    assert set(map(len, pieces)) == {700, 500}
