"""A declared job as the text of a fact."""

from __future__ import annotations

import json
from dataclasses import asdict

from ..model import Recipients
from .job import Spec, Target


def text_of(spec: Spec) -> str:
    """All that is expected of a job."""
    return json.dumps(asdict(spec), ensure_ascii=False)


def spec_of(text: str) -> Spec:
    """The same again. Raises ValueError or TypeError for a text of another hand."""
    found = json.loads(text)
    return Spec(**{**found, "targets": tuple(map(_target, found["targets"]))})


def _target(found: dict[str, object]) -> Target:
    named = found["recipients"]
    recipients = None
    if isinstance(named, dict):
        recipients = Recipients(**{name: tuple(ids) if isinstance(ids, list) else ids for name, ids in named.items()})
    steps = found["steps"]
    assert isinstance(steps, list)
    return Target(**{**found, "recipients": recipients, "steps": tuple(steps)})  # type: ignore[arg-type] # as it was
