"""Names of secrets, in each form in which programs write a name and its value."""

from __future__ import annotations

import configparser
import subprocess
import sys

import pydantic
import pytest
import requests

from wecom_logging._render.names import Kind, kind_of, looks_secret
from wecom_logging._render.redact import MASK, redact, redact_personal

from .. import logged


@pytest.mark.case("C17")
@pytest.mark.parametrize("form", logged.FORMS)
@pytest.mark.parametrize("value", logged.SECRETS)
def test_each_name_in_each_form(form: str, value: str) -> None:
    for name in logged.NAMES:
        text = logged.FORMS[form](name, value)
        shown = redact(text)
        assert "canary" not in shown, text
        assert MASK in shown
        assert redact(shown) == shown
        assert name.lower() in shown.lower().replace("_", name[name.find("-")] if "-" in name else "_"), shown


@pytest.mark.case("C17")
@pytest.mark.parametrize("form", [form for form in logged.FORMS if form != "key: value"])
def test_names_that_are_words_of_other_matters_too(form: str) -> None:
    for name in logged.OFTEN:
        assert "canary" not in redact(logged.FORMS[form](name, logged.CANARY)), name


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", [*logged.PYTHON, *logged.SQL, *logged.CHINESE, *logged.DISGUISED, *logged.OTHERS])
def test_other_forms(text: str) -> None:
    for shown in (redact(text), redact(f"before\n{text}\nafter")):
        assert "canary" not in shown
        assert MASK in shown
        assert redact(shown) == shown


def test_what_stands_around_a_value_stays() -> None:
    for before, after in {
        "--password=a&b1 -v": "--password=*** -v",
        "<password>two words</password><port>1</port>": "<password>***</password><port>1</port>",
        "?token=a1&page=2": "?token=***&page=2",
        "user=bob&password=a&3&x=1": "user=bob&password=***&x=1",
        "(token=a1)": "(token=***)",
        "TOKEN=a1\\nBACKUP=true": "TOKEN=***\\nBACKUP=true",
        "db:\n  host: x\n  password: two words # old\n  port: 1": "db:\n  host: x\n  password: *** # old\n  port: 1",
        "密码「a1b2c3」错误": "密码「***」错误",
        "用户名/密码：admin/a1b2": "用户名/密码：admin/***",
        "[SQL: INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', 'x')]": (
            "[SQL: INSERT INTO u (name, password) VALUES (?, ?)]\n[parameters: ('bob', ***)]"
        ),
        'connect("localhost", "root", "x", "shop")': 'connect("localhost", "root", ***, "shop")',
        'password=SecretStr("x")': "password=SecretStr(***)",
        "'password=x&user=bob'": "'password=***&user=bob'",
        "'Password=x;Server=h'": "'Password=***;Server=h'",
        "{'msg': 'password=x refused'}": "{'msg': 'password=*** refused'}",
        "password=x user=bob\nlevel=info": "password=*** user=bob\nlevel=info",
        "[SQL: SELECT password FROM u WHERE name = ? AND token = ?]\n[parameters: ('bob', 'x')]": (
            "[SQL: SELECT password FROM u WHERE name = ? AND token = ?]\n[parameters: ('bob', ***)]"
        ),
        'INSERT INTO "u" ("password", "name") VALUES (\'x\', \'bob\')': (
            'INSERT INTO "u" ("password", "name") VALUES (***, \'bob\')'
        ),
        "<Cookie sid=x for h/>": "<Cookie sid=*** for h/>",
        "password=my_pass(1)": "password=***)",
        "{b'code': b'YNYEENjsGDHSHnrUgL7tNrJWXnstxWB4'}": "{b'code': ***}",
        "登录失败 password=a1，请检查网络": "登录失败 password=***，请检查网络",
        '>密码：<font color="info">a1</font> 错误': '>密码：<font color="info">***</font> 错误',
        "password=other": "password=***",
    }.items():
        assert redact(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "cache_key='user:1:profile'",
        "object_key=uploads/2026/11/a1b2c3d4e5f6a7b8.png",
        "routing_key='orders.created.v2'",
        "sign = +1",
        "code: 40001",
        "exit code=137",
        "{'code': 'invalid_grant', 'error': 'x'}",
        "auth: failed",
        "auth method: basic",
        "ticket: 4711",
        "pinned=true",
        "sk: none",
        "task=7, disk=/dev/sda1",
        "token: Token { kind: ContainerToken, service: 10.86.169.121:43760 }",
        "Bad activity token: android.os.BinderProxy@2bd79ce",
        "Processed session termination for sessionid: 0x24ed93119420073",
        "Adding job token for job_1445144423722_0020 to jobTokenSecretManager",
        "password: ${DB_PASSWORD}",
        "export TOKEN=$TOKEN",
        "token=<your token>",
        "errorCode = 4,errorMessage = ERR_DATA_INSERT",
        "withCredentials([usernamePassword(credentialsId: '29f63271-dc2f-4734-8221-5b31b5169bac')]) {",
        "BlindKeySignatures = Ed25519.BlindKeySignatures",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 of shop",
        "s.makeKubeConfigController = args",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "https://example.org/images/2018-250-xoxo-party-1.jpg",
        "hf_requiredCharacteristicTypesForDisplayMetadata",
        "密码 2026-11-27 过期",
        "验证码 60 秒内有效",
        "密码「登录密码」不能为空",
        "insert into users (name, age) values ('bob', 3)",
        "[SQL: SELECT name FROM users WHERE id = ?]\n[parameters: (7,)]",
        "connect(host, port)",
        "[SQL: SELECT id, password FROM users WHERE name = ?]\n[parameters: ('bob',)]",
        "[SQL: UPDATE users SET password=? WHERE id = ?]",
        "UPDATE users SET password=$1::VARCHAR WHERE id = $2",
        "docker run -u 1000 -p 80:80 mysql",
        "Duplicate entry 'bob' for key 'users.name'",
        "Key (name)=(bob) already exists.",
        "http://example.com:8080/a@b",
        "redis://cache:6379/0?x=a@b",
        "    token = self.refresh_token(user.id, expires=3600)",
        "    session_id = uuid.uuid4().hex",
        '    token = request.headers["X-Token"]',
        "    conn = pymysql.connect(host=host, user=user, password=password, db=db)",
        '    return {"token": token, "password": self.password}',
        "    def login(self, name: str, password: str) -> Token:",
        "    tokens += len(words)",
        "ValidationError: {'password': [ErrorDetail(string='This field is required.', code='required')]}",
        "INSERT INTO users (name, password) VALUES (%(name)s, %(password)s)",
        "UPDATE users SET password = :password WHERE id = :id",
        "password=[FILTERED] token=<redacted>",
        "token_type=bearer expires_in=3600",
        'continuation_token = ""',
        "signature: valid",
        "thread 'main' panicked at Token::parse",
        "<td>token</td><td></td>",
        "token为空",
        "mongod -p 27017",
        "    api_key: str = Depends(get_key)",
        "    api_key: SecretStr = Field(default=...)",
        "let token: Option<Token> = None",
        "    password: Annotated[SecretStr, Form()],",
        "hashlib.sha256(data).hexdigest()",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_names() -> None:
    for name in ("DB_PASSWORD", "dbPassword", "x-api-key", "APIV3KEY", "getpass_default", "token2", "userPasswordHash"):
        assert kind_of(name) is Kind.SECRET, name
    for name in ("bypass", "compass", "tokenizer", "secretary", "keyboard", "monkey", "design", "author", "public_key"):
        assert kind_of(name) is None, name


def test_what_looks_secret() -> None:
    for value in (
        "Tr0ub4dor&3",
        "f3a9c1d27b6e4580aa91d2c3e4f5a6b7",
        "29f63271-dc2f-4734-8221-5b31b5169bac",
        "aB3dE6gH",
    ):
        assert looks_secret(value), value
    for value in (
        "invalid",
        "order-4711",
        "10.0.0.7:5432",
        "2026-11-27",
        "/srv/app1/log.txt",
        "v1.2.3",
        "a b1",
        "x" * 30,
    ):
        assert not looks_secret(value), value


# What real libraries say.


def test_pydantic() -> None:
    class Login(pydantic.BaseModel):
        user: str
        password: str = pydantic.Field(min_length=64)
        age: int

    for given in ({"user": "bob", "password": logged.SIGNS, "age": 1}, {"user": "bob", "password": logged.SIGNS}):
        with pytest.raises(pydantic.ValidationError) as raised:
            Login.model_validate(given)
        assert "canary" in str(raised.value)
        for text in (str(raised.value), repr(raised.value), raised.value.json(), str(raised.value.errors())):
            assert "canary" not in redact(text)


def test_requests() -> None:
    with pytest.raises(requests.ConnectionError) as raised:
        requests.get("http://127.0.0.1:9/robot/send", params={"timestamp": 1, "sign": logged.CANARY}, timeout=2)
    assert "canary" in str(raised.value)
    assert "canary" not in redact(str(raised.value))
    assert "127.0.0.1" in redact(str(raised.value))


def test_subprocess() -> None:
    with pytest.raises(subprocess.CalledProcessError) as raised:
        subprocess.run([sys.executable, "-c", "raise SystemExit(1)", f"--db-password={logged.SIGNS}"], check=True)
    assert "canary" not in redact(str(raised.value))


def test_configparser() -> None:
    with pytest.raises(configparser.ParsingError) as raised:
        configparser.ConfigParser().read_string(f"[db]\nhost = x\npassword {logged.SIGNS}\n")
    assert "canary" in str(raised.value)
    assert "canary" not in redact(str(raised.value))


# Numbers of persons.


@pytest.mark.case("C17")
@pytest.mark.parametrize(
    "text",
    [
        "card 4111111111111111 declined",
        "bankCard=6222021234567890128",
        "pan 5555 5555 5555 4444",
        "邮箱：bob.li+a@example.com.cn",
        "护照号：E12345678",
        "passport=EA1234567",
        "车牌 京A12345",
        "粤BD12345 违章",
        "ID 110101199003074514",
    ],
)
def test_persons(text: str) -> None:
    assert MASK in redact_personal(text)
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112",  # Luhn's digit is wrong
        "trace 6222021234567890123",
        "110101199003074515",  # the check digit is wrong, and nothing says that it is an identity card
        "git@example.com:shop/shop.git",
        "decorator @app.route",
        "京都 A12345",
    ],
)
def test_no_persons(text: str) -> None:
    assert redact_personal(text) == text
