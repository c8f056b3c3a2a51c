"""Secrets that programs log are masked, sentences about secrets are not, and no text takes more than linear work."""

from __future__ import annotations

import base64
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wecom_logging._masking import redact as redact_module
from wecom_logging._masking.redact import MASK, masker, redact, redact_personal

from ..programs import thread_seconds


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CANARY = "Zk9vQ2canaryX7w"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N"
PEM = "-----BEGIN {0}-----\nMIIEvQ{1}IBADANBgkqhkiG9w0B\nAQEFAASC{1}==\n-----END {0}-----"

SECRETS = [
    f"password={CANARY}",
    f"password = {CANARY}",
    f"PASSWORD: {CANARY}",
    f"passwd={CANARY}",
    f"passphrase: {CANARY}",
    f"pwd: {CANARY}",
    f"pwd={CANARY}&x=1",
    f"password1={CANARY}",
    f"DB_PASSWORD={CANARY}",
    f"DB_PASS={CANARY}",
    f"MYSQL_PWD={CANARY}",
    f"dbPassword={CANARY}",
    f"SECRET_KEY = '{CANARY}'",
    f"AccountKey={CANARY};EndpointSuffix=x",
    f"aws_secret_access_key={CANARY}",
    f"client_secret={CANARY}",
    f"x-api-key: {CANARY}",
    f"PHPSESSID={CANARY}",
    f"JSESSIONID={CANARY}; Path=/",
    f"Authorization: Bearer {CANARY}",
    f"Authorization: Basic {CANARY}",
    f"authorization: token {CANARY}",
    f"Proxy-Authorization: Basic {CANARY}==",
    f'Authorization: Digest username="bob", response="{CANARY}"',
    f"{{'Authorization': 'Bearer {CANARY}', 'Accept': '*/*'}}",
    f"[(b'authorization', b'Bearer {CANARY}')]",
    f"curl -H 'Authorization: Bearer {CANARY}' https://x",
    f"sent Bearer {CANARY} to it",
    f"Cookie: a=1; sid={CANARY}",
    f"Set-Cookie: sid={CANARY}; Path=/",
    f'Cookie: a="1"; sid="{CANARY}"',
    f"postgres://user:{CANARY}@db.example/shop",
    f"redis://:{CANARY}@cache:6379/0",
    f"amqp://u:{CANARY}@x@mq//",
    f"https://bob:{CANARY}@proxy:3128",
    f"GET /cgi-bin/message/send?access_token={CANARY}&debug=1",
    f"/cgi-bin/gettoken?corpid=ww1&corpsecret={CANARY}",
    f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={CANARY}",
    f"/upload_media?type=file&key={CANARY}",
    JWT.replace("sub", "sub").replace("eyJzdWIi", f"eyJ{CANARY}"),
    "AKIAIOSFODNN7EXAMPLE",
    PEM.format("PRIVATE KEY", CANARY),
    PEM.format("RSA PRIVATE KEY", CANARY),
    PEM.format("OPENSSH PRIVATE KEY", CANARY).replace("\n", "\\n"),
    PEM.format("EC PRIVATE KEY", CANARY).rsplit("\n", 1)[0],
    "cut …\n" + PEM.format("EC PRIVATE KEY", CANARY).split("\n", 1)[1],
    ("cut …\n" + PEM.format("EC PRIVATE KEY", CANARY).split("\n", 1)[1]).replace("\n", "\\n"),
    ("cut …\n" + PEM.format("EC PRIVATE KEY", CANARY).split("\n", 1)[1]).replace("\n", "\\r\\n"),
    f'{{"password": "{CANARY}"}}',
    f'{{"password":"a\\"{CANARY}"}}',
    f'{{"password": ["{CANARY}", "x{CANARY}"]}}',
    f'"{{\\"password\\": \\"{CANARY}\\"}}"',
    f"{{'token': '{CANARY}'}}",
    f"{{'token': b'{CANARY}'}}",
    f"{{'a': [{{'b': ({{'refresh_token': '{CANARY}'}},)}}]}}",
    f"User(name='bob', password='{CANARY}')",
    f"password=SecretStr('{CANARY} and more')",
    f'    connect(user, password=decode("{CANARY}"))',
    f"['mysql', '--password', '{CANARY}']",
    f"--token={CANARY}",
    f"password%3D{CANARY}%26user%3Dbob",
    f"%22password%22%3A%22{CANARY}%22",
    f"密码：{CANARY}",
    f"密码是：{CANARY}，请保管",
    f"口令: {CANARY}",
    f"sk-{CANARY * 3}",
    f"ghp_{CANARY.replace('-', '') * 3}",
    f"{{'HTTP_AUTHORIZATION': 'Token {CANARY}', 'HTTP_ACCEPT': '*/*'}}",
    f"{{'HTTP_COOKIE': 'a=b; sid={CANARY}', 'HTTP_ACCEPT': '*/*'}}",
    f"HTTP_COOKIE=sid={CANARY}",
    f'{{\\"Cookie\\": \\"a=b; sid={CANARY}\\"}}',
    f"passwords={CANARY}",
    f"secrets: {CANARY}",
    f"{{'passwords': ['x', '{CANARY}']}}",
    f"tokens: ['a]b', '{CANARY}']",
    f"{{'cookies': {{'sid': '{CANARY}'}}}}",
    f'{{"pw": "{CANARY}"}}',
    f"[('user', 'bob'), ('password', '{CANARY}')]",
    f"headers=[(b'accept', b'*'), (b'x-api-key', b'{CANARY}')]",
    f'[["user", "bob"], ["password", "{CANARY}"]]',
    f"{{'password': {{'value': '{CANARY}', 'old': ['x{CANARY}'], 'older': 'y{CANARY}'}}}}",
    f'{{"credentials": {{"user": "u", "value": "{CANARY}"}}}}',
    f'{{\n  "password": [\n    "x",\n    "{CANARY}"\n  ]\n}}',
    f'{{\n  "password": {{\n    "value": "{CANARY}"\n  }}\n}}',
    f'password = """{CANARY}"""',
    f"password = '''x\n{CANARY}'''",
    f"<password>{CANARY}</password>",
    f'<ns:DbPassword type="plain">{CANARY}</ns:DbPassword>',
    f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF{CANARY}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
    *(
        f"{name}={CANARY}"
        for name in (
            "password_confirmation",
            "passwordConfirm",
            "password_new",
            "token_value",
            "secret_key_base",
            "session_key",
            "csrf",
            "csrf_token",
            "sid",
            "connect.sid",
            "app_key",
            "appkey",
            "EncodingAESKey",
            "aeskey",
            "?sig",
            "X-Amz-Signature",
        )
    ),
    f"password        =        {CANARY}",
    f"password=abc,{CANARY}",
    f"password=abc,{CANARY}==",
    f"xoxb-123456789-{CANARY}",
    f"sk_live_{CANARY}",
    f"github_pat_{CANARY}aaaaaaaa",
    f"glpat-{CANARY}aaaaaaaa",
    f"AIza{CANARY}aaaaaaaaaaaaaaaaaaaaaaaa",
    f"hvs.{CANARY}aaaaaaaaaaaa",
    f"npm_{CANARY}aaaaaaaaaaaaaaaaaaaaa",
    f"https://hooks.slack.com/services/T00/B00/{CANARY}",
    f"https://open.feishu.cn/open-apis/bot/v2/hook/{CANARY}",
    f"mysql --password {CANARY} shop",
    f"curl -s -u admin:{CANARY} http://h",
    f"密码为{CANARY}",
    f"邮箱授权码：{CANARY}",
    f"秘钥: {CANARY}",
    f"密碼: {CANARY}",
    f"[{{'name': 'DB_PASSWORD', 'value': '{CANARY}'}}]",
    f'[{{"Key": "token", "Value": "{CANARY}"}}]',
    f'<add key="Password" value="{CANARY}"/>',
    f"[{{'type': 'too_short', 'loc': ('body', 'password'), 'msg': 'Too short', 'input': '{CANARY}', 'ctx': {{}}}}]",
    f'[{{"type":"too_short","loc":["body","password"],"msg":"Too short","input":"{CANARY}"}}]',
    f"1 error for Login\npassword\n  Too short [type=too_short, input_value='{CANARY}', input_type=str]",
    f"    password: str = '{CANARY}'",
    f'def connect(token: Optional[str] = "{CANARY}"):',
    f"requests.get(url, auth=('bob', '{CANARY}'))",
    f"    answer = get(url, auth=HTTPBasicAuth(user, '{CANARY}'))",
    f'server.login("bob", "{CANARY}")',
    f"ALTER USER bob WITH PASSWORD '{CANARY}'",
    f"CREATE USER bob IDENTIFIED BY '{CANARY}'",
    f"mysqldump -u root -p{CANARY} shop",
    f"['mysql', '-uroot', '-p{CANARY}', 'shop']",
    f"sshpass -p {CANARY} ssh host",
    f"['redis-cli', '-h', 'cache', '-a', '{CANARY}']",
    f"https://{CANARY}{CANARY}@o1.ingest.example/12",
    f"https://{CANARY}{CANARY}:x-oauth-basic@git.example/a/b",
    f"https://api.telegram.org/bot123456789:AA{CANARY}{CANARY}{CANARY}/sendMessage",
    f"SG.{CANARY}aaaa.{CANARY}{CANARY}{CANARY}",
    f"hf_{CANARY}{CANARY}aaaa",
    f"Ocp-Apim-Subscription-Key: {CANARY}",
    f"suite_ticket={CANARY}&x=1",
    f"password=no,{CANARY}",
    f"\x1b[36mpassword\x1b[0m=\x1b[35m{CANARY}\x1b[0m",
    f"\x1b[1;31mtoken\x1b[0m: {CANARY}",
    f"<RequestsCookieJar[Cookie(version=0, name='sid', value='{CANARY}', port=None, path='/')]>",
    f"验证码是{CANARY}",
]
YAML = [
    f"db:\n  password:\n    {CANARY}",
    f"password: |\n  x\n  {CANARY}",
    f"db:\n  passwords:\n  - x\n  - {CANARY}",
    f"token: >-\r\n  {CANARY}",
    f"  secret:\n    value: {CANARY}",
    f"- name: DB_PASSWORD\n  value: {CANARY}",
    f"ValueError: password:\n  {CANARY}",
    f"connect(\n    password=\n    '{CANARY}')",
]

INNOCENT = [
    "token bucket is empty",
    "the token bucket refills",
    "password policy",
    "password policy changed by admin",
    "session started",
    "session 42 ended after 3 s",
    "the key is missing",
    "tokens: 512",
    "max_tokens=512, temperature=0.7",
    "KeyError: 'password'",
    "KeyError: 'token'",
    "missing key: id",
    "cache key=user:42 not found",
    "primary key violation on orders_pkey",
    "keyboard: qwerty",
    "first pass: parsing",
    "tests: pass=12 fail=0",
    "bypass: true",
    "compass: north",
    "passenger=2",
    "invalid credentials for bob",
    "Invalid credentials: user is locked",
    "Basic authentication failed",
    "basic functionality works",
    "bearer authentication is required",
    "the bearer of bad news",
    "authorization failed for bob",
    "author: Bob",
    "cookies are disabled",
    "secretary: Alice",
    "the secret is out",
    "password is required",
    "please reset your password",
    "token=None, retries=3",
    "password: null",
    "token expired at 12:00",
    "tokenizer: bert-base",
    "Unexpected token < in JSON at position 0",
    "https://example.com:8080/path?page=2",
    "http://[::1]:8080/a",
    "see https://example.com/@user/post",
    "mail bob@example.com: hello",
    "redis://cache:6379/0",
    "if password == other:",
    "def check(password):",
    "ssh-keygen -t ed25519",
    "public_key_count 3",
    "-----BEGIN CERTIFICATE-----",
    "task-scheduler-of-the-night-shift started",
    "AKIA is a prefix",
    "密码错误，请重试",
    "密码不能为空",
    "令牌桶已满",
    "用户 bob 登录失败 3 次",
    "d41d8cd98f00b204e9800998ecf8427e",
    "tokens: 512, cost: 3",
    "tokens=4,096",
    "prompt_tokens: 12.5k",
    "token_count=7",
    "secret_santa: Bob",
    "cookies: are disabled",
    "signature: invalid",
    "sid: unknown",
    "signal=9",
    "sigma=2",
    "csrf check failed",
    "missing fields: ['email', 'password', 'name']",
    "columns ('id', 'name')",
    "use --password to set it",
    "usage: mysql [--password PASSWORD] [--token TOKEN]",
    "--password-file is not set",
    "docker run -u 1000:1000 image",
    "curl -s http://h:80/",
    "send <token> to <user>",
    '<input type="password">',
    "密码是必填项",
    "密码为空",
    "验证码是错误的",
    '    for token in tokens:\n  File "a.py", line 3, in f',
    "password:\nnot further in",
    "task-scheduler sk_live",
    "npm_config_registry is set",
    "a = b, c: d, e => f",
    "Access denied for user 'root'@'localhost' (using password: YES)",
    "password=True, has_token=False",
    "{'password': ['This field is required.']}",
    "password: This field may not be blank.",
    "API key: not set",
    "Password: too short",
    "Error decoding token: Not enough segments",
    "app key: missing",
    "unexpected token: '}'",
    "tokens: 1.5B",
    "num_tokens: [1, 2, 3]",
    "cookies=[], tokens: {}",
    "vllm --max-tokens 512",
    "\x1b[1mtoken bucket\x1b[0m is empty",
    "@requires_auth('read', 'write')",
    "docker run mysql -p3306:3306 x",
    "ssh://git@host:22/repo",
    "密钥：未找到",
    "",
]


PERSONAL = [
    "13812345678",
    "+8613812345678",
    "+86 138 1234 5678",
    "0086-13812345678",
    "138-1234-5678",
    "tel13812345678",
    "手机号13812345678已注册",
    "{'mobile': '19912345678'}",
    "010-12345678",
    "0755-1234567",
    "(021) 12345678",
    "11010519491231002X",
    "440308199901010012",
    "身份证号：11010519491231002x。",
]
NO_PERSON = [
    "order 202611250912031234",
    "12812345678 is no mobile's beginning",
    "took 13812345678.5 s",
    "1700000000123",
    "1732500000",
    "0.13812345678901",
    "1234567890123456789012",
    "138123456789",
    "110105194913310021",
    "2026-11-25 09:12:03.123 +08:00",
    "d41d8cd98f00b204e9800998ecf8427e",
    "550e8400-e29b-41d4-a716-446655440000",
    "10.0.0.1:8080",
    "0x7f9e852f2390",
    "第 13 章 2026 年 11 月 25 日",
]


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", PERSONAL)
def test_numbers_of_phones_and_identity_cards_are_masked_where_asked(text: str) -> None:
    shown = redact_personal(f"a {text} b password={CANARY}\n{text}")
    assert not any(digits in shown for digits in ("1234567", "4949", "19491231", "19990101"))
    assert shown.count(MASK) == 3
    assert CANARY not in shown
    assert redact(text) == text
    assert redact_personal(shown) == shown


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", [*NO_PERSON, *(text for text in INNOCENT if "@" not in text)])
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert redact_personal(text) == text


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(PERSONAL), st.sampled_from(["x ", "\n", "中"]), st.integers(3_800, 5_200))
def test_no_edge_of_a_window_hides_a_number(text: str, filler: str, before: int) -> None:
    shown = redact_personal((filler * before)[:before] + " " + text + " " + filler * 4000)
    assert text not in shown


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_masked_wherever_it_stands(text: str) -> None:
    for shown in (redact(text), redact(f"before {text} after"), redact(f"{text}\nnext line")):
        assert CANARY not in shown
        assert "IOSFODNN7" not in shown
        assert MASK in shown
    assert redact(f"{text}\nnext line").endswith("next line")
    assert redact(f"line before\n{text}").startswith("line before\n")


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", YAML)
def test_a_secret_on_the_lines_below_its_name_is_masked(text: str) -> None:
    shown = redact(f"before\n{text}\nnext: line")
    assert CANARY not in shown
    assert shown.startswith("before\n")
    assert shown.endswith("\nnext: line")
    assert redact(shown) == shown


@pytest.mark.parametrize("text", SECRETS)
def test_masking_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.case("C17")
@pytest.mark.parametrize("text", INNOCENT)
def test_an_innocent_sentence_stays_as_it_is(text: str) -> None:
    assert redact(text) == text
    assert redact(f"first line\n{text}\nlast line") == f"first line\n{text}\nlast line"


def test_what_stands_around_a_secret_stays() -> None:
    assert redact("login of bob with password=x1 failed: timeout") == "login of bob with password=*** failed: timeout"
    assert redact("password=x1,user=bob") == "password=***,user=bob"
    assert redact("password=x1, user") == "password=***, user"
    assert redact("{'a': [('token', 'x1'), ('b', 'c')]}") == "{'a': [('token', ***), ('b', 'c')]}"
    assert redact("{'tokens': ['x1', ('y',)], 'b': 'c'}") == "{'tokens': ***, 'b': 'c'}"
    assert redact("{'HTTP_COOKIE': 'x', 'b': 'c'}") == "{'HTTP_COOKIE': '***', 'b': 'c'}"
    assert redact("{'token': 'x1', 'user': 'bob'}") == "{'token': ***, 'user': 'bob'}"
    assert redact("postgres://app:x1@db:5432/shop?sslmode=on") == "postgres://app:***@db:5432/shop?sslmode=on"


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([text for text in SECRETS if "\n" not in text]),
    st.sampled_from(["x", "x ", "x\n", "中", "'", '"', "=", "a_", " {"]),
    st.integers(8_000, 9_400),
)
def test_no_edge_of_a_window_hides_a_secret(secret: str, filler: str, before: int) -> None:
    text = (filler * before)[:before] + " " + secret + " " + filler * 4000
    shown = redact(text)
    assert CANARY not in shown
    assert "IOSFODNN7" not in shown


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200), st.text("abcdefghXYZ0123456789-_.!$%+/", min_size=1, max_size=60), st.text(max_size=200))
def test_a_password_in_any_surroundings_is_masked(before: str, secret: str, after: str) -> None:
    shown = redact(f"{before}\npassword={secret}9canary\n{after}")
    assert f"{secret}9canary" not in shown


@settings(max_examples=100, deadline=None)
@given(st.text("abc&=/ ?中", max_size=30))
def test_a_url_encoded_password_is_masked(value: str) -> None:
    assert CANARY not in redact(f"q={quote(f'password={value}{CANARY}', safe='')}")


def test_a_very_long_value_is_masked_to_its_end() -> None:
    for text in ("password=[['x'], [" + "'yy', " * 9000 + "'yy']]", "<password>" + "yy" * 30_000 + "</password>"):
        assert "yy" not in redact(text)
    for text in ('{"password": "' + "y" * 60_000 + '"}', "token=" + "y" * 60_000, "Cookie: " + "y" * 60_000):
        assert "yy" not in redact(text)


# The beginnings of all patterns, again and again: what would make a careless one go back over the same text.
WORST = [
    "a", "aA0_", "a_", "://", "a://b:", "://a:b", '"\\', "-----BEGIN ", "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----", "password=", "password", "password: ", "password   ", 'password\\"', "password=a(",
    'password=["', "token='\\", "secret_", "api_", "'--a", "'--password', ", "pass ", "credentials ", "eyJ", "-eyJaaa",
    "eyJ" + "a" * 20 + ".", "sk-", "ghp_", "LTAI", "AKIA", "bearer ", "bearer a", "basic A", "authorization: ",
    "authorization", "'authorization': '", "cookie=", "?key=", "密码", "密码 ", "密码=", "%3D", "=", "\n", " ", "***",
    "password=[", "password=['", "password=[['a'", "password=[[a ", "token=({'", "password=['a',\n", "password={(\n",
    "passwords=1", "tokens: 12,", 'password="""', "password=\'\'\'a\"", "<password>", "<password ", "<a:password>x",
    "password:\n  ", "password: |\n", "  password:\n    x\n", "('password',",
    "- token:\n", "('password', '", "('a", "[['a",
    "--password ", "--a-", "curl ", "curl -u ", "curl -u a:", "hooks.slack.com/services/", "/hook/", "xoxb-",
    "password=[(" + " " * 999,
    "password=[(" + "a" * 999, "sk_live_", "password=a,", "password=a,b", "sid=", "sig",
    "_cookie': '", "cookie': ", "secret_key_", "密码是a",
    "name: password value: ", "name='password', value='", "'loc': ('a',", "'loc': ('password'), ", "\npassword\n a",
    "mysql -", "mysql ", "'-p", "redis-cli ", "sshpass -p ", "auth=('", ".login(", ".login(a", "BasicAuth", "://a1",
    "identified by '", "password '", "bot123456:a", "SG.a", "password: str", "token: str = ", "password=\n",
    "pass=no,",
    "\x1b[", "\x1b[0m", "\x1b[1;", "password\x1b[0m=", "Cookie(version=0, name='", "a: ", "a: password:\n ",
    "insert into a (token) values ('", "insert into a (token) values ('a'),", "a_key=1", "token=a\\", "api key: ",
    "hmac.new(b'", "Client('", "[parameters: ('", "[SQL: ", "[parameters: ", "密码「", "密码(a", "密码abc1", "code=",
    "key=",
    "auth: ", "sign='", 'sign=["', "token: Token {", "session_id: 0x", "'x' == ", "'x' == password ", "> token: ",
    "\npassword: a b\n", "<token>", "token:\n  a\n", "name: token\n value: ", "the password is ", "password is a1",
    "--token a1 ", "ghp_aaaaa", "s.", "1//0", "access_token$", "123456789012345|", "Q~", "_mmk", "connect(a, ",
    "connect('a', 'b', ", "'-p', '", "jdbc:oracle:thin:a/", "webhook.office.com/webhookb2/", "pgpass a:1:b:c:",
    "AK, SK = 'x', ", "password=Name(", 'token("', "token\n input_value=", "'], 'input': ", "password=a)",
    "password=a&b", "password=a\\n", "'password=", "'--password=a ", "<token>\n \n", "<token><![CDATA[]",
    "key (token)=(",
    "Key (token)=(a", "Duplicate entry '", "name=\"token\"\r\n\r\n", "docker login -p ", "mongo -u a",
    "[parameters: (('", "password=[[[[['a'", "token={'a':{'b':{", "token='a' + 'b' + ", "token='a'\n 'b'\n ",
    "token=get('a', 'b', ", '\\"token\\": \\"', '\\"token\\": \\"a\\\\\\"', "token: A[",
    "<td>token</td><td>", "curl -b 'a ",
    'token: <font a>', "token为1", "【密码】", '{"name": "token", "a": "b", ',
    "password IN ('", "&quot;token&quot;:&quot;", "mysql://a:b", "a:b@tcp", "<Cookie a=", "a.token=b\n", "密码**",
    "sqlcmd ", "sqlcmd -P ", "ldapsearch -", "http ", "http -a b", "net use /user:", "echo ", "echo a |", "isql a",
    "isql a b ", "rabbitmqctl add_user ", "htpasswd -b ", "a/b@//", "sqlplus a/", "a1 LOGIN ", "'AUTH' '",
    "podman login -", "a/b@c:", "digest a:", "SMTP('a', ", "smsCode=1", "password....",
    "334 UGFzc3dvcmQ6", "a:5432:b:c:", "create user a identified by ", "aes_encrypt(", "aes_encrypt('a'",
    "mysql('a',", "execute('", "execute('a', ('b', ", "create_user(a, ", "bcrypt.hashpw(", "jwt.decode(a, ",
    "add_argument('--password", "mnemonic abc ", "Unseal Key 1: ", "$2b$", "$5$a", "pbkdf2_sha256$1$",
    "SCRAM-SHA-256$1:", "00D1", "!", "-aB1", "_aB1cD2", "1|", "1|aB", "0123456789abcdef-", "0123456789abcdef.",
    "password for a ", "password for a: ", "| password | a", "password ....", "string(1) ", "会话ID", "签名：",
    "密码错误：a1", "密码(a1", "token值", "password - 'a", "/webhook/", "[password] => ", "M.-a",
    "token, 'a", "token, fallback='", "//a:b", "a[token]=b&", "&lt;token&gt;a", "<a.b.token>a", "token: Some(\n ",
    "token: a b c ", "token: Aaa[ ", "a, b, token = c", "token = a.b.c ", "token = aa_bb_", "token=f'{a}{b}",
    "token『a",
    "token was set to a1", "signature: expected a", "login code for a ", "following password :  ", "user a on >",
    "update a set token=? args=('a', ", "XAuth('a', 1, 'b', ", "密码由a1改为", "输入***，期望", "password=a -> b",
    "\\u5bc6\\u7801", "pass\u200b", "password%2525", "Ａ", "password\0=",
]  # fmt: skip


def seconds(text: str) -> float:
    """The least of several runs."""
    return min(thread_seconds(lambda: redact(text)) for _ in range(4))


@pytest.mark.slow
@pytest.mark.case("C22")
@pytest.mark.parametrize("unit", WORST)
def test_four_times_the_text_is_about_four_times_the_work(unit: str) -> None:
    """Quadratic work would be sixteen times as much."""
    small = unit * (24_000 // len(unit))
    assert seconds(small * 4) < 12 * seconds(small) + 0.001


def test_the_handlers_own_secrets_are_masked_whatever_else_is_asked() -> None:
    assert masker(["sandbox-secret"], None)("x sandbox-secret password=y") == "x *** password=y"
    assert masker(["abcd", "abcdef"], None)("abcdef abcd") == "*** ***"
    assert masker(["abc"], None)("abc is too short to be a secret") == "abc is too short to be a secret"


@pytest.mark.parametrize("secret", ["sandbox-secret", "a/b+c=d e?f", "密钥-3", "a" * 43])
@pytest.mark.parametrize(
    "form",
    [str, quote, lambda secret: quote(secret, safe=""), quote_plus, in_base64, lambda secret: in_base64(f"{secret}:x")],
)
def test_the_handlers_own_secrets_are_masked_in_a_url_and_in_base64_too(
    secret: str, form: Callable[[str], str]
) -> None:
    shown = masker([secret], None)(f"before {form(secret)} after")
    assert not any(form(secret)[at : at + 4] in shown for at in range(max(len(form(secret)) - 8, 1)))
    assert shown.startswith(f"before {MASK}")
    assert shown.endswith(" after")


@pytest.mark.parametrize("answer", [None, b"x", 3])
def test_a_redact_function_that_returns_no_text_hides_all(answer: object) -> None:
    mask = masker([], lambda text: answer)  # the wrong type is the point
    assert mask("canary") == f"(hidden: redact returned a {type(answer).__name__})"


def test_a_redact_function_that_raises_hides_all() -> None:
    def broken(text: str) -> str:
        raise RuntimeError(text)

    assert masker([], broken)("canary") == "(hidden: redact raised RuntimeError)"


def _printed_group(text: str) -> str:
    inner = ExceptionGroup("inner", [ValueError(f"refused\n{text}")])
    return "".join(traceback.format_exception(ExceptionGroup("outer", [inner, KeyError("x")])))


@pytest.mark.parametrize(
    "text",
    [
        *YAML,
        *(text for text in SECRETS if "\n" in text),
        f"-----BEGIN PRIVATE KEY-----\n{CANARY}{'A' * 40}\n{CANARY}{'A' * 40}",
        f"x = {{'password': [\n '{CANARY}',\n '{CANARY}',\n]}}",
    ],
)
def test_the_margin_of_an_exception_group_hides_no_secret(text: str) -> None:
    masked = redact(_printed_group(text))
    assert CANARY not in masked
    assert "ExceptionGroup: inner (1 sub-exception)" in masked


def test_an_exception_group_without_a_secret_keeps_its_margin() -> None:
    text = _printed_group("no stock\n\nof order 7")
    assert redact(text) == text


def test_texts_that_come_again_are_masked_like_others() -> None:
    mask = masker([], redact)
    texts = [*SECRETS, *INNOCENT, "x" * 1000 + f" password={CANARY}"]
    for _ in range(2):
        assert [mask(text) for text in texts] == [redact(text) for text in texts]


def test_a_secret_that_is_remembered_later_is_masked_in_what_was_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact_module, "_remembered", ())
    mask = masker(["s3cret-of-this"], redact)
    assert mask("host-blue-Zx81kQm") == mask("host-blue-Zx81kQm") == "host-blue-Zx81kQm"
    redact_module.remember("blue-Zx81kQm")
    assert (mask("host-blue-Zx81kQm"), mask("s3cret-of-this")) == ("host-***", "***")
