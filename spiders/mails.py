"""Reads a saved mail: a newsletter (.eml), or a page as browsers save it with all its parts (.mht, .mhtml)."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage, MIMEPart

from articles.decode import decode
from articles.normalise import clean_line
from articles.records import Listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    body: bytes
    is_html: bool
    listed: Listed
    url: str
    """Of the page that was saved; a newsletter has none."""


def read_mail(written: bytes) -> Mail | None:
    """None where no text is in it."""
    try:
        message = message_from_bytes(written, policy=policy.default)
        part = message.get_body(("html", "plain")) if isinstance(message, EmailMessage) else None
        content = part.get_payload(decode=True) if part is not None else None
    except (MessageError, ValueError, LookupError, AttributeError, TypeError):
        return None
    if part is None or not message.keys() or not isinstance(content, bytes) or not content.strip():
        return None
    url = _header(message, "Snapshot-Content-Location") or _header(part, "Content-Location")
    is_html = part.get_content_type() == "text/html"
    charset = part.get_content_charset()
    text = decode(content, content_type=f"text/html; charset={charset}" if charset else None).text
    listed = Listed(title=_header(message, "Subject") or None, published=_header(message, "Date") or None)
    if not url:
        sender = _header(message, "From").partition("<")[0].strip(' "')
        listed = Listed(title=listed.title, published=listed.published, publisher=sender or None)
    is_page = url.startswith("http")
    return Mail(
        body=text.encode("utf-8", "replace"),
        is_html=is_html,
        listed=Listed() if is_page else listed,
        url=url if is_page else "",
    )


def _header(part: MIMEPart, name: str) -> str:
    return clean_line(str(part.get(name, "")))
