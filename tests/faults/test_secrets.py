"""Nothing shows a secret: not the program's in what is sent, not our own in any output, file, request or exception."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wecom_logging import BotClient, Outcome, WeComBotHandler, WeComClient, WeComHandler
from wecom_logging._masking.redact import MASK
from wecom_logging.errors import ConfigurationError
from wecom_logging.handlers import AlertHandler

from ..cli.test_cli import call
from ..masking.test_redact import CANARY, INNOCENT, SECRETS, YAML
from ..programs import run
from ..scripted import ScriptedWeCom, body, errcode, ok, rst, status
from ..secrets import ACCESS_TOKEN, BOT_KEY, CORP_SECRET, all_that_an_error_tells, assert_no_secret
from .test_content import KINDS, record

CONTACTS_SECRET = "Kq7-contacts-canary_92bVxA+sync/Wz=Rt6Ym1Pd8"
PROXY_PASSWORD = "proxy-canary-5Tg8Hn2Wq"
OURS = (CORP_SECRET, CONTACTS_SECRET, ACCESS_TOKEN, BOT_KEY, PROXY_PASSWORD)
ENVIRONMENT = {
    "WECOM_CORP_ID": "ww-corp",
    "WECOM_AGENT_ID": "7",
    "WECOM_SECRET": CORP_SECRET,
    "WECOM_CONTACTS_SECRET": CONTACTS_SECRET,
    "WECOM_USERS": "zhangsan",
    "WECOM_WEBHOOK": BOT_KEY,
    "HTTPS_PROXY": f"http://user:{PROXY_PASSWORD}@127.0.0.1:9",
}


def all_that_left(wecom: ScriptedWeCom) -> str:
    """Every byte of all requests but the query, where the token and the key belong."""
    return "\n".join(
        f"{request.path} {dict(request.headers)} {request.body.decode('utf-8', 'replace')}"
        for request in wecom.requests
    )


# The program's secrets.


def carriers(text: str, line: int) -> list[logging.LogRecord]:
    """Records that bring a text in each way in which programs log secrets."""
    in_repr = "" if text in YAML else text  # on one line nothing says where a block of YAML ends
    error = ValueError(text)
    error.add_note(text)
    error.__cause__ = ExceptionGroup("group", [KeyError(in_repr), ValueError(text)])
    half = len(text) // 2
    ways: list[dict[str, Any]] = [
        {"message": text},
        {"message": "%s%s", "args": (text[:half], text[half:])},
        {"message": "values: %r", "args": ([{"a": (in_repr,)}],)},
        {"name": text, "threadName": text, "processName": text},
        {"wecom": {"title": text, "fields": {"x": text, text: "x"}}},
        {"exc_info": (ValueError, error, None)},
        {"exc_text": f"Traceback (most recent call last):\n{text}", "stack_info": f"Stack:\n{text}"},
    ]
    if line % 900 == 0:
        ways.append({"message": f"{'long ' * 20_000}\n{text}\n{'long ' * 20_000}"})
    return [record(line=line + number, **way) for number, way in enumerate(ways)]


@pytest.mark.slow
@pytest.mark.case("C17")
@pytest.mark.parametrize(
    ("kind", "overflow"), [("text", "trim"), ("text", "file"), ("markdown", "file"), ("bot", "trim")]
)
def test_no_secret_of_the_program_leaves(kind: str, overflow: str) -> None:
    records = [each for number, text in enumerate([*SECRETS, *YAML]) for each in carriers(text, 100 * number)]
    with ScriptedWeCom() as wecom:
        handler = KINDS[kind](wecom, rate_limit="100000/minute", overflow=overflow)
        for number, each in enumerate(records):
            handler.handle(each)
            assert number % 300 or handler.flush(150)  # of all at once more would wait than memory may hold
        assert handler.flush(150)
        assert handler.stats().delivered == len(records)
        handler.close()
        left = all_that_left(wecom)
    assert CANARY not in left
    assert "IOSFODNN7" not in left
    assert left.replace("∗", "*").count(MASK) > len(SECRETS)


@pytest.mark.case("C17")
@pytest.mark.parametrize("kind", KINDS)
def test_innocent_sentences_arrive_as_they_are(kind: str) -> None:
    texts = [text for text in INNOCENT if text.strip() and not set(text) & set("<`*\n[>#")]
    assert len(texts) >= 50
    with ScriptedWeCom() as wecom:
        handler = KINDS[kind](wecom, rate_limit="100000/minute")
        for line, text in enumerate(texts):
            handler.handle(record(text, line=line))
        assert handler.flush(20)
        handler.close()
        contents = [request.json for request in wecom.requests if request.path.endswith("/send")]
    told = "\n".join(content[content["msgtype"]]["content"] for content in contents)
    assert [text for text in texts if text.strip() not in told] == []


@pytest.mark.case("C18")
@pytest.mark.parametrize("kind", KINDS)
def test_local_variables_are_not_sent_and_source_lines_are_masked(kind: str, on_disk: Path) -> None:
    source = f"""
def connect(*args, **more):
    credential, password = "local-{CANARY}", args
    raise ConnectionError("refused")
def charge(secret="default-{CANARY}"):
    connect("db", password="{CANARY}")
def main():
    token = "{CANARY}"; charge(secret=token)
"""
    file = on_disk / "shop.py"
    file.write_text(source)
    space: dict[str, Any] = {}
    exec(compile(source, str(file), "exec"), space)
    with pytest.raises(ConnectionError) as caught:
        space["main"]()
    with ScriptedWeCom() as wecom:
        handler = KINDS[kind](wecom)
        handler.handle(record(exc_info=(ConnectionError, caught.value, caught.value.__traceback__)))
        assert handler.flush(10)
        handler.close()
        left = all_that_left(wecom)
    assert CANARY not in left
    assert "connect(" in left


# Our own.


def public_objects() -> list[Any]:
    app = {"corp_id": "ww", "secret": CORP_SECRET, "contacts_secret": CONTACTS_SECRET, "agent_id": 1}
    handlers: list[AlertHandler] = [WeComHandler(users=["a"], **app), WeComBotHandler(webhook=BOT_KEY)]
    return [
        *handlers,
        WeComClient("ww", CORP_SECRET, agent_id=1, contacts_secret=CONTACTS_SECRET),
        BotClient(BOT_KEY),
        BotClient(BOT_KEY).key,
        handlers[0].stats(),
        Outcome("delivered"),
    ]


def pickled(value: object) -> str:
    try:
        made = pickle.dumps(value)
    except Exception as error:  # it has a lock
        return all_that_an_error_tells(error)
    return repr(made) + repr(pickle.loads(made))


def copied(value: object) -> str:
    try:
        return repr([copy.copy(value), copy.deepcopy(value)])
    except TypeError as error:  # as above
        return repr(error)


WAYS: dict[str, Callable[[Any], str]] = {
    "repr": repr,
    "str": str,
    "format": "{}".format,
    "percent": lambda value: "%s %r" % (value, value),  # noqa: UP031 # the old way is one of the ways
    "in a list": lambda value: repr([value, {"x": value}]),
    "attributes": lambda value: repr(getattr(value, "__dict__", "")) + repr(dir(value)),
    "pprint": pprint.pformat,
    "pickle": pickled,
    "copy": copied,
    "JSON": lambda value: json.dumps({"x": value}, default=str),
    "JSON of attributes": lambda value: json.dumps(getattr(value, "__dict__", {}), default=repr, skipkeys=True),
}


@pytest.mark.case("C23")
@pytest.mark.parametrize("way", WAYS)
def test_no_public_object_shows_a_secret(way: str) -> None:
    for value in public_objects():
        assert_no_secret(WAYS[way](value), *OURS)
        getattr(value, "close", lambda: None)()


@pytest.mark.case("C23")
@pytest.mark.parametrize(
    "wrong", [{"users": 3.5}, {"timeout": "x"}, {"colour": 1}, {"agent_id": "x"}, {"corp_id": CORP_SECRET + "\n"}]
)
def test_no_error_of_the_configuration_shows_a_secret(wrong: dict[str, Any]) -> None:
    good = {"corp_id": "ww", "secret": CORP_SECRET, "agent_id": 1, "users": ["a"], "webhook": BOT_KEY}
    with pytest.raises(ConfigurationError) as caught:
        WeComHandler(**{**good, **wrong})  # they are wrong
    assert_no_secret(str(caught.value) + repr(caught.value) + repr(vars(caught.value)), *OURS)


ECHO = " ".join(
    (
        "invalid",
        f"corpsecret={CORP_SECRET}",
        CONTACTS_SECRET,
        f"access_token={ACCESS_TOKEN}",
        ACCESS_TOKEN,
        f"key={BOT_KEY}",
    )
)

PROGRAM = """
import copy, faulthandler, http.client, logging, os, pickle, sys, traceback, warnings
from wecom_logging import BotClient, WeComBotHandler, WeComClient, WeComHandler, errors, notify_on_exception

http.client.HTTPConnection.debuglevel = 1
logging.captureWarnings(True)
ours = [WeComHandler(rate_limit=None, timeout=2, exit_timeout=0.5, state=os.environ["STATE"] or None),
        WeComBotHandler(rate_limit=None, timeout=2, exit_timeout=0.5)]
files = [logging.StreamHandler(sys.stdout), logging.FileHandler(os.environ["LOG"])]
logging.basicConfig(level=logging.DEBUG, handlers=ours + files)

quiet = logging.getLogger("quiet")  # what our handlers get and no other
quiet.propagate = False
for handler in ours:
    quiet.addHandler(handler)
secrets = [os.environ[name] for name in ("WECOM_SECRET", "WECOM_CONTACTS_SECRET", "WECOM_WEBHOOK")]
quiet.error("started with %s and %s and %s", *secrets)
quiet.error("environment %r", {k: v for k, v in os.environ.items() if k.startswith(("WECOM", "HTTPS"))})

@notify_on_exception(capture_args=True)
def charge(config):
    raise LookupError("no price")

try:
    charge({"secret": secrets[0], "webhook": secrets[2]})
except LookupError:  # it was told
    pass

def tell(error):
    traceback.print_exception(error)
    if isinstance(error, errors.WeComError):  # a constructor's own arguments are the program's
        te = traceback.TracebackException.from_exception(error, capture_locals=True)
        for frame in te.stack:
            print(frame.name, frame.locals if "wecom_logging" in frame.filename else "")
    print(repr(error), error, error.args, vars(error), pickle.dumps(error), copy.copy(error))
    logging.getLogger("program").exception("a call failed")

clients = WeComClient(timeout=2), BotClient(timeout=2), WeComClient(timeout=2, api_base="https://wecom.invalid")
calls = [
    lambda: clients[0].messages.send("hello", users="zhangsan"),
    lambda: clients[0].members.get("zhangsan"),
    lambda: clients[0].members.create(user_id="x", name="x", mobile="13812345678", departments=[1]),
    lambda: clients[0].departments.list(),
    lambda: clients[0].media.upload("a.txt", b"hello"),
    lambda: clients[1].send("hello"),
    lambda: clients[1].upload("a.txt", b"hello"),
    lambda: clients[2].messages.send("hello", users="zhangsan"),
    lambda: WeComHandler(colour=1),
    lambda: WeComBotHandler(webhook="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + secrets[2] + "&x=\\n"),
    lambda: BotClient("http://evil.test/" + secrets[2]),
]
failed = 0
for call in (*calls, *calls[:2]):
    try:
        call()
    except errors.WeComLoggingError as error:
        failed += 1
        tell(error)
seconds = float(os.environ["SECONDS"])
print("told all", failed, [(handler.flush(seconds), handler.stats()) for handler in ours], ours, clients)
raise errors.ConfigurationError("secret", "and an exception that nobody catches") from None
"""


@pytest.mark.slow
@pytest.mark.case("C23")
@pytest.mark.parametrize("how", ["well", "echo", "failing", "down"])
def test_a_program_that_tells_all_it_can_shows_no_secret_of_ours(how: str, tmp_path: Path) -> None:
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        if how == "echo":
            wecom.always("/cgi-bin/", errcode(60011, ECHO))
            wecom.always("/cgi-bin/gettoken", ok(access_token=ACCESS_TOKEN, expires_in=7200))
        if how == "failing":
            bad = [status(502, ECHO.encode()), errcode(40014, ECHO), body(ECHO.encode()), rst(), errcode(81013, ECHO)]
            for path in ("message/send", "webhook/send", "user/get", "user/create"):
                wecom.script(f"/cgi-bin/{path}", *bad)
            wecom.script("/cgi-bin/gettoken", errcode(-1, ECHO), ok(access_token=ACCESS_TOKEN, expires_in=7200))
        url = wecom.url if how != "down" else "http://127.0.0.1:9"
        state = f"sqlite:///{tmp_path}/alerts.db" if how != "echo" else ""
        ended = run(
            PROGRAM,
            url=url,
            LOG=str(tmp_path / "program.log"),
            STATE=state,
            SECONDS="5" if how == "failing" else "1",
            **ENVIRONMENT,
        )
        assert ended.status == 1
        assert "told all" in ended.out, ended.err
        left = all_that_left(wecom)
        asked = {name for request in wecom.requests for name in request.query_names}
    assert how == "down" or asked >= {"access_token", "corpsecret", "key"}  # the canaries were on their way
    assert_no_secret(ended.out, *OURS)
    assert_no_secret(ended.err, *OURS)
    assert_no_secret(left, *OURS)
    written = {path.name: path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()}
    assert "program.log" in written
    for name, text in written.items():
        shared = () if name == "program.log" else (ACCESS_TOKEN,)  # a state is where processes share the token
        assert_no_secret(text, *(secret for secret in OURS if secret not in shared))


COMMANDS = [
    ["doctor"],
    ["send", "hello"],
    ["--json", "send", f"see {CORP_SECRET[:3]}"],
    ["call", "zhangsan", "--yes"],
    ["members", "list"],
    ["--json", "members", "show", "zhangsan"],
    ["departments", "list"],
    ["--json", "tags", "list"],
    ["run", "--", "sh", "-c", "echo $WECOM_SECRET $WECOM_WEBHOOK $WECOM_CONTACTS_SECRET $HTTPS_PROXY >&2; exit 3"],
    ["send", "--secret", CORP_SECRET, "hello"],
]


@pytest.mark.slow
@pytest.mark.case("C23")
@pytest.mark.parametrize(
    ("command", "how"),
    [(words, how) for words in COMMANDS for how in ("echo", "well") if (words[0], how) != ("run", "echo")],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[:2]),
)
def test_no_command_shows_a_secret_of_ours(command: list[str], how: str) -> None:
    with ScriptedWeCom(token=ACCESS_TOKEN) as wecom:
        if how == "echo":
            wecom.always("/cgi-bin/", errcode(60011, ECHO))
            wecom.always("/cgi-bin/gettoken", ok(access_token=ACCESS_TOKEN, expires_in=7200))
        done = call(*command, url=wecom.url, **ENVIRONMENT)
        left = all_that_left(wecom)
    said = done.stdout + done.stderr
    if command[0] == "run":  # what the command itself wrote goes through unchanged
        said = "".join(line for line in said.splitlines(keepends=True) if "wecom_logging" in line)
    assert_no_secret(said, *OURS)
    assert_no_secret(left, *OURS)
    assert "Traceback" not in done.stderr
