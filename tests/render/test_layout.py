"""What fits into a message, and what goes first when not all of it does."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wecom_logging._render.layout import Style, fit, lay_out
from wecom_logging._render.source import placed
from wecom_logging._render.styles import MARKDOWN, TEXT
from wecom_logging._text.cut import size
from wecom_logging.model import Alert, Digest, Failure, Frame

from .alerts import alert, alerts

STYLES = ((TEXT, 2048), (MARKDOWN, 2048), (MARKDOWN, 4096))
some = settings(
    max_examples=70, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
styles = st.sampled_from(STYLES)
links = st.sampled_from(("", "https://log.example/?q=1", "https://log.example/" + "x" * 690, "https://l/" + "x" * 5000))
LONG = "支付失败😀 " * 400


@pytest.mark.slow
@pytest.mark.case("C04")
@pytest.mark.case("W12")
@some
@given(alerts, styles, links)
def test_a_fitted_message_is_utf8_within_the_limit(given_alert: Alert, style: tuple[Style, int], link: str) -> None:
    look, most = style
    text = fit(lay_out(Digest(given_alert), look, link), most)
    assert 0 < len(text.encode("utf-8")) <= most  # raises for a lone surrogate
    assert text.strip()


@pytest.mark.slow
@some
@given(alerts, styles)
def test_what_fits_is_not_touched(given_alert: Alert, style: tuple[Style, int]) -> None:
    layout = lay_out(Digest(given_alert), style[0])
    whole = "\n".join(layout.lines())
    assert fit(layout, size(whole)) == whole


@pytest.mark.slow
@some
@given(alerts, styles)
def test_no_line_is_longer_than_a_part_can_hold(given_alert: Alert, style: tuple[Style, int]) -> None:
    assert all(size(line) <= 1000 for line in lay_out(Digest(given_alert), style[0]).lines())


def deep(own_inside: bool) -> Failure:
    """A traceback of a hundred frames of libraries around and below a few of the user's own."""
    library = [
        Frame(f"lib/site-packages/lib{n}.py", n, f"call_{n}", own=False, code=f"self.lib_{n}()") for n in range(80)
    ]
    own = [Frame(f"app/step{n}.py", n, f"step_{n}", code=f"own_{n}()") for n in range(10)]
    return Failure(
        "shop.PaymentError",
        "card declined " + "很长" * 300,
        tuple([*own, *library] if own_inside else [*library, *own]),
    )


@pytest.mark.parametrize(("look", "most"), STYLES)
@pytest.mark.parametrize("own_inside", [True, False])
@pytest.mark.parametrize("message", ["it broke", LONG])
@pytest.mark.parametrize("link", ["", "https://log.example/" + "q" * 600])
def test_of_a_long_traceback_stay_the_last_exception_and_the_users_own_innermost_frame(
    look: Style, most: int, own_inside: bool, message: str, link: str
) -> None:
    earlier = tuple(replace(deep(True), text="earlier " * 200, link="context") for _ in range(9))
    failing = alert(
        message=message, failures=(*earlier, deep(own_inside)), fields=(("order", "7" * 3000),), host="h" * 300
    )
    text = fit(lay_out(Digest(failing), look, link), most)
    assert "shop.PaymentError: card declined" in "".join(text.splitlines()[-3:])
    assert "app/step9.py:9 in step_9" in text
    assert "shop.pay: " in text.splitlines()[0]
    assert message[:20] in text.splitlines()[0]
    assert not link or link in text.splitlines()[-1]


def test_library_frames_go_before_the_users_own() -> None:
    text = fit(lay_out(Digest(alert(failures=(deep(True),))), TEXT), 2048)
    assert all(f"step_{n}" in text for n in range(10))
    assert "call_0 " not in text
    assert all(f"own_{n}()" in text for n in range(10))  # their source, too, before a library's frames
    assert "call_79" in text


def test_a_frame_without_its_source_is_no_gap() -> None:
    layout = lay_out(Digest(alert(failures=(deep(True),))), TEXT)
    whole = fit(layout, 100_000)
    less = fit(layout, size(whole) - 500)
    assert size(less) < size(whole)
    assert less.count("…") == 4  # of the long text, in the first line and at the end, and of the fold
    assert [line for line in less.splitlines() if " in " in line] == [
        line for line in whole.splitlines() if " in " in line
    ]


def test_the_head_of_the_message_stays_and_the_cut_is_marked() -> None:
    text = fit(lay_out(Digest(alert(message="the head " + LONG * 3), short_id="k7f2"), TEXT), 2048)
    assert "the head 支付失败😀" in text.splitlines()[0]
    assert re.search(r"… \d+ lines cut …", text)
    assert "#k7f2" in text
    assert size(text) > 1500  # the room is used


def test_of_a_text_by_the_users_own_formatter_both_ends_stay() -> None:
    lines = "\n".join(f"line {n} of the traceback" for n in range(500))
    text = fit(lay_out(Digest(alert(formatted=f"FIRST\n{lines}\nValueError: LAST"), short_id="k7f2"), TEXT), 2048)
    assert text.startswith("FIRST\n│ line 0 of")
    assert "line 499 of the traceback\n│ ValueError: LAST\n#k7f2 " in text
    assert text.count("…") == 1


@pytest.mark.case("C21")
@pytest.mark.parametrize("message", ["", " ", "\n\n", "\u3000\u2028"])
def test_an_empty_message_has_a_placeholder(message: str) -> None:
    for look in (TEXT, MARKDOWN):
        assert "(no text)" in lay_out(Digest(alert(message=message)), look).first
        assert "(no text)" in lay_out(Digest(alert(formatted=message)), look).first


@pytest.mark.case("C20")
@pytest.mark.parametrize("level", [-5, 0, 10, 20, 25, 30, 40, 50, 10**9])
def test_every_level_has_a_sign_and_its_own_name(level: int) -> None:
    first = lay_out(Digest(alert(level=level, level_name="MINE")), MARKDOWN).first
    assert first[0] in "⚪🔵🟠🔴🚨"
    assert ">MINE</font>" in first


def test_long_paths_show_their_end() -> None:
    place = Frame("/very/long" * 50 + "/app/pay.py", 88, "charge")
    assert any(line.endswith("/app/pay.py:88 in charge") for line in lay_out(Digest(alert(place=place)), TEXT).facts)


def test_frames_of_libraries_are_folded_but_for_the_way_in_and_the_end() -> None:
    def of(*files: str) -> tuple[Frame, ...]:
        return tuple(Frame(f, n, f"f{n}", own=f.startswith("app/"), code=f"c{n}") for n, f in enumerate(files))

    frames = of("fastapi/a.py", "starlette/b.py", "app/x.py", "sqlalchemy/a.py", "sqlalchemy/b.py", "sqlite/c.py")
    failing = Digest(alert(failures=(Failure("shop.PriceError", "no rate", frames),)))
    folded = [
        "│   … 2 in fastapi, starlette",
        "│   app/x.py:2 in f2",
        "│       c2",
        "│   sqlalchemy/a.py:3 in f3",
        "│   … 1 in sqlalchemy",
        "│   sqlite/c.py:5 in f5",
        "│ shop.PriceError: no rate",
    ]
    assert [line.text for line in lay_out(failing, TEXT).trace] == folded
    assert "│   … 2 层在 fastapi, starlette 中" in lay_out(failing, TEXT.within("zh")).lines()
    whole = [line.text for line in lay_out(failing, TEXT.within("en", "all")).trace]
    assert len(whole) == 2 * len(frames) + 1
    assert all(f"│       c{n}" in whole for n in range(len(frames)))


def test_without_a_frame_of_the_program_the_way_in_and_the_end_are_shown_with_their_source() -> None:
    frames = tuple(Frame(f"lib/a{n}.py", n, f"f{n}", own=False, code=f"c{n}") for n in range(9))
    trace = [line.text for line in lay_out(Digest(alert(failures=(Failure("KeyError", "1", frames),))), TEXT).trace]
    assert trace[:3] == ["│   lib/a0.py:0 in f0", "│       c0", "│   … 5 in lib"]
    assert trace[-3:] == ["│   lib/a8.py:8 in f8", "│       c8", "│ KeyError: 1"]


@pytest.mark.parametrize(
    ("file", "name", "own"),
    [
        ("<attrs generated init shop.Order>", "__init__", False),
        ("<attrs generated methods shop.Order>", "__init__", False),
        ("<sqlalchemy generated _go() wrapper for x>", "go", False),
        ("<decorator-gen-12>", "f", False),
        ("<string>", "__create_fn__.<locals>.__init__", False),
        ("<frozen importlib._bootstrap>", "_find", False),
        ("/opt/python/lib/python3.12/json/decoder.py", "decode", False),
        ("/srv/venv/lib/python3.12/site-packages/jinja2/x.html", "root", False),
        ("<string>", "<module>", True),
        ("<string>", "Order.__init__", True),
        ("<stdin>", "<module>", True),
        ("<template>", "root", True),
        ("<rule 12>", "f", True),
        ("/srv/app/lib/pay.py", "charge", True),
    ],
)
def test_what_a_library_makes_is_the_librarys(file: str, name: str, own: bool) -> None:
    assert placed(Frame(file, 1, name)).own is own


def test_a_long_text_that_the_next_exception_repeats_stands_there_once() -> None:
    text = "no route to the host " * 9
    chain = (Failure("OSError", text, link="cause"), Failure("shop.PriceError", f"failed: {text}"))
    trace = [line.text for line in lay_out(Digest(alert(failures=chain)), TEXT).trace]
    assert trace[0] == "│ OSError: …"
    assert text.strip() in trace[-1]


def test_what_cython_has_compiled_is_of_the_package_that_it_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, folder in (("fastlib", "/venv/lib/python3.12/site-packages"), ("shopfast", "/srv/app")):
        module = ModuleType(name)
        module.__file__ = f"{folder}/{name}/__init__.py"
        monkeypatch.setitem(sys.modules, name, module)
    assert placed(Frame("fastlib/index.pyx", 1, "fastlib.index.get")).own is False
    assert placed(Frame("shopfast/index.pyx", 1, "shopfast.index.get")).own is True
    assert placed(Frame("other/index.pyx", 1, "other.index.get")).own is True
