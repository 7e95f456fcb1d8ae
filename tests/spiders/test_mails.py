"""Saved mails: newsletters, and pages with all their parts."""

from __future__ import annotations

from email.message import EmailMessage

from spiders.mails import read_mail

TEXT = "前三季度进出口总额同比增长一成。"


def newsletter() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = "某题", "某某早报 <a@example.com>"
    mail["Date"] = "Thu, 05 Nov 2026 10:20:00 +0800"
    mail.set_content(TEXT)
    return mail


def test_a_newsletter():
    mail = newsletter()
    plain = read_mail(mail.as_bytes())
    assert (plain.body.decode().strip(), plain.is_html, plain.url) == (TEXT, False, "")
    assert (plain.listed.title, plain.listed.publisher) == ("某题", "某某早报")
    mail.add_alternative(f"<p>{TEXT}</p>", subtype="html", charset="gb18030")
    rich = read_mail(mail.as_bytes())
    assert (rich.body.decode().strip(), rich.is_html) == (f"<p>{TEXT}</p>", True)
    assert rich.listed.published == "Thu, 05 Nov 2026 10:20:00 +0800"


def test_a_page_with_its_parts():
    mail = EmailMessage()
    mail["Snapshot-Content-Location"], mail["Subject"] = "https://example.com/1", "某题 - 某某网"
    mail.set_content(f"<html><p>{TEXT}</p></html>", subtype="html")
    mail.add_related(b"x", "image", "png")
    page = read_mail(mail.as_bytes())
    assert (page.url, page.is_html, page.listed.title) == ("https://example.com/1", True, None)


def test_what_holds_no_text_is_none():
    for written in (b"", b"\0\1", b"Subject: x\n\n", b"Content-Type: image/png\n\nx"):
        assert read_mail(written) is None
