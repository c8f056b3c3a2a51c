"""The report as text or JSON: one line for each finding, its remedy below it, and the verdict. No secret is in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import groupby
from typing import Any

from ..._text import inert
from ...config.options import all_options
from ..printing import one_line
from .findings import Finding, Report, Setting, Words
from .words import words

_MARKS = {True: "✓", False: "✗", None: "–"}
_TITLES = {"settings": Words("Settings", "配置"), "shared": Words("Network", "网络")}
_LENGTH = Words(" chars)", " 个字符)")
"""How the value of a secret ends: JSON has it in English."""

Mask = Callable[[str], str]


def as_json(report: Report, mask: Mask) -> dict[str, Any]:
    """Both languages beside each other."""
    whole = {
        "ok": report.ok,
        "channels": {name: report.arrives(name) for name in report.handlers},
        "settings": [_plain(one) for one in report.settings],
        "findings": [_plain(one) for one in report.findings],
    }
    return {name: _safe(value, mask) for name, value in whole.items()}


def _plain(value: Setting | Finding) -> dict[str, Any]:
    fields = asdict(value)
    return {name: it._asdict() if isinstance(it, Words) else it for name, it in fields.items()}


def _safe(value: Any, mask: Mask) -> Any:
    """Every text in it as one line without a secret."""
    if isinstance(value, dict):
        return {name: _safe(item, mask) for name, item in value.items()}
    if isinstance(value, list):
        return [_safe(item, mask) for item in value]
    return mask(inert.line(value)) if isinstance(value, str) else value


def as_text(report: Report, language: str, mask: Mask) -> str:
    lines = [_TITLES["settings"].within(language)]
    lines += [f"  {line}" for line in _settings(report.settings, language)]
    for handler, findings in groupby(report.findings, lambda finding: finding.handler):
        lines += ["", handler or _TITLES["shared"].within(language)]
        for finding in findings:
            lines += _finding(finding, language)
    lines += ["", _verdict(report).within(language)]
    return "\n".join(mask(one_line(line)) for line in lines)


def _settings(settings: tuple[Setting, ...], language: str) -> Iterator[str]:
    for one in settings:
        source = words("sources", one.source).within(language)
        shown = one.value.replace(_LENGTH.en, _LENGTH.within(language)) if all_options()[one.name].secret else one.value
        value = f" = {shown}" if one.source != "missing" else ""
        place = f" {one.place}" if one.place else ""
        yield f"{one.handler}: {one.name}{value}  [{source}{place}]"


def _finding(finding: Finding, language: str) -> Iterator[str]:
    check = words("checks", finding.check).within(language)
    subject = f" {finding.subject}" if finding.subject else ""
    code = f" [errcode {finding.errcode}]" if finding.errcode is not None else ""
    colon = "：" if language == "zh" else ": "
    yield f"  {_MARKS[finding.ok]} {check}{subject}{code}{colon}{finding.cause.within(language)}"
    remedy = finding.remedy.within(language)
    if remedy:
        yield f"      → {remedy}"


def _verdict(report: Report) -> Words:
    failed = sum(finding.ok is False for finding in report.findings)
    bad = [name for name in report.handlers if not report.arrives(name)]
    untried = [name for name in report.handlers if name not in bad and report.untried(name)]
    good = [name for name in report.handlers if name not in (*bad, *untried)]
    if untried:
        return _but_for(untried, good, bad, failed)
    if not failed:
        return Words(
            f"✓ An alert would arrive through every channel: {', '.join(good)}.",
            f"✓ 告警可以通过全部渠道送达：{'、'.join(good)}。",
        )
    if not bad:
        return Words(
            "✗ An alert would arrive through every channel, but what is marked ✗ has to be mended.",
            "✗ 告警可以通过全部渠道送达，但仍请处理标有 ✗ 的项目。",
        )
    still = Words(f" (it would through {', '.join(good)})", f"（{'、'.join(good)} 可以）") if good else Words("", "")
    return Words(
        f"✗ An alert would not arrive through {', '.join(bad)}{still.en}; what is marked ✗ has to be mended.",
        f"✗ 告警无法通过 {'、'.join(bad)} 送达{still.zh}；请先处理标有 ✗ 的项目。",
    )


def _but_for(untried: list[str], good: list[str], bad: list[str], failed: int) -> Words:
    """What can be said where a channel was not tried."""
    en, zh = [], []
    if bad:
        en.append(f"An alert would not arrive through {', '.join(bad)}")
        zh.append(f"告警无法通过 {'、'.join(bad)} 送达")
    if good:
        en.append(f"{'it' if bad else 'An alert'} would arrive through {', '.join(good)}")
        zh.append(f"{'可以' if bad else '告警可以'}通过 {'、'.join(good)} 送达")
    en.append(f"{', '.join(untried)} was not tried")
    zh.append(f"{'、'.join(untried)} 未尝试")
    mark = "✗" if failed else "✓" if good else "–"
    mended = Words("; what is marked ✗ has to be mended", "；请先处理标有 ✗ 的项目") if failed else Words("", "")
    return Words(f"{mark} {'; '.join(en)}{mended.en}.", f"{mark} {'；'.join(zh)}{mended.zh}。")
