"""Pages that stand in place of an article with status 200: checks for robots, maintenance notices, soft 404s.

Words alone prove nothing, for articles are written about maintenance and about captchas. They count in a title that
says nothing else, or on a page with hardly any text beside them.
"""

from __future__ import annotations

import re

HEAD_CHARS = 60_000
# A news flash has as much text as a notice; next to a script that checks visitors a little more proves nothing yet.
NOTICE_CHARS = 80
CHECK_CHARS = 300
MUCH_CHARS = 600

_NOTICES = (
    r"40[34]\s*(?:Not Found|Forbidden|error|页面|错误)?|Not Found|Page not found|"
    r"(?:抱歉|对不起)?[，,！!\s]*(?:您|你)?(?:所?访问|请求|要?查看|要?找)的?(?:页面|网页|文章|内容|页|资源)"
    r"(?:不存在|已被?删除|已失效|找不到|没有找到|不见了|可能已被?删除)|"
    r"(?:页面|网页|文章|内容)(?:不存在|未找到|没有找到|找不到了?|已被?删除|已失效|走丢了)|找不到(?:该|此)?(?:页面|网页|文章)|"
    r"(?:系统|网站|服务器)(?:正在)?(?:维护|升级)(?:维护|升级)?中?|系统繁忙|服务(?:暂时)?不可用|"
    r"Service (?:Temporarily )?Unavailable|Bad Gateway|Under maintenance|"
    r"(?:安全|访问|滑动|人机|图形|身份)验证|验证码|请完成(?:安全)?验证|请开启\s*JavaScript|访问(?:过于|太)频繁|"
    r"访问被(?:拒绝|拦截|阻断)|Access Denied|Forbidden|Just a moment(?:\.\.\.|…)?|Attention Required!?|"
    r"Checking your browser|enable JavaScript"
)
_SCRIPTS = (
    r"aliyunCaptcha|wzwschallenge|acw_sc__v2|cf-browser-verification|_cf_chl_opt|geetest|TencentCaptcha|nocaptcha"
)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_TITLE_SAYS = re.compile(rf"[\s\W]*(?:{_NOTICES})[\s\W]*(?:[-_|–—·].*)?", re.IGNORECASE | re.DOTALL)
_SAYS = re.compile(_NOTICES, re.IGNORECASE)
_CHECKS = re.compile(_SCRIPTS, re.IGNORECASE)
_UNWELCOME = re.compile(
    rf"{_SCRIPTS}|验证|频繁|拒绝|拦截|阻断|JavaScript|Denied|Forbidden|moment|Attention|Checking", re.IGNORECASE
)
_UNSEEN = re.compile(
    r"<(script|style|noscript|template)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[^<>]*>")
_SPACES = re.compile(r"\s+")


def challenge_in(html: str) -> str:
    """The words by which a page gives itself away, "" if it may well be what was asked for."""
    head = html[:HEAD_CHARS]
    title = _TITLE.search(head)
    if title and _TITLE_SAYS.fullmatch(_SPACES.sub(" ", title[1]).strip()):
        return _SPACES.sub(" ", title[1]).strip()[:80]
    # Quickly past nearly every page: hardly any text is hardly any wide characters.
    if len(html) > HEAD_CHARS or len(html) - len(html.encode("ascii", "ignore")) > MUCH_CHARS:
        return ""
    seen = _SPACES.sub(" ", _TAG.sub(" ", _UNSEEN.sub("", head)))
    if len(seen) < CHECK_CHARS and (found := _CHECKS.search(head)):
        return found[0]
    found = _SAYS.search(seen) if len(seen) < NOTICE_CHARS else None
    return found[0] if found else ""


def is_unwelcome(words: str) -> bool:
    """Does the site mean us, rather than this one page?"""
    return bool(_UNWELCOME.search(words))
