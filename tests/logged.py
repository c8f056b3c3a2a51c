"""Secrets as programs log them: names and forms, of which each may meet each, and texts of their own."""

from __future__ import annotations

import json
import pprint
from collections.abc import Callable
from urllib.parse import quote, quote_plus

CANARY = "Qk9vZ2canaryX7w"
WORDS = "correct zebra battery canary"
SIGNS = "Tr0ub4dor&3canary"

# fmt: off
NAMES = [
    "password", "passwd", "pwd", "passphrase", "secret", "client_secret", "api_key", "apiKey", "api-key",
    "access_token", "accessToken", "refresh_token", "id_token", "token", "auth_token", "X-Auth-Token",
    "x-api-key", "private_key", "secret_key", "aws_secret_access_key", "AWS_SESSION_TOKEN", "AccessKeySecret",
    "SecretKey", "corpsecret", "AppSecret", "EncodingAESKey", "encrypt_key", "DB_PASSWORD", "MYSQL_PWD",
    "PGPASSWORD", "sessionid", "csrftoken", "suite_ticket", "jsapi_ticket", "signing_secret", "bot_token",
    "access_key", "encryption_key", "master_key", "account_key", "SharedAccessKey", "sas_token",
    "userPassword", "new_password1", "password_old", "oauth_token", "totp_secret", "storepass", "REDIS_PASS",
    "smtp_pass", "credentials",
]
# fmt: on
# fmt: off
OFTEN = [
    "auth", "creds", "otp", "sign", "sig", "signature", "ticket", "salt", "jwt", "dsn", "sk", "hmac",
    "captcha", "connection_string", "SLACK_WEBHOOK", "backup_code", "activation_code", "mch_key",
    "merchant_key", "pay_key", "apiclient_key", "pgp_key", "ssh_key", "storage_key", "ldap_bind_pw", "ssn",
]
# fmt: on
"""Words of other matters too: in a form without quotes they count where the value looks like a secret."""

FORMS: dict[str, Callable[[str, str], str]] = {
    "key=value": lambda name, value: f"connecting user=bob {name}={_quoted(value)} host=db1",
    "key: value": lambda name, value: f"config loaded, {name}: {_quoted(value)}",
    "json": lambda name, value: "request " + json.dumps({"user": "bob", name: value, "retry": 3}),
    "json compact": lambda name, value: json.dumps({"user": "bob", name: value, "retry": 3}, separators=(",", ":")),
    "json in json": lambda name, value: json.dumps({"body": json.dumps({name: value, "a": 1})}),
    "json pretty": lambda name, value: json.dumps({"user": "bob", name: value, "retry": 3}, indent=2),
    "json list": lambda name, value: json.dumps({"services": [{"name": "x", "opts": {name: [value]}}]}),
    "repr of dict": lambda name, value: f"kwargs={ {'user': 'bob', name: value, 'retry': 3}!r}",
    "repr of bytes": lambda name, value: f"form={ {name.encode(): value.encode()}!r}",
    "pairs": lambda name, value: f"headers={[('Host', 'x'), (name, value)]!r}",
    "ASGI": lambda name, value: f"headers={[(b'host', b'x'), (name.encode(), value.encode())]!r}",
    "repr of an object": lambda name, value: f"Config(host='db1', {_word(name)}={value!r}, port=3306)",
    "URL": lambda name, value: f"GET https://api.example.com/x?page=2&{name}={quote(value, safe='')}&z=1 failed: 500",
    "form": lambda name, value: f"body: user=bob&{name}={quote_plus(value)}&remember=1",
    "header": lambda name, value: f"> {name}: {value}",
    "env": lambda name, value: f"export {_word(name).upper()}='{value}'",
    "YAML": lambda name, value: f"db:\n  host: x\n  {name}: {value}\n  port: 1",
    "XML": lambda name, value: f"<cfg><{_word(name)}>{value}</{_word(name)}><port>1</port></cfg>",
    "CDATA": lambda name, value: f"<xml><{_word(name)}><![CDATA[{value}]]></{_word(name)}><port>1</port></xml>",
    "command, list": lambda name, value: f"Command {['deploy', '--' + name, value]!r} returned non-zero exit status 1.",
    "command, =": lambda name, value: f"run: deploy --{name}={_quoted(value)} --dry",
    "Python": lambda name, value: f'    client = Client("bob", {_word(name)}={value!r})',
    "subscript": lambda name, value: f"app.config[{name!r}] = {value!r}",
    "get": lambda name, value: f'    key = os.environ.get("{name}", "{value}")',
    "Go": lambda name, value: f'var {_word(name)} string = "{value}"',
    "pprint": lambda name, value: pprint.pformat({name: value, "user": "bob" * 15, "zz": "y" * 40}),
    "pydantic": lambda name, value: (
        f"1 validation error for S\n{name}\n  too short [type=x, input_value={value!r}, input_type=str]"
    ),
}


def _word(name: str) -> str:
    return name.replace("-", "_")


def _quoted(value: str) -> str:
    return f"'{value}'" if " " in value else value


PYTHON = (  # lines as tracebacks show them
    f'conn = pymysql.connect("localhost", "root", "{CANARY}", "shop")',
    f'ssh.connect(h, 22, "root", "{SIGNS}")',
    f'client.authenticate("bob", "{SIGNS}")',
    f'client = AcsClient("LTAI5tAbCdEfGhIjKlMnOpQr", "{CANARY}a1", "cn-hangzhou")',
    f'jwt.encode(payload, "{CANARY}a1", "HS256")',
    f'hmac.new(b"{CANARY}a1", msg, "sha256")',
    f"if request.args.get('token') != '{CANARY}':",
    f'assert resp.json()["access_token"] == "{CANARY}"',
    f'if "{CANARY}" == password:',
    f'QINIU_AK, QINIU_SK = "x", "{CANARY}a1"',
    f'PASSWORDS = {{"root": "{SIGNS}"}}',
    f"os.environ.setdefault('SECRET_KEY', '{WORDS}')",
    f"    raise LoginError(password=SecretStr('{WORDS}'))",
    f"    user.set_password('{WORDS}')",
    f"    password: SecretStr = '{WORDS}'",
    f"    password: Annotated[str, Field(min_length=8)] = '{WORDS}'",
    f"password=Secret(value='{WORDS}')",
    f"password = os.getenv('DB_PASSWORD', '{WORDS}')",
    f"password = os.getenv('DB_PASSWORD') or '{WORDS}'",
    f"password = 'a' + '{WORDS}'",
    f"assert get_password() == '{WORDS}'",
    pprint.pformat({"password": f"{WORDS} " * 8, "user": "b" * 50}),
    repr({"secrets": {"a": {"b": {"c": [WORDS]}}}}),
    f"ldap.simple_bind_s('cn=admin', '{WORDS}')",
    f"client.username_pw_set('bob', '{WORDS}')",
    f"Elasticsearch('http://h', basic_auth=('elastic', '{WORDS}'))",
    f"ftplib.FTP('h', 'bob', '{WORDS}')",
    f"psycopg2.connect(app_private_key_string='{WORDS}')",
)
SQL = (
    f"[SQL: INSERT INTO users (name, password) VALUES (?, ?)]\n[parameters: ('bob', '{SIGNS}')]",
    f"[SQL: insert into users(name, token) values (?, ?)]\n[parameters: [('bob', '{CANARY}'), ('al', 'x{CANARY}')]]",
    f"[SQL: UPDATE users SET password=%s WHERE id = %s]\n[parameters: ('{SIGNS}', 7)]",
    f"[SQL: SELECT id FROM users WHERE name = %(name_1)s AND api_key = %(api_key_1)s]\n"
    f"[parameters: {{'name_1': 'bob', 'api_key_1': '{CANARY}'}}]",
    f"near: insert into users (name, password, age) values ('bob', '{SIGNS}', 3), ('al', '{CANARY}', 4)",
    f"update users set password = '{SIGNS}' where id = 1",
    f"UPDATE users SET password = 'it''s {WORDS}' WHERE id = 1",
    f"UPDATE [users] SET [password] = N'{SIGNS}' WHERE [id] = 1",
    f"SELECT 1 FROM users WHERE token LIKE '{WORDS}'",
    f"SELECT 1 FROM users WHERE token IN ('{WORDS}', '{CANARY}')",
    f"SET PASSWORD FOR 'bob'@'%' = PASSWORD('{WORDS}')",
    f"ALTER USER bob WITH ENCRYPTED PASSWORD '{WORDS}'",
    f"[SQL: UPDATE users SET at=%s, tags=%s, password=%s WHERE id = %s]\n"
    f"[parameters: (datetime.datetime(2026, 1, 1, 0, 0), ['a', 'b'], '{SIGNS}', 7)]",
    f"[SQL: INSERT INTO users (name, password) SELECT p0::VARCHAR, p1::VARCHAR FROM (VALUES (%(name__0)s, "
    f"%(password__0)s, 0)) AS x]\n[parameters: {{'name__0': 'bob', 'password__0': '{SIGNS}'}}]",
    f"[SQL: INSERT INTO users (name, password) VALUES (%(name_m0)s, %(password_m0)s)]\n"
    f"[parameters: {{'name_m0': 'bob', 'password_m0': '{SIGNS}'}}]",
    f"[SQL: SELECT 1 FROM users WHERE users.token IN (?, ?)]\n[parameters: ('{CANARY}', 'x{CANARY}')]",
    f"DETAIL:  Key (user_id, api_token)=(7, {SIGNS}) already exists.",
    f"Duplicate entry '{SIGNS}' for key 'users.api_token_UNIQUE'",
)
CHINESE = (
    f"密码「{CANARY}」错误",
    f"支付密码“{CANARY}”",
    f"访问令牌（token）：{CANARY}",
    f"动态码：{CANARY}",
    f"校验码: {CANARY}",
    f"口令是 {CANARY}",
    f"账号admin密码{CANARY}",
    f"新密码 {CANARY} 不符合要求",
    f"初始密码：【{CANARY}】",
    f"密码(明文):{CANARY}",
    f"应用凭证：{CANARY}",
    f"用户名/密码：admin/{CANARY}",
    f"{{'密码': '{WORDS}', '用户': 'bob'}}",
    json.dumps({"用户": "bob", "密码": WORDS}),
    json.dumps({"body": json.dumps({"令牌": CANARY})}),
    f"**密码**：{CANARY}",
    f"密码 -> {CANARY}",
    f"【密码】{CANARY}",
    f"数据库password为{CANARY}",
    f'>密码：<font color="warning">{CANARY}</font>',
)
DISGUISED = (
    f"pass\u200bword={CANARY}",
    f"pass\xadword: {CANARY}",
    f"pass\0word={CANARY}",
    f"ｐａｓｓｗｏｒｄ={CANARY}",
    f"password\u2060={CANARY}",
    f"password%253D{CANARY}%2526user%253Dbob",
    f"%2522token%2522%253A%2522{CANARY}%2522",
)
OTHERS = (
    f"--password={SIGNS} refused",
    f"PWD={SIGNS};Encrypt=yes",
    f"jdbc:mysql://h/db?user=bob&password={SIGNS}&x=1 refused",
    f"jdbc:oracle:thin:bob/{SIGNS}@h:1521:x",
    f"bad line in .pgpass: db.example.com:5432:x:bob:{SIGNS}",
    f"['sh', '-c', 'exit 1', '-p', '{SIGNS}']",
    f"Source contains parsing errors: '<string>'\n\t[line  3]: 'password {SIGNS}\\n'",
    f"https://x.webhook.office.com/webhookb2/a@b/IncomingWebhook/{CANARY}/ccc failed",
    f"the request signature is {CANARY}a1",
    f"Invalid API key provided: {CANARY}.",
    f"Your new password is: {CANARY}",
    f"**password**: {SIGNS}",
    "password=$ecret{canary}",
    f"curl -H 'X-Api-Key: {WORDS}' http://h",
    f"['docker', 'run', '-e', 'DB_PASSWORD={WORDS}', 'mysql']",
    f"['deploy', '--password={WORDS}', '-v']",
    f"withEnv(['DB_PASSWORD=a,b;c){CANARY}'])",
    f"DEBUG=1\nDB_PASSWORD=a,b;c){CANARY}\nDB_HOST=x",
    f"spring.datasource.url=x\nspring.datasource.password={WORDS}\nserver.port=80",
    f"  ~ master_password              = 'x' -> '{WORDS}'",
    f"openssl pkcs12 -passin pass:{CANARY} -in a.p12",
    f"keytool -storepass {SIGNS} -list",
    f"docker login -u bob -p {CANARY} registry.example.com",
    f"mysql -u root -p'{CANARY}' shop",
    f"root:{SIGNS}@tcp(127.0.0.1:3306)/shop",
    f"redis://:a/b#{CANARY}@cache:6379/0",
    f"<RequestsCookieJar[<Cookie sid={CANARY} for h/>]>",
    f"<token><![CDATA[a<b]{CANARY}]]></token>",
    f'<property name="db.connection.password">{WORDS}</property>',
    f'<meta name="csrf-token" content="{WORDS}">',
    f"{{&quot;password&quot;:&quot;{WORDS}&quot;}}",
    f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{WORDS}\r\n--x--',
    repr(f'--x\r\nContent-Disposition: form-data; name="password"\r\n\r\n{WORDS}\r\n--x--'.encode()),
    f"1 validation error for S\npasswords.0\n  too short [type=x, input_value='{WORDS}', input_type=str]",
    json.dumps({"a": json.dumps({"b": json.dumps({"c": json.dumps({"password": WORDS})})})}),
    f'>password: <font color="warning">{WORDS}</font>',
    f"<tr><td>password</td>\n<td class='code'><pre>{WORDS}</pre></td></tr>",
    f"<key>password</key>\n<string>{WORDS}</string>",
    json.dumps({"Name": "/prod/db/password", "Type": "SecureString", "Value": WORDS}),
    json.dumps({"b": json.dumps({"password": f'a"b {WORDS}', "z": 1})}),
    f"curl --cookie 'session={WORDS}; a=b' http://h",
    f"userPassword:: {CANARY}",
    f"send: 'AUTH PLAIN {CANARY}\\r\\n'",
)

TEXTS = (
    *(form(name, CANARY) for name, form in zip((*NAMES, *OFTEN), [*FORMS.values()] * 3, strict=False)),
    *(*PYTHON, *SQL, *CHINESE, *DISGUISED, *OTHERS),
)
"""Each name, in one of the forms, and all others: what a test that sends texts can send whole."""
SECRETS = (CANARY, WORDS, SIGNS)
