"""Securities that a page marks by links to quote services or spells out, as `600519.SH` or `某某（600519）`. Never from
names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from lxml import etree

MAX_SYMBOLS = 50

# Markets as East Money numbers them in addresses and element ids.
_NUMBERED = {"0": "SZ", "1": "SH", "116": "HK", "105": "US", "106": "US", "107": "US"}
_IN_ADDRESS = (
    # quote.eastmoney.com/unify/r/1.600519, id="stock_1.600519", data-code="1,600519"
    (re.compile(r"(?:/r/|^stock_|^)(?P<number>\d{1,3})[.,](?P<code>[A-Z.]{1,6}|\d{5,6})(?![\w.])"), None),
    # /realstock/company/sh600519/nc.shtml, quote.eastmoney.com/sz000001.html, /S/SH600519, id="stock_sh600519"
    (re.compile(r"[/=_](?P<market>sh|sz|bj)(?P<code>\d{6})(?!\d)", re.IGNORECASE), None),
    (re.compile(r"/(?:hkstock/quotes/|hk/|S/|realstock/hk/)(?:hk)?(?P<code>\d{5})(?!\d)", re.IGNORECASE), "HK"),
    (re.compile(r"/usstock/quotes/(?P<code>[A-Za-z.]{1,6}?)(?:\.html|$)"), "US"),
    # quotes.money.163.com/0600519.html: Shanghai is 0 there, Shenzhen 1.
    (re.compile(r"quotes\.money\.163\.com/0(?P<code>[569]\d{5})(?!\d)"), "SH"),
    (re.compile(r"quotes\.money\.163\.com/1(?P<code>[0123]\d{5})(?!\d)"), "SZ"),
    # Pages of a share that name no market: its code does.
    (re.compile(r"(?:stockpage\.10jqka\.com\.cn/|/share,|/stock/)(?:HS_)?(?P<code>[03468]\d{5})(?!\d)"), "by code"),
)
_MARKET_OF = {"6": "SH", "0": "SZ", "3": "SZ", "4": "BJ", "8": "BJ"}
_SPELLED = (
    re.compile(r"(?<![\dA-Za-z])(?P<code>\d{6})\.(?P<market>SH|SZ|BJ)(?![A-Za-z])", re.IGNORECASE),
    re.compile(r"(?<![\dA-Za-z])(?P<market>SH|SZ|BJ)[.:：]?(?P<code>\d{6})(?!\d)", re.IGNORECASE),
    re.compile(r"(?<![\dA-Za-z])(?P<code>\d{4,5})\.(?P<market>HK)(?![A-Za-z])", re.IGNORECASE),
)
# 「某某股份（600519）」: a code right behind a name, as Chinese news and announcements put it. The bracket is looked
# for first: few characters are one.
_BEHIND_NAME = re.compile(r"[（(](?<=[\u4e00-\u9fa5A-Za-z*].)(?P<code>[0368]\d{5})[）)]")
_MAY_MARK = re.compile(r"quote|stock|/share,|xueqiu|^\d{1,3},\d{5,6}$")
_MARKING = ("href", "id", "data-code")
_MARKETS = ("SH", "SZ", "BJ", "HK", "sh", "sz", "bj", "hk")
# Shares and funds only: 000001 of Shanghai is an index.
_LISTED = {"SH": ("5", "6", "9"), "SZ": ("00", "15", "16", "20", "30"), "BJ": ("4", "8", "92")}


def marks_below(root: etree._Element) -> Iterator[str]:
    """Addresses and names by which the elements of a body mark securities, whether or not they are links still."""
    for element in root.iter(etree.Element):
        # Asked first: most paragraphs have no attribute at all.
        for name in _MARKING if element.keys() else ():
            value = element.get(name)
            if value and _MAY_MARK.search(value):
                yield value


def symbols_of(addresses: Iterable[str], text: str) -> tuple[str, ...]:
    """Symbols in order of appearance, those of links first."""
    found: dict[str, None] = {}
    for address in addresses:
        for pattern, market in _IN_ADDRESS:
            if match := pattern.search(address):
                groups = match.groupdict()
                named = market or (groups.get("market") or "").upper() or _NUMBERED.get(groups.get("number") or "", "")
                _note(found, match["code"], named)
                break
    for pattern in _SPELLED if any(map(text.__contains__, _MARKETS)) else ():
        for match in pattern.finditer(text):
            _note(found, match["code"], match["market"].upper())
    for match in _BEHIND_NAME.finditer(text):
        _note(found, match["code"], "by code")
    return tuple(islice(found, MAX_SYMBOLS))


def _note(found: dict[str, None], code: str, market: str) -> None:
    code = code.upper()
    market = _MARKET_OF[code[0]] if market == "by code" else market
    if market == "HK" and code.isdigit():
        found[f"{code:0>5}.HK"] = None
    elif market == "US" and not code.isdigit():
        found[f"{code}.US"] = None
    elif code.startswith(_LISTED.get(market, ())) and _LISTED.get(market):
        found[f"{code}.{market}"] = None
