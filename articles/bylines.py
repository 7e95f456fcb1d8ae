"""Who published, wrote and edited an article: every witness on a page, and which one goes first.

    publisher  rule · label near the headline · wrapper lines · label right behind the body · element named so ·
               line right behind the body · name beside the time · byline near the headline · label behind the body ·
               undisplayed · meta · account of an organisation · its reporter's · dateline ·
               JSON-LD that a line repeats · meta of who runs the site · list · the source's own
    author     rule · label near the headline · byline near the headline · element named so · wrapper lines ·
               name beside the time or a portrait · label right behind the body · undisplayed · property of an element ·
               meta · JSON-LD · pen name in a meta that a line repeats · byline behind the body · owner of a blog ·
               account · list
    editor     rule · wrapper lines · labels behind the body or near the headline · element named so · undisplayed ·
               meta · JSON-LD

Labels and bylines are read by articles.wrapper, wherever they stand. Nothing here guesses: who is not named is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise, takewhile
from operator import attrgetter
from typing import NamedTuple

from lxml import etree

from articles.beside_time import (
    BYLINE_CHARS,
    DAY_OR_CLOCK,
    LONGEST_MEDIUM,
    account_above_time,
    account_beside_time,
    medium_beside_time,
    name_beside_picture,
    names_beside_time,
    person_beside_time,
)
from articles.canonical import Hint, Reading, Run, texts_of
from articles.headline import Head, blog_owner, site_names
from articles.linked_data import linked_names
from articles.names import (
    FOREIGN_PERSON,
    PERSON,
    is_account,
    is_latin_person,
    is_name_alone,
    is_named,
    is_named_account,
    is_no_medium,
    is_no_person,
    is_one_person,
    is_organisation,
    is_person,
    is_place,
    is_team,
    is_tool,
    one_for_programs,
    pen_name,
)
from articles.normalise import clean_line
from articles.scene import (
    MAX_NEAR_CHARS,
    MAX_VALUE_CHARS,
    NO_WORDS,
    RUNS_AROUND,
    Candidate,
    Found,
    Scene,
    elements_near,
)
from articles.wrapper import byline, field_of, is_medium, label_values, medium_of, person, simplified, straightened
from articles.wrapper_words import SURNAMES

_MAX_BARS = 4
_PUBLISHER_METAS = (
    "mediaid",
    "_mediaid",
    "contentsource",
    "source",
    "article:source",
    "sourcename",
    "copyfrom",
    "dc.source",
    "dcterms.source",
)
# Those who run the site say so: last, for most articles are somebody else's.
_HOST_METAS = ("dc.publisher", "dcterms.publisher", "publisher")
_AUTHOR_METAS = (
    "author",
    "article:author",
    "og:author",
    "og:article:author",
    "dc.creator",
    "dcterms.creator",
    "creator",
    "byl",
    "byline",
    "parsely-author",
    "sailthru.author",
    "cxenseparse:author",
    "dable:author",
    "citation_author",
)
_EDITOR_METAS = ("editor", "contenteditor", "article:editor")
# Makers of blogs tell networks what to show beside a link, with its label.
_AUTHOR_LABELS = frozenset(("作者", "撰文", "Written by", "Author"))
_IN_ADDRESS = re.compile(r"//|www\.|\.(?:com|cn|net)/")
# One of these is in every line that articles.wrapper.label_values reads anything from: quickly past the others.
_MAY_NAME = re.compile(r"[：:︰丨|｜/／自源者编編文IBbA【\[]")
_LONGEST_LABEL = 10
_MARKED_BELOW = 3
_BEFORE_NAME = re.compile(r"^(?:由|文|作者|撰文|记者|記者|[Bb]y)\s+")
_SURNAME = re.compile(f"[{SURNAMES}]")
# What of a page's body of labels is too far behind it to be its own.
_BYLINES_BEHIND = 10
_SIGNS = re.compile(r"[记記]者|作者|撰|文[：:/／丨|｜]|^By")
_MEDIUM_OF_REPORTER = re.compile(
    r"(?:^|[\s（(●○■□◎])(?!本|每经)([\u4e00-\u9fa5A-Za-z]{2,8}?(?:报|网|社|新闻|财经|周刊|电视台|通讯社))\s?(?:记者|见习记者|特约记者|实习记者)"
)
_DATELINE_MEDIUM = re.compile(
    r"[《【（(]?([\u4e00-\u9fa5A-Za-z]{2,8}(?:社|报|网|财经|新闻))(?:[\u4e00-\u9fa5]{2,4})?(?:[\d０-９]{1,2}月)?[\d０-９]{1,2}日(?:专?[讯电]|消息|报道)"
)
_TITLED_MEDIUM = re.compile(r"([\u4e00-\u9fa5]{0,4}《[\u4e00-\u9fa5A-Za-z]{2,10}》)")
_BRACKETED_MEDIUM = re.compile(r"[（(]([\u4e00-\u9fa5A-Za-z]{2,10})\s+\d{4}[-/]\d{1,2}[-/]\d{1,2}")
# "By Wang Yiming, Staff Writer"
_NO_LATIN_NAME_BEHIND = re.compile(
    r"(?:,| and|,? &)\s+(?:Staff|Senior|Special|Chief|Contributing|Guest|Deputy|China|Business|Markets?|Finance)\b.*"
)
_OFFICIAL = re.compile(r"官方(?:账|帐)号$")
_BY = re.compile(
    r"By[:\s]\s*((?:[A-Z][\w.'’-]*\s+){1,3}[A-Z][\w'’-]+(?:(?:,| and|,? &)\s+(?:[A-Z][\w.'’-]*\s+){1,3}[A-Z][\w'’-]+)*)"
)
_MEDIUM_OF_BY = re.compile(
    r"\|\s*(?!Updated|Published|Posted)([A-Z][\w.’' ]{2,30}?)\s*(?:\||$)|\(([A-Z][\w.’' ]{2,30})\)\s*\d{1,2}:\d{2}"
)
_BARE = re.compile(
    r"^\s*(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?)?\s*(?:\d{1,2}[:：]\d{2}(?:[:：]\d{2})?)?\s*|[\d:\s]+$"
)
_FROM = re.compile(r"^来自\s*[：:]?\s*")
# What a post was written with, or on: 「来自 微博网页版」.
_CLIENT = re.compile(r"(?:新浪)?微博.{0,8}|.{0,12}(?:客户端|网页版|手机版?|超话)")
_COLUMN_OF = re.compile(r"(?:来自|來自)\s*(\S{2,14}?)\s*的\s?\S{0,6}(?:专栏|專欄)")
_SOURCE_AND_GAP = re.compile(r"(?:文章)?来源\s+(\S+)")
_NO_NAME = re.compile(r"[。，！？：:]|https?|www")
_AUTHOR_PROPERTIES = frozenset(("author", "creator", "author-name"))
_TELLING = frozenset(("itemprop", "rel", "data-testid"))
_LONGEST_MARKED = 60
# 「甲 记者」, as Korean sites put it.
_TITLE_BEHIND = re.compile(r"\s+(?:特派|特约|首席)?(?:记者|記者|评论员)$")
_PROFILE = re.compile(r"(?:^|[./])(?:u|user|users|people|profile|member|space|home)/[\w-]+/?$")
_JOINTS = {"、": "、", "/": " / ", "&": " & "}
_LABELS_OF = {Hint.SOURCE: "publisher", Hint.AUTHOR: "author", Hint.EDITOR: "editor"}


def read_names(found: Found, scene: Scene, wrapper: Mapping[str, str]) -> None:
    """`wrapper` is what the wrapper lines of the page named."""
    said = _said(scene, wrapper)
    _take_publisher(found, scene, said)
    _take_editor(found, scene, said)
    _take_authors(found, scene, said)


class _Said(NamedTuple):
    """Names with a label, by where on the page they stand: name of the field → value."""

    wrapper: Mapping[str, str]
    near: Mapping[str, str]
    behind: Mapping[str, str]
    right_behind: Mapping[str, str]
    hidden: Mapping[str, str]
    linked: Mapping[str, str]
    marked: Mapping[int, str]


def _said(scene: Scene, wrapper: Mapping[str, str]) -> _Said:
    behind = _labels(scene.behind)
    return _Said(
        wrapper=wrapper,
        near=_labels_apart(scene.near) | _labels(scene.near),
        behind=behind,
        right_behind=_labels(_right_behind(scene)) if behind else {},
        hidden={name: value for text in scene.reading.hidden.values() for name, value in label_values(text).items()},
        linked=linked_names(scene.head.linked) if scene.head.linked else {},
        marked=_marked(scene),
    )


def _take_publisher(found: Found, scene: Scene, said: _Said) -> None:
    found.take(
        "publisher",
        ("label near the headline", said.near.get("publisher")),
        ("wrapper line", said.wrapper.get("publisher")),
        ("label right behind the body", said.right_behind.get("publisher")),
        ("element named so", said.marked.get(Hint.SOURCE)),
        ("label of an author", said.near.get("medium")),
        ("wrapper line", said.wrapper.get("medium")),
        ("line right behind the body", lambda: _medium_behind(scene)),
        ("name beside the time", lambda: medium_beside_time(scene)),
        ("byline near the headline", lambda: _medium_of_by(scene.near)),
        ("label behind the body", said.behind.get("publisher")),
        ("undisplayed", said.hidden.get("publisher")),
        ("meta", lambda: _publisher_meta(scene.head, _PUBLISHER_METAS)),
        ("account", lambda: _organisation(_account(scene, said.marked), scene)),
        ("its reporter's", lambda: _medium_of_reporter(scene)),
        ("dateline", lambda: _medium_of_dateline(scene)),
        ("JSON-LD, and a line", lambda: _medium_displayed(said.linked.get("publisher"), scene.near)),
        ("meta", lambda: _publisher_meta(scene.head, _HOST_METAS)),
    )


def _take_editor(found: Found, scene: Scene, said: _Said) -> None:
    places = (
        ("wrapper line", said.wrapper),
        ("label behind the body", said.behind),
        ("label near the headline", said.near),
    )
    found.take(
        "editor",
        *((witness, labels.get(name)) for name in ("chief", "editor") for witness, labels in places),
        ("element named so", said.marked.get(Hint.EDITOR)),
        ("undisplayed", said.hidden.get("chief") or said.hidden.get("editor")),
        ("meta", lambda: _person_meta(scene.head, _EDITOR_METAS)),
        ("JSON-LD", lambda: one_for_programs(said.linked.get("editor", ""))),
    )
    # Where the one who answers for a text signs, and then all who edited it, all are named.
    for _, labels in places:
        if found.editor and found.editor in re.split(r"[ 、,，]+", labels.get("editor", "")):
            found.editor = labels["editor"]


def _take_authors(found: Found, scene: Scene, said: _Said) -> None:
    take_author(
        found,
        ("label near the headline", said.near.get("author")),
        ("byline near the headline", lambda: _byline(scene.near)),
        ("element named so", said.marked.get(Hint.AUTHOR)),
        ("wrapper line", said.wrapper.get("author")),
        ("name beside the time", lambda: person_beside_time(scene.near)),
        ("name beside a portrait", lambda: name_beside_picture(scene, is_name_alone)),
        ("label right behind the body", said.right_behind.get("author")),
        # Templates fill in the editor in these.
        ("undisplayed", lambda: name if (name := said.hidden.get("author")) != found.editor else None),
        ("property", lambda: name if (name := _author_property(scene)) != found.editor else None),
        ("meta", lambda: name if (name := _author_meta(scene.head)) != found.editor else None),
        ("JSON-LD", lambda: one_for_programs(said.linked.get("author", ""))),
        ("meta, and a line", lambda: _displayed(scene.head, said.linked, scene.near)),
        ("byline behind the body", lambda: _names_only(_byline(_lines_behind(scene)))),
        ("owner of a blog", lambda: pen_name(blog_owner(scene.head))),
    )
    found.take("author", ("account", lambda: _author_of(_account(scene, said.marked), found, scene)))


def fill_from_bylines(found: Found, lines: Iterable[str]) -> None:
    """Who is named in lines that were taken out around a text: in posts and plain texts, which have no page around."""
    for line in lines:
        if found.publisher and found.author:
            return
        if len(line) <= BYLINE_CHARS:
            for name, value in names_beside_time(line).items():
                found.take(name, ("wrapper line", value))


def take_author(found: Found, *candidates: Candidate) -> None:
    """The first person; where a medium stands in the author's place, it is the publisher."""
    for witness, candidate in candidates:
        name = candidate() if callable(candidate) else candidate
        if name and is_medium(name):
            found.take("publisher", (witness, name))
        elif name and name.casefold() != (found.publisher or "").casefold():
            found.take("author", (witness, name))
        if found.author:
            return


def marked_runs(reading: Reading, headline: int | None) -> frozenset[int]:
    """Short lines right below the headline that hold an element named after a time, a source or an author."""
    if headline is None:
        return frozenset()
    hints = Hint.SOURCE | Hint.AUTHOR | Hint.TIME
    below = range(headline + 1, min(headline + 1 + _MARKED_BELOW, len(reading.runs)))
    marks = [mark for mark in reading.marks if mark.hint & hints and mark.order in below]
    return frozenset(mark.order for mark in marks if _is_inside(mark.element, reading.runs[mark.order]))


def _labels(runs: Iterable[Run]) -> dict[str, str]:
    """Labelled values by field, and `medium`, where one stands in an author's place."""
    values: dict[str, str] = {}
    for run in runs:
        # A row of links between bars is no row of labels.
        if len(run.text) > 2 * MAX_NEAR_CHARS or not _MAY_NAME.search(run.text) or run.text.count("|") > _MAX_BARS:
            continue
        for name, value in label_values(run.pieces).items():
            if name == "author" and is_medium(value):
                name = "medium"
            if len(value) <= MAX_VALUE_CHARS and (name != "author" or _may_be_author(value)):
                values.setdefault(name, value)
    return values


def _labels_apart(runs: Iterable[Run]) -> dict[str, str]:
    """Values in elements behind those of their labels, without a colon: <dt>来源</dt><dd>某某报</dd>."""
    short = [run for run in runs if len(run.text) <= MAX_VALUE_CHARS]
    pieces = [piece for run in short for part in run.parts if (piece := " ".join(part.split()))]
    values: dict[str, str] = {}
    for label, value in pairwise(pieces):
        name = field_of(label) if len(label) <= _LONGEST_LABEL else ""
        # 「来自 某某 的专栏」 goes on behind the name.
        if name and name not in values and label != "来自" and _stands_alone(name, value):
            values |= label_values(f"{label.strip(' ：:')}：{value}")
    return values


def _stands_alone(name: str, value: str) -> bool:
    """May it be the whole value of such a field, and no headline or menu behind a word that is a label elsewhere?"""
    if field_of(value) or _NO_NAME.search(value):
        return False
    if name == "publisher":
        return len(value) <= LONGEST_MEDIUM
    name = person(value)
    return is_named(name) or is_team(name)


def _medium_of_by(runs: Iterable[Run]) -> str | None:
    """ "By Wang Yiming in Nanjing | Some Daily | Updated: …" """
    lines = (run.text for run in runs if run.text.startswith(("By", "(")) and len(run.text) <= MAX_NEAR_CHARS)
    return next((medium[1] or medium[2] for line in lines if (medium := _MEDIUM_OF_BY.search(line))), None)


def _may_be_author(value: str) -> bool:
    return not is_no_person(value) or is_team(value)


def _byline(runs: Iterable[Run]) -> str | None:
    """Who is named in a line of his own: 「□本报记者 王一鸣」, "By Wang Yiming"."""
    for run in runs:
        if len(run.text) <= BYLINE_CHARS and _SURNAME.search(run.text):
            pieces = run.pieces.split("\t") if "记者" in run.text or "記者" in run.text else []
            for line in (run.text, *pieces):
                name = byline(line).get("author", "")
                if name[:1] in SURNAMES and name and not is_no_person(name):
                    return name
        if "评论员" in run.text and is_team(text := run.text.strip("□■◎（）() ")):
            return text
        if run.text.startswith("By") and len(run.text) <= MAX_NEAR_CHARS and (english := _BY.match(run.text)):
            return _NO_LATIN_NAME_BEHIND.sub("", english[1])
    return None


def _right_behind(scene: Scene) -> Iterator[Run]:
    """Further down, labels are those of other articles."""
    return (run for run in scene.behind if scene.last < run.order <= scene.last + 2 and run.kind == "p")


def _lines_behind(scene: Scene) -> Iterator[Run]:
    """Lines below the body, up to the next heading."""
    behind = sorted((run for run in scene.behind if scene.last < run.order), key=attrgetter("order"))
    near = takewhile(lambda run: run.order <= scene.last + _BYLINES_BEHIND and not run.level, behind)
    lines = (run for run in near if run.kind == "p" and not run.noise and run.text == run.free)
    return (run for run in lines if len(run.text) <= MAX_VALUE_CHARS and _SIGNS.search(run.text))


def _medium_behind(scene: Scene) -> str | None:
    return next(filter(None, (medium_of(run.text) for run in _right_behind(scene))), None)


def _organisation(account: str | None, scene: Scene) -> str | None:
    """An account that speaks for more than a person, and publishes what it posts."""
    if account is None or is_person(account):
        return None
    is_official = any(_OFFICIAL.search(piece) for run in scene.near for piece in run.parts if piece.startswith(account))
    is_site = account in site_names(scene.head) or _begins_body(account, scene)
    return account if is_official or is_site or is_organisation(account) else None


def _begins_body(account: str, scene: Scene) -> bool:
    """「某某经纬1月18日电」"""
    return any(
        run.text.lstrip("【（(").startswith(account) for run in scene.reading.runs[scene.first : scene.first + 1]
    )


def _author_of(account: str | None, found: Found, scene: Scene) -> str | None:
    """An account that is no organisation's, nor the medium that is printed."""
    if account is None or (account == found.publisher and _is_printed(account, found.witnesses["publisher"], scene)):
        return None
    return None if _organisation(account, scene) else account


def _is_printed(publisher: str, witness: str, scene: Scene) -> bool:
    """As the source, by a label or in an element of that name, and not as a link to whoever posted."""
    is_text = any(publisher in run.free for run in scene.near)
    return witness.startswith(("label", "JSON-LD")) or (witness == "element named so" and is_text)


def _names_only(names: str | None) -> str | None:
    return (
        names
        if names and all(name[0] in SURNAMES and len(name) <= 3 for name in re.split(r"[ 、,，/]+", names))
        else None
    )


def _medium_of_reporter(scene: Scene) -> str | None:
    """「某某网记者 王一鸣」"""
    for line in (*(run.text for run in scene.near), *scene.removed):
        if len(line) <= BYLINE_CHARS and (found := _MEDIUM_OF_REPORTER.search(simplified(line))):
            return line[slice(*found.span(1))]
    return None


def _medium_of_dateline(scene: Scene) -> str | None:
    """「某某社5月9日电」, and a title in its marks beside the time."""
    for run in scene.near:
        if len(run.text) <= BYLINE_CHARS and DAY_OR_CLOCK.search(run.text):
            for piece in run.pieces.split("\t"):
                if titled := _TITLED_MEDIUM.match(piece.strip()):
                    return titled[1]
            if bracketed := _BRACKETED_MEDIUM.match(run.text):
                return bracketed[1]
    body = scene.reading.runs[scene.first : scene.first + 2]
    found = (_DATELINE_MEDIUM.match(simplified(run.text[:BYLINE_CHARS])) for run in body)
    return next((run.text[slice(*match.span(1))] for run, match in zip(body, found, strict=True) if match), None)


def _account(scene: Scene, marked: Mapping[int, str]) -> str | None:
    """Who published on a platform; what the page's path names is a channel."""
    account = (
        marked.get(Hint.AUTHOR | Hint.SOURCE)
        or account_above_time(scene)
        or account_beside_time(scene.near)
        or name_beside_picture(scene, is_named_account)
        or _account_of_column(scene.near)
    )
    if account is None:
        return None
    above = (run for run in scene.reading.runs[: scene.first] if run.hints & Hint.CRUMBS)
    # The first steps are the site and its front page.
    paths = ([step for piece in run.pieces.split("\t") if (step := piece.strip(" >＞»"))] for run in above)
    return None if any(account in path[2:] for path in paths) else account


def _marked(scene: Scene) -> dict[int, str]:
    """Values of elements whose class or id names a field, near the headline or right behind the body; under both hints,
    the account of a self-publisher."""
    at = scene.headline.order
    start = min(scene.first, at if at is not None else scene.first) - RUNS_AROUND
    values: dict[int, str] = {}
    account = ""
    for mark in scene.reading.marks:
        if not (start <= mark.order <= scene.first + 1 or scene.last <= mark.order <= scene.last + 8):
            continue
        pieces = [piece for text in islice(texts_of(mark.element), 12) if (piece := " ".join(text.split()))]
        text = "\t".join(pieces)
        if mark.hint & Hint.AUTHOR and len(text) > _LONGEST_MARKED and is_name_alone(pieces[0]):
            # Of a card that goes on about who he is.
            pieces, text = pieces[:1], pieces[0]
        if not 2 <= len(text) <= _LONGEST_MARKED:
            continue
        if mark.hint & Hint.AUTHOR and (both := _medium_then_person(pieces)):
            values.setdefault(Hint.SOURCE, both[0])
            values.setdefault(Hint.AUTHOR, both[1])
            continue
        for hint in _LABELS_OF:
            if mark.hint & hint and (value := _marked_value(hint, text)):
                is_poster = hint == Hint.SOURCE and not _FROM.match(text) and not is_organisation(value)
                if is_poster and _leads_to_profile(mark.element, value):
                    account = account or value
                else:
                    values.setdefault(hint, value)
        # On platforms of self-publishers the author's name is the medium's.
        if mark.hint & Hint.AUTHOR and pieces and is_account(pieces[0]) and not is_no_medium(text):
            is_alone = DAY_OR_CLOCK.search(text) or all(map(is_tool, pieces[1:]))
            account = account or (pieces[0] if is_alone else "")
    if account:
        values[Hint.AUTHOR | Hint.SOURCE] = account
        # Its own name is no source that somebody printed.
        if values.get(Hint.SOURCE) == account and not is_organisation(account):
            del values[Hint.SOURCE]
    return values


def _medium_then_person(pieces: Sequence[str]) -> tuple[str, str] | None:
    """A link of a medium and a name behind it, all in an element called author: 「<a>某某网</a>　南山」."""
    if len(pieces) != 2 or not is_medium(pieces[0]):
        return None
    is_name = re.fullmatch(r"[\u4e00-\u9fa5]{2,3}", pieces[1]) and not is_no_person(pieces[1])
    return (pieces[0], pieces[1]) if is_name and not is_tool(pieces[1]) else None


def _is_inside(element: etree._Element, run: Run) -> bool:
    """Is the whole element in that short line?"""
    text = "".join(islice(texts_of(element), BYLINE_CHARS)).split()
    return bool(text) and len(run.text) <= BYLINE_CHARS and "".join(text) in run.text.replace(" ", "")


def _leads_to_profile(element: etree._Element, name: str) -> bool:
    """Is the name a link to whoever posts under it, as on platforms?"""
    links = (link for link in element.iter("a") if clean_line("".join(texts_of(link))) == name)
    return any(_PROFILE.search(link.get("href") or "") for link in links)


def _marked_value(hint: int, text: str) -> str | None:
    if labels := label_values(text):
        return labels.get(_LABELS_OF[hint])
    if hint == Hint.AUTHOR and (names := _several(text.split("\t"))):
        return names
    for piece in text.split("\t"):
        bare = _OFFICIAL.sub("", _BEFORE_NAME.sub("", _FROM.sub("", _BARE.sub("", straightened(piece)).strip())))
        # 「来源 某某网 廖某」, without a colon.
        if hint == Hint.SOURCE and (unlabelled := _SOURCE_AND_GAP.match(bare)):
            bare = unlabelled[1]
        if not 2 <= len(bare) <= 24 or _NO_NAME.search(bare):
            continue
        if hint == Hint.SOURCE:
            if not is_no_medium(bare) and not _CLIENT.fullmatch(bare) and not is_place(bare):
                return bare
        elif hint == Hint.AUTHOR and (is_latin_person(bare) or FOREIGN_PERSON.fullmatch(bare)):
            return bare
        elif (
            PERSON.fullmatch(bare := person(_TITLE_BEHIND.sub("", bare)))
            and bare[0] in SURNAMES
            and not is_no_person(bare)
        ):
            return None if is_place(bare) else bare
    return None


def _several(pieces: Sequence[str]) -> str | None:
    """People in elements of their own, with what stands between them: 「甲·乙」柏林，「丙」上海报道."""
    at = [number for number, piece in enumerate(pieces) if is_one_person(piece)]
    if len(at) < 2:
        return None
    between = re.search(r"[、,，/&]", "".join(pieces[at[0] + 1 : at[1]]))
    joint = _JOINTS.get(between[0], f"{between[0]} ") if between else " "
    return joint.join(pieces[number] for number in at)


def _account_of_column(near: Iterable[Run]) -> str | None:
    """「来自 某某 的某湖专栏」"""
    columns = (_COLUMN_OF.match(run.text) for run in near if len(run.text) <= BYLINE_CHARS)
    return next((column[1] for column in columns if column), None)


def _publisher_meta(head: Head, names: Iterable[str]) -> str | None:
    for name in names:
        value = re.sub(r"^(?:文章)?来源\s*[：:]\s*", "", clean_line(head.metas.get(name, "")))
        if 2 <= len(value) <= 30 and not NO_WORDS.fullmatch(value) and not _IN_ADDRESS.search(value):
            return value
    return None


def _person_meta(head: Head, names: Iterable[str]) -> str | None:
    return next(filter(None, (one_for_programs(head.metas.get(name, "")) for name in names)), None)


def _author_meta(head: Head) -> str | None:
    labelled = head.metas.get("twitter:label1") in _AUTHOR_LABELS
    return _person_meta(head, (*_AUTHOR_METAS, "twitter:data1") if labelled else _AUTHOR_METAS)


def _displayed(head: Head, linked: Mapping[str, str], near: Iterable[Run]) -> str | None:
    """A pen name in the metas, which often name the site, where an element near the headline is nothing else."""
    told = {linked.get("author", ""), *(head.metas.get(name, "") for name in _AUTHOR_METAS)}
    names = {name for name in told if name and is_account(name) and not is_organisation(name)}
    shown = (piece for run in near if len(run.text) <= BYLINE_CHARS for piece in run.pieces.split("\t"))
    return next((piece for piece in shown if piece in names), None) if names else None


def _medium_displayed(publisher: str | None, near: Iterable[Run]) -> str | None:
    """Who runs the site, as it tells programs, where an element beside the time is nothing else."""
    if not publisher or is_no_medium(publisher):
        return None
    lines = (run for run in near if len(run.text) <= BYLINE_CHARS and DAY_OR_CLOCK.search(run.text))
    return publisher if any(publisher == piece.strip(" |｜·") for run in lines for piece in run.parts) else None


def _author_property(scene: Scene) -> str | None:
    """Whom an element near the headline names by its property: `itemprop="author"`, `rel="author"`."""
    site = site_names(scene.head)
    for author in _authors_near(scene):
        inside = (inner for inner in author.iter() if inner.get("itemprop") == "name")
        told = pen_name(next(filter(None, map(_name_told, (*inside, author))), ""))
        if told and told not in site:
            return told
    return None


def _authors_near(scene: Scene) -> Iterator[etree._Element]:
    for element in elements_near(scene):
        # Most have a class and no more.
        told = map(element.get, _TELLING.intersection(element.keys()))
        if element.tag == "address" or any(name in _AUTHOR_PROPERTIES for name in told):
            yield element


def _name_told(element: etree._Element) -> str:
    return clean_line(element.get("content") or " ".join(texts_of(element)))
