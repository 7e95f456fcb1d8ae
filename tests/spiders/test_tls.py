"""Row N27: a certificate that nobody vouches for, a name it was not made out to, and a source that says never mind."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest
from crawling import crawl, json_list, source_of
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ADDRESS = "127.0.0.3"
ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nConnection: close\r\n\r\n{"data": []}'
)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(self_signed(tmp_path_factory.mktemp("tls") / "both.pem"))
    listening = socket.create_server((ADDRESS, 0))
    Thread(target=serve, args=(listening, context), daemon=True).start()
    yield listening.getsockname()[1]
    listening.close()


def test_n27_a_certificate_of_ones_own_is_refused(port: int, tmp_path: Path) -> None:
    source = source_of(json_list(f"https://{ADDRESS}:{port}/list"), hosts=(ADDRESS,), robots="ignore")
    report = crawl(source, tmp_path / "crawl", allow_addresses=(ADDRESS,)).report
    (failure,) = report.gate_failures
    assert "TLS" in failure
    assert report.requests == 1, "the certificate will be no better at the next try"


def test_n27_unless_the_source_says_so(port: int, tmp_path: Path) -> None:
    source = source_of(json_list(f"https://{ADDRESS}:{port}/list"), hosts=(ADDRESS,), robots="ignore", tls="insecure")
    report = crawl(source, tmp_path / "crawl", allow_addresses=(ADDRESS,)).report
    assert "0 entries" in report.gate_failures[0]


def self_signed(path: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(ADDRESS))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def serve(listening: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(ANSWER)
