"""Passwords as generators draw them, the forms in which a source writes one down, and how much of one a text shows.

A source writes a value as its readers need it: a keyword list escapes quotes, a query encodes signs, prose and a dump
of the environment take it as it is. No value has a blank, since without quotes nobody could tell where it ends.
"""

from __future__ import annotations

import base64
import html
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterator
from random import Random
from string import ascii_letters, ascii_lowercase, digits, punctuation
from urllib.parse import quote_plus

PRINTABLE = ascii_letters + digits + punctuation
OF_DJANGO = ascii_lowercase + digits + "!@#$%^&*(-_=+)"
OF_MANAGERS = ascii_letters + digits + "!@#$%^&*"
SIX = 6
_SYLLABLES = ("ba", "ku", "zim", "fle", "dro", "nax", "ti", "wep", "gos", "vry", "lum", "chi")
_SEPARATORS = "-_.,:;+/"


def _of(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def _phrase(random: Random) -> str:
    words = ("".join(random.choices(_SYLLABLES, k=random.randint(2, 3))) for _ in range(random.randint(4, 6)))
    return random.choice(_SEPARATORS).join((*words, _of(random, digits, 2)))


def password(random: Random) -> str:
    """20 to 50 letters, digits and signs: of all printable ones, or of those that a manager offers."""
    return _of(random, random.choice((PRINTABLE, PRINTABLE, PRINTABLE, OF_MANAGERS)), random.randint(20, 50))


def of_django(random: Random) -> str:
    """As `django.core.management.utils.get_random_secret_key` does."""
    return _of(random, OF_DJANGO, 50)


def other(random: Random) -> str:
    """Base64, hex, letters and digits, or words that a sign joins."""
    raw = random.randbytes(random.randint(16, 36))
    match random.randrange(5):
        case 0:
            return base64.b64encode(raw).decode()
        case 1:
            return base64.urlsafe_b64encode(raw).decode()
        case 2:
            return raw.hex()
        case 3:
            return _of(random, ascii_letters + digits, random.randint(20, 50))
    return _phrase(random)


KINDS: dict[str, Callable[[Random], str]] = {"password": password, "django": of_django, "other": other}


def values(kind: str, number: int, seed: str = "") -> Iterator[str]:
    """The same for the same ``seed``; another one has values that no rule was made by."""
    random = Random(f"{kind} {seed}")
    return (KINDS[kind](random) for _ in range(number))


def _of_libpq(value: str) -> str:
    """As `psycopg.conninfo.make_conninfo` does."""
    return re.sub(r"([\\'])", r"\\\1", value)


def _of_odbc(value: str) -> str:
    """As SQLAlchemy's connector does."""
    return "{" + value.replace("}", "}}") + "}" if ";" in value or value.startswith("{") else value


def _as_it_is(value: str) -> str:
    return value


_ENVIRONMENT = "HOME=/srv/shop\nLANG=C.UTF-8\n{}\nPATH=/usr/bin:/bin\nTZ=UTC"
FORMS: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "password=x": (
        _as_it_is,
        (
            "password={}",
            "cannot log in: user=shop password={}",
            "retry 3, password={} attempt=3",
            "first line\npassword={}\nlast line",
        ),
    ),
    "DB_PASSWORD=x": (
        _as_it_is,
        (
            "DB_PASSWORD={}",
            "DB_HOST=pg\nDB_PASSWORD={}\nDB_PORT=5432",
            "started with DB_USER=shop DB_PASSWORD={} DB_HOST=pg",
            _ENVIRONMENT.format("DB_PASSWORD={}"),
        ),
    ),
    "password: x": (
        _as_it_is,
        (
            "password: {}",
            "login refused, password: {}",
            "user: shop\npassword: {}\nhost: pg",
            "the server did not take password: {} of shop",
        ),
    ),
    "host=pg user=shop password=x": (
        _of_libpq,
        (
            "host=pg user=shop password={}",
            "host=pg user=shop password={} dbname=shop sslmode=require",
            "cannot connect with host=pg port=5432 user=shop password={} dbname=shop",
            "password={} host=pg user=shop",
        ),
    ),
    "PWD=x;": (
        _of_odbc,
        (
            "DRIVER={{ODBC Driver 18 for SQL Server}};SERVER=pg;UID=shop;PWD={};Encrypt=yes",
            "Server=pg;Database=shop;Uid=shop;Pwd={}",
            "cannot open Server=pg;User Id=shop;Password={};TrustServerCertificate=true;",
            "DSN=shop;UID=shop;PWD={};DATABASE=shop refused",
        ),
    ),
    "SECRET_KEY=x": (
        _as_it_is,
        (
            _ENVIRONMENT.format("SECRET_KEY={}"),
            _ENVIRONMENT.format("DJANGO_SECRET_KEY={}"),
            "DEBUG=0\nSECRET_KEY={}\nALLOWED_HOSTS=*",
            "SECRET_KEY={}",
        ),
    ),
}
MORE_FORMS: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "in a shell": (shlex.quote, ("+ DB_PASSWORD={} ./serve", "export DB_PASSWORD={}", "serve --password={} --port 80")),
    "in a query": (quote_plus, ("GET /login?user=shop&password={}&page=2 401", "user=shop&password={}&remember=1")),
    "in a URL": (quote_plus, ("postgresql://shop:{}@pg:5432/shop", "cannot reach redis://:{}@cache:6379/0")),
    "PWD=x; as it is": (_as_it_is, FORMS["PWD=x;"][1]),
}
KEPT_FORMS: dict[str, tuple[Callable[[str], str], tuple[str, ...]]] = {
    "other names": (
        _as_it_is,
        (
            "passwd={}",
            "REDIS_PASS={}",
            "client_secret={}",
            "api_key: {}",
            "sasl.password={}",
            "spring.datasource.password={}",
            "MYSQL_PWD={}",
            "access_token: {}",
            "JWT_SECRET={}",
            "cannot mount, passphrase: {}",
            "密码={}",
            "口令：{}",
            "数据库密码: {}",
        ),
    ),
    "other places": (
        _as_it_is,
        (
            "2026-12-02 03:04:05,678 ERROR shop: user=shop password={} code=7",
            "level=error msg=refused password={} host=pg",
            "docker run -e POSTGRES_PASSWORD={} postgres:16",
            "[client]\nuser = shop\npassword = {}\nhost = pg",
            "db.user=shop\ndb.password={}\ndb.host=pg",
            "mysql --user=shop --password={} shop",
            "Environment=DB_PASSWORD={}",
            "export DB_PASSWORD={}",
            "连接失败：host=pg user=shop password={} dbname=shop",
            "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {}\n    ports: []",
            "+ set DB_PASSWORD={}",
            "> password: {}",
            "declare -x SECRET_KEY={}",
            "auth failed (password={} was not taken)",
        ),
    ),
    "other lists": (
        _of_odbc,
        (
            "jdbc:sqlserver://pg:1433;databaseName=shop;user=shop;password={};encrypt=true",
            "Host=pg;Username=shop;Password={};Database=shop",
            "AccountName=shop;AccountKey={};EndpointSuffix=core.windows.net",
            "System.Data.SqlClient.SqlException: Server=pg;User Id=shop;Pwd={};Encrypt=true",
            "Endpoint=sb://pg;SharedAccessKeyName=shop;SharedAccessKey={}",
        ),
    ),
    "other texts": (
        repr,
        (
            "password={}",
            "connect(host='pg', password={})",
            "{{'DB_PASSWORD': {}}}",
            "Settings(secret_key={}, debug=True)",
        ),
    ),
}
"""No rule is mended by these."""


def text_of(form: str, value: str, turn: int) -> str:
    """``value`` as its source writes it; ``turn`` picks a variant of the form."""
    write, variants = (FORMS | MORE_FORMS | KEPT_FORMS)[form]
    return variants[turn % len(variants)].format(write(value))


_NOT_SHOWN = re.compile("[\\\\\u200b-\u200f\u2060\ufeff]")
_LIKE = str.maketrans({"∗": "*", "ˋ": "`"})


def _flat(text: str) -> str:
    """As a reader takes it: small letters, look-alikes, zero-width signs and escapes are seen through."""
    text = unicodedata.normalize("NFKC", html.unescape(text).translate(_LIKE)).replace("](", "] (")
    return _NOT_SHOWN.sub("", text).lower()


def longest_shown(value: str, text: str) -> int:
    """How many signs in a row of ``value`` the text shows."""
    value, text = _flat(value), _flat(text)
    most = 0
    for at in range(len(value)):
        while value[at : at + most + 1] in text and at + most < len(value):
            most += 1
    return most


def is_half(value: str, text: str) -> bool:
    return 2 * longest_shown(value, text) >= len(_flat(value))
