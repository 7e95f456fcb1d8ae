"""Where we never connect: anything but http and https, private and local addresses, urls with a password.

An address is judged where it is connected to, in the resolver that the reactor asks, so that neither a redirect, nor
a name that points inwards, nor a name that changes its mind after a first look gets through. Literals in a url are
refused before that, in whichever of the many spellings of an address they come.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from scrapy.resolver import CachingThreadedResolver
from twisted.internet.defer import Deferred
from twisted.internet.error import DNSLookupError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class AddressPolicy:
    """Which addresses may be connected to. `allowed` are exceptions: the loopback of tests, a site of one's own."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self._allowed = frozenset(ipaddress.ip_address(address) for address in allowed)
        self.blocked: dict[str, str] = {}
        """Host names that resolved to an address that is refused."""

    def refuses(self, address: str) -> bool:
        found = _embedded(ipaddress.ip_address(address.partition("%")[0]))
        return found not in self._allowed and (not found.is_global or found.is_multicast)

    def objection(self, url: str) -> str:
        """Why a url is not requested, "" if it may be. Names are judged by the resolver."""
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".")
        except ValueError:
            return "not a url"
        if parts.scheme not in ("http", "https"):
            return f"the scheme {parts.scheme!r} is neither http nor https"
        if parts.username is not None or parts.password is not None:
            return "credentials in the url"
        if not host:
            return "no host"
        literal = address_in(host)
        return f"the address {literal} is not public" if literal and self.refuses(literal) else ""


def address_in(host: str) -> str | None:
    """The address that a host spells out, as connect() would read it: 127.1, 0x7f.1, 2130706433, ::ffff:7f00:1."""
    try:
        if ":" in host:
            return str(ipaddress.ip_address(host.partition("%")[0]))
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver, refusing what the policy refuses. IPv4 only, as Scrapy's is."""

    policy = AddressPolicy()

    @classmethod
    def bound_to(cls, policy: AddressPolicy) -> type[GuardedResolver]:
        """Scrapy makes the resolver itself and wants a class."""
        return type("BoundResolver", (cls,), {"policy": policy})

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:  # noqa: N802
        found: Deferred[str] = super().getHostByName(name, timeout)
        return found.addCallback(self._checked, name)

    def _checked(self, address: Any, name: str) -> str:  # noqa: ANN401 (twisted's callback)
        if self.policy.refuses(address):
            self.policy.blocked[name] = address
            raise DNSLookupError(f"{name} is {address}, which is not public")
        return str(address)


def _embedded(address: IPAddress) -> IPAddress:
    """The IPv4 address inside an IPv6 one that leads to it."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address
