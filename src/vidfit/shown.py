"""Text as it may be shown: no sign steers a terminal, no address carries a secret.

File names, class names and addresses come from strangers. Whatever is printed, or written into
a page or a file of answers, goes through `shown`.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_ADDRESS = re.compile(
    r"://(?P<place>(?:(?!://)[^\s\"<>?#])*)(?P<query>\?[^\s\"<>#]*)?(?P<fragment>#[^\s\"<>]*)?"
)
_START = re.compile(r"#[\d.e+-]+$")
_DIGEST = re.compile(r"\?~[0-9a-f]{6}")
_CLOSING = "'),.;:"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """Return a number with its noun: ``1 class``, ``2 classes``, ``13,000 clips``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def shown(text: str) -> str:
    """Return text for people: one line, hidden signs as escapes, no secrets in addresses."""
    return visible(public(text))


def shown_lines(text: str) -> str:
    """Return text of several lines for people, each as `shown` gives it."""
    return "\n".join(shown(line) for line in text.split("\n"))


def is_hidden(sign: str) -> bool:
    r"""Whether a sign steers what shows it: control, direction, surrogate, line separator.

    Joiners are none of them: Persian and Hindi names, and emoji, need them.
    """
    return unicodedata.category(sign) in _HIDDEN and sign not in _JOINERS


def visible(text: str) -> str:
    r"""Return text with hidden signs as escapes such as ``\x1b``, ``\n`` and ``\u202e``."""
    if text.isprintable():
        return text
    return "".join(escape(sign) if is_hidden(sign) else sign for sign in text)


def escape(sign: str) -> str:
    """Return a sign as Python writes it between quotes."""
    return sign.encode("unicode_escape").decode("ascii")


def public(text: str) -> str:
    """Return text in which addresses carry neither user and password nor a query.

    Six digits of a digest stand for a query, so that the names of two videos stay two:
    ``https://host/a.mp4?~1f0c3a``. They are too few to find a token by. What stands behind
    ``#`` goes with the query where it holds ``=``; the start of a clip stays.
    """
    return _ADDRESS.sub(_public, text) if "://" in text else text


def name_of(address: str) -> str:
    """Return an address without its query and fragment; any other path as it is.

    Chains of fsspec and members of shards stay as they are, too: a member's name may hold ``?``.
    """
    _, is_address, rest = address.partition("://")
    place = re.split("[?#]", rest, maxsplit=1)[0]
    if not is_address or "::" in re.sub(r"\[[^\]]*\]", "", place):
        return address
    return address[: len(address) - len(rest) + len(place)]


def _public(found: re.Match[str]) -> str:
    host, slash, path = found["place"].partition("/")
    place = f"://{host.rpartition('@')[2]}{slash}{path}"
    query, fragment = found["query"] or "", found["fragment"] or ""
    if len(query.rstrip(_CLOSING)) < 2 and "=" not in fragment:
        return place + query + fragment
    whole = (query + fragment).rstrip(_CLOSING)
    start = _START.search(whole) if fragment else None
    secret = whole[: start.start()] if start else whole
    if _DIGEST.fullmatch(secret):  # it was made public before
        return place + query + fragment
    digest = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{place}?~{digest}{(query + fragment)[len(secret) :]}"
