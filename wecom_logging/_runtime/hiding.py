"""Removes our frames from a `ConfigurationError`: tools that report errors would show secrets in their variables."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from traceback import clear_frames
from typing import ParamSpec

from ..errors import ConfigurationError

P = ParamSpec("P")


def hiding_frames(build: Callable[P, None]) -> Callable[P, None]:
    """A constructor whose exceptions lead to no frame of ours with an argument, or with what was made of it.

    Tools that report errors show the local variables of each frame: secrets, URLs with passwords, texts of files.
    """

    @wraps(build)
    def __init__(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            return build(*args, **kwargs)
        except ConfigurationError as error:
            refusal = error.with_traceback(None)
        except Exception as error:  # of an argument's own code: where it was stays to be seen
            clear_frames(error.__traceback__ and error.__traceback__.tb_next)
            raise
        finally:
            del args, kwargs
        refusal.__cause__ = refusal.__context__ = None
        try:
            raise refusal
        finally:
            del refusal  # or the error and its traceback would hold each other

    return __init__
