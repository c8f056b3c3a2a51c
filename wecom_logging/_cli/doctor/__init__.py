"""``wecom-logging doctor``: a real round trip with a program's configuration; what is wrong is named with its remedy.

Nothing is sent that a person sees, unless ``--send`` is given. Exit code 0 only if an alert would arrive through every
channel that is configured.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ... import _config as config
from ..._config.options import all_options
from ..._masking.redact import masker
from ..._text import inert
from ..._text.said import Language, Said, labelled
from ..environment import secrets
from ..parser import command
from ..printing import one_line, print_json, wrapped
from ..texts import language, listed, said
from .findings import Finding, Report
from .round_trip import Trip, round_trip
from .settings import settings
from .targets import targets


def add(commands: Any) -> None:
    parser = command(commands, "doctor", "doctor.help", "doctor.about", json=True, allow_abbrev=False)
    parser.add_argument("--config", metavar="FILE", help="doctor.config")
    parser.add_argument("--handler", metavar="NAME", help="doctor.handler")
    parser.add_argument("--timeout", type=float, default=10.0, metavar="SECONDS", help="doctor.timeout")
    parser.add_argument("--send", action="store_true", help="doctor.send")
    parser.add_argument("--lang", choices=("zh", "en"), help="doctor.lang")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    trip = Trip(config.number("timeout", options.timeout, least=0.1), options.send)
    found = targets(options.config, options.handler)
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


# the report


_MARKS = {True: "✓", False: "✗", None: "–"}
_WARNING = "!"
_LENGTH = Said(" chars)", " 个字符)")
"""How the value of a secret ends: JSON has it in English."""

Mask = Callable[[str], str]


def as_json(report: Report, mask: Mask) -> dict[str, Any]:
    """Both languages beside each other."""
    whole = {
        "ok": report.ok,
        "channels": {name: report.arrives(name) for name in report.handlers},
        "settings": [asdict(one) for one in report.settings],
        "findings": [asdict(one) for one in report.findings],
    }
    return {name: _safe(value, mask) for name, value in whole.items()}


def _safe(value: Any, mask: Mask) -> Any:
    """Every text in it as one line without a secret."""
    if isinstance(value, Said):
        return _safe(value.both(), mask)
    if isinstance(value, dict):
        return {name: _safe(item, mask) for name, item in value.items()}
    if isinstance(value, list):
        return [_safe(item, mask) for item in value]
    return mask(inert.line(value)) if isinstance(value, str) else value


def as_text(report: Report, language: Language, mask: Mask) -> str:
    lines = [said("report.settings").within(language)]
    for one in report.settings:
        is_secret, source = all_options()[one.name].secret, said(f"sources.{one.source}").within(language)
        shown = one.value.replace(_LENGTH.en, _LENGTH.within(language)) if is_secret else one.value
        value = "" if one.source == "missing" else f" = {shown}"
        lines.append(f"  {one.handler}: {one.name}{value}  [{source}{one.place and f' {one.place}'}]")
    for handler, findings in groupby(report.findings, lambda finding: finding.handler):
        lines += ["", handler or said("report.shared").within(language)]
        for finding in findings:
            lines += _finding(finding, language)
    lines += ["", _verdict(report).within(language)]
    return "\n".join(mask(one_line(line)) for line in lines)


def _finding(finding: Finding, language: Language) -> Iterator[str]:
    check = said(f"checks.{finding.check}").within(language)
    subject = f" {finding.subject}" if finding.subject else ""
    code = f" [errcode {finding.errcode}]" if finding.errcode is not None else ""
    mark = _WARNING if finding.warning else _MARKS[finding.ok]
    yield f"  {mark} {labelled(f'{check}{subject}{code}', language, finding.cause.within(language))}"
    remedy = finding.remedy.within(language)
    if remedy:
        yield f"      → {remedy}"


def _verdict(report: Report) -> Said:
    failed = any(finding.failed for finding in report.findings)
    bad = [name for name in report.handlers if not report.arrives(name)]
    untried = [name for name in report.handlers if name not in bad and report.untried(name)]
    good = [name for name in report.handlers if name not in (*bad, *untried)]
    parts = []
    if bad:
        parts.append(said("report.not_through", names=listed(bad)))
    if good:
        row = (
            ("report.everywhere_but" if failed else "report.everywhere")
            if good == [*report.handlers]
            else "report.through"
        )
        parts.append(said("report.too" if bad else row, names=listed(good)))
    if untried:
        parts.append(said("report.untried", names=listed(untried)))
    if failed and (bad or untried):
        parts.append(said("report.mend"))
    if any(finding.warning for finding in report.findings):
        parts.append(said("report.warned"))
    mark, whole = "✗" if failed else "✓" if good else "–", listed(parts, "; ", "；")
    return Said(f"{mark} {whole.en}.", f"{mark} {whole.zh}。")
