"""Sends one message by one route, and says what came of it without giving a password away."""

from __future__ import annotations

import logging
import re
import threading
from urllib.parse import unquote

from labrig.watch.causes import Severity

HOW_TO_WRITE = (
    "Write it as apprise does: mailtos://USER:PASSWORD@HOST?to=WHOM, ntfy://HOST/TOPIC, "
    "slack://TOKENS, json://HOST/PATH ... (https://github.com/caronc/apprise/wiki)."
)
_SECRET_FROM = 4
"""[P] Shorter parts of a URL are words of its kind, not secrets."""


def fault_of_url(url: str) -> str:
    """Why no message can be sent to this URL; empty: it can be read. Nothing is sent."""
    import apprise

    with _Heard() as heard:
        known = apprise.Apprise().add(url)
    if known:
        return ""
    said = _without_secrets(heard.text, url, "")
    return f"this URL is of no kind that apprise knows{f' ({said})' if said else ''}"


def shown(url: str) -> str:
    """The URL as it may be shown: its passwords and tokens as stars."""
    import apprise

    with _Heard():
        service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        return f"{url.partition(':')[0]}://…"
    url_shown: str = service.url(privacy=True)  # type: ignore[no-untyped-call]
    return url_shown.partition("?")[0]


def send(url: str, subject: str, text: str, severity: Severity) -> str:
    """Send it now.

    Args:
        url: of the route.
        subject: one line; text: plain, with line breaks.
        text: the rest.
        severity: shown as failure, warning or information where the service has such.

    Returns:
        why it did not go out, without passwords; empty when the service has taken it.
    """
    import apprise

    kinds = {
        "call": apprise.NotifyType.FAILURE,
        "tell": apprise.NotifyType.WARNING,
        "note": apprise.NotifyType.INFO,
    }
    with _Heard() as heard:
        way = apprise.Apprise()
        if not way.add(url):
            return fault_of_url(url)
        for service in way:
            if "format=" not in url:
                # A mail would be HTML, in which commands lose their indentation.
                service.notify_format = apprise.NotifyFormat.TEXT
        try:
            taken = way.notify(
                body=text,
                title=subject,
                notify_type=kinds[severity],
                body_format=apprise.NotifyFormat.TEXT,
            )
        except Exception as error:
            # Whatever a plug-in raises: the next route must be tried.
            return _without_secrets(repr(error), url, shown(url))
    if taken:
        return ""
    said = _without_secrets(heard.text, url, shown(url))
    return said or "the service did not take it and gave no reason"


def _without_secrets(text: str, url: str, may_be_shown: str) -> str:
    """``text`` without any part of ``url`` that is not shown."""
    parts = {url, *re.split(r"[:/@?&=#,;]+", url)}
    for part in sorted(parts | {unquote(part) for part in parts}, key=len, reverse=True):
        if len(part) >= _SECRET_FROM and part not in may_be_shown:
            text = text.replace(part, "…")
    return " ".join(text.split())[:400]


class _Heard:
    """What apprise said in this thread meanwhile; other threads send by other routes."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lines: list[str] = []
        self._handler = logging.Handler(logging.WARNING)
        self._handler.emit = self._take  # type: ignore[method-assign]

    @property
    def text(self) -> str:
        """In one line."""
        return "; ".join(self._lines)

    def __enter__(self) -> _Heard:
        log = logging.getLogger("apprise")
        # Its warnings may name a URL: they are for us alone.
        log.propagate = False
        log.addHandler(self._handler)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("apprise").removeHandler(self._handler)

    def _take(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self._lines.append(record.getMessage())
