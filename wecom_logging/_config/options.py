"""`CommonOptions`: the options of all handlers, with type, check and default; and what is told of every option.

What is told stands in `options.toml`, which the commands and the pages read, and no handler.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypedDict, TypeVar

from ..errors import ConfigurationError
from ..model import Secret
from .credentials import heartbeat_url
from .messages import ANSWERS, FRAMES, OVERFLOWS, language, link, timezone
from .values import choice, flag, function, number, optional_text, whole
from .variables import variable

if TYPE_CHECKING:
    from ..model import DeliveryReport


class Made(NamedTuple):
    """The check of an option: ``check(name, value)``, of the number in its ``variable``, or of the ``default``, gives
    the ``field`` of what is checked."""

    field: str
    check: Callable[[str, Any], object]
    default: object = None
    variable: str = ""

    @property
    def otherwise(self) -> object:
        """The value of an option that is not given. Raises `ConfigurationError` for a variable that is no number."""
        if not self.variable or (text := variable(self.variable)) is None:
            return self.default
        try:
            return float(text)
        except ValueError:
            raise ConfigurationError(self.variable, "not_a_number", f"Such as {self.default:g}", given="str") from None


_T = TypeVar("_T")


class OfDuty(NamedTuple):
    """Of an option that a file of rules (``duty``) may have, too: the ``variable`` that is read before the file."""

    variable: str = ""


def _answers(name: str, value: object) -> str:
    return "" if value is None else choice(name, value, ANSWERS)


class CommonOptions(TypedDict, total=False):
    """What all handlers take, all as keywords.

    * ``level`` (``NOTSET``): the lowest level that is sent.
    * ``service`` (none): the name of the service; the first line of a message shows it, and alerts of two
      services are never the same.
    * ``environment`` (none): the environment, such as ``"prod"``; the first line of a message shows it, and
      alerts of two environments are never the same.
    * ``enabled`` (on where credentials are set, WECOM_ENABLED): where no credential is given, and no variable of
      its own is set (such as ``WECOM_CORP_ID`` or ``WECOM_USERS`` of an app), a handler sends nothing, and says
      so once on stderr. ``True`` (``1`` in the variable): that is an error. ``False`` (``0``): it sends nothing,
      needs no other option, and says nothing.
    * ``state`` (``"memory://"``, WECOM_STATE): where alerts are kept so that they survive the process and are
      shared: ``"sqlite:///path/to/alerts.db"``, ``"redis://host:6379/0"`` or a client object.
    * ``language`` (that of the locale (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``), WECOM_LANGUAGE):
      ``"en"`` or ``"zh"``: the words around the text of the program, in messages, on cards, in what the commands
      print and in most of what handlers say on stderr (these two by the variable or the locale). The process that
      sends decides, also for alerts that another process has logged; it does not change which records are the
      same.
    * ``timezone`` (that of the machine, WECOM_TIMEZONE): the zone of every time that people read, by its name:
      ``"Asia/Shanghai"``. In messages, on cards, in files and in what the commands print; a silence until 18:00
      is meant in it, too. Containers are often in UTC.
    * ``redact`` (built in): a function ``redact(text) -> str``, or ``False``. ``redact_personal`` of
      ``wecom_logging.redaction`` also masks personal data (in ``dictConfig``:
      ``"ext://wecom_logging.redaction.redact_personal"``); ``redactor(extra=[…], personal=True)`` names and
      patterns of your own as well.
    * ``fingerprint`` (built in): a function ``fingerprint(record) -> str``. Records with the same result are the
      same incident.
    * ``link`` (none): a URL into your own log system. ``{fingerprint}`` (yours, else the short id), ``{service}``
      and ``{time}`` are filled in.
    * ``window`` (60 s): how long repeats are counted before a digest: 1 s to a day.
    * ``rate_limit`` (app: ``"30/minute, 1000/hour"`` for each member; bot: ``"20/minute"`` for each bot; AI bot:
      ``"24/minute, 800/hour"`` for each chat, WECOM_RATE_LIMIT): how many messages go out. ``None`` (``off`` in
      the variable) where WeCom has no limit, such as a private deployment.
    * ``timeout`` (10 s): the time limit for one request, in total: at least 0.1 s.
    * ``exit_timeout`` (5 s, WECOM_EXIT_TIMEOUT): how long the exit of the program may wait. ``run`` waits 30 s,
      unless the variable is set.
    * ``max_pending`` (10,000): how many alerts may wait in memory, at most 16 MiB of them.
    * ``overflow`` (``"trim"``): what happens to a text that is too long: ``"trim"`` cuts it, ``"file"`` cuts it
      and sends the whole as a file.
    * ``frames`` (``"own"``): of a traceback: ``"own"`` folds frames of libraries into one line (``… 14 in
      sqlalchemy``), except the first and the last; ``"all"`` shows every frame.
    * ``fallback`` (none): another handler, or its name in the logging config. It gets the alerts that WeCom
      rejects permanently.
    * ``on_outcome`` (none): a function ``on_outcome(report)``. The thread that sends calls it with the result of
      each message.
    * ``api_base`` (``"https://qyapi.weixin.qq.com"``, WECOM_API_BASE): scheme and host of the sandbox, a proxy or
      a private deployment.
    * ``celery`` (``True``): in a Celery worker, and in beat: what ``connect()`` does is done for a handler that
      stands on the root logger or on one of Celery's. ``False``: only if ``connect()`` is called.
    * ``quiet_hours`` (WECOM_QUIET_HOURS): when alerts below CRITICAL wait: ``["22:00-08:00", "off-days"]``. An
      item is ``HH:MM-HH:MM``, ``DAYS`` or ``DAYS HH:MM-HH:MM``, with ``daily``, ``workdays``, ``off-days``, or
      such as ``mon-fri`` or ``sat,sun`` for DAYS. In the variable, ``;`` parts them. With more to say it is
      ``{"when": ["22:00-08:00", "off-days"], "below": "CRITICAL", "calendar": "cn"}``: ``below`` is the lowest
      level that does not wait (``"none"``: all wait); ``calendar`` says which days are ``workdays``: ``"cn"``
      (China, needs the extra ``[cn]``), the path of a JSON file as of holiday-cn, or
      ``"package.module:function"``, a function ``is_workday(date) -> bool``; else Monday to Friday. It needs
      ``timezone``.
    * ``on_call`` (none): who is on call, by the names of rotas: ``{"web": {"people": ["zhangsan", ["lisi",
      "wangwu"]], "since": "2026-12-07 10:00", "every": "1w"}}``: in turn, each an id, a name or several, from
      ``since`` on for days or weeks (hours in a zone without daylight saving time). In their place ``{"who":
      "package.module:function"}``, a function that returns who it is now. Then ``"on-call:web"`` may stand
      wherever users are named. It needs ``timezone``.
    * ``escalation`` (none): who gets an incident that nobody takes: ``[{"after": "10m", "users": ["on-call:web"],
      "how": "call"}, {"after": "25m", "leader_of": ["ops"]}]``: up to eight steps, ``after`` the first message,
      each with ``users``, ``departments``, ``tags`` or ``leader_of``; of an AI bot with ``chats``; the bot of a
      group has none. ``"how": "call"`` rings the phones of ``users`` and ``leader_of``, too (紧急通知). Whoever
      takes, silences or closes the incident stops them. It needs a way to take: an AI bot, or a shared ``state``
      for the commands.
    * ``escalation_level`` (``CRITICAL``): the lowest level that escalates.
    * ``duty`` (WECOM_DUTY): the path of a TOML file with these options: ``timezone``, ``quiet_hours``,
      ``on_call``, ``escalation``, ``escalation_level``. What is given, or set by a variable, is taken before it.
    * ``answers`` (none): ``"aibot"``: the last line of an alert says what to type to the AI bot: ``to the bot:
      take k7f2 · quiet k7f2 1h``.
    * ``heartbeat_url`` (WECOM_HEARTBEAT_URL, WECOM_HEARTBEAT_URL_FILE): a URL that is asked once a minute while
      the state answers and sending works, so that a service outside (healthchecks.io, Uptime Kuma) notices when
      nothing here can tell; also ``"env:NAME"`` or ``"file:PATH"``. Its grace should be 3 minutes or more.
    """

    # What most need.
    level: int | str
    service: Annotated[str | None, Made("service", optional_text)]
    environment: Annotated[str | None, Made("environment", optional_text)]
    enabled: bool | None
    state: str | None
    language: Annotated[str | None, Made("language", lambda _, value: language(value))]
    timezone: Annotated[str | None, Made("zone", lambda _, value: timezone(value)), OfDuty("WECOM_TIMEZONE")]
    redact: Callable[[str], str] | bool | None
    fingerprint: Annotated[
        Callable[[logging.LogRecord], str] | None,
        Made("fingerprint", partial(function, form="fingerprint(record) -> str")),
    ]
    link: Annotated[str | None, Made("link", lambda _, value: link(value))]
    # Bounds and looks.
    window: Annotated[float, Made("window_s", partial(number, least=1, most=86_400), 60.0)]
    rate_limit: str | None
    timeout: Annotated[float, Made("timeout_s", partial(number, least=0.1), 10.0)]
    exit_timeout: Annotated[float, Made("exit_timeout_s", partial(number, least=0), 5.0, "WECOM_EXIT_TIMEOUT")]
    max_pending: Annotated[int, Made("max_pending", whole, 10_000)]
    overflow: Annotated[str, Made("overflow", partial(choice, choices=OVERFLOWS), "trim")]
    frames: Annotated[str, Made("frames", partial(choice, choices=FRAMES), "own")]
    fallback: logging.Handler | str | None
    on_outcome: Annotated[
        Callable[["DeliveryReport"], object] | None,
        Made("on_outcome", partial(function, form="on_outcome(report)")),
    ]
    api_base: str | None
    celery: Annotated[bool, Made("celery", flag, True)]
    # For teams.
    quiet_hours: Annotated[Sequence[str] | str | Mapping[str, object] | None, OfDuty("WECOM_QUIET_HOURS")]
    on_call: Annotated[Mapping[str, Mapping[str, object]] | None, OfDuty()]
    escalation: Annotated[Sequence[Mapping[str, object]] | None, OfDuty()]
    escalation_level: Annotated[int | str | None, OfDuty()]
    duty: str | None
    answers: Annotated[str | None, Made("answers", _answers)]
    heartbeat_url: Annotated[str | Secret | None, Made("heartbeat_url", lambda _, value: heartbeat_url(value))]


def checked(options: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """What is `Made` of these options, or of all, by its field. Raises `ConfigurationError`."""
    made = marked(Made)
    found = {name: made[name] for name in names or made}
    return {one.field: one.check(name, options.get(name, one.otherwise)) for name, one in found.items()}


def marked(kind: type[_T]) -> Mapping[str, _T]:
    """The options that have such a mark, with it."""
    rows = CommonOptions.__annotations__.items()
    return {name: one for name, row in rows for one in getattr(row, "__metadata__", ()) if isinstance(one, kind)}


TABLES = ("most", "bounds", "teams")


class Option(NamedTuple):
    """One row. Of two texts, the first is in English, the second in Chinese."""

    name: str
    handler: str
    """``"app"``, ``"bot"``, ``"aibot"`` or ``"all"``."""
    table: str
    """Of those of all handlers ``"most"`` (what most need), ``"bounds"`` (and looks) or ``"teams"``."""
    meaning: Sequence[str]
    variable: str = ""
    secret: bool = False
    value: str | float | bool | None = None
    unit: Literal["", "s"] = ""
    default: str | Sequence[str] = ""
    doctor: Literal["", "needed", "default", "given"] = ""
    remedy: Sequence[str] = ()

    @property
    def keyword(self) -> str:
        """As programs write it."""
        return self.name.removeprefix("aibot_")

    @property
    def variables(self) -> tuple[str, ...]:
        """All that it is read from."""
        return tuple(f"{self.variable}{end}" for end in ("", "_FILE")[: 1 + self.secret] if self.variable)


@cache
def all_options() -> Mapping[str, Option]:
    from .._tables import table

    return {
        name: Option(name=name, handler="all" if kind in TABLES else kind, table=kind, **row)
        for kind, rows in table(__package__, "options").items()
        for name, row in rows.items()
    }
