"""Finds the file and line of a template for a frame of its engine: Django has no frame for that, Jinja no name.

What is read are variables of the engines' frames. No code of the program runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import FrameType, TracebackType

from ..model import Frame
from .texts import own_of

_DJANGO = ("django/template/base.py", "django\\template\\base.py")
_JINJA = ("jinja2/environment.py", "jinja2\\environment.py")
ENGINES = (*_DJANGO, *_JINJA)
"""How the paths end of what renders templates."""
_NAMELESS = ("<template>", "<unknown>")
_MAX_NAME = 512
_TOP = ("top-level template code", "template")


def template_frames(kept: Sequence[TracebackType]) -> dict[int, Frame]:
    """By the place in ``kept``, the frames that stand for lines of a template."""
    found: dict[int, Frame] = {}
    rendered: object = None  # what a template that Jinja renders next is called
    for place, trace in enumerate(kept):
        frame = trace.tb_frame
        code = frame.f_code
        made: Frame | None = None
        if code.co_filename.endswith(_DJANGO):
            made = _django(frame) if code.co_name in ("render_annotated", "parse") else None
        elif code.co_filename.endswith(_JINJA):
            rendered = own_of(frame.f_locals.get("self")).get("name", rendered)
        elif "__jinja_exception__" in frame.f_globals:
            if code.co_filename == "<unknown>":
                rendered = own_of(frame.f_globals["__jinja_exception__"]).get("name")
            is_named = code.co_filename in _NAMELESS and type(rendered) is str
            file = str(rendered)[:_MAX_NAME] if is_named else code.co_filename
            made, rendered = Frame(file, trace.tb_lineno or 0, "" if code.co_name in _TOP else code.co_name), None
        if made is not None:
            found[place] = made
    return found


def _django(frame: FrameType) -> Frame | None:
    """Of a node that is rendered, or of a token that is parsed."""
    variables = frame.f_locals
    about = own_of(variables.get("self"))
    token = about.get("token") if frame.f_code.co_name == "render_annotated" else variables.get("token")
    name, line = own_of(about.get("origin")).get("name"), own_of(token).get("lineno")
    if type(line) is not int or not issubclass(type(name), str):
        return None
    file = str.__str__(name)[:_MAX_NAME]
    return None if file.startswith("<") else Frame(file, line, "")
