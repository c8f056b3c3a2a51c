"""Failures in templates of Django and Jinja: the message names the template and its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from django.template import Context, Engine

from wecom_logging._capture.identity import identity_of
from wecom_logging._capture.pending import Origin, capture, snapshot
from wecom_logging._capture.record import Reading
from wecom_logging._masking.redact import redact
from wecom_logging._render.layout import fit, lay_out
from wecom_logging._render.mask import masked
from wecom_logging._render.source import with_source
from wecom_logging._render.styles import TEXT
from wecom_logging.model import Digest

from ..pipeline.test_capture import record

DJANGO = {
    "mail.html": "Hello\n{% if shoe %}\n{{ shoe.price }}{% endif %}",
    "part.html": "\n{% include 'mail.html' %}",
    "bad.html": "Hello\n\n{% nope %}",
    "gone.html": "Hello\n{% include 'never.html' %}",
}
JINJA = {
    "mail.html": "Hello\n{% if shoe %}\n{{ shoe.price }}{% endif %}",
    "outer.html": "\n{% include 'mail.html' %}",
    "bad.html": "Hello\n\n{% nope %}",
    "undefined.html": "Hello\n{{ nobody.name }}",
}


class Shoe:
    @property
    def price(self) -> int:
        raise LookupError("no price")


def told(fails: Callable[[], object]) -> str:
    try:
        fails()
    except Exception as error:
        made = record("mail failed", (), (type(error), error, error.__traceback__))
        alert = masked(with_source(capture(snapshot(Reading(made)), Origin())), redact)
        return fit(lay_out(Digest(alert), TEXT), 100_000)
    raise AssertionError("it did not fail")


def django(folder: Path) -> Callable[[str], Callable[[], object]]:
    for name, text in DJANGO.items():
        (folder / name).write_text(text)
    engine = Engine(dirs=[str(folder)])  # without debug, where Django itself notes no line
    return lambda name: lambda: engine.get_template(name).render(Context({"shoe": Shoe()}))


def test_django_names_the_line_of_each_template(tmp_path: Path) -> None:
    render = django(tmp_path)
    text = told(render("part.html"))
    places = [
        "part.html:2",
        "{% include 'mail.html' %}",
        "mail.html:2",
        "mail.html:3",
        "{{ shoe.price }}",
        "in Shoe.price",
    ]
    at = [text.rindex(place) for place in places]
    assert at == sorted(at)
    assert text.splitlines()[0].endswith("mail failed: LookupError: no price")
    first = told(render("bad.html")).splitlines()[0]
    assert "TemplateSyntaxError: Invalid block tag on line 3: 'nope'" in first
    assert first.endswith("(bad.html:3)")
    assert told(render("gone.html")).splitlines()[0].endswith("TemplateDoesNotExist: never.html (gone.html:2)")


def test_django_of_a_string_is_as_without(tmp_path: Path) -> None:
    template = Engine().from_string(DJANGO["mail.html"])
    text = told(lambda: template.render(Context({"shoe": Shoe()})))
    assert "unknown source" not in text
    assert text.splitlines()[0].endswith("mail failed: LookupError: no price")


@pytest.mark.parametrize(
    ("name", "end", "shown"),
    [
        ("mail.html", "LookupError: no price", "mail.html:3\n"),
        ("outer.html", "LookupError: no price", "outer.html:2\n"),
        ("bad.html", "Encountered unknown tag 'nope'. (bad.html:3)", "bad.html:3\n"),
        ("undefined.html", "UndefinedError: 'nobody' is undefined (undefined.html:2)", "undefined.html:2\n"),
    ],
)
def test_jinja_without_files_names_what_it_can(name: str, end: str, shown: str) -> None:
    env = jinja2.Environment(loader=jinja2.DictLoader(JINJA))
    text = told(lambda: env.get_template(name).render(shoe=Shoe()))
    assert text.splitlines()[0].endswith(end)
    assert shown in text
    assert ("mail.html" in text) == (name == "mail.html")  # which one is included Jinja does not keep


def test_jinja_with_files_and_of_a_string(tmp_path: Path) -> None:
    for name, text in JINJA.items():
        (tmp_path / name).write_text(text)
    env = jinja2.Environment(loader=jinja2.FileSystemLoader(tmp_path))
    text = told(lambda: env.get_template("outer.html").render(shoe=Shoe()))
    assert text.index("outer.html:2\n") < text.index("mail.html:3\n")
    assert "{{ shoe.price }}" in text
    text = told(lambda: env.from_string(JINJA["mail.html"]).render(shoe=Shoe()))
    assert text.replace("＜", "<").count("<template>:3\n") == 1


def of_django(name: str) -> object:
    locmem = "django.template.loaders.locmem.Loader"
    return (
        Engine(loaders=[(locmem, DJANGO | {"bill.html": DJANGO["mail.html"]})])
        .get_template(name)
        .render(Context({"shoe": Shoe()}))
    )


def of_jinja(name: str) -> object:
    loader = jinja2.DictLoader(JINJA | {"bill.html": JINJA["mail.html"]})
    return jinja2.Environment(loader=loader).get_template(name).render(shoe=Shoe())


@pytest.mark.parametrize("render", [of_django, of_jinja])
def test_two_templates_are_two_failures_where_one_function_renders_both(render: Callable[[str], object]) -> None:
    def place(name: str) -> object:
        try:
            render(name)
        except Exception as error:
            made = record("mail failed", (), (type(error), error, error.__traceback__))
            return identity_of(Reading(made), 1, None).place
        raise AssertionError("it did not fail")

    assert place("mail.html") == place("mail.html") != place("bill.html")


def test_what_stands_in_the_variables_is_not_run() -> None:
    code = compile("def parse(self, token):\n    raise LookupError", "/app/django/template/base.py", "exec")
    space: dict[str, Any] = {}
    exec(code, space)

    class Hostile:
        def __getattribute__(self, name: str) -> Any:
            raise SystemExit

    hostile: Any = Hostile()
    object.__setattr__(hostile, "origin", hostile)
    assert "base.py:2 in parse" in told(lambda: space["parse"](hostile, hostile))
    assert "base.py:2 in parse" in told(lambda: space["parse"](None, 7))
