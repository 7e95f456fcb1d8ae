"""Names that stand without a label beside the time of an article: 「2019-11-25 10:37 某某网」, a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise, takewhile

from articles.canonical import Run
from articles.names import ACCOUNT, is_account, is_name_alone, is_no_medium, is_organisation, is_person, is_tool
from articles.scene import Scene
from articles.wrapper import byline, field_of, is_medium, simplified

LONGEST_MEDIUM = 12
BYLINE_CHARS = 60
DAY_OR_CLOCK = re.compile(r"\d{1,4}[-/.年月:：]\d{1,2}")
_COMMAS = (",", "，", "、")
_PIECES = re.compile(r"\t|\s[·•|｜/]\s")
_TIME_ALONE = re.compile(
    r"\d{4}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?\s*(?:\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?\s*(?:(?:星期|周)[一二三四五六日天])?"
)
_TIME_IN_LINE = re.compile(
    r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}日?(?:[T\s]*\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?"
)
_BETWEEN_WORDS = re.compile(r"[\s|｜·•/]+")
_OF_EDITORIAL_OFFICE = re.compile(r"编辑部\s*[|｜]\s*([\u4e00-\u9fa5]{2,3})$")
_MEDIUM_AND_PERSON = re.compile(
    r"(?P<medium>[\u4e00-\u9fa5]{2,8}(?:网|报|社|财经|新闻|周刊))[ |｜·]+"
    r"(?P<person>[\u4e00-\u9fa5]{2,3})(?![\u4e00-\u9fa5：:])"
)
_PERSON_AND_MEDIUM = re.compile(
    r"(?<![\u4e00-\u9fa5：:])(?P<person>[\u4e00-\u9fa5]{2,3})[|｜·]+(?P<medium>[\u4e00-\u9fa5]{2,8}(?:网|报|社|财经|新闻|周刊))"
)
_HOUSE = re.compile(r"[\u4e00-\u9fa5]{2,5}(?:证券|期货)(?:研究所|研究院)?")
_LONGEST_TIME = 30
_BY_WORDS = frozenset(("由", "文", "作者", "By", "by"))
# With a source printed, what stands unlabelled in the line is a channel or a tag, unless it is somebody's link.
_SOURCE_BESIDE = re.compile(r"(?:来源|稿源|出处)\s*[：:]\s*\S")


def medium_beside_time(scene: Scene) -> str | None:
    """A medium's name that stands without a label beside the time: 「2019-11-25 10:37 某某网」."""
    near = scene.near
    portraits = {image.order for image in scene.reading.images}
    for run in near:
        if len(run.text) <= 120 and DAY_OR_CLOCK.search(run.text):
            for piece in re.split(r"[\s（()）]+", run.pieces):
                if run.order in portraits and not is_organisation(piece):
                    continue
                if piece and is_medium(piece) and not DAY_OR_CLOCK.search(piece) and not is_no_medium(piece):
                    return piece
                if piece and (both := _medium_and_person(piece)):
                    return both[0]
            if house := _house_of_analysts(run):
                return house
    return next(filter(None, map(_medium_alone, _alone_beside_time(near))), None)


def _house_of_analysts(run: Run) -> str | None:
    """「某某证券」, in an element of its own in front of a name's."""
    pieces = [piece.strip(" ·|｜") for piece in run.pieces.split("\t")]
    pairs = pairwise(piece for piece in pieces if piece)
    return next((house for house, name in pairs if _HOUSE.fullmatch(house) and is_name_alone(name)), None)


def person_beside_time(near: Sequence[Run]) -> str | None:
    """A name that stands in an element of its own beside the time: 「某某网｜何某｜2011-12-15 23:46」."""
    for run in near:
        if len(run.text) <= 120 and DAY_OR_CLOCK.search(run.text):
            pieces = ("", *(piece.strip(" ·|｜") for piece in _PIECES.split(run.pieces)))
            # Behind a label stands the editor, or whoever it says.
            names = (_name_in(piece) for label, piece in pairwise(pieces) if not label.endswith(("：", ":")))
            if name := next(filter(None, names), None):
                return _with_others(name, run.pieces.split("\t"))
            for pattern in (_MEDIUM_AND_PERSON, _PERSON_AND_MEDIUM):
                if (both := pattern.search(run.text)) and (name := _name_in(both[0])):
                    return name
    return next(filter(None, map(_name_in, _alone_beside_time(near))), None)


def _with_others(name: str, pieces: Sequence[str]) -> str:
    """With those who stand behind commas in elements of their own: 「王某⇥，⇥李某」."""
    stripped = [piece.strip() for piece in pieces]
    at = stripped.index(name) if name in stripped else len(stripped)
    while at + 2 < len(stripped) and stripped[at + 1] in _COMMAS and is_name_alone(stripped[at + 2]):
        name += stripped[at + 1] + stripped[at + 2]
        at += 2
    return name


def account_beside_time(near: Iterable[Run]) -> str | None:
    """Who published, on a platform: the one name that stands in an element of its own beside the time."""
    for run in near:
        if len(run.text) <= BYLINE_CHARS and DAY_OR_CLOCK.search(run.text):
            pieces = [piece for part in run.pieces.split("\t") if (piece := part.strip(" |｜·-—"))]
            if any(piece in _BY_WORDS for piece in pieces):
                return None
            pairs = pairwise(("", *pieces))
            # With the label before each, as far as it has one.
            names = [(label, piece) for label, piece in pairs if ACCOUNT.fullmatch(piece) and not is_person(piece)]
            names = [(label, name) for label, name in names if not is_tool(name)]
            if _SOURCE_BESIDE.search(simplified(run.text)):
                names = [(label, name) for label, name in names if name not in run.free]
            return names[0][1] if len(names) == 1 and not names[0][0].endswith(("：", ":")) else None
    return None


def account_above_time(scene: Scene) -> str | None:
    """A link of its own between headline and time, which leads to the one who posted."""
    at = scene.headline.order
    for run, below in pairwise(scene.near):
        if (
            at is not None
            and run.order == below.order - 1 > at
            and not run.free
            and DAY_OR_CLOCK.search(below.text[:40])
        ):
            is_account = ACCOUNT.fullmatch(run.text) and not is_tool(run.text)
            return run.text if is_account and len(below.text) <= BYLINE_CHARS else None
    return None


def name_beside_picture(scene: Scene, is_name: Callable[[str], bool]) -> str | None:
    """Behind a portrait between headline and text, with the time in its line or one of the next two."""
    runs, at = scene.reading.runs, scene.headline.order
    start = scene.first if at is None else at + 1
    for image in scene.reading.images:
        if start <= image.order < scene.first:
            name = runs[image.order].parts[0].strip()
            if is_name(name) and any(DAY_OR_CLOCK.search(run.text[:40]) for run in runs[image.order :][:3]):
                return name
    return None


def names_beside_time(line: str) -> dict[str, str]:
    """「某某报 2025-03-12 21:08」, 「原创 王一鸣 某某观察 2025-03-12」, 「本刊编辑部 | 王一鸣」"""
    values = {name: value for name, value in byline(line).items() if name == "author"}
    if found := _OF_EDITORIAL_OFFICE.search(line):
        return {"author": found[1]} | values
    before, *behind = _TIME_IN_LINE.split(simplified(line), maxsplit=1)
    is_original = before.split()[:1] == ["原创"]
    if not behind and not is_original:
        return values
    words = [word for part in (before, *behind) for word in _BETWEEN_WORDS.split(part) if word.strip("_")]
    if is_original:
        # What stands behind the time is a place.
        words = [word for word in _BETWEEN_WORDS.split(before) if word.strip("_")][1:]
        values |= {"author": words.pop(0)} if len(words) == 2 and ACCOUNT.fullmatch(words[0]) else {}
    unlabelled = takewhile(lambda word: not field_of(word) and not re.search("[：:]", word), words)
    for word in unlabelled:
        if is_name_alone(word):
            values.setdefault("author", word)
        elif (is_medium(word) or is_account(word)) and not is_no_medium(word):
            values.setdefault("publisher", word)
    return {
        name: line[at : at + len(value)] for name, value in values.items() if (at := simplified(line).find(value)) >= 0
    }


def _alone_beside_time(near: Sequence[Run]) -> Iterator[str]:
    """Lines of their own above and below a line that is nothing but a time."""
    for at, run in enumerate(near):
        if len(run.text) <= _LONGEST_TIME and _TIME_ALONE.fullmatch(run.text):
            around = near[max(0, at - 2) : at + 3]
            yield from (beside.text for beside in around if beside.free == beside.text and beside is not run)


def _medium_alone(text: str) -> str | None:
    if both := _medium_and_person(text):
        return both[0]
    is_name = 3 <= len(text) <= LONGEST_MEDIUM and is_medium(text)
    return text if is_name and not is_tool(text) and not is_no_medium(text) else None


def _medium_and_person(text: str) -> tuple[str, str] | None:
    """「某某网 王一鸣」, 「王一鸣·某某网」"""
    plain = simplified(text)
    both = _MEDIUM_AND_PERSON.fullmatch(plain) or _PERSON_AND_MEDIUM.fullmatch(plain)
    return (text[slice(*both.span("medium"))], text[slice(*both.span("person"))]) if both else None


def _name_in(text: str) -> str | None:
    """The person that a piece is, alone or behind a medium."""
    both = _medium_and_person(text)
    name = both[1] if both else text
    return name if is_name_alone(name) else None
