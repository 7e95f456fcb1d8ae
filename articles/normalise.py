"""How text is made comparable: once for people to read, once for hashing. Knows nothing of HTML."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

from opencc import OpenCC

# Half of a UTF-16 pair; what NUL and its kind do in text; marks that only steer bidirectional or line-breaking
# display, which in a log line or a title can also hide what it says.
SURROGATE = re.compile(r"[\ud800-\udfff]")
INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
LINE_BREAK = re.compile(r"\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
SPACES = re.compile(r"[\t\x1f \xa0\u1680\u2000-\u200a\u202f\u205f\u3000]+")

# Blocks whose characters are as wide as they are high, between which Chinese needs no space: a line break there is
# an accident of the editor. Curly quotes count, since in Chinese they are full width.
WIDE = "\u2014\u2018\u2019\u201c\u201d\u2026\u2e80-\u2fff\u3001-\u303f\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff"
WIDE += "\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\U00020000-\U0003ffff"
ONE_WIDE = re.compile(f"[{WIDE}]")
UNFINISHED = "、"

# The decimal point is a digit as far as a reader of figures is concerned: 1.29% and 12.9% must not meet.
NO_POINT = re.compile(r"\.(?:(?!\d)|(?<!\d\.))")
NO_KEY = re.compile(r"[^\w%.]+|_+")
# The marks of nearly every text that no key holds, taken out first: it is they that send a text NFKC's slow way
# (0.2 ms for a mean article, without them 0.04).
KEYLESS_MARKS = "\n\u3000，。、：；！？（）“”‘’《》—…·,:;!?()/-\"'"
HAN = ((0x3400, 0x4DC0), (0x4E00, 0xA000))


def clean_text(text: str) -> str:
    """Text as it is stored: one paragraph per line, no line empty, no space at its ends or doubled.

    Composed (NFC, never NFKC: full-width digits and compatibility characters are the writer's), without control
    characters, zero-width and direction marks, soft hyphens and unpaired surrogates; every kind of space is a space
    and every kind of line end a line feed. Idempotent.
    """
    lines = text.split("\n")
    # What can be displayed holds no kind of space but one, and nothing that is to go.
    if all(map(str.isprintable, lines)):
        lines = [" ".join(line.split()) for line in lines]
        return unicodedata.normalize("NFC", "\n".join(filter(None, lines)))
    if SURROGATE.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    text = SPACES.sub(" ", LINE_BREAK.sub("\n", INVISIBLE.sub("", text)))
    lines = [line.strip(" ") for line in unicodedata.normalize("NFC", text).split("\n")]
    return "\n".join(filter(None, lines))


def clean_line(text: str) -> str:
    """The same for what must be a single line, such as a title."""
    line = " ".join(text.split())
    # Of what cannot be displayed, most is the wide spaces in front of a paragraph: no break that parts two lines.
    if line.isprintable() and (text.isprintable() or len(text.strip().splitlines()) <= 1):
        return unicodedata.normalize("NFC", line)
    return join_wide(clean_text(text).split("\n"))


def key_text(text: str) -> str:
    """Text as it is hashed: letters, digits, % and decimal points in one width, case and script.

    Traditional characters are folded to simplified one by one, so 乾 and 干 meet: harmless in a key. Digits and % stay,
    since two reports from one template differ in nothing else.
    """
    for mark in KEYLESS_MARKS:
        text = text.replace(mark, " ")
    composed = unicodedata.normalize("NFKC", text)
    folded = composed.casefold()
    if folded != composed:
        folded = unicodedata.normalize("NFKC", folded)
    # Looking whether there is any is forty times cheaper than folding what has none.
    if _traditional().search(folded):
        folded = folded.translate(_to_simplified())
    if "." in folded:
        folded = NO_POINT.sub(" ", folded)
    key = folded.replace(" ", "")
    return key if key.replace("%", "").replace(".", "").isalnum() else NO_KEY.sub("", key)


def join_wide(lines: Iterable[str]) -> str:
    """Lines of one paragraph as one: without a gap between wide characters, with a space elsewhere."""
    parts: list[str] = []
    for line in lines:
        if not (line := line.strip()):
            continue
        if parts and not (ONE_WIDE.match(parts[-1][-1]) and ONE_WIDE.match(line)):
            parts.append(" ")
        parts.append(line)
    return "".join(parts)


def join_unfinished(paragraphs: Iterable[str]) -> list[str]:
    """A paragraph that ends in the enumeration comma was cut by its editor: it goes on in the next."""
    joined: list[str] = []
    for paragraph in paragraphs:
        if joined and joined[-1].endswith(UNFINISHED):
            joined[-1] += paragraph
        else:
            joined.append(paragraph)
    return joined


@cache
def _traditional() -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(chr, _to_simplified()))}]")


@cache
def _to_simplified() -> dict[int, str]:
    """Built at first use (a tenth of a second), so that importing this costs nothing."""
    characters = [chr(code) for first, end in HAN for code in range(first, end)]
    simplified = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    return {ord(old): new for old, new in zip(characters, simplified, strict=True) if old != new}
