"""Scrapy's settings, for every crawl and for the `scrapy` command. Only what differs from its defaults, and why."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("finnews")
except PackageNotFoundError:  # run from a checkout that nobody installed
    VERSION = "0"

BOT_NAME = "finnews"
USER_AGENT = f"finnews/{VERSION} (news archive; obeys robots.txt)"
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml,application/json;q=0.9,*/*;q=0.8",
    "Accept-Language": "zh-CN,zh;q=0.9,en;q=0.5",
    "Accept-Encoding": "gzip, deflate, br, zstd",
}

# What runs is listed here whole, instead of switching off what Scrapy would add: loading what is off costs 0.4 s a
# crawl, and a new default of a new version cannot slip in. Left out on purpose: the telnet and remote-control ports,
# one of which executes Python; cookies, referers, meta refresh; proxies, which connect where our guard cannot see.
EXTENSIONS_BASE: dict[str, int] = {}
SPIDER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES_BASE: dict[str, int] = {}
DOWNLOADER_MIDDLEWARES = {
    "spiders.manners.Gate": 100,
    "spiders.manners.Robots": 200,
    "scrapy.downloadermiddlewares.defaultheaders.DefaultHeadersMiddleware": 400,
    "scrapy.downloadermiddlewares.useragent.UserAgentMiddleware": 500,
    "spiders.manners.Patience": 550,
    "spiders.manners.Redirects": 600,
}
# No file, data, ftp or s3: a link in a feed must not read a file of this machine.
DOWNLOAD_HANDLERS_BASE: dict[str, str] = {}
DOWNLOAD_HANDLERS = {"http": "spiders.wire.WireHandler", "https": "spiders.wire.WireHandler"}
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False

# Certificates are not checked by default.
DOWNLOAD_VERIFY_CERTIFICATES = True
DOWNLOAD_MAXSIZE = 16 << 20
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = True
DNS_TIMEOUT = 20

# One request at a time per host. The delay between them is in spiders.wire: Scrapy's own cannot be cut short, so a
# crawl that is told to stop would first work off its queue at that pace.
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 0
# As many tasks are made for the output of each answer, however little it is: a hundred by default.
CONCURRENT_ITEMS = 1

# Every article is told apart by its id, not by its request.
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"

LOG_VERSIONS: list[str] = []
LOG_INSTALL_ROOT_HANDLER = False
STATS_DUMP = False
