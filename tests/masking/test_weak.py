"""Passwords as people choose them, where a word or a place says that they are some; and what only reads like one."""

from __future__ import annotations

import json

import pytest

from wecom_logging._masking.redact import redact

from .corpus import forms, shown

HIDDEN = {  # "zisykg4135" stands where a password does
    "requirepass zisykg4135": "requirepass ***",
    "CONFIG SET requirepass zisykg": "CONFIG SET requirepass ***",
    "sentinel auth-pass mymaster zisykg": "sentinel auth-pass mymaster ***",
    "AUTH default zisykg4135": "AUTH default ***",
    "[sudo] password for ops: zisykg4135": "[sudo] password for ops: ***",
    "Your temporary password is zisykg4135": "Your temporary password is ***",
    '10.0.0.1 %any : PSK "zisykg4135"': '10.0.0.1 %any : PSK "***"',
    "USER bob\n331 Password required.\nPASS zisykg4135": "USER bob\n331 Password required.\nPASS ***",
    "WIFI:T:WPA;S:office;P:zisykg4135;;": "WIFI:T:WPA;S:office;P:***;;",
    "Debugger PIN: 494-864-110": "Debugger PIN: ***",
    "mot de passe : zisykg4135": "mot de passe : ***",
    "パスワード: zisykg4135": "パスワード: ***",
    # URLs that were torn, values that were cut
    "nonnumeric port: 'zisykg4135@127.0.0.1'": "nonnumeric port: '***@127.0.0.1'",
    "invalid literal for int() with base 10: 'zisykg4135@127.0.0.1:23306'": (
        "invalid literal for int() with base 10: '***@127.0.0.1:23306'"
    ),
    "input_value={'user': 'bob', 'passwo...sykg4135', 'x': 1}, input_type=dict": (
        "input_value={'user': 'bob', 'passwo...***', 'x': 1}, input_type=dict"
    ),
    "option 'password' in section 'db' contains an interpolation key 'x'. Raw value: 'zisykg4135%(x)s'": (
        "option 'password' in section 'db' contains an interpolation key 'x'. Raw value: ***"
    ),
    "password: zisykg4135: more4135": "password: ***",
    # Statements, whose columns are names
    "INSERT INTO users (id, pw, salt, pin, cvv, reset_code, otp_seed, hashed_pw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)\n"
    "[parameters: (1, 'a', 'b', '4711', '123', 'c', 'd', 'e')]": (
        "INSERT INTO users (id, pw, salt, pin, cvv, reset_code, otp_seed, hashed_pw) VALUES (?, ?, ?, ?, ?, ?, ?, ?)\n"
        "[parameters: (1, ***, ***, ***, ***, ***, ***, ***)]"
    ),
    "==>  Preparing: INSERT INTO users (name, pw, salt) VALUES (?, ?, ?)\n"
    "==> Parameters: bob(String), zisykg4135(String), 7(Integer)": (
        "==>  Preparing: INSERT INTO users (name, pw, salt) VALUES (?, ?, ?)\n"
        "==> Parameters: bob(String), ***(String), ***(Integer)"
    ),
    "==>  Preparing: UPDATE users SET password = ? WHERE id = ?\n==> Parameters: zisykg(String), 7(Long)": (
        "==>  Preparing: UPDATE users SET password = ? WHERE id = ?\n==> Parameters: ***(String), 7(Long)"
    ),
    "==>  Preparing: insert into u (a, pw, age) values (?, ?, ?)\n==> Parameters: null, zisykg(String), 3(Integer)": (
        "==>  Preparing: insert into u (a, pw, age) values (?, ?, ?)\n==> Parameters: null, ***(String), 3(Integer)"
    ),
    "==>  Preparing: insert into u (name, pw) values (?, ?)\n==> Parameters: bob(String), zisykg and its end was cut": (
        "==>  Preparing: insert into u (name, pw) values (?, ?)\n==> Parameters: bob(String), ***"
    ),
    "Hibernate: insert into users (name, password) values (?, ?)\nbinding parameter [1] as [VARCHAR] - [bob]\n"
    "binding parameter [2] as [VARCHAR] - [zisykg]": (
        "Hibernate: insert into users (name, password) values (?, ?)\nbinding parameter [1] as [VARCHAR] - [bob]\n"
        "binding parameter [2] as [VARCHAR] - [***]"
    ),
    "DETAIL:  Failing row contains (7, bob, 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, null).": (
        "DETAIL:  Failing row contains (7, bob, ***, null)."
    ),
    # Containers of keys
    ".dockerconfigjson: eyJhdXRocyI6eyJyIjp7ImF1dGgiOiJkWE5sY2pwd2QxOD0ifX19": ".dockerconfigjson: ***",
    'a:2:{s:4:"user";s:3:"bob";s:8:"password";s:10:"zisykg4135";}': (
        'a:2:{s:4:"user";s:3:"bob";s:8:"password";s:10:"***";}'
    ),
    "https://chat.example.com/hook/kQ9xZ7Lm2Pa4Vb8Nc6Td1RsEw3Yu5": "https://chat.example.com/hook/***",
    "GET /token/kQ9xZ7Lm2Pa4Vb8Nc6Td1RsEw3Yu5/check": "GET /token/***/check",
    "<Password><Value>zisykg4135</Value></Password>": "<Password><Value>***</Value></Password>",
    # Calls and command lines
    "mysqli->__construct('db', 'shop', 'zisykg4135')": "mysqli->__construct('db', 'shop', ***)",
    "#2 auth.php(77): Auth->login('ops', 'zisykg4135')": "#2 auth.php(77): Auth->login('ops', ***)",
    "ldap_bind(Resource id #3, 'cn=bob', 'zisykg4135')": "ldap_bind(Resource id #3, 'cn=bob', ***)",
    "obclient -h h -pzisykg4135 -Dx": "obclient -h h -p*** -Dx",
    "gsql -d p -W zisykg4135 -p 1": "gsql -d p -W *** -p 1",
    "expdp u/zisykg4135@orcl schemas=x": "expdp u/***@orcl schemas=x",
    "beeline -u jdbc:hive2://h -n hive -p zisykg": "beeline -u jdbc:hive2://h -n hive -p ***",
    "obsutil config -i=x -k=zisykg4135": "obsutil config -i=x -k=***",
    "net use Z: \\\\h\\s zisykg4135": "net use Z: \\\\h\\s ***",
    "net user bob zisykg4135 /add": "net user bob *** /add",
    "chpasswd <<< 'u:zisykg4135'": "chpasswd <<< 'u:***'",
    "openssl rsa -pass pass:zisykg4135 -in a": "openssl rsa -pass pass:*** -in a",
    "rclone obscure zisykg4135": "rclone obscure ***",
    "ssh-keygen -N zisykg4135 -f id": "ssh-keygen -N *** -f id",
    "crictl pull --creds bob:zisykg4135 h/shop": "crictl pull --creds *** h/shop",
    # The kind of a failure is still said
    "Authorization: Bearer zisykg4135": "Authorization: Bearer ***",
    "{'Authorization': 'Token zisykg4135'}": "{'Authorization': 'Token ***'}",
    "Cookie: sid=zisykg4135; a=b": "Cookie: sid=***",
    '{"cookie": "sid=zisykg4135"}': '{"cookie": "sid=***"}',
    "POST /oauth/token grant_type=password&username=bob&password=zisykg4135": (
        "POST /oauth/token grant_type=password&username=bob&password=***"
    ),
    # In the same text again
    "jsonschema: 'zisykg4135' is too short\n\nOn instance['password']:\n    'zisykg4135'": (
        "jsonschema: '***' is too short\n\nOn instance['password']:\n    ***"
    ),
    "args: ['bob', 'zisykg4135'] kwargs: {'password': 'zisykg4135'}": "args: ['bob', '***'] kwargs: {'password': ***}",
}


@pytest.mark.parametrize(("text", "shown"), HIDDEN.items(), ids=HIDDEN)
def test_a_weak_password_is_masked_where_a_word_or_a_place_says_that_it_is_one(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "PWD=/srv/x",
        "OLDPWD=/",
        "XDG_SESSION_ID=36",
        "secrets: inherit",
        "imagePullSecrets: [{name: x}]",
        "imagePullSecrets:\n- name: x",
        "{'password': ['Missing data for required field.']}",
        '{"password": "too short"}',
        '{"errors":{"password":["can\'t be blank"],"token":["is invalid"]}}',
        "token: _core.TrioToken | None = None",
        "last_token: util.Token,",
        "@type password: L{bytes}",
        ":param password: The password of the account",
        "signature = base64.b64decode(b64, validate=True)",
        'client = MongoClient(f"mongodb://{user}:{password}@{host}:27017/{name}?x=y1")',
        "secret: /run/secrets/db",
        "credentials=<Credentials user='bob'>",
        'if token == "integer":',
        "{'access_token': component_access_token}",
        "DETAIL:  Failing row contains (123e4567-e89b-12d3-a456-426614174000, bob, null).",
        "Failed password for root from 10.0.0.1 port 22 ssh2",
        "password for user1 is not set",
        "Cookie: disabled",
        "authorization: missing",
    ],
)
def test_what_a_format_says_itself_stays(text: str) -> None:
    assert redact(text) == text


def test_what_was_hidden_as_json_is_hidden_in_plain_too() -> None:
    secret = 'zis/y k"4135\né中'
    text = f'{{"password": {json.dumps(secret)}}} got {secret}, {secret!r}'
    assert redact(text) == "{\"password\": ***} got ***, '***'"


def test_half_a_character_in_a_value_is_hidden_again_too() -> None:
    assert redact("password=zisykg\ud8004135, got zisykg\ud8004135") == "password=***, got ***"


@pytest.mark.parametrize("kept", [False, True])
def test_forms_of_other_programs(kept: bool) -> None:
    texts = list(forms("secrets", 2, kept=kept))
    missed = sum(any(shown(secret, redact(text)) for secret in secrets) for text, secrets in texts)
    altered = sum(redact(text) != text for text, _ in forms("innocent", 6, kept=kept))
    assert (len(texts), missed <= (36 if kept else 10), altered <= (24 if kept else 6)) == (302, True, True)


def test_digits_that_may_be_a_part_of_another_number_are_not_hidden_in_it() -> None:
    assert redact("password=12345678, order 123456789012 is late") == "password=***, order 123456789012 is late"
    assert redact("token=310000000419, seen 310000000419") == "token=***, seen ***"
