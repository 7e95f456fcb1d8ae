"""What makes two pages one article: the canonical address, the id, the hash of the text. No near duplicates here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from urllib.parse import quote, urlsplit, urlunsplit

from articles.normalise import key_text
from articles.source import Source

# Parameters that say where a reader came from, never what he reads. Matched in lower case.
TRACKING = re.compile(
    r"utm_.*|hmsr|hmpl|hmcu|hmkw|hmci|spm|scm|from|frm|fr|ref|refer|referer|referrer|share.*|isappinstalled|nsukey|chksm"
    r"|gclid|gclsrc|dclid|fbclid|msclkid|yclid|bd_vid|qhclickid|mc_[ce]id|_ga|_hs.*|wt\.mc_id|weibo_id|wfr|tracker.*"
    r"|src_?channel|channel_?from|enterid|scene|clicktime|pvid|tdsourcetag|sudaref|display|retcode|jsessionid|phpsessid|_"
)
DEFAULT_PORTS = {"http": 80, "https": 443}
SESSION = re.compile(r";jsessionid=[^/;?]*", re.IGNORECASE)
# `#/detail/7` and `#!7` are the address itself on pages built by a script; any other fragment is a place on the page.
ROUTE = re.compile(r"[!/]")

ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
STRAY_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
PATH_SAFE = "%/:@!$&'()*+,;=~"
QUERY_SAFE = PATH_SAFE + "?"
NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\u200b-\u200f\ufeff]")

NATIVE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
DIGEST_CHARS = 32


class NoIdentityError(ValueError):
    """Neither url, nor native id, nor text."""


def canonical_url(url: str, *, query_keys: Collection[str] = ()) -> str:
    """One spelling for the addresses of one page. Idempotent; an address that cannot be parsed stays as it is.

    With `query_keys` only these parameters are kept; without, all but those known to be for tracking, since dropping
    the whole query would make every `?id=7` page one article. m. and www. are kept: only a source's id rule knows
    whether they are one.
    """
    url = NOT_IN_URL.sub("", url)
    if url.startswith("//"):
        url = "https:" + url
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    scheme = parts.scheme.lower()
    if scheme not in DEFAULT_PORTS or not parts.hostname:
        return url
    host = _host(parts.hostname)
    if port is not None and port != DEFAULT_PORTS[scheme]:
        host = f"{host}:{port}"
    path = _path(SESSION.sub("", parts.path))
    fragment = _escaped(parts.fragment, QUERY_SAFE) if ROUTE.match(parts.fragment) else ""
    return urlunsplit((scheme, host, path, _query(parts.query, query_keys), fragment))


def article_id(source: Source, url: str, *, native_id: str | None = None, fallback_text: str = "") -> str:
    """`<namespace>:<native id>` by the source's rule, which reads the url and then the id that a list gave.

    Without a rule that matches: a hash of the canonical url (less its scheme, for http and https are one page), or
    where there is no url, the native id itself, or a hash of the text. A GUID never outranks a url: feeds repeat and
    change them.
    """
    namespace = source.namespace or source.id
    if found := _by_rule(source, (url, native_id or "")):
        return f"{namespace}:{found}"
    if url.strip():
        canonical = canonical_url(url, query_keys=source.query_keys)
        return f"{namespace}:u{_digest(canonical.partition('://')[2] or canonical)}"
    if native_id and native_id.strip():
        native_id = native_id.strip()
        return f"{namespace}:{native_id if NATIVE_ID.fullmatch(native_id) else 'n' + _digest(native_id)}"
    if key := key_text(fallback_text):
        return f"{namespace}:t{_digest(key)}"
    raise NoIdentityError(f"{source.id}: neither url, nor native id, nor text to name the article by")


def text_hash(title: str, text: str) -> str:
    """Equal for texts that differ in nothing a reader would call a change: white space, punctuation, width, script."""
    return _digest(f"{key_text(title)}\n{key_text(text)}")


def _by_rule(source: Source, places: Iterable[str]) -> str | None:
    if source.id_pattern is None:
        return None
    for place in places:
        if found := source.id_pattern.search(place):
            return next((group for group in found.groups() if group), None)
    return None


def _host(host: str) -> str:
    host = host.rstrip(".").lower()
    if ":" in host:
        return f"[{host}]"
    try:
        return host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


def _path(path: str) -> str:
    """Without `.` and `..`, which servers resolve and lists leave in."""
    kept: list[str] = []
    segments = _escaped(path, PATH_SAFE).split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _query(query: str, keys: Collection[str]) -> str:
    """Kept parameters in the order of their names; a name that is repeated keeps the order of its values."""
    pairs = [_escaped(pair, QUERY_SAFE) for pair in query.split("&") if pair]
    kept = [pair for pair in pairs if _counts(pair.partition("=")[0], keys)]
    return "&".join(sorted(kept, key=lambda pair: pair.partition("=")[0]))


def _counts(name: str, keys: Collection[str]) -> bool:
    return name in keys if keys else TRACKING.fullmatch(name.lower()) is None


def _escaped(text: str, safe: str) -> str:
    """One spelling of escapes: none for letters and digits, in capitals for whatever needs one."""
    text = STRAY_PERCENT.sub("%25", text)
    return quote(ESCAPE.sub(_escape, text), safe=safe, errors="replace")


def _escape(found: re.Match[str]) -> str:
    byte = int(found[1], 16)
    return chr(byte) if byte in UNRESERVED else f"%{byte:02X}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:DIGEST_CHARS]
