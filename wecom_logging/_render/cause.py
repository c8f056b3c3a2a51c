"""One message for all that have failed for the same cause: the cause, and below it the places."""

from __future__ import annotations

from collections.abc import Sequence

from .._text import inert
from .._text.cut import size, trim
from ..model import Digest, Failure
from .facts import count_words, origin
from .headline import short_type
from .layout import Style, fact_line, number_line
from .words import BETWEEN_LOST, CAUSE_OF_PLACES, COUNT, IN_ALL, PLACES, PLACES_IN_SERVICES, QUIET_KIND

_MAX_CAUSE_BYTES = 300
_MAX_PLACE_BYTES = 160


def share_cause(digests: Sequence[Digest], root: Failure, style: Style, most: int, losses: str = "") -> tuple[str, int]:
    """The text that tells the first of ``digests``, and how many of them stand in it: 1 or more.

    ``root`` is the exception that caused them. The text has at most ``most`` bytes (1 000 or more).
    """
    notes = [fact_line(losses, style)] if losses else []
    places = [_place(digest, style) for digest in digests]
    room = most - size(_headline(digests, root, style)) - 16  # fewer places may have a longer headline
    room -= sum(size(note) + 1 for note in notes) + size(number_line(digests[0], style)) + 1
    shown = 0
    for place in places:
        room -= size(place) + 1
        if room < 0 and shown:
            break
        shown += 1
    newest = max(digests[:shown], key=lambda one: max(one.last, one.alert.time))
    lines = [_headline(digests[:shown], root, style), *notes, *places[:shown], number_line(newest, style)]
    return "\n".join(lines), shown


def _headline(digests: Sequence[Digest], root: Failure, style: Style) -> str:
    """``🔴 OperationalError: connection refused · 9 places in 3 services · × 5312``"""
    language = style.language
    text = inert.line(root.text.strip().partition("\n")[0][: 4 * _MAX_CAUSE_BYTES], language)
    said = ": ".join(filter(None, (short_type(root.type), text)))
    cause = trim(style.safe(said).replace("×", "x"), _MAX_CAUSE_BYTES)
    services = {digest.alert.service or digest.alert.logger for digest in digests}
    words = PLACES_IN_SERVICES if len(services) > 1 else PLACES
    where = f" · {words.within(language, len(digests), len(services))}"
    number = sum(digest.count for digest in digests)
    open_ones = [digest.alert.level for digest in digests if digest.quiet_s <= 0]
    if not open_ones:
        return style.closing("", cause, f"{QUIET_KIND.within(language)}{where}")
    return style.shared(
        max(open_ones), CAUSE_OF_PLACES.within(language, cause, where, COUNT.within(language, number, ""))
    )


def _place(digest: Digest, style: Style) -> str:
    """``payments shop.charge charge: PaymentError × 12, 40 in all #k7f2``"""
    alert = digest.alert
    name = " ".join(filter(None, (origin(alert), alert.place.name)))
    kinds = [short_type(failure.type) for failure in alert.failures]
    if kinds and kinds[-1] != kinds[0]:  # what the cause became there: many services refuse a connection alike
        name = f"{name}: {kinds[-1]}"
    name = inert.line(name, style.language)
    name = trim(style.safe(name).replace("×", "x"), _MAX_PLACE_BYTES)
    words = count_words(digest, style.language)
    if digest.quiet_s > 0:
        numbers = words if digest.count else IN_ALL.within(style.language, digest.total, "")
        words = f"{QUIET_KIND.within(style.language)}{BETWEEN_LOST.within(style.language)}{numbers}"
    return " ".join(filter(None, ["·", name, words or COUNT.within(style.language, 1, ""), f"#{digest.short_id}"]))
