"""Where a value without quotes ends, and what stands in the place of one."""

from __future__ import annotations

from pathlib import Path

import pytest

from wecom_logging.redaction import redact

DRAWN, KEY = "Kq7v!Zt2Lm9pXw4R", "Kq7vZt2Lm9pXw4RbNc8d"
_, SECRETS, HARMLESS = (
    part.splitlines()[1:]
    for part in ("\n" + (Path(__file__).parent / "data/further.txt").read_text("utf-8")).split("\n# ")
)


@pytest.mark.parametrize("form", SECRETS)
def test_a_secret_in_a_further_form_is_hidden(form: str) -> None:
    text = form.replace("⏎", "\n").replace("⇥", "\t").replace("{V}", DRAWN).replace("{A}", KEY)
    masked = redact(text.replace("{{", "{").replace("}}", "}"))
    assert not any(secret[at : at + 8] in masked for secret in (DRAWN, KEY) for at in range(len(secret) - 7))


@pytest.mark.parametrize("line", HARMLESS)
def test_a_further_line_without_a_secret_stays(line: str) -> None:
    text = line.replace("⏎", "\n")
    assert redact(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("password=a1;b2,c3&d4)e5 user=bob", "password=*** user=bob"),
        ("password={a1}b2", "password=***"),
        ("password=%as(e1r4", "password=***"),
        ("password=$(a1b2%c3", "password=***"),
        ("password='a1'b2!", "password=***"),
        ("password=(['a1']b2!", "password=***"),
        ("password==a1b2!c3", "password==***"),
        ("PWD=a1;b2{c3;Encrypt=yes;Database=shop", "PWD=***;Encrypt=yes;Database=shop"),
        ("PWD={a1;b2};Encrypt=yes", "PWD=***;Encrypt=yes"),
        ("user=bob,password=a1b2,port=5432", "user=bob,password=***,port=5432"),
        ("(user=bob, password=a1b2)", "(user=bob, password=***)"),
        ("password=a1(b2)", "password=***"),
        ("text = 'host=pg password=a1\"b2 port=1'", "text = 'host=pg password=*** port=1'"),
        ("text = 'host=pg password=a1\\'b2'", "text = 'host=pg password=***'"),
        ('{"msg": "password=a1\\"b2\\nnext", "port": 1}', '{"msg": "password=***\\nnext", "port": 1}'),
        ('{"msg":"password=a1\\\\b2","port":1}', '{"msg":"password=***","port":1}'),
        ("secrets: {password: a1b2, host: pg}", "secrets: {password: ***, host: pg}"),
        ("can't log in: password=a1'b2 for bob", "can't log in: password=*** for bob"),
        ("password=a1'b2 token=c3'd4", "password=*** token=***"),
        ("密码=a1,b2:c3，请重试", "密码=***，请重试"),
        (
            "jdbc:sqlserver://pg:1433;user=sa;password=a1@b2;encrypt=true",
            "jdbc:sqlserver://pg:1433;user=sa;password=***;encrypt=true",
        ),
    ],
)
def test_a_value_ends_where_what_it_stands_in_ends_words(before: str, after: str) -> None:
    assert redact(before) == after
    assert redact(after) == after


@pytest.mark.parametrize("template", ["{password}", "${DB_PASSWORD}", "%(x)s", "{{ x }}", "$PASSWORD"])
def test_a_template_is_one_where_nothing_stands_beside_it(template: str) -> None:
    assert redact(f"password={template}") == f"password={template}"
    assert redact(f"password={template}&user=bob") == f"password={template}&user=bob"
    assert "a1b2" not in redact(f"password={template}a1b2!")
