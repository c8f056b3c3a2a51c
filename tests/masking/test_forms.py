"""Names of secrets, in each form in which programs write a name and its value."""

from __future__ import annotations

import configparser
import subprocess
import sys

import pytest
import requests

from wecom_logging._masking.names import Kind, kind_of, looks_secret
from wecom_logging._masking.redact import MASK, redact, redact_personal

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
        "password=my_pass(1)": "password=***",
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


PLACES = {  # "Tr0ub4dor&3x" stands where a secret does
    # what programs are told on their command line
    "sqlcmd -S db1 -U sa -P Tr0ub4dor&3x -Q 'select 1'": "sqlcmd -S db1 -U sa -P *** -Q 'select 1'",
    "mosquitto_pub -h h -u bob -P 'Tr0ub4dor&3x' -t a": "mosquitto_pub -h h -u bob -P ***' -t a",
    "ldapsearch -x -D cn=admin -w Tr0ub4dor&3x -H ldap://h": "ldapsearch -x -D cn=admin -w *** -H ldap://h",
    "az login -u bob@a.com -p Tr0ub4dor&3x": "az login -u bob@a.com -p ***",
    "7z x -pTr0ub4dor&3x a.7z": "7z x -p*** a.7z",
    "openssl enc -aes-256-cbc -k Tr0ub4dor&3x -in a": "openssl enc -aes-256-cbc -k *** -in a",
    "snmpget -v3 -u bob -A Tr0ub4dor&3x -x AES -X Tr0ub4dor&3x h": "snmpget -v3 -u bob -A *** -x AES -X *** h",
    "etcdctl --user root:Tr0ub4dor&3x get a": "etcdctl --user root:*** get a",
    "http -a bob:Tr0ub4dor&3x GET https://a": "http -a bob:*** GET https://a",
    "smbclient //h/s -U bob%Tr0ub4dor&3x": "smbclient //h/s -U bob%***",
    "lftp -u bob,Tr0ub4dor&3x sftp://h": "lftp -u bob,*** sftp://h",
    "xfreerdp /u:bob /p:Tr0ub4dor&3x /v:h": "xfreerdp /u:bob /p:*** /v:h",
    "net use Z: \\\\h\\s /user:bob Tr0ub4dor&3x": "net use Z: \\\\h\\s /user:bob ***",
    "curl --proxy-user bob:Tr0ub4dor&3x https://a": "curl --proxy-user bob:*** https://a",
    "['curl', '-u', 'bob:Tr0ub4dor&3x', 'https://a']": "['curl', '-u', 'bob:***', 'https://a']",
    "sshpass -p'Tr0ub4dor&3x' scp a h:": "sshpass -p'***' scp a h:",
    "isql shop bob Tr0ub4dor&3x -v": "isql shop bob *** -v",
    "rabbitmqctl add_user bob Tr0ub4dor&3x": "rabbitmqctl add_user bob ***",
    "htpasswd -b -c /etc/h bob Tr0ub4dor&3x": "htpasswd -b -c /etc/h bob ***",
    "echo Tr0ub4dor&3x | docker login -u bob --password-stdin": "echo *** | docker login -u bob --password-stdin",
    "echo 'bob:Tr0ub4dor&3x' | chpasswd": "echo 'bob:***' | chpasswd",
    "ConvertTo-SecureString 'Tr0ub4dor&3x' -AsPlainText": "ConvertTo-SecureString *** -AsPlainText",
    "sqlplus -s shop/Tr0ub4dor&3x@ORCL @a.sql": "sqlplus -s shop/***@ORCL @a.sql",
    "connecting shop/Tr0ub4dor&3x@//db1:1521/ORCL": "connecting shop/***@//db1:1521/ORCL",
    "db1:5432:shop:bob:Tr0ub4dor&3x": "db1:5432:shop:bob:***",
    # what is said to a server
    "a001 LOGIN bob Tr0ub4dor&3x": "a001 LOGIN bob ***",
    "> b'CAAA1 LOGIN bob \"Tr0ub4dor&3x\"'": "> b'CAAA1 LOGIN bob ***'",
    "args beginning with: 'AUTH' 'Tr0ub4dor&3x'": "args beginning with: 'AUTH' '***'",
    "reply: b'334 UGFzc3dvcmQ6'\nsend: 'VHIwdWI0ZG9yJjN4'": "reply: b'334 UGFzc3dvcmQ6'\nsend: '***'",
    "CREATE USER bob IDENTIFIED BY Tr0ub4dor&3x QUOTA 1M": "CREATE USER bob IDENTIFIED BY *** QUOTA 1M",
    "select aes_decrypt(card, 'Tr0ub4dor&3x') from c": "select aes_decrypt(card, ***) from c",
    "SELECT 1 FROM mysql('h', 'd', 't', 'bob', 'Tr0ub4dor&3x')": "SELECT 1 FROM mysql('h', 'd', 't', 'bob', ***)",
    # calls
    "cx_Oracle.connect('bob', 'Tr0ub4dor&3x', 'h/s')": "cx_Oracle.connect('bob', ***, 'h/s')",
    "cx_Oracle.connect('bob/Tr0ub4dor&3x@h/s')": "cx_Oracle.connect('bob/***@h/s')",
    "redis.Redis('h', 6379, 0, 'Tr0ub4dor&3x')": "redis.Redis('h', 6379, 0, ***)",
    "User.objects.create_user('bob', 'b@a.com', 'Tr0ub4dor&3x')": "User.objects.create_user('bob', 'b@a.com', ***)",
    "t.auth_password('root', 'Tr0ub4dor&3x')": "t.auth_password('root', ***)",
    "bcrypt.hashpw(b'Tr0ub4dor&3x', salt)": "bcrypt.hashpw(***, salt)",
    "pwd_context.verify('Tr0ub4dor&3x', hashed)": "pwd_context.verify(***, hashed)",
    "jwt.decode(t, 'Tr0ub4dor&3x', algorithms=a)": "jwt.decode(t, ***, algorithms=a)",
    "child.sendline('Tr0ub4dor&3x')": "child.sendline(***)",
    "p.add_argument('--password', default='Tr0ub4dor&3x')": "p.add_argument('--password', default=***)",
    "c.execute('SELECT 1 FROM u WHERE n=%s AND pw=%s', ('bob', 'Tr0ub4dor&3x'))": (
        "c.execute('SELECT 1 FROM u WHERE n=%s AND pw=%s', ('bob', ***))"
    ),
    "c.execute('INSERT INTO u (n, password) VALUES (%s, %s)', ('bob', 'Tr0ub4dor&3x'))": (
        "c.execute('INSERT INTO u (n, password) VALUES (%s, %s)', ('bob', ***))"
    ),
    "Minio('h:9000', 'minio', 'k9Qz7Lw2Vx8Rt5Yp1Nb4')": "Minio('h:9000', 'minio', ***)",
    "podman login -u bob -p Tr0ub4dor&3x quay.io": "podman login -u bob -p *** quay.io",
    "root/Tr0ub4dor&3x@127.0.0.1:3306": "root/***@127.0.0.1:3306",
    "addauth digest bob:Tr0ub4dor&3x": "addauth digest bob:***",
    "yagmail.SMTP('b@a.com', 'Tr0ub4dor&3x')": "yagmail.SMTP('b@a.com', ***)",
    # names, in further forms
    "{mobile=139, smsCode=739201, channel=2}": "{mobile=139, smsCode=***, channel=2}",
    'password......................."Tr0ub4dor&3x"': "password.......................***",
    "mima=Tr0ub4dor&3x": "mima=***",
    "pass-word: Tr0ub4dor&3x": "pass-word: ***",
    "{'door_code': 'swordfish'}": "{'door_code': ***}",
    "api token - 'k9Qz7Lw2Vx8Rt5Yp' refused": "api token - *** refused",
    "Your key is 3f0c9b1d7a2e4c58b6d0f1e2a3b4c5d6, keep it": "Your key is ***, keep it",
    "generated password for user admin: Tr0ub4dor&3x": "generated password for user admin: ***",
    "password is generated for root@localhost: Tr0ub4dor&3x": "password is generated for root@localhost: ***",
    "Password for 'https://bob@h': Tr0ub4dor&3x": "Password for 'https://bob@h': ***",
    "password ....... Tr0ub4dor&3x": "password ....... ***",
    "| password | Tr0ub4dor&3x |": "| password | *** |",
    "requirepass Tr0ub4dor&3x": "requirepass ***",
    ":password => 'Tr0ub4dor&3x', :host => 'h'": ":password => ***, :host => 'h'",
    'array(2) { ["password"]=> string(12) "Tr0ub4dor&3x" }': 'array(2) { ["password"]=> *** }',
    "Array\n(\n  [user] => bob\n  [password] => Tr0ub4dor&3x\n)": "Array\n(\n  [user] => bob\n  [password] => ***\n)",
    "ParameterKey=DbPassword,ParameterValue=Tr0ub4dor&3x": "ParameterKey=DbPassword,ParameterValue=***",
    "DUO_SKEY=k9Qz7Lw2Vx8Rt5Yp1Nb4": "DUO_SKEY=***",
    "shop_key: 'PSIYbVgfkbEPQoqJfzHpACTtihONk'": "shop_key: ***",
    "session: k9Qz7Lw2Vx8Rt5Yp1Nb4k9Qz7Lw2": "session: ***",
    'psk="Tr0ub4dor&3x"': "psk=***",
    "Unseal Key 1: k9Qz7Lw2Vx8Rt5Yp1Nb4k9Qz7Lw2": "Unseal Key 1: ***",
    "mnemonic: " + " ".join(["abandon"] * 11) + " about": "mnemonic: ***",
    # in Chinese
    "密码[Tr0ub4dor&3x]不正确": "密码[***]不正确",
    "密码（Tr0ub4dor&3x）不正确": "密码（***）不正确",
    "密码错误：Tr0ub4dor&3x": "密码错误：***",
    "密码明文：Tr0ub4dor&3x": "密码明文：***",
    "签名：3f0c9b1d7a2e4c58b6d0f1e2a3b4c5d6": "签名：***",
    "会话ID：3f0c9b1d7a2e4c58b6d0f1e2a3b4c5d6": "会话ID：***",
    "邀请码：K7X2Q9": "邀请码：***",
    "金鑰：k9Qz7Lw2Vx8Rt5Yp": "金鑰：***",
    "获取到的token为：k9Qz7Lw2Vx8Rt5Yp1Nb4": "获取到的token为：***",
    "token无效：k9Qz7Lw2Vx8Rt5Yp1Nb4": "token无效：***",
    # Forms with names in brackets, and tags with a long attribute
    "member%5Bpassword%5D=Tr0ub4dor&member%5Bage%5D=3": "member%5Bpassword%5D=***&member%5Bage%5D=3",
    "login[secret]=Tr0ub4dor&login[name]=bob": "login[secret]=***&login[name]=bob",
    f'<s:Secret xmlns:s="urn:{"shop:" * 20}">Tr0ub4dor3</s:Secret>': (
        f'<s:Secret xmlns:s="urn:{"shop:" * 20}">***</s:Secret>'
    ),
    "<app.mail.password>Tr0ub4dor3</app.mail.password>": "<app.mail.password>***</app.mail.password>",
    "<name>fs.oss.access.key</name><value>Tr0ub4dor3x9</value>": "<name>fs.oss.access.key</name><value>***</value>",
    "&lt;api-token&gt;Tr0ub4dor3&lt;/api-token&gt;": "&lt;api-token&gt;***&lt;/api-token&gt;",
    # Dumps of PHP and Rust, ODBC, Ansible
    '["db_password"]=>\n  string(9) "Tr0ub4dor"': '["db_password"]=>\n  ***',
    '["apiToken":"Shop\\Api":private]=>\n  string(9) "Tr0ub4dor"': '["apiToken":"Shop\\Api":private]=>\n  ***',
    'Login {\n    passphrase: Some(\n        "Tr0ub4dor",\n    ),\n}': (
        "Login {\n    passphrase: Some(\n        ***,\n    ),\n}"
    ),
    "Server=h1;Password={Tr0ub;4dor};Encrypt=yes": "Server=h1;Password=***;Encrypt=yes",
    "api_token: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231336539": "api_token: !vault |\n  ***",
    "cookie_secret ||= 'Tr0ub4dor'": "cookie_secret ||= ***",
    "Invalid type for parameter SecretToken, value: ['Tr0ub4dor'], type: list": (
        "Invalid type for parameter SecretToken, value: ***, type: list"
    ),
    "{'attribute': 'userPassword', 'value': ['Tr0ub4dor']}": "{'attribute': 'userPassword', 'value': ***}",
    "urlsplit: SplitResult(scheme='sftp', netloc='bob:Tr0ub4dor@h1')": (
        "urlsplit: SplitResult(scheme='sftp', netloc='bob:***@h1')"
    ),
    "Invalid URL 'https//bob:Tr0ub4dor@h1/x'": "Invalid URL 'https//bob:***@h1/x'",
    # Bytes, what repr() shows of a list, and a dict that pydantic cut
    "{'secret': bytearray(b'tea')}": "{'secret': bytearray(***)}",
    "api_key=memoryview(b'tea')": "api_key=memoryview(***)",
    "KeyError('passwords: [\\'tea\\', \\'milk\\'] of bob')": "KeyError('passwords: *** of bob')",
    "E('client_secret, value: [\\'tea\\'], type: list')": "E('client_secret, value: ***, type: list')",
    "input_value={'a': 1, 'passphrase':...ken': 'tea'}, input_type=dict": (
        "input_value={'a': 1, 'passphrase':***}, input_type=dict"
    ),
    "input_value={'db_password': ...t_key': 'milk'}, input_type=dict": (
        "input_value={'db_password': ***}, input_type=dict"
    ),
    # Calls and what they fall back to
    "hmac.digest(b'tea', body, 'sha1')": "hmac.digest(***, body, 'sha1')",
    "hashlib.pbkdf2_hmac('sha1', b'tea', salt, 10)": "hashlib.pbkdf2_hmac('sha1', ***, salt, 10)",
    "p = DsePlainTextAuthProvider('bob', 'Tr0ub4dor&3x')": "p = DsePlainTextAuthProvider('bob', ***)",
    "pw = os.environ.get('SHOP_PW', default='tea')": "pw = os.environ.get('SHOP_PW', default=***)",
    "secret = conf.get('secret_of_shop') or 'tea'": "secret = conf.get('secret_of_shop') or ***",
    # Statements, and their values beside them
    "UPDATE u SET token = ? WHERE id = ? -- bindings: ['tea', 3]": (
        "UPDATE u SET token = ? WHERE id = ? -- bindings: [***, 3]"
    ),
    "INSERT INTO u (id, secret) VALUES (%s, %s); args=(3, 'tea')": (
        "INSERT INTO u (id, secret) VALUES (%s, %s); args=(3, ***)"
    ),
    "CONNECT TO shop IDENTIFIED BY Tr0ub4dor USING 'h1'": "CONNECT TO shop IDENTIFIED BY *** USING 'h1'",
    "AUTH shop Tr0ub4dor3x": "AUTH shop ***",
    "ACL SETUSER shop on nopass >tea ~*": "ACL SETUSER shop on nopass >*** ~*",
    # Command lines, and network gear
    "echo 'ann:Tr0ub4dor' | sudo chpasswd": "echo 'ann:***' | sudo chpasswd",
    "schtasks /create /ru ann /rp Tr0ub4dor /tn x": "schtasks /create /ru ann /rp *** /tn x",
    "wpa_passphrase cafe Tr0ub4dor": "wpa_passphrase cafe ***",
    "helm registry login h1 --password-stdin <<< Tr0ub4dor": "helm registry login h1 --password-stdin <<< ***",
    "tacacs-server host 10.0.0.1 key Tr0ub4dor": "tacacs-server host 10.0.0.1 key ***",
    "username ann privilege 1 password 7 0822455D0A16": "username ann privilege 1 password 7 ***",
    # In sentences
    "secret was rotated to Tr0ub4dor3x": "secret was rotated to ***",
    "API token denied: 'k9Qz7Lw2Vx8Rt5'": "API token denied: ***",
    "password for ann is Tr0ub4dor&3x": "password for ann is ***",
    "signature mismatch: expected k9Qz7Lw2Vx8Rt5Yp1Nb4, got Yp1Nb4k9Qz7Lw2Vx8Rt5": (
        "signature mismatch: expected ***, got ***"
    ),
    "HMAC invalid: computed k9Qz7Lw2Vx8Rt5Yp1Nb4, received Yp1Nb4k9Qz7Lw2Vx8Rt5": (
        "HMAC invalid: computed ***, received ***"
    ),
    "Your login code is 739251": "Your login code is ***",
    "confirmation code: 7392": "confirmation code: ***",
    "cvc=739 pin=7392": "cvc=*** pin=***",
    "https://h1/user/reset/Mg/c9xk2l-7ff14b2f498e7e4a84ba/": "https://h1/user/reset/Mg/***/",
    # Chinese
    "口令已重置为Tr0ub4dor": "口令已重置为***",
    "密码从Tr0ub4dor修改为4dorTr0ub": "密码从***修改为***",
    "密碼為Tr0ub4dor": "密碼為***",
    "<口令>Tr0ub4dor</口令>": "<口令>***</口令>",
    "校验码不正确，输入：739251，期望 251739": "校验码不正确，输入：***，期望 ***",
    "票据：ST-42-k9Qz7Lw2Vx8Rt5": "票据：***",
    "token『k9Qz7Lw2Vx8Rt5』": "token***",
}


@pytest.mark.case("C17")
@pytest.mark.parametrize(("text", "shown"), PLACES.items(), ids=PLACES)
def test_a_secret_by_its_place(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "sqlcmd -S db1 -E -Q 'select 1'",
        "mysqldump -P3307 shop1",
        "scp -P 2222 a.tar.gz bob@h:/tmp",
        "az group create -n shop1 -l westeurope",
        "mosquitto_sub -h h1 -p 1883 -t a/b1",
        "curl -U https://a",
        "curl -E cert.pem https://a",
        "rabbitmqctl add_vhost shop1",
        "htpasswd -c /etc/h1 bob",
        "echo done1 | tee a.log",
        "sqlplus / as sysdba",
        "image shop/web@sha256:7ff14b2f498e7e4a84ba1a61f1dcc897628af41aa612d588e0ff75a7513ff184",
        "a001 NO LOGIN failed",
        "docker login succeeded",
        "ssh login deploy -p 2222",
        "pulled, digest sha256:7ff14b2f498e7e4a84ba1a61f1dcc897628af41aa612d588e0ff75a7513ff184",
        "node_modules/b/c@1.2.3 at line:10",
        "{auth=3, sign=1, code=40001}",
        "login(user, host)",
        "250-AUTH LOGIN PLAIN CRAM-MD5",
        "IDENTIFIED BY clause missing",
        "SELECT * FROM mysql.user WHERE host = 'h1'",
        "r = redis.Redis('cache1', 6379, 0)",
        "user = User.objects.create_user(name, email, password)",
        "bcrypt.checkpw(password.encode(), hashed)",
        "parser.add_argument('--password', default=None)",
        "cursor.execute('SELECT name FROM users WHERE pw=%s', (pw,))",
        "child.sendline('ls -la /var1')",
        "token - 'EOF' unexpected",
        "redis key is celery-task-meta-b51e9a27-f06b-4692-bb38-98d33e013e0e",
        "Failed password for root from 10.0.0.7 port 52040 ssh2",
        "self.close_code = CLOSE_PROTOCOL_ERROR",
        "session opened for user root(uid=0)",
        "last login: Mon Jan  1 10:00:00 2026 from 10.0.0.1",
        "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "sha512-Zz9yPwpqI3cQ8cM4Xh7YVgBkA2tQX8mZb0vR1nF5sLJ6dE7uC3wT9xKp is not the sum",
        "user_2NNEqL2nrIRdJ194ndJqAHwEfxC is suspended",
        "x-amz-id-2: eftixk72aD6Ap51TnqcoF8eFidJG9Z2mkiDFu8yU9AS1ed4OpIszj7UDNEHGran",
        "密码错误：剩余 3 次",
        "密码(SHA256)加密完成",
        "密码（6-20位字母数字）不符合",
        "验证码错误：40035",
        "签名错误：参数 timestamp 缺失",
        "签名：张三",
        "会话ID：42",
        "会计凭证：记-0001",
        "token长度：128",
        "access_token过期时间：7200",
        # Lines of source
        "token = self._session.token",
        "secret = load_secret(path)",
        "api_key = conf['api_key']",
        "password = os.environ.get('SHOP_PASSWORD')",
        "token = request.cookies.get('token', '')",
        "user, secret = line.split(':', 1)",
        "secret = f'{left}-{right}'",
        "password = input('Password: ')",
        "tokens = [one for one in tokens if one]",
        "token = stack[-1]",
        "secret = secrets.token_bytes(16)",
        "credentials = Credentials(",
        "def login(name: str, password: bytes | None) -> None:",
        "async def check(token: TokenInfo, *, again: bool) -> None:",
        "self.signing_key = signing_keys[0]",
        "client = Client(token=access_token, retries=3)",
        "headers = {'Authorization': f'Bearer {token}'}",
        "headers['Authorization'] = self._authorization",
        "headers['Authorization'] = make_header(user, password)",
        "self.cookie = SimpleCookie()",
        "last_cookie = None",
        "url = f'amqp://{user}:{password}@{host}'",
        "dsn = 'mysql://%s:%s@%s' % (user, password, host)",
        "while token == 'and':",
        "FIELDS = ('password', 'token')",
        "curl -H 'Authorization: Bearer $SHOP_TOKEN' https://h1",
        "password: {{ shop_password }}",
        "password = (sensitive value)",
        # Sentences
        "private key: the curve must be P-256",
        "token: signature verification failed",
        "password: this value is not long enough",
        "cannot fetch token: 503 Service Unavailable",
        "passwd: Authentication failure has been logged",
        "token from config.toml",
        "password has been reset for user 42",
        "exit code: 13700",
        "signature mismatch: expected sha256",
        "SELECT token FROM t WHERE id = ? params: [3]",
        "Task failed args=('bob', 'ann')",
        "//cdn.example.com/lib@1.2.3/x.js",
        "headers[key] = value",
        "pin=13",
        "密码由系统生成",
        "密码已修改为 3 个月有效",
        "发票：未开具",
    ],
)
def test_what_looks_like_one_by_its_place_stays(text: str) -> None:
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


@pytest.mark.others
def test_pydantic() -> None:
    import pydantic

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
        "台胞证 12345678",
        "amex 3782 822463 10005",
        "银行卡：6222021234567890123",
        "电话：62345678",
        "fax 0755-23456789-801",
        "身份证号码 110105 19491231 002X",
        "老身份证：110105491231002",
        "bob%40example.com",
        "QQ：123456789",
        "微信号：wxid_b1cd2ef3gh4ij5",
        "passport=EA1234567",
        "车牌 京A12345",
        "粤BD12345 违章",
        "ID 110101199003074514",
        "(0571) 8888-1234",
        "武警 WJ鲁12345",
        "使234567 违停",
        "香港居民身份证：A123456(3)",
        "台湾居民身份证 F123456789",
        "QQ号 10001234",
        "证件号码：110105491231002",
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
        "使用100000次后失效",
        "领取123456份奖励",
        "航班 A123456",
    ],
)
def test_no_persons(text: str) -> None:
    assert redact_personal(text) == text
