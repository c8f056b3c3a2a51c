"""Real errors of real libraries, each provoked with a secret that the library was given.

Nothing leaves the machine: `CLOSED` refuses, and `answers` is a server that says what it was told to.
A row is the module of a library, what happens, and a function of the module and the secret that raises. Rows of a
library that is not installed are left out.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import io
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

_held = socket.socket()
_held.bind(("127.0.0.1", 0))  # bound, and nobody listens
CLOSED = _held.getsockname()[1]
HERE = f"127.0.0.1:{CLOSED}"

Provoke = Callable[[Any, str], object]


class Failure(NamedTuple):
    module: str
    what: str
    provoke: Provoke

    def raises(self, secret: str) -> None:
        """Provokes it."""
        self.provoke(importlib.import_module(self.module), secret)


FAILURES: list[Failure] = []


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except (ModuleNotFoundError, ValueError):  # the latter where a module that is loaded lazily has no spec
        return False


def failure(module: str, what: str) -> Callable[[Provoke], Provoke]:
    def add(provoke: Provoke) -> Provoke:
        if _is_there(module):
            FAILURES.append(Failure(module, what, provoke))
        return provoke

    return add


def rows(module: str, **provokes: Provoke) -> None:
    for what, provoke in provokes.items():
        failure(module, what.replace("_", " "))(provoke)


@contextlib.contextmanager
def answers(greeting: bytes, reply: bytes, *, echo: bool = False) -> Iterator[int]:
    """A server that greets, and answers each line with ``reply`` and, if it echoes, with what it got."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client, client.makefile("rwb", buffering=0) as stream, contextlib.suppress(OSError):
                        stream.write(greeting)
                        while line := stream.readline():
                            stream.write(reply.replace(b"%", line.strip() if echo else b"") + b"\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]


@contextlib.contextmanager
def refuses(body: bytes = b'{"error": "unauthorized"}') -> Iterator[str]:
    """An HTTP server that answers each request with 401; its address."""
    head = f"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    with client:
                        client.recv(65536)
                        client.sendall(head.encode() + body)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def _file(name: str, text: str, use: Callable[[Path], object]) -> object:
    with TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_text(text, "utf-8")
        return use(path)


def _settings(fields: dict[str, Any]) -> Any:
    return importlib.import_module("pydantic").create_model("Settings", **fields)


# Clients of HTTP
rows(
    "requests",
    a_URL_with_a_password=lambda m, s: m.get(f"http://shop:{quote(s, safe='')}@{HERE}/orders"),
    a_URL_as_it_was_typed=lambda m, s: m.get(f"http://shop:{s}@{HERE}/orders"),
    a_token_in_a_query=lambda m, s: m.get(f"http://{HERE}/orders", params={"access_token": s, "page": 2}),
    a_form=lambda m, s: m.post(f"http://{HERE}/login", data={"user": "shop", "password": s}),
    a_header=lambda m, s: m.get(f"http://{HERE}/", headers={"Authorization": f"Bearer {s}\n"}),
    a_proxy=lambda m, s: m.get(f"http://{HERE}/", proxies={"http": f"http://shop:{s}@{HERE}"}),
    a_scheme=lambda m, s: m.get(f"htp://shop:{s}@{HERE}/"),
    no_scheme=lambda m, s: m.get(f"shop:{s}@{HERE}/"),
)


@failure("requests", "an answer of 401")
def _(m: Any, s: str) -> object:
    with refuses() as url:
        return m.get(f"{url}/v1/users", params={"api_key": s}).raise_for_status()


rows(
    "httpx",
    a_URL_with_a_password=lambda m, s: m.get(f"http://shop:{quote(s, safe='')}@{HERE}/orders"),
    a_URL_as_it_was_typed=lambda m, s: m.get(f"http://shop:{s}@{HERE}/orders"),
    a_token_in_a_query=lambda m, s: m.get(f"http://{HERE}/orders", params={"token": s}),
    a_header=lambda m, s: m.get(f"http://{HERE}/", headers={"X-Api-Key": f"{s}\n"}),
    a_header_that_is_not_ASCII=lambda m, s: m.get(f"http://{HERE}/", headers={"X-Api-Key": f"{s}é"}),
    a_proxy=lambda m, s: m.get(f"http://{HERE}/", proxy=f"htp://shop:{s}@{HERE}"),
)


@failure("httpx", "an answer of 401")
def _(m: Any, s: str) -> object:
    with refuses() as url:
        return m.get(f"{url}/v1/users", params={"client_secret": s}).raise_for_status()


rows(
    "urllib3",
    a_URL_with_a_password=lambda m, s: m.request("GET", f"http://shop:{quote(s, safe='')}@{HERE}/", retries=1),
    a_URL_as_it_was_typed=lambda m, s: m.request("GET", f"http://shop:{s}@{HERE}/", retries=1),
    a_token_in_a_query=lambda m, s: m.request("GET", f"http://{HERE}/?api_key={quote(s)}", retries=1),
    a_header=lambda m, s: m.request("GET", f"http://{HERE}/", headers={"Cookie": f"sid={s}\r\nX"}, retries=1),
)
rows(
    "aiohttp",
    a_URL_with_a_password=lambda m, s: asyncio.run(_aiohttp(m, f"http://shop:{quote(s, safe='')}@{HERE}/")),
    a_URL_as_it_was_typed=lambda m, s: asyncio.run(_aiohttp(m, f"http://shop:{s}@{HERE}/")),
    a_token_in_a_query=lambda m, s: asyncio.run(_aiohttp(m, f"http://{HERE}/?token={quote(s)}")),
    a_header=lambda m, s: asyncio.run(_aiohttp(m, f"http://{HERE}/", headers={"Authorization": f"Bearer {s}\n"})),
    basic_auth=lambda m, s: m.BasicAuth(f"sh:op:{s}", s),
)


async def _aiohttp(m: Any, url: str, **more: object) -> None:
    async with m.ClientSession() as session, session.get(url, **more) as answer:
        answer.raise_for_status()


@failure("aiohttp", "an answer of 401")
def _(m: Any, s: str) -> object:
    with refuses() as url:
        return asyncio.run(_aiohttp(m, f"{url}/?sig={quote(s)}"))


rows(
    "http.client",
    a_header=lambda m, s: m.HTTPConnection("127.0.0.1").putheader("Authorization", f"Bearer {s}\n"),
    a_path=lambda m, s: m.HTTPConnection("127.0.0.1", CLOSED).request("GET", f"/login?password={s} x"),
    a_port=lambda m, s: m.HTTPConnection(f"shop:{s}"),
)
rows(
    "urllib.request",
    a_URL_as_it_was_typed=lambda m, s: m.urlopen(f"http://shop:{s}@{HERE}/"),
    a_token_in_a_query=lambda m, s: m.urlopen(f"http://{HERE}/?token={s} x"),
    a_proxy=lambda m, s: m.build_opener(m.ProxyHandler({"http": f"shop:{s}@{HERE}/x"})).open("http://127.0.0.1"),
)
rows(
    "urllib.parse",
    a_port=lambda m, s: m.urlsplit(f"redis://shop:{s}").port,
    brackets=lambda m, s: m.urlsplit(f"http://shop:[{s}@db/"),
)
rows(
    "websocket",
    a_URL_with_a_password=lambda m, s: m.create_connection(f"ws://shop:{quote(s, safe='')}@{HERE}/"),
    a_token_in_a_query=lambda m, s: m.create_connection(f"ws://{HERE}/?token={quote(s)}"),
    a_scheme=lambda m, s: m.create_connection(f"shop:{s}@{HERE}"),
)


@failure("websocket", "an answer of 401")
def _(m: Any, s: str) -> object:
    with refuses() as url:
        return m.create_connection(f"ws{url[4:]}/?token={quote(s)}", header=[f"X-Token: {s}"])


rows(
    "websockets.sync.client",
    a_URL_with_a_password=lambda m, s: m.connect(f"ws://shop:{quote(s, safe='')}@{HERE}/"),
    a_URL_as_it_was_typed=lambda m, s: m.connect(f"ws://shop:{s}@{HERE}/"),
    a_scheme=lambda m, s: m.connect(f"wsx://shop:{s}@{HERE}/?token={s}"),
)
rows("yarl", a_port=lambda m, s: m.URL(f"http://shop:{s}@db:x/"))
rows("hyperlink", a_port=lambda m, s: m.URL.from_text(f"http://shop:{s}@db:port/"))
rows(
    "tornado.httpclient",
    a_URL_with_a_password=lambda m, s: m.HTTPClient().fetch(f"http://shop:{quote(s, safe='')}@{HERE}/?token={s}"),
    a_URL_as_it_was_typed=lambda m, s: m.HTTPClient().fetch(f"http://shop:{s}@{HERE}/"),
    a_header=lambda m, s: m.HTTPClient().fetch(f"http://{HERE}/", headers={"Authorization": f"Bearer {s}\n"}),
)
rows("scrapy", a_URL=lambda m, s: m.Request(f"shop:{s}@{HERE}/login?password={s}"))
rows("h11", a_header=lambda m, s: m.Request(method="GET", target="/", headers=[("Cookie", f"sid={s}\n")]))
rows("werkzeug.http", a_header=lambda m, s: importlib.import_module("werkzeug").Headers({"X-Token": f"{s}\n"}))

# Databases and queues
rows(
    "redis",
    a_URL_with_a_password=lambda m, s: m.Redis.from_url(f"redis://:{quote(s, safe='')}@{HERE}/0").ping(),
    a_URL_as_it_was_typed=lambda m, s: m.Redis.from_url(f"redis://shop:{s}@{HERE}/0").ping(),
    an_option=lambda m, s: m.Redis.from_url(f"redis://{HERE}/0?password={quote(s)}&db=x"),
    a_scheme=lambda m, s: m.Redis.from_url(f"redi://:{s}@{HERE}/0"),
    a_command=lambda m, s: m.Redis(port=CLOSED, password=s, **_once()).execute_command("AUTH", s),
)


def _once() -> dict[str, Any]:
    """Options of a client of Redis that asks once."""
    retry, backoff = importlib.import_module("redis.retry"), importlib.import_module("redis.backoff")
    return {"protocol": 2, "socket_timeout": 2, "retry": retry.Retry(backoff.NoBackoff(), 0)}


def _of_redis(m: Any, s: str) -> object:
    with answers(b"", b"-WRONGPASS invalid username-password pair or user is disabled.") as port:
        return m(port=port, username="shop", password=s, **_once()).ping()


def _echo_of_redis(m: Any, s: str) -> object:
    with answers(b"", b"-ERR unknown command '%', with args beginning with: ", echo=True) as port:
        return m(port=port, password=s, **_once()).ping()


rows(
    "redis",
    a_password_that_is_wrong=lambda m, s: _of_redis(m.Redis, s),
    an_error_that_quotes=lambda m, s: _echo_of_redis(m.Redis, s),
)
rows(
    "valkey",
    a_URL_with_a_password=lambda m, s: m.Valkey.from_url(f"valkey://:{quote(s, safe='')}@{HERE}/0").ping(),
    a_URL_as_it_was_typed=lambda m, s: m.Valkey.from_url(f"valkey://shop:{s}@{HERE}/0").ping(),
    a_scheme=lambda m, s: m.Valkey.from_url(f"val://:{s}@{HERE}/0"),
)
rows(
    "kombu",
    a_URL_with_a_password=lambda m, s: m.Connection(
        f"amqp://shop:{quote(s, safe='')}@{HERE}//"
    ).transport.establish_connection(),
    a_URL_as_it_was_typed=lambda m, s: m.Connection(f"amqp://shop:{s}@{HERE}//").transport.establish_connection(),
    a_transport=lambda m, s: m.Connection(
        f"amqpx://shop:{quote(s, safe='')}@{HERE}//"
    ).transport.establish_connection(),
)
rows(
    "celery",
    a_broker=lambda m, s: (
        m.Celery("shop", set_as_current=False, broker=f"amqp://shop:{quote(s, safe='')}@{HERE}//")
        .connection_for_write()
        .transport.establish_connection()
    ),
    a_backend=lambda m, s: m.Celery("shop", set_as_current=False, backend=f"redi://:{s}@{HERE}").backend,
    a_setting=lambda m, s: m.Celery("shop", set_as_current=False).config_from_cmdline(
        [f"broker.password={s}", s], "shop"
    ),
)
rows("amqp", a_password=lambda m, s: m.Connection(HERE, userid="shop", password=s).connect())
rows(
    "paho.mqtt.client",
    a_password=lambda m, s: _mqtt(m, s).connect("127.0.0.1", CLOSED),
    a_topic=lambda m, s: _mqtt(m, s).publish(f"shop/#/token={s}", "x"),
)


def _mqtt(m: Any, s: str) -> Any:
    client = m.Client(m.CallbackAPIVersion.VERSION2)
    client.username_pw_set("shop", s)
    return client


@failure("sqlite3", "a statement")
def _(m: Any, s: str) -> object:
    return m.connect(":memory:").execute(f"INSERT INTO users (name, password) VALUES ('shop', '{s}'")


rows(
    "sqlite3",
    a_value_as_a_word=lambda m, s: m.connect(":memory:").execute(f'SELECT 1 WHERE "{s}" = password'),
    a_file=lambda m, s: m.connect(f"file:/nowhere/shop.db?key={s}", uri=True),
)
rows(
    "sqlalchemy",
    a_URL_that_does_not_parse=lambda m, s: m.create_engine(f"postgresql+psycopg//shop:{s}@{HERE}/shop"),
    a_port=lambda m, s: m.create_engine(f"postgresql://shop:{s}@db:port/shop"),
    a_dialect=lambda m, s: m.create_engine(f"postgrsql://shop:{quote(s, safe='')}@{HERE}/shop"),
    an_insert=lambda m, s: _sqlalchemy(m, "INSERT INTO users (name, password) VALUES (:name, :password)", s),
    an_update=lambda m, s: _sqlalchemy(m, "UPDATE users SET token = :password WHERE name = :name", s),
)


def _sqlalchemy(m: Any, statement: str, s: str) -> object:
    with m.create_engine("sqlite://").transport.establish_connection() as connection:
        return connection.execute(m.text(statement), {"name": "shop", "password": s})


rows("pymysql", a_password=lambda m, s: m.connect(host="127.0.0.1", port=CLOSED, user="shop", password=s))
rows(
    "psycopg",
    a_keyword_list=lambda m, s: m.connect(f"host=127.0.0.1 port={CLOSED} user=shop password={s} dbname=shop"),
    a_word_too_many=lambda m, s: m.connect(f"host=127.0.0.1 password=x {s}"),
    an_option=lambda m, s: m.connect(f"host=127.0.0.1 passwd={s} dbname=shop"),
    a_URL_as_it_was_typed=lambda m, s: m.connect(f"postgresql://shop:{s}@{HERE}/shop"),
    a_port=lambda m, s: m.connect(f"postgresql://shop:{s}@127.0.0.1:port/shop"),
)
rows("asyncpg", a_URL=lambda m, s: asyncio.run(m.connect(f"postgresql://shop:{s}@127.0.0.1:port/shop")))
rows("pg8000.dbapi", a_password=lambda m, s: m.connect("shop", host="127.0.0.1", port=CLOSED, password=s))
rows(
    "pymongo",
    a_URL_as_it_was_typed=lambda m, s: m.MongoClient(
        f"mongodb://shop:{s}@{HERE}/?serverSelectionTimeoutMS=1"
    ).x.y.find_one(),
    a_URL_with_a_password=lambda m, s: m.MongoClient(
        f"mongodb://shop:{quote(s, safe='')}@{HERE}/", serverSelectionTimeoutMS=1
    ).x.y.find_one(),
)
rows("mysql.connector", a_password=lambda m, s: m.connect(host="127.0.0.1", port=CLOSED, user="shop", passwd=s))
rows("oracledb", a_login=lambda m, s: m.connect(f"shop/{s}@{HERE}/shop"))
rows(
    "clickhouse_connect", a_URL=lambda m, s: m.get_client(dsn=f"http://shop:{quote(s, safe='')}@{HERE}/x?password={s}")
)
rows(
    "neo4j",
    a_URL=lambda m, s: m.GraphDatabase.driver(f"bolt://shop:{s}@{HERE}", auth=("neo4j", s)).verify_connectivity(),
)
rows(
    "elasticsearch", a_URL=lambda m, s: m.Elasticsearch(f"http://shop:{quote(s, safe='')}@{HERE}", max_retries=0).info()
)
rows(
    "influxdb_client",
    a_token=lambda m, s: m.InfluxDBClient(f"http://{HERE}", token=f"{s}\n", org="x").buckets_api().find_buckets(),
)
rows(
    "peewee",
    a_statement=lambda m, s: m.SqliteDatabase(":memory:").execute_sql("INSERT INTO u (password) VALUES (?)", (s,)),
)
rows("pika", a_URL=lambda m, s: m.BlockingConnection(m.URLParameters(f"amqp://shop:{s}@{HERE}/%2F?retry_delay=x")))
rows(
    "kafka",
    a_password=lambda m, s: m.KafkaProducer(
        bootstrap_servers=HERE, sasl_mechanism="PLAIN", sasl_plain_username="u", sasl_plain_pasword=s
    ),
)
rows("nats", a_port=lambda m, s: asyncio.run(m.connect(f"nats://shop:{s}@127.0.0.1:port")))
rows(
    "stomp",
    a_login=lambda m, s: m.Connection([("127.0.0.1", CLOSED)], reconnect_attempts_max=1).connect("shop", s, wait=True),
)
rows(
    "kazoo.client",
    a_login=lambda m, s: m.KazooClient(HERE, auth_data=[("digest", f"shop:{s}")], timeout=0.2).start(timeout=0.3),
)
rows("pymemcache", a_key=lambda m, s: m.Client(("127.0.0.1", CLOSED)).get(f"token {s}"))
rows(
    "rq",
    a_job=lambda m, s: m.Queue(
        connection=importlib.import_module("redis").Redis.from_url(f"redis://:{quote(s, safe='')}@{HERE}")
    ).enqueue("shop.login", "shop", password=s),
)
rows("dramatiq", a_message=lambda m, s: m.Message("q", "login", ("shop",), {"password": {s}}, {}).encode())
rows(
    "apscheduler.triggers.cron",
    an_expression=lambda m, s: m.CronTrigger.from_crontab(f"token={s} * * *"),
)

# Settings, validation, parsers
rows(
    "pydantic",
    a_length=lambda m, s: _settings({"password": (m.constr(max_length=4), ...)})(password=s),
    a_number=lambda m, s: _settings({"db_password": (int, ...)})(db_password=s),
    a_field_that_is_missing=lambda m, s: _settings({"token": (str, ...), "host": (str, ...)})(token=s),
    a_model_within=lambda m, s: _settings({"db": (_settings({"port": (int, ...)}), ...)})(db={"password": s}),
    a_URL=lambda m, s: _settings({"dsn": (m.PostgresDsn, ...)})(dsn=f"postgres//shop:{s}@db/shop"),
    a_text_of_JSON=lambda m, s: _settings({"token": (str, ...)}).model_validate_json(f'{{"token": "{s}", '),
    a_pattern=lambda m, s: _settings({"api_key": (m.constr(pattern="^k_"), ...)})(api_key=s),
)
rows(
    "pydantic_settings",
    a_number=lambda m, s: _of_environment(m, {"SHOP_PASSWORD": s}),
    an_extra_of_a_file=lambda m, s: _file(
        ".env", f"SHOP_PASSWORD=7\nSHOP_TOKEN={s}\n", lambda path: _of_environment(m, {}, _env_file=str(path))
    ),
)


def _of_environment(m: Any, environment: dict[str, str], **more: Any) -> object:
    import os
    from unittest.mock import patch

    model = importlib.import_module("pydantic").create_model(
        "Settings", __base__=m.BaseSettings, shop_password=(int, ...)
    )
    with patch.dict(os.environ, environment):
        return model(**more)


rows(
    "jsonschema",
    a_length=lambda m, s: m.validate({"password": s}, {"properties": {"password": {"maxLength": 4}}}),
    a_type=lambda m, s: m.validate(
        {"db": {"token": s}}, {"properties": {"db": {"properties": {"token": {"type": "integer"}}}}}
    ),
    an_extra=lambda m, s: m.validate({"api_key": s}, {"additionalProperties": False}),
    one_that_is_missing=lambda m, s: m.validate({"secret": s}, {"required": ["host"]}),
)
rows("marshmallow", a_choice=lambda m, s: _marshmallow(m, s))


def _marshmallow(m: Any, s: str) -> object:
    one_of = m.validate.OneOf(["a", "b"], error="{input} is not one of {choices}")
    return m.Schema.from_dict({"password": m.fields.String(validate=one_of)})().load({"password": s})


rows("cerberus", a_type=lambda m, s: _raise(m.Validator({"password": {"type": "integer", "allowed": [1]}}), s))


def _raise(validator: Any, s: str) -> None:
    if not validator.validate({"password": s}):
        raise ValueError(validator.errors)


rows("voluptuous", a_value=lambda m, s: m.Schema({"password": m.Any("a", msg=f"bad password {s}")})({"password": s}))
rows("trafaret", a_type=lambda m, s: m.Dict({"password": m.Int()}).check({"password": s}))
rows("schema", a_type=lambda m, s: m.Schema({"password": int}).validate({"password": s}))
rows(
    "attr",
    a_validator=lambda m, s: m.make_class("Settings", {"password": m.field(validator=m.validators.instance_of(int))})(
        password=s
    ),
    a_length=lambda m, s: m.make_class("Settings", {"token": m.field(validator=m.validators.matches_re("a+"))})(
        token=s
    ),
    a_choice=lambda m, s: m.make_class("Settings", {"secret": m.field(validator=m.validators.in_(["a"]))})(secret=s),
)
rows(
    "msgspec",
    a_type=lambda m, s: m.json.decode(f'{{"password": "{s}"}}'.encode(), type=dict[str, int]),
    a_text=lambda m, s: m.json.decode(f'{{"token": {s}}}'),
)
rows("cattrs", a_type=lambda m, s: m.structure({"password": s}, dict[str, int]))
rows("environs", a_number=lambda m, s: _environs(m, s))


def _environs(m: Any, s: str) -> object:
    import os
    from unittest.mock import patch

    with patch.dict(os.environ, {"DB_PASSWORD": s}):
        return m.Env().int("DB_PASSWORD")


rows(
    "decouple",
    a_number=lambda m, s: m.Config({"SECRET_KEY": s})("SECRET_KEY", cast=int),
    a_boolean=lambda m, s: m.Config({"TOKEN": s})("TOKEN", cast=bool),
)
rows("environ", a_number=lambda m, s: _environs_of_django(m, s))


def _environs_of_django(m: Any, s: str) -> object:
    env = m.Env()
    env.ENVIRON = {"SECRET_KEY": s, "DATABASE_URL": f"postgres://shop:{s}@db:port/shop"}
    return env.db("DATABASE_URL") and env.int("SECRET_KEY")


rows(
    "dj_database_url",
    a_URL=lambda m, s: m.parse(f"postgre://shop:{s}@db/shop"),
    a_port=lambda m, s: m.parse(f"postgres://shop:{s}@db:port/shop"),
)
rows(
    "dynaconf",
    a_validator=lambda m, s: m.Dynaconf(password=s, validators=[m.Validator("PASSWORD", eq="x")]).validators.validate(),
)
rows("omegaconf", a_type=lambda m, s: m.OmegaConf.merge(m.OmegaConf.structured(_of_dataclass()), {"password": s}))


def _of_dataclass() -> object:
    from dataclasses import make_dataclass

    return make_dataclass("Settings", [("password", int)])


rows(
    "configparser",
    a_line=lambda m, s: m.ConfigParser().read_string(f"[db]\nhost=pg\npassword {s}\n"),
    no_section=lambda m, s: m.ConfigParser().read_string(f"password={s}\n"),
    an_interpolation=lambda m, s: _ini(m, f"[db]\npassword = {s}%(x)s\n"),
    a_sign_of_percent=lambda m, s: _ini(m, f"[db]\npassword = {s}%\n"),
    one_that_comes_twice=lambda m, s: m.ConfigParser().read_string(f"[db]\ntoken={s}\ntoken={s}\n"),
)


def _ini(m: Any, text: str) -> object:
    parser = m.ConfigParser()
    parser.read_string(text)
    return parser["db"]["password"]


rows("configobj", a_line=lambda m, s: m.ConfigObj([f'password = "{s}'], raise_errors=True))
rows(
    "yaml",
    a_line=lambda m, s: m.safe_load(f"db:\n  host: pg\n  password: @{s}\n"),
    an_anchor=lambda m, s: m.safe_load(f"password: *{s}\n"),
    a_tag=lambda m, s: m.safe_load(f"password: !{s} x\n"),
    a_quote=lambda m, s: m.safe_load(f"db:\n  token: '{s}\n  port: 1\n"),
    two_colons=lambda m, s: m.safe_load(f"password: {s}: x\n"),
)
rows("ruamel.yaml", a_line=lambda m, s: m.YAML().load(f"db:\n  password: @{s}\n"))
rows("tomllib", a_line=lambda m, s: m.loads(f"password = {s}\n"), a_quote=lambda m, s: m.loads(f'password = "{s}\n'))
rows("tomlkit", a_line=lambda m, s: m.parse(f"password = {s}\n"))
rows("json", a_text=lambda m, s: m.loads(f'{{"password": "{s}", }}'), a_value=lambda m, s: m.dumps({"password": {s}}))
rows(
    "lxml.etree",
    a_text=lambda m, s: m.fromstring(f"<db><password>{s}</pasword></db>"),
    a_path=lambda m, s: m.fromstring("<a/>").xpath(f"//u[@password='{s}"),
)
rows("defusedxml.ElementTree", a_text=lambda m, s: m.fromstring(f"<!DOCTYPE a [<!ENTITY password '{s}'>]><a/>"))
rows("xml.etree.ElementTree", a_text=lambda m, s: m.fromstring(f"<db><password>{s}</pasword></db>"))
rows("xmltodict", a_text=lambda m, s: m.parse(f"<db><password>{s}</pasword></db>"))
rows("csv", a_field=lambda m, s: m.DictWriter(io.StringIO(), ["user"]).writerow({"password": s}))
rows(
    "ast",
    a_text=lambda m, s: m.literal_eval(f"{{'password': {s}}}"),
    a_name=lambda m, s: m.literal_eval(f"connect(password='{s}')"),
)
rows("string", a_template=lambda m, s: m.Template("password=$password").substitute({s: 1}))
rows("base64", a_value=lambda m, s: m.b64decode(f"{s}é"), a_hex=lambda m, s: m.b16decode(s))
rows("uuid", a_value=lambda m, s: m.UUID(s))
rows("datetime", a_value=lambda m, s: m.datetime.fromisoformat(f"token={s}"))
rows(
    "builtins",
    a_number=lambda m, s: int(f"password={s}"),
    a_key=lambda m, s: {}[f"token:{s}"],
    an_argument=lambda m, s: _login(passwd=s),
)


def _login(*, password: str = "", **more: str) -> None:
    raise TypeError(f"login() got unexpected arguments {more!r}")


rows(
    "logging.config",
    a_handler=lambda m, s: m.DictConfigurator({}).configure_handler(
        {
            "class": "logging.handlers.SMTPHandler",
            "password": s,
        }
    ),
)

# Command lines and processes
rows(
    "argparse",
    a_choice=lambda m, s: _argparse(m, ["--token", s], choices=["a"]),
    a_type=lambda m, s: _argparse(m, [f"--token={s}"], type=int),
    an_extra=lambda m, s: _argparse(m, ["--password", s]),
)


def _argparse(m: Any, given: list[str], **more: Any) -> object:
    parser = m.ArgumentParser(exit_on_error=False)
    parser.add_argument("--token", **more)
    parser.error = lambda message: (_ for _ in ()).throw(ValueError(message))
    return parser.parse_args(given)


rows(
    "click",
    a_type=lambda m, s: m.Command("x", params=[m.Option(["--password"], type=int)]).main(
        ["--password", s], standalone_mode=False
    ),
    a_choice=lambda m, s: m.Command("x", params=[m.Option(["--token"], type=m.Choice(["a"]))]).main(
        [f"--token={s}"], standalone_mode=False
    ),
)


@failure("typer", "a type")
def _(m: Any, s: str) -> object:
    app = m.Typer()

    @app.command()
    def login(password: int = 0) -> None: ...

    return app(["--password", s], standalone_mode=False)


rows(
    "subprocess",
    a_program_that_is_not_there=lambda m, s: m.run(["mysqldumpx", f"-p{s}"], check=True),
    a_program_that_fails=lambda m, s: m.run(
        [sys.executable, "-c", "raise SystemExit(1)", f"--password={s}"], check=True
    ),
    an_option_and_its_value=lambda m, s: m.run(
        [sys.executable, "-c", "raise SystemExit(1)", "--password", s], check=True
    ),
    a_command_of_a_shell=lambda m, s: m.run(f"exit 3; mysql -u root -p'{s}' shop", shell=True, check=True),
    one_that_takes_too_long=lambda m, s: m.run(["sleep", "9", f"--api-key={s}"], timeout=0.01, check=True),
)
rows("shlex", a_quote=lambda m, s: m.split(f"mysql -p'{s}"))
rows(
    "pexpect",
    a_prompt=lambda m, s: m.spawn("/bin/echo", [f"--password={s}"]).expect("login:", timeout=2),
    no_program=lambda m, s: m.spawn(f"/nowhere/mysql -p{s}"),
)
rows("plumbum", a_program=lambda m, s: m.local["false"][f"--password={s}"]())
rows("sh", a_program=lambda m, s: m.Command("false")(f"--password={s}", user="shop"))
rows("invoke", a_program=lambda m, s: m.run(f"false --password={s!r}", hide=True))
rows("getopt", an_option=lambda m, s: m.getopt([f"--password={s}"], "", ["password"]))
rows(
    "supervisor.options",
    a_file=lambda m, s: m.boolean(f"password={s}"),
    a_list=lambda m, s: m.dict_of_key_value_pairs(f'SECRET_KEY="{s}'),
)


# Mail, files and logins
@failure("smtplib", "an error that quotes")
def _(m: Any, s: str) -> object:
    with answers(b"220 mail\r\n", b"250-mail\r\n250 AUTH PLAIN LOGIN") as port:
        client = m.SMTP("127.0.0.1", port, timeout=5)
        client.ehlo()
        client.getreply = lambda: (535, f"5.7.8 user shop password {s} refused".encode())
        return client.login("shop", s)


@failure("ftplib", "an error that quotes")
def _(m: Any, s: str) -> object:
    with answers(b"220 ready\r\n", b"500 '%': command not understood", echo=True) as port:
        client = m.FTP(timeout=5)
        client.connect("127.0.0.1", port)
        return client.sendcmd(f"PASS {s}")


@failure("ftplib", "a line break")
def _(m: Any, s: str) -> object:
    with answers(b"220 ready\r\n", b"331 password") as port:
        client = m.FTP(timeout=5)
        client.connect("127.0.0.1", port)
        return client.login("shop", f"{s}\n")


@failure("imaplib", "an error that quotes")
def _(m: Any, s: str) -> object:
    with answers(b"* OK ready\r\n", b"* BYE refused: %", echo=True) as port:
        return m.IMAP4("127.0.0.1", port, timeout=5).login("shop", s)


@failure("poplib", "an error that quotes")
def _(m: Any, s: str) -> object:
    with answers(b"+OK ready\r\n", b"-ERR unknown command: %", echo=True) as port:
        return m.POP3("127.0.0.1", port, timeout=5).pass_(s)


rows(
    "netrc",
    a_file=lambda m, s: _file(".netrc", f"machine pg login shop pasword {s}\n", lambda path: m.netrc(str(path))),
)
rows("xmlrpc.client", a_URL=lambda m, s: m.ServerProxy(f"http://shop:{quote(s, safe='')}@{HERE}/").login("shop", s))


@failure("xmlrpc.client", "an answer of 401")
def _(m: Any, s: str) -> object:
    with refuses() as url:
        return m.ServerProxy(f"{url.replace('://', f'://shop:{quote(s, safe=str())}@')}/rpc").login()


rows("zipfile", a_password=lambda m, s: _zip(m, s))


def _zip(m: Any, s: str) -> object:
    made = io.BytesIO()
    with m.ZipFile(made, "w") as archive:
        archive.writestr("a", "x")
    return m.ZipFile(made).open(f"password={s}", pwd=s.encode())


rows(
    "cryptography.fernet",
    a_key=lambda m, s: m.Fernet(s),
)
rows(
    "cryptography.hazmat.primitives.serialization",
    a_key=lambda m, s: m.load_pem_private_key(f"-----BEGIN PRIVATE KEY-----\n{s}\n".encode(), s.encode()),
)
rows("OpenSSL.crypto", a_key=lambda m, s: m.load_privatekey(m.FILETYPE_PEM, s.encode(), s.encode()))
rows("ssl", a_key=lambda m, s: m.create_default_context().load_cert_chain(f"/nowhere/{s}.pem", password=s))
rows(
    "jwt",
    a_token=lambda m, s: m.decode(s, "k", algorithms=["HS256"]),
    an_algorithm=lambda m, s: m.encode({"a": 1}, s, algorithm="HS999"),
)
rows("jose.jwt", a_token=lambda m, s: m.decode(s, s))
rows(
    "jwcrypto.jwk",
    a_key=lambda m, s: m.JWK(kty="oct", k=s, x=s),
    a_JSON=lambda m, s: m.JWK.from_json(f'{{"kty":"oct","k":"{s}"'),
)
rows("passlib.hash", a_hash=lambda m, s: m.bcrypt.verify(s, s))
rows("pyotp", a_secret=lambda m, s: m.TOTP(s).now())
rows("authlib.jose", a_token=lambda m, s: m.jwt.decode(s, s))
rows("py7zr", a_password=lambda m, s: m.SevenZipFile(io.BytesIO(s.encode()), password=s))
rows(
    "paramiko",
    a_key=lambda m, s: m.RSAKey.from_private_key(io.StringIO(s), s),
    a_login=lambda m, s: m.SSHClient().connect("127.0.0.1", CLOSED, "shop", s),
)
rows(
    "asyncssh",
    a_key=lambda m, s: m.import_private_key(s, s),
    a_login=lambda m, s: asyncio.run(m.connect("127.0.0.1", CLOSED, username="shop", password=s, known_hosts=None)),
)
rows(
    "ldap3",
    a_login=lambda m, s: m.Connection(m.Server(f"ldap://{HERE}"), "cn=shop", s, auto_bind=True),
    a_filter=lambda m, s: m.Connection(m.Server("x"), client_strategy="MOCK_SYNC").search("dc=x", f"(userPassword={s}"),
)

# Clouds and services
rows(
    "botocore.session",
    a_request=lambda m, s: (
        m.get_session()
        .create_client(
            "s3",
            "eu-west-1",
            aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
            aws_secret_access_key=s,
            endpoint_url=f"http://{HERE}",
            config=importlib.import_module("botocore.config").Config(retries={"max_attempts": 0}),
        )
        .list_buckets()
    ),
    a_parameter=lambda m, s: (
        m.get_session()
        .create_client("sts", "eu-west-1", aws_access_key_id="x", aws_secret_access_key=s)
        .get_session_token(TokenCode={"password": s})
    ),
    half_of_a_pair=lambda m, s: m.get_session().create_client("sts", "eu-west-1", aws_secret_access_key=s),
)
rows(
    "boto3",
    a_parameter=lambda m, s: m.client(
        "secretsmanager", "eu-west-1", aws_access_key_id="x", aws_secret_access_key=s
    ).put_secret_value(SecretId=7, SecretString=[s]),
)
rows("minio", a_host=lambda m, s: m.Minio(f"shop:{s}@{HERE}", access_key="x", secret_key=s))
rows(
    "docker",
    a_URL=lambda m, s: m.DockerClient(f"tcpx://shop:{s}@{HERE}"),
    a_login=lambda m, s: m.APIClient(f"tcp://{HERE}", version="1.43").login("shop", s),
)
rows(
    "kubernetes.client",
    a_secret=lambda m, s: m.CoreV1Api(m.ApiClient(m.Configuration(host=f"http://{HERE}"))).create_namespaced_secret(
        "shop", m.V1Secret(string_data={"password": s}), x=s
    ),
)
rows(
    "hvac",
    a_token=lambda m, s: m.Client(f"http://{HERE}", token=f"{s}\n").secrets.kv.v2.read_secret("db"),
    a_login=lambda m, s: m.Client(f"http://{HERE}").auth.userpass.login("shop", s),
)
rows("consul", a_token=lambda m, s: m.Consul("127.0.0.1", CLOSED, token=s).kv.get("db"))
rows("oss2", a_key=lambda m, s: m.Bucket(m.Auth("x", s), f"http://{HERE}", "shop").get_object(f"a?token={s}"))
rows("openai", a_key=lambda m, s: m.OpenAI(api_key=f"sk-{s}\n", base_url=f"http://{HERE}", max_retries=0).models.list())
rows(
    "anthropic",
    a_key=lambda m, s: m.Anthropic(api_key=f"sk-{s}\n", base_url=f"http://{HERE}", max_retries=0).models.list(),
)


@failure("openai", "an answer of 401")
def _(m: Any, s: str) -> object:
    body = f'{{"error": {{"message": "Incorrect API key provided: sk-{s}.", "code": "invalid_api_key"}}}}'
    with refuses(body.encode()) as url:
        return m.OpenAI(api_key=f"sk-{s}", base_url=url, max_retries=0).models.list()


rows(
    "stripe",
    a_key=lambda m, s: m.StripeClient(f"sk_live_{s}\n", base_addresses={"api": f"http://{HERE}"}).customers.list(),
)
rows("slack_sdk", a_token=lambda m, s: m.WebClient(f"xoxb-{s}\n", base_url=f"http://{HERE}/").auth_test())
rows("zeep", a_URL=lambda m, s: m.Client(f"http://shop:{quote(s, safe='')}@{HERE}/?wsdl&password={s}"))
rows(
    "wechatpy.work",
    a_secret=lambda m, s: importlib.import_module("wechatpy.work.crypto").WeChatCrypto("token", s, "ww1"),
)
rows(
    "sentry_sdk",
    a_DSN=lambda m, s: m.init(dsn=f"https://{s}@sentry.example.com/x"),
    a_scheme=lambda m, s: m.init(dsn=f"key:{s}@sentry.example.com/1"),
)
rows(
    "aiosmtplib",
    a_login=lambda m, s: asyncio.run(
        m.send("x", sender="a@x", recipients=["b@x"], hostname="127.0.0.1", port=CLOSED, username="shop", password=s)
    ),
)


# Frameworks and those who print tracebacks
@failure("django", "a setting")
def _(m: Any, s: str) -> object:
    settings = importlib.import_module("django.conf").LazySettings()
    settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.x", "PASSWORD": s}})
    return importlib.import_module("django.db.utils").ConnectionHandler(settings.DATABASES)["default"]


rows(
    "django.core.validators",
    a_length=lambda m, s: m.MaxLengthValidator(4)(s),
    a_pattern=lambda m, s: m.RegexValidator("^a+$", message=f"password {s} is not one")(s),
    a_URL=lambda m, s: m.URLValidator()(f"htp://shop:{s}@db"),
)
rows(
    "django.core.signing",
    a_value=lambda m, s: m.Signer(key="k").unsign(s),
    a_token=lambda m, s: m.loads(f"token:{s}", key="k"),
)
rows(
    "flask",
    a_file=lambda m, s: _file("a.cfg", f"SECRET_KEY = '{s}\n", lambda path: m.Flask("x").config.from_pyfile(str(path))),
    a_line=lambda m, s: _file("a.cfg", f"SECRET_KEY = {s}\n", lambda path: m.Flask("x").config.from_pyfile(str(path))),
)
rows(
    "starlette.config",
    a_number=lambda m, s: m.Config(environ={"SECRET_KEY": s})("SECRET_KEY", cast=int),
    a_boolean=lambda m, s: m.Config(environ={"TOKEN": s})("TOKEN", cast=bool),
)
rows("starlette.datastructures", a_URL=lambda m, s: m.URL(f"redis://shop:{s}@db:port").port)


@failure("fastapi", "an argument")
def _(m: Any, s: str) -> object:
    app = m.FastAPI()

    @app.post("/login")
    def login(password: int, token: str) -> None: ...

    client = importlib.import_module("starlette.testclient")
    answer = client.TestClient(app).post(f"/login?password={quote(s)}")
    raise ValueError(answer.text)


@failure("litestar", "an argument")
def _(m: Any, s: str) -> object:
    @m.post("/login", sync_to_thread=False)
    def login(password: int) -> None: ...

    with importlib.import_module("litestar.testing").create_test_client(login) as client:
        raise ValueError(client.post(f"/login?password={quote(s)}").text)


def _fails(password: str) -> None:
    token = {"password": password}
    raise ValueError(len(token))


@failure("loguru", "diagnosed")
def _(m: Any, s: str) -> object:
    with io.StringIO() as stream:
        number = m.logger.add(stream, diagnose=True, backtrace=False, format="{message}")
        try:
            _fails(s)
        except ValueError:
            m.logger.opt(exception=True).error("failed")
        m.logger.remove(number)
        raise RuntimeError(stream.getvalue().rpartition("\nTraceback")[2])


@failure("better_exceptions", "formatted")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError as error:
        raise RuntimeError("".join(m.format_exception(type(error), error, error.__traceback__))) from None


@failure("stackprinter", "formatted")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError as error:
        raise RuntimeError(m.format(error)) from None


@failure("traceback_with_variables", "formatted")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError as error:
        below = error.with_traceback(error.__traceback__.tb_next)  # not this frame's own `s`
        raise RuntimeError("\n".join(m.iter_exc_lines(below))) from None


@failure("rich.traceback", "with locals")
def _(m: Any, s: str) -> object:
    console = importlib.import_module("rich.console").Console(file=io.StringIO(), width=100)
    try:
        _fails(s)
    except ValueError as error:
        console.print(m.Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True))
    raise RuntimeError(console.file.getvalue()[-1500:])


@failure("structlog", "a dict of a traceback")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError:
        event = importlib.import_module("structlog.processors").dict_tracebacks(None, "error", {"exc_info": True})
    raise RuntimeError(str(event["exception"][0]["frames"][-1]))


@failure("IPython.core.ultratb", "verbose")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError as error:
        text = m.VerboseTB(theme_name="nocolor").text(type(error), error, error.__traceback__)
    raise RuntimeError(text[-1500:])


@failure("icecream", "printed")
def _(m: Any, s: str) -> object:
    password = s
    raise RuntimeError(m.ic.format(password))


@failure("pprint", "an object")
def _(m: Any, s: str) -> object:
    raise RuntimeError(m.pformat({"user": "shop", "password": s, "hosts": ["pg"] * 30}))


@failure("traceback", "with locals")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError as error:
        raise RuntimeError("".join(m.TracebackException.from_exception(error, capture_locals=True).format())) from None


@failure("cgitb", "printed")
def _(m: Any, s: str) -> object:
    try:
        _fails(s)
    except ValueError:
        raise RuntimeError(m.text(sys.exc_info())[-1500:]) from None


# What tests and further tools of the standard library say
rows(
    "unittest",
    two_dicts=lambda m, s: _unequal(m, {"user": "shop", "password": s}, {"user": "shop"}),
    a_key=lambda m, s: _unequal(m, {"api_key": s, "id": 3}, {"api_key": "x", "id": 3}),
)
rows(
    "unittest.mock",
    another_call=lambda m, s: _called(m, s).assert_called_with("shop", password="x"),
    a_call_too_many=lambda m, s: _called(m, s).assert_not_called(),
)


def _unequal(m: Any, seen: dict[str, Any], expected: dict[str, Any]) -> object:
    return m.TestCase().assertEqual(seen, expected)  # noqa: PT009 # it is what is tried


def _called(m: Any, s: str) -> Any:
    login = m.Mock(name="login")
    login("shop", password=s)
    return login


@failure("doctest", "another result")
def _(m: Any, s: str) -> object:
    example = m.DocTestParser().get_doctest(">>> password\n'x'\n", {"password": s}, "login", None, 0)
    said: list[str] = []
    m.DocTestRunner(verbose=False).run(example, out=said.append)
    raise RuntimeError("".join(said))


rows("ipaddress", a_host_of_a_URL=lambda m, s: m.ip_address(f"shop:{s}@127.0.0.1"))


@failure("optparse", "a type")
def _(m: Any, s: str) -> object:
    parser = m.OptionParser()
    parser.add_option("--password", type=int)
    parser.error = lambda message: (_ for _ in ()).throw(ValueError(message))
    return parser.parse_args(["--password", s])


@failure("pytest", "another message")
def _(m: Any, s: str) -> object:
    with m.raises(ValueError, match="refused"):
        raise ValueError(f"password={s}")
    return None


@failure("hypothesis", "an example")
def _(m: Any, s: str) -> object:
    @m.settings(database=None, max_examples=1)
    @m.given(importlib.import_module("hypothesis.strategies").just(s))
    def check(password: str) -> None:
        raise ValueError("refused")

    return check()


rows("httpcore", a_scheme=lambda m, s: m.request("GET", f"htp://shop:{quote(s, safe='')}@{HERE}/?token={quote(s)}"))
rows(
    "twisted.python.usage",
    a_type=lambda m, s: type(
        "Options", (m.Options,), {"optParameters": [["password", "p", None, "of the database", int]]}
    )().parseOptions([f"--password={s}"]),
)
rows(
    "prometheus_client",
    a_gateway=lambda m, s: m.push_to_gateway(f"http://shop:{s}@{HERE}", job="x", registry=m.CollectorRegistry()),
)
rows(
    "openapi_schema_validator",
    a_type=lambda m, s: m.validate(
        {"password": s}, {"type": "object", "properties": {"password": {"type": "integer"}}}
    ),
)
