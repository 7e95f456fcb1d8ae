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

# Local ports that take commands, one of them executing Python, are on by default.
TELNETCONSOLE_ENABLED = False
REMOTE_CONTROL_ENABLED = False
# Certificates are not checked by default.
DOWNLOAD_VERIFY_CERTIFICATES = True
# A link in a feed must not read a file of this machine.
DOWNLOAD_HANDLERS = {
    "http": "spiders.wire.WireHandler",
    "https": "spiders.wire.WireHandler",
    "file": None,
    "data": None,
    "ftp": None,
    "s3": None,
}
# A proxy connects where our address guard cannot see.
HTTPPROXY_ENABLED = False
COOKIES_ENABLED = False
REFERER_ENABLED = False
METAREFRESH_ENABLED = False

DOWNLOAD_MAXSIZE = 16 << 20
DOWNLOAD_WARNSIZE = 0
DOWNLOAD_FAIL_ON_DATALOSS = True
DNS_TIMEOUT = 20
URLLENGTH_LIMIT = 4_000

# One request at a time per host, and never sooner than its delay: jitter would also make it shorter.
CONCURRENT_REQUESTS = 16
CONCURRENT_REQUESTS_PER_DOMAIN = 1
DOWNLOAD_DELAY = 2.0
DOWNLOAD_DELAY_JITTER = 0.0

# Our own are in spiders.manners and spiders.wire: robots.txt that fails closed, waits between tries, whole bodies.
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.offsite.OffsiteMiddleware": None,
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.downloadtimeout.DownloadTimeoutMiddleware": None,
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.RedirectMiddleware": None,
    "spiders.manners.Gate": 100,
    "spiders.manners.Robots": 200,
    "spiders.manners.Patience": 550,
    "spiders.manners.Redirects": 600,
}
# Any status is ours to judge, and every article is told apart by its id, not by its request.
HTTPERROR_ALLOW_ALL = True
DUPEFILTER_CLASS = "scrapy.dupefilters.BaseDupeFilter"

LOG_VERSIONS: list[str] = []
LOGSTATS_INTERVAL = 0
STATS_DUMP = False
MEMUSAGE_ENABLED = False
LOG_INSTALL_ROOT_HANDLER = False
