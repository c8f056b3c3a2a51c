"""``wecom-logging doctor``: a real round trip with a program's configuration; what is wrong is named with its remedy.

Nothing is sent that anybody sees, unless ``--send`` is given. Exit code 0 only if an alert would arrive through every
channel that is configured.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

from ... import config
from ..._masking.redact import masker
from ..environment import PASSWORD, names_a_password, secrets
from ..printing import print_json, say, wrapped
from .findings import Report
from .report import as_json, as_text
from .round_trip import Trip, round_trip
from .settings import settings
from .targets import OPTIONS, targets
from .words import language

_HELP = {
    "corp_id": "instead of WECOM_CORP_ID",
    "agent_id": "instead of WECOM_AGENT_ID",
    "users": "instead of WECOM_USERS: ids or names, separated by commas",
    "departments": "instead of WECOM_DEPARTMENTS",
    "tags": "instead of WECOM_TAGS",
    "api_base": "instead of WECOM_API_BASE",
    "state": "instead of WECOM_STATE, without a password",
}


def add(commands: Any) -> None:
    parser = commands.add_parser(
        "doctor",
        help="a real round trip with the configuration at hand; what is wrong is named with its remedy / 检查配置",
        description="Asks WeCom whether an alert would arrive, with what the WECOM_… variables of the environment "
        "configure, or with the handlers of a logging config. Sends nothing without --send. Secrets come from the "
        "environment or a file.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", help="a logging config: .json, .yaml, .toml, .ini (fileConfig)")
    parser.add_argument("--handler", metavar="NAME", help="of --config: this handler only")
    for name in OPTIONS:
        parser.add_argument(f"--{name.replace('_', '-')}", help=_HELP[name])
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="of one request (%(default)s)")
    parser.add_argument("--send", action="store_true", help="also send one message through each channel")
    parser.add_argument("--lang", choices=("zh", "en"), help="without it, WECOM_LANGUAGE or what the locale says")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON, in both languages")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    problem = _misused(options)
    if problem:
        say(problem)
        return 2
    trip = Trip(config.number("timeout", options.timeout, least=0.1), options.send)
    found = targets(options)
    report = Report(
        tuple(target.name for target in found),
        tuple(one for target in found for one in settings(target.name, target.channel, target.options, target.places)),
        tuple(round_trip(found, trip)),
    )
    mask = masker([secret for target in found for secret in secrets(target.options)], None)
    if options.json:
        print_json(as_json(report, mask), indent=2)
    else:
        lines = as_text(report, language(options.lang), mask).splitlines()
        if sys.stdout.isatty():  # programs read a line for each finding
            columns = shutil.get_terminal_size().columns
            lines = [part for line in lines for part in wrapped(line, columns)]
        print("\n".join(lines))
    return 0 if report.ok else 1


def _misused(options: argparse.Namespace) -> str:
    given = [f"--{name.replace('_', '-')}" for name in OPTIONS if getattr(options, name) is not None]
    if options.config is not None and given:
        return f"{', '.join(given)} cannot be used with --config, which is looked at as it is"
    if names_a_password(options.state):
        return PASSWORD
    if options.config is None and options.handler is not None:
        return "--handler needs --config FILE"
    return ""
