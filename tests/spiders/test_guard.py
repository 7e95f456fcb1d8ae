"""Rows S01 to S05, S08 and S22: what is never connected to."""

from __future__ import annotations

import pytest

from spiders import settings
from spiders.guard import AddressPolicy, address_in


@pytest.mark.parametrize(
    ("row", "url"),
    [
        ("S01", "http://127.0.0.1/"),
        ("S01", "https://10.1.2.3:8443/x"),
        ("S01", "http://192.168.0.1/"),
        ("S01", "http://100.64.0.1/"),
        ("S02", "http://169.254.169.254/latest/meta-data/"),
        ("S02", "http://[fe80::1%25eth0]/"),
        ("S03", "http://0.0.0.0/"),
        ("S04", "http://0x7f.1/"),
        ("S04", "http://0177.0.0.1/"),
        ("S04", "http://127.1/"),
        ("S04", "http://2130706433/"),
        ("S04", "http://127.0.0.1./"),
        ("S04", "http://[::1]/"),
        ("S04", "http://[::ffff:127.0.0.1]/"),
        ("S04", "http://[::ffff:7f00:1]/"),
        ("S04", "http://[64:ff9b::7f00:1]/"),
        ("S04", "http://[2002:7f00:1::]/"),
        ("S04", "http://[fc00::1]/"),
        ("S04", "http://224.0.0.1/"),
        ("S05", "file:///etc/passwd"),
        ("S05", "ftp://example.com/x"),
        ("S05", "javascript:alert(1)"),
        ("S08", "http://user@example.com/"),
        ("S08", "http://user:password@example.com/"),
        ("S08", "http://:@example.com/"),
        ("S04", "http:///nohost"),
        ("S04", "http://[broken/"),
    ],
)
def test_refused(row: str, url: str) -> None:
    assert AddressPolicy().objection(url), row


@pytest.mark.parametrize(
    "url",
    [
        "https://finance.sina.com.cn/roll/",
        "http://8.8.8.8/",
        "http://[2400:3200::1]/",
        "https://example.com:8443/a?b=c@d",
    ],
)
def test_not_refused(url: str) -> None:
    assert not AddressPolicy().objection(url)


def test_an_objection_never_repeats_a_password() -> None:
    assert "secret" not in AddressPolicy().objection("http://user:secret@example.com/")


def test_an_exception_is_for_one_address_in_all_its_spellings() -> None:
    policy = AddressPolicy(["127.0.0.1"])
    assert not policy.objection("http://127.1:8000/")
    assert not policy.objection("http://[::ffff:127.0.0.1]/")
    assert policy.objection("http://127.0.0.2/")


@pytest.mark.parametrize(
    ("host", "address"),
    [("2130706433", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("::1", "::1"), ("example.com", None), ("1.2.3.4.5", None)],
)
def test_literals(host: str, address: str | None) -> None:
    assert address_in(host) == address


def test_s22_no_port_takes_commands_and_no_handler_reads_files() -> None:
    assert not settings.EXTENSIONS_BASE
    assert not settings.TELNETCONSOLE_ENABLED
    assert not settings.REMOTE_CONTROL_ENABLED
    assert settings.DOWNLOAD_VERIFY_CERTIFICATES
    assert set(settings.DOWNLOAD_HANDLERS_BASE | settings.DOWNLOAD_HANDLERS) == {"http", "https"}
