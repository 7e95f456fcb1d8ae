"""Row N24: what stands in place of an article, and articles that only speak of such things."""

from __future__ import annotations

import pytest

from articles.challenge import challenge_in, is_unwelcome

STORY = "<p>本周虚构指数收涨百分之一，成交温和放大，样本公司发布季度数据，机构称后市仍需观察。</p>" * 8


def page(title: str, body: str) -> str:
    return f"<html><head><title>{title}</title></head><body>{body}</body></html>"


@pytest.mark.parametrize(
    ("html", "unwelcome"),
    [
        pytest.param(page("404 Not Found", "<h1>404</h1>"), False, id="N24-404"),
        pytest.param(page("页面不存在 - 样本财经", STORY), False, id="N24-soft-404-in-full-dress"),
        pytest.param(page("样本财经", "<p>抱歉，您访问的页面不存在或已删除！</p>"), False, id="N24-gone"),
        pytest.param(page("提示", "<div>系统正在维护中，请稍后再来。</div>"), False, id="N24-maintenance"),
        pytest.param(page("访问验证", "<div id=nocaptcha></div>"), True, id="N24-captcha"),
        pytest.param(page("", "<script>var arg1='3FD9';acw_sc__v2(arg1)</script>"), True, id="N24-script-check"),
        pytest.param(page("Just a moment...", "<noscript>Enable JavaScript</noscript>"), True, id="N24-moment"),
        pytest.param(page("样本", "<p>您的访问过于频繁，请稍后再试</p>"), True, id="N24-too-often"),
    ],
)
def test_given_away(html: str, unwelcome: bool) -> None:
    words = challenge_in(html)
    assert words
    assert is_unwelcome(words) == unwelcome


@pytest.mark.parametrize(
    "html",
    [
        page("系统维护期间交易所暂停部分业务", STORY),
        page("某券商验证码漏洞调查", STORY + "<p>验证码</p>"),
        page("样本财经：页面不存在的利润", STORY),
        page("行情", "<script>if(window.nocaptcha){}</script>" + STORY),
        page("快讯", "<p>样本银行公告，周六凌晨系统维护期间，网上银行、手机银行、自助设备的转账与缴费业务将暂停四小时，"
             "已预约的业务顺延办理，请客户提前安排；如有疑问可致电客服热线，详情见该行官网与各网点的公告栏，"
             "给客户带来的不便敬请谅解。</p>"),
        "",
        "<title>",
    ],
)  # fmt: skip
def test_articles_are_not(html: str) -> None:
    assert challenge_in(html) == ""


@pytest.mark.parametrize("html", ["<script>" * 9_000, "<title>" + " " * 50_000, "<!--" * 15_000, "<" * 60_000])
def test_hostile_pages_cost_little(html: str) -> None:
    assert challenge_in(html) in ("", "<script>")
