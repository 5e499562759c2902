"""getData.py: a crawler held against a real HTTP server with faults."""

import contextlib
import csv
import email.utils
import gzip
import http.server
import itertools
import json
import os
import pty
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import getData

ROOT = Path(__file__).resolve().parent.parent
LISTS = (
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "families",
    "seasons",
    "scenes",
    "images",
    "impressions",
)


# Pages ----------------------------------------------------------------------------------------------------------------


def page(body: str, title: str = "", head: str = "") -> bytes:
    """A small page of a shop."""
    return f'<html lang="ja"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body><main>{body}</main></body></html>'.encode()


def perfume_page(number: int, brand: str = "Nerval", extra: str = "") -> bytes:
    """A perfume's page, as the reference shop writes it."""
    flower = ("ネロリ", "リリー", "スミレ", "ミモザ")[number % 4]
    return page(
        f"<h1>{brand} – Nuit {number}</h1><p class='price'>{1_000 + number:,}円</p><div class='woocommerce-product-details__short-description'><p>夜の庭を歩くような香りです。静かな時間に。<br>"
        f"【ユニセックス／ウッディ】</p><p>Top<br>レモン　ライム<br>Middle<br>ローズ　{flower}<br>Last<br>ムスク　アンバー</p></div>{extra}",
        f"Nuit {number} | 小さな店",
    )


# A shop with faults ---------------------------------------------------------------------------------------------------


class FaultyShop:
    """A real HTTP server; pages maps a path to bytes, or to a function of the request and its number (from 0)."""

    def __init__(self, pages: dict, host: str = "127.0.0.1"):
        self.pages, self.log, self.lock = (
            {"/robots.txt": b"User-agent: *\nAllow: /", **pages},
            [],
            threading.Lock(),
        )
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version, disable_nagle_algorithm = "HTTP/1.1", True

            def do_GET(self):
                with shop.lock:
                    number = [path for path, _ in shop.log].count(self.path)
                    shop.log.append((self.path, time.monotonic()))
                answer = shop.pages.get(self.path)
                with contextlib.suppress(OSError):
                    if callable(answer):
                        answer(self, number)
                    else:
                        reply(
                            self,
                            answer if answer is not None else b"no such page",
                            200 if answer is not None else 404,
                        )

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that was killed is no error."""

        self.server = Server((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_port}"
        threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()

    def asked(self) -> list[str]:
        """Paths asked for, in order."""
        return [path for path, _ in self.log]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def reply(request, body=b"", status=200, **headers):
    """Sends an answer; a header's underscores stand for hyphens."""
    request.send_response(status)
    for name, value in {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }.items():
        if value is not None:
            request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)


@pytest.fixture
def faulty_shop():
    """A maker of faulty shops that closes them."""
    shops = []

    def make(pages):
        shops.append(FaultyShop(pages))
        return shops[-1]

    yield make
    for shop in shops:
        shop.close()


@pytest.fixture
def crawl(tmp_path, monkeypatch, capsys):
    """A crawl of a shop with short waits: its records by name, and what it printed, the reason it ended with included."""

    def run(shop, **constants):
        start = shop if isinstance(shop, str) else f"{shop.url}/"
        settings = {
            "START_URL": start,
            "OUTPUT_FILE": str(tmp_path / "perfumes.jsonl"),
            "PAGES_DIR": str(tmp_path / "pages"),
            "DELAY_SECONDS": 0,
            "BACKOFF_SECONDS": 0.01,
            "READ_SECONDS": 10,
            "PAGE_SECONDS": 30,
            "MAX_BARREN": 20,
            "SELECTORS": {},
            "MAX_BYTES": 300_000,
            "RETRY_AFTER_CAP": 3,
            "ATTEMPTS": 3,
            **constants,
        }
        for name, value in settings.items():
            monkeypatch.setattr(getData, name, value)
        end = ""
        try:
            getData.main()
        except SystemExit as stop:
            end = f"\nEND {stop.code}"
        output = Path(settings["OUTPUT_FILE"])
        lines = output.read_text(encoding="utf-8").splitlines() if output.is_file() else []
        return [json.loads(line) for line in lines], capsys.readouterr().out + end

    return run


def index(*paths: str) -> bytes:
    """A page of links."""
    return page("<h1>小さな店</h1>" + "".join(f'<a href="{path}">perfume</a> ' for path in paths))


def names(records: list[dict]) -> list[str]:
    """The records' names."""
    return [record["name"] for record in records]


def raw(request, data: bytes, reset: bool = False):
    """Sends bytes as they are and ends the connection, with a reset when asked."""
    request.wfile.write(data)
    request.wfile.flush()
    if reset:
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.close_connection = True
    request.connection.shutdown(socket.SHUT_RDWR) if not reset else request.connection.close()


def drip(request, _):
    request.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n"
    )
    for _ in range(60):
        request.wfile.write(b"x")
        time.sleep(0.05)


def drip_for_ever(request, _):
    """A body without a length, which only its end would end."""
    request.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n"
        + perfume_page(2).replace(b"</html>", b"")
    )
    for _ in range(60):
        request.wfile.write(b" ")
        time.sleep(0.05)


def silent_after_the_page(request, _):
    """A whole page without a length, on a connection that stays open."""
    request.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + perfume_page(2))
    time.sleep(0.8)


SHORT = {"READ_SECONDS": 0.4, "PAGE_SECONDS": 1}  # for answers that come late


def first(fault, then=lambda request: reply(request, perfume_page(2))):
    """A fault at the first request, a page at the next."""
    return lambda request, number: fault(request) if number == 0 else then(request)


def always(fault):
    """A fault at every request."""
    return lambda request, _: fault(request)


HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<html><h1>A"
BOMB = gzip.compress(b"<p>" * 3_000_000)
FAULTS = {  # what happens at /p/2: the answer, whether its perfume is read, what the closing counts say, how often it is asked
    "slow drip": (drip, False, "時間切れ", 3),
    "slow drip without a length": (drip_for_ever, False, "時間切れ", 3),
    "a page, then silence": (silent_after_the_page, True, "", 1),
    "silence": (lambda request, _: time.sleep(1.5), False, "時間切れ", 3),
    "silence, then a page": (first(lambda request: time.sleep(0.8)), True, "", 2),
    "reset": (always(lambda request: raw(request, b"", reset=True)), False, "失敗", 3),
    "reset, then a page": (first(lambda request: raw(request, b"", reset=True)), True, "", 2),
    "closed without a word": (always(lambda request: raw(request, b"")), False, "失敗", 3),
    "no HTTP at all": (
        always(lambda request: raw(request, b"SSH-2.0-OpenSSH\r\n\r\n")),
        False,
        "失敗",
        3,
    ),
    "reset in the body": (always(lambda request: raw(request, HALF, reset=True)), False, "失敗", 3),
    "truncated body": (always(lambda request: raw(request, HALF)), False, "途中で切れた", 3),
    "truncated body, then a page": (first(lambda request: raw(request, HALF)), True, "", 2),
    "wrong Content-Length, whole page": (
        always(lambda request: raw(request, HALF.split(b"<html>")[0] + perfume_page(2))),
        True,
        "",
        1,
    ),
    "broken chunks": (
        always(
            lambda request: raw(
                request, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc"
            )
        ),
        False,
        "失敗",
        3,
    ),
    "gzip": (
        always(
            lambda request: reply(request, gzip.compress(perfume_page(2)), Content_Encoding="gzip")
        ),
        True,
        "",
        1,
    ),
    "gzip bomb": (
        always(lambda request: reply(request, BOMB, Content_Encoding="gzip")),
        False,
        "大きすぎる",
        1,
    ),
    "broken gzip": (
        always(lambda request: reply(request, b"\x1f\x8b\x08garbage" * 9, Content_Encoding="gzip")),
        False,
        "失敗",
        3,
    ),
    "bomb in a bomb": (
        always(lambda request: reply(request, gzip.compress(BOMB), Content_Encoding="gzip, gzip")),
        False,
        "頼んでいない圧縮（gzip, gzip）",
        1,
    ),
    "half a gzip": (
        always(
            lambda request: reply(
                request,
                gzip.compress(random.Random(1).randbytes(3_000))[:900],
                Content_Encoding="gzip",
            )
        ),
        False,
        "圧縮が壊れている",
        3,
    ),
    "brotli that nobody asked for": (
        always(lambda request: reply(request, b"\x0b\x02\x80hello\x03", Content_Encoding="br")),
        False,
        "失敗: 頼んでいない圧縮（br） 1",
        1,
    ),
    "gzip in brotli": (
        always(
            lambda request: reply(
                request, gzip.compress(perfume_page(2)), Content_Encoding="gzip, br"
            )
        ),
        False,
        "頼んでいない圧縮（gzip, br）",
        1,
    ),
    "Content-Length too small": (
        always(
            lambda request: raw(
                request,
                b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(perfume_page(2)) - 7)
                + perfume_page(2),
            )
        ),
        True,
        "",
        1,
    ),
    "two Content-Lengths": (
        always(
            lambda request: raw(
                request,
                b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 900\r\n\r\n"
                + perfume_page(2),
            )
        ),
        False,
        "失敗",
        3,
    ),
    "a second answer in the first": (
        always(
            lambda request: (
                reply(request, perfume_page(2)),
                raw(request, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno"),
            )
        ),
        True,
        "",
        1,
    ),
    "500 headers": (
        always(
            lambda request: raw(request, b"HTTP/1.1 200 OK\r\n" + b"X-More: 1\r\n" * 500 + b"\r\n")
        ),
        False,
        "失敗",
        3,
    ),
    "a header of 100 KB": (
        always(
            lambda request: raw(
                request, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n"
            )
        ),
        False,
        "失敗",
        3,
    ),
    "too large": (
        always(lambda request: reply(request, perfume_page(2, extra="x" * 400_000))),
        False,
        "大きすぎる",
        1,
    ),
    "429 with seconds": (
        first(lambda request: reply(request, status=429, Retry_After="1")),
        True,
        "",
        2,
    ),
    "429 with a date": (
        first(
            lambda request: reply(
                request,
                status=429,
                Retry_After=email.utils.formatdate(time.time() + 2, usegmt=True),
            )
        ),
        True,
        "",
        2,
    ),
    "429 with nonsense": (
        first(lambda request: reply(request, status=429, Retry_After="soon")),
        True,
        "",
        2,
    ),
    "429 for ever": (
        always(lambda request: reply(request, status=429)),
        False,
        "失敗: HTTP 429 1",
        3,
    ),
    "500, then a page": (first(lambda request: reply(request, status=500)), True, "", 2),
    "503 for ever": (always(lambda request: reply(request, status=503)), False, "HTTP 503", 3),
    "408, then a page": (first(lambda request: reply(request, status=408)), True, "", 2),
    "403": (always(lambda request: reply(request, status=403)), False, "HTTP 403", 1),
    "404 with a perfume's page": (
        always(lambda request: reply(request, perfume_page(2), status=404)),
        False,
        "HTTP 404",
        1,
    ),
    "redirect loop": (
        always(lambda request: reply(request, status=302, Location="/loop")),
        False,
        "転送が終わらない",
        1,
    ),
    "redirect to itself": (
        always(lambda request: reply(request, status=301, Location="/p/2")),
        False,
        "転送",
        1,
    ),
    "redirect to a page in raw UTF-8": (
        always(
            lambda request: raw(
                request,
                b"HTTP/1.1 302 Found\r\nLocation: /\xe9\xa6\x99\r\nContent-Length: 0\r\n\r\n",
            )
        ),
        True,
        "",
        1,
    ),
    "redirect with a bomb": (
        always(
            lambda request: reply(
                request, BOMB * 30, status=302, Location="/%E9%A6%99", Content_Encoding="gzip"
            )
        ),
        True,
        "",
        1,
    ),
    "redirect to a broken address": (
        always(lambda request: reply(request, status=302, Location="http://[::1")),
        False,
        "別のホスト",
        1,
    ),
    "redirect to another host": (
        always(lambda request: reply(request, status=302, Location="http://127.0.0.2:9/p/2")),
        False,
        "別のホスト",
        1,
    ),
    "redirect to another scheme": (
        always(lambda request: reply(request, status=302, Location="file:///etc/passwd")),
        False,
        "失敗",
        1,
    ),
    "redirect without an address": (
        always(lambda request: reply(request, status=302)),
        False,
        "失敗",
        1,
    ),
    "cp932 named Shift_JIS": (
        always(
            lambda request: reply(
                request,
                perfume_page(2)
                .replace(b"utf-8", b"Shift_JIS")
                .decode()
                .replace("–", "-")
                .encode("cp932"),
                Content_Type="text/html; charset=Shift_JIS",
            )
        ),
        True,
        "",
        1,
    ),
    "EUC-JP": (
        always(
            lambda request: reply(
                request,
                perfume_page(2)
                .replace(b"utf-8", b"EUC-JP")
                .decode()
                .replace("–", "-")
                .encode("euc_jp"),
                Content_Type="text/html",
            )
        ),
        True,
        "",
        1,
    ),
    "broken JSON-LD": (
        always(
            lambda request: reply(
                request,
                perfume_page(
                    2,
                    extra='<script type="application/ld+json">{"@type": "Product", "name"</script>',
                ),
            )
        ),
        True,
        "",
        1,
    ),
    "empty body": (always(lambda request: reply(request, b"")), False, "香水のないページ", 1),
    "PDF under an HTML name": (
        always(lambda request: reply(request, b"%PDF-1.7\n" + perfume_page(2))),
        False,
        "香水のないページ",
        1,
    ),
    "no content type": (
        always(lambda request: reply(request, perfume_page(2), Content_Type=None)),
        True,
        "",
        1,
    ),
    "204": (
        always(lambda request: reply(request, status=204, Content_Length=None)),
        False,
        "HTTP 204",
        1,
    ),
    "a thousand nested elements": (
        always(lambda request: reply(request, b"<div>" * 1_000 + perfume_page(2))),
        True,
        "",
        1,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_no_other_record(fault, faulty_shop, crawl):
    answer, read_it, said, times = FAULTS[fault]
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            "/p/1": perfume_page(1),
            "/p/2": answer,
            "/p/3": perfume_page(3),
            "/%E9%A6%99": perfume_page(2),
            "/loop": always(lambda request: reply(request, status=302, Location="/p/2")),
        }
    )
    records, printed = crawl(shop, **(SHORT if "silence" in fault or "drip" in fault else {}))
    assert (
        sorted(names(records)) == ["Nuit 1", "Nuit 2", "Nuit 3"]
        if read_it
        else names(records) == ["Nuit 1", "Nuit 3"]
    )
    assert said in printed and "END" not in printed
    assert shop.asked().count("/p/2") == times


@pytest.mark.parametrize(
    "wait", ["21600", "9" * 30, email.utils.formatdate(time.time() + 90_000, usegmt=True)]
)
def test_a_long_retry_after_stops_the_run_with_what_it_has(wait, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            "/p/1": perfume_page(1),
            "/p/2": always(lambda request: reply(request, status=429, Retry_After=wait)),
            "/p/3": perfume_page(3),
        }
    )
    records, printed = crawl(shop)
    assert names(records) == ["Nuit 1"] and "/p/3" not in shop.asked()
    assert "以降に" in printed.split("END")[1]


def test_a_page_that_is_there_asks_for_no_wait(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2"),
            "/p/1": always(lambda request: reply(request, perfume_page(1), Retry_After="9000")),
            "/p/2": perfume_page(2),
        }
    )
    records, printed = crawl(shop)
    assert names(records) == ["Nuit 1", "Nuit 2"] and "END" not in printed


def test_a_retry_after_holds_for_the_next_page_too(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/2", "/p/3"),
            "/p/2": always(lambda request: reply(request, status=503, Retry_After="1")),
            "/p/3": perfume_page(3),
        }
    )
    records, _ = crawl(shop, ATTEMPTS=1)
    asked = dict(shop.log)
    assert names(records) == ["Nuit 3"] and asked["/p/3"] - asked["/p/2"] >= 1


def test_random_answers_end_no_run(faulty_shop, crawl):
    chance = random.Random(3)
    heads = [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 429 x\r\nRetry-After: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: ",
        b"HTTP/1.1 ",
    ]
    answers = {
        f"/x/{number}": chance.choice(heads) + chance.randbytes(chance.randrange(300))
        for number in range(90)
    }
    shop = faulty_shop(
        {
            "/": index("/p/1", *answers, "/p/3"),
            "/p/1": perfume_page(1),
            "/p/3": perfume_page(3),
            **{
                path: always(lambda request, answer=answer: raw(request, answer))
                for path, answer in answers.items()
            },
        }
    )
    records, printed = crawl(shop, ATTEMPTS=1, MAX_FAILURES=1_000, MAX_BARREN=1_000)
    assert (
        names(records) == ["Nuit 1", "Nuit 3"]
        and "END" not in printed
        and not set(printed) & {"\x1b", "\x00"}
    )


@pytest.mark.parametrize("status", [403, 502])
def test_a_shop_that_is_down_is_left_alone(status, faulty_shop, crawl):
    paths = [f"/p/{number}" for number in range(1, 30)]
    shop = faulty_shop(
        {
            "/": index(*paths),
            **{path: always(lambda request: reply(request, status=status)) for path in paths[1:]},
            "/p/1": perfume_page(1),
        }
    )
    records, printed = crawl(shop, MAX_FAILURES=4, ATTEMPTS=2)
    assert (
        names(records) == ["Nuit 1"]
        and len(shop.asked()) < 15
        and f"失敗: HTTP {status} 4、" in printed
        and "続けて取れません" in printed.split("END")[1]
        and "python getData.py" in printed.split("END")[1]
    )


# robots.txt, discovery, pace ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer, crawled",
    [
        (always(lambda request: reply(request, status=404)), True),
        (always(lambda request: reply(request, status=403)), True),
        (b"", True),
        (b"\xef\xbb\xbfUser-agent: *\nDisallow:", True),
        (always(lambda request: reply(request, status=500)), False),
        (always(lambda request: time.sleep(0.6)), False),
        (always(lambda request: raw(request, b"", reset=True)), False),
        (b"User-agent: *\nDisallow: /", False),
        (b"User-agent: PerfumeChatbot\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        (b"User-agent: GPTBot\nDisallow: /", False),
        (always(lambda request: reply(request, status=429)), False),
        (drip, False),
        (
            always(
                lambda request: reply(request, status=302, Location="http://127.0.0.2:9/robots.txt")
            ),
            False,
        ),
        (always(lambda request: reply(request, status=302, Location="/robots.txt")), False),
        (always(lambda request: reply(request, status=301, Location="/rules.txt")), False),
        (b"User-agent: *\nCrawl-delay: 86400", False),
        (b"User-agent: *\nCrawl-delay: -1", True),
        (b"User-agent: *\nDisallow: /p/\nAllow: /p/1$", True),
        (b"User-agent: PerfumeChatbot\nAllow: /\n\nUser-agent: *\nDisallow: /", False),
        (b"\xff\x00\x1b[2J" * 9_000, True),
        (b"<html>soft 404</html>", True),
        (
            first(
                lambda request: reply(request, status=503),
                lambda request: reply(request, b"User-agent: *\nAllow: /"),
            ),
            True,
        ),
    ],
)
def test_robots_txt_comes_first_and_is_obeyed(answer, crawled, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/robots.txt": answer,
            "/rules.txt": b"User-agent: *\nDisallow: /",
            "/": index("/p/1"),
            "/p/1": perfume_page(1),
        }
    )
    records, printed = crawl(shop, **({} if crawled else SHORT))
    assert shop.asked()[0] == "/robots.txt" and names(records) == ["Nuit 1"] * crawled
    assert (
        b"Disallow: /" not in (answer if isinstance(answer, bytes) else b"")
        or crawled
        or "失敗: robots.txt が断っている 1" in printed
    )
    assert crawled or ("END" in printed and set(shop.asked()) <= {"/robots.txt", "/rules.txt"})


def test_a_shop_that_never_takes_the_call_is_left(crawl):
    """Its queue of callers is full: connecting goes unanswered."""
    with socket.socket() as deaf, contextlib.ExitStack() as callers:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            caller = callers.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(deaf.getsockname())
        started = time.monotonic()
        records, printed = crawl(
            f"http://127.0.0.1:{deaf.getsockname()[1]}/",
            READ_SECONDS=0.3,
            PAGE_SECONDS=60,
            ATTEMPTS=1,
        )
    assert (
        records == []
        and "robots.txt が読めません（時間切れ）" in printed.split("END")[1]
        and time.monotonic() - started < 20
    )


def test_a_shop_that_moved_is_named(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": always(
                lambda request: reply(
                    request, status=301, Location="http://127.0.0.2:9/shop\x1b[31m/"
                )
            )
        }
    )
    records, printed = crawl(shop)
    assert (
        records == []
        and "見つかりません" in printed.split("END")[1]
        and "失敗: 別のホスト（127.0.0.2:9） 1" in printed
    )


def test_robots_rules_know_wildcards_and_the_longest_match(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/robots.txt": b"User-agent: *\nDisallow: /*?secret=\nDisallow: /members/\nAllow: /members/open$\nDisallow: /*.php$",
            "/": index("/p/1?secret=1", "/members/1", "/members/open", "/p.php", "/p/3"),
            **{
                path: perfume_page(number)
                for number, path in enumerate(
                    ["/p/1?secret=1", "/members/1", "/members/open", "/p.php", "/p/3"], 1
                )
            },
        }
    )
    records, printed = crawl(shop)
    assert sorted(names(records)) == ["Nuit 3", "Nuit 5"]
    assert "robots.txt が断っている 3" in printed


@pytest.mark.parametrize(
    "delay, robots, least",
    [
        (0.1, b"", 0.1),
        (0.0, b"User-agent: *\nCrawl-delay: 0.1", 0.1),
        (0.1, b"User-agent: *\nCrawl-delay: 0.05", 0.1),
        (0.05, b"User-agent: *\nCrawl-delay: 0.1", 0.1),
    ],
)
def test_requests_are_never_closer_than_the_delay(
    delay, robots, least, faulty_shop, crawl, monkeypatch
):
    """From the end of one to the start of the next, robots.txt, sitemaps, redirects and errors included; the jitter only adds."""
    shares = itertools.cycle([0.0, 1.0])
    monkeypatch.setattr(
        getData.random, "uniform", lambda low, high: low + (high - low) * next(shares)
    )
    ends, shop = [], faulty_shop({})

    def timed(answer):
        def serve(request, number):
            time.sleep(0.02)
            ends.append(time.monotonic())
            answer(request, number) if callable(answer) else reply(request, answer)

        return serve

    shop.pages = {
        path: timed(answer)
        for path, answer in {
            "/robots.txt": robots,
            "/sitemap.xml": b"<urlset/>",
            "/": index("/p/1", "/p/2", "/old"),
            "/p/1": perfume_page(1),
            "/p/2": first(lambda request: reply(request, status=500)),
            "/old": always(lambda request: reply(request, status=302, Location="/p/3")),
            "/p/3": perfume_page(3),
        }.items()
    }
    records, _ = crawl(shop, DELAY_SECONDS=delay)
    gaps = [
        start - end for end, start in zip(ends, [when for _, when in shop.log][1:], strict=False)
    ]
    assert (
        len(records) == 3
        and len(gaps) == 7
        and min(gaps) >= least - 0.005
        and sum(gap >= 1.15 * least for gap in gaps) >= 3
    ), gaps


def test_pages_are_found_by_sitemaps(faulty_shop, crawl):
    shop = faulty_shop(
        {"/": index(), "/p/1": perfume_page(1), "/p/2": perfume_page(2), "/p/3": perfume_page(3)}
    )
    one = f'<urlset xmlns:image="i"><url><loc>{shop.url}/p/1</loc><image:image><image:loc>{shop.url}/p/9</image:loc></image:image></url><url><loc>http://elsewhere.example/p/4</loc></url></urlset>'
    shop.pages |= {
        "/robots.txt": f"Sitemap: {shop.url}/all.xml\nUser-agent: *\nAllow: /".encode(),
        "/all.xml": f"<sitemapindex><sitemap><loc>{shop.url}/one.xml</loc></sitemap><sitemap><loc><![CDATA[{shop.url}/two.xml.gz]]></loc></sitemap><sitemap><loc>{shop.url}/all.xml</loc></sitemap></sitemapindex>".encode(),
        "/one.xml": one.encode(),
        "/two.xml.gz": gzip.compress(
            f"<urlset><url><loc>\n{shop.url}/p/2?a=1&amp;b=2\n</loc></url><url><loc>{shop.url}/p/3</loc>".encode()
        ),
        "/p/2?a=1&b=2": perfume_page(2),
    }
    records, _ = crawl(shop)
    assert names(records) == ["Nuit 1", "Nuit 2", "Nuit 3"] and "/p/9" not in shop.asked()


@pytest.mark.parametrize(
    "body, found",
    [
        (b"", False),
        (b"<html>soft 404</html>", False),
        (gzip.compress(b"<urlset><url><loc>/p/1</loc></url>"), True),
        (gzip.compress(b"<urlset><url><loc>/p/1</loc></url>" * 9)[:-20], False),
        (
            b"<?xml version='1.0' encoding='nonsense'?><urlset><url><loc>/p/1</loc></url></urlset>",
            True,
        ),
        (
            b"<urlset><url><loc>/p/1</loc></url><url><loc>http://[::1</loc></url><url><loc></loc></url>",
            True,
        ),
        (gzip.compress(b"<urlset><url><loc>/p/1</loc></url>" + b" " * 40_000_000), False),
        (b"<loc>/p/1</loc>", True),
        (b"\x1f\x8bgarbage", False),
        (
            b'<!DOCTYPE u [<!ENTITY x SYSTEM "file:///etc/passwd">]><urlset><url><loc>/p/&x;1</loc></url><url><loc>/p/1</loc></url></urlset>',
            True,
        ),
        (
            b'<!DOCTYPE u [<!ENTITY a "aaaaaaaaa">'
            + b"".join(
                b'<!ENTITY %c "%s">' % (98 + at, b"&%c;" % (97 + at) * 60) for at in range(9)
            )
            + b"]><urlset><url><loc>/p/&j;</loc></url></urlset>",
            False,
        ),
        (
            b"<sitemapindex>"
            + b"".join(b"<sitemap><loc>/s/%d.xml</loc></sitemap>" % number for number in range(900))
            + b"</sitemapindex>",
            False,
        ),
        (b"<urlset><url><loc>/p/1</loc></url>" * 50_000, False),
    ],
)
def test_a_sitemap_of_any_sort_ends_no_run(body, found, faulty_shop, crawl):
    shop = faulty_shop(
        {"/": index("/p/2"), "/sitemap.xml": body, "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    records, printed = crawl(shop)
    assert names(records) == ["Nuit 1", "Nuit 2"] if found else names(records) == ["Nuit 2"]
    assert len(shop.asked()) <= 905 and not [path for path in shop.asked() if "root:" in path]
    is_large = len(body) > 300_000 or (body.startswith(b"\x1f\x8b") and len(body) > 30_000)
    assert ("読めないサイトマップ: 大きすぎる 1" in printed) == is_large


@pytest.mark.parametrize("link", ["/list/page/{}/", "/list?page={}", "/list?p={}"])
def test_listing_pages_are_followed_to_their_end(link, faulty_shop, crawl):
    pages = {
        link.format(number): page(
            f'<a href="/p/{number}">x</a>'
            + (f'<link rel="next" href="{link.format(number + 1)}">' if number < 8 else "")
        )
        for number in range(1, 9)
    }
    shop = faulty_shop(
        {
            "/": index(link.format(1)),
            **pages,
            **{f"/p/{number}": perfume_page(number) for number in range(1, 9)},
        }
    )
    assert len(crawl(shop)[0]) == 8


def number(path: str) -> int:
    """The first number in a path, or 0."""
    return int(next(iter(re.findall(r"\d+", path)), 0))


@pytest.mark.parametrize(
    "trap",
    [
        lambda path: index(
            "/p/1", f"/list/page/{int('0' + ''.join(filter(str.isdigit, path))) + 1}/"
        ),
        lambda path: index(
            "/p/1",
            f"{path.split('?')[0]}?when=2024-{len(path)}&d={len(path)}{path[-3:].strip('/=')}",
        ),
        lambda path: index(
            "/p/1",
            f"/cal/{random.Random(path).randrange(10**6)}/{random.Random(path + 'b').randrange(12)}",
            f"/cal/{random.Random(path + 'x').randrange(10**6)}/1",
        ),
        lambda path: index(
            "/p/1",
            f"/shop?sid={random.Random(path).randrange(10**9)}",
            f"/shop;jsessionid={random.Random(path).randrange(10**9)}",
        ),
        lambda path: index("/p/1", path.rstrip("/") + "/more/"),
        lambda _: index("/p/1", "a/", "b/", "c/"),
        lambda path: index(
            "/p/1",
            "/x?"
            + "&".join(
                sorted(
                    {
                        *urlsplit(path).query.split("&"),
                        f"f{random.Random(path).randrange(6)}={random.Random(path + 'b').randrange(5)}",
                    }
                    - {""}
                )
            ),
        ),
        lambda path: index(
            "/p/1",
            *(f"/cal/{number(path)}/{day}/" for day in range(28)),
            f"/cal/{number(path) + 1}/",
        ),
        lambda path: perfume_page(
            1,
            extra=f'<a href="/p/1?seen={number(path) + 1}">x</a><a href="/p/{number(path) + 1}?from=1">x</a>',
        ),
    ],
)
def test_traps_are_bounded(trap, faulty_shop, crawl):
    class Endless(dict):
        def get(self, path):
            return dict.get(self, path) or trap(path)

    shop = faulty_shop({})
    shop.pages = Endless(
        {"/robots.txt": b"", "/sitemap.xml": b"<urlset></urlset>", "/p/1": perfume_page(1)}
    )
    records, _ = crawl(shop, MAX_PAGES=500)
    assert names(records) == ["Nuit 1"] and len(shop.asked()) < 200


@pytest.mark.parametrize(
    "next_page", ["/list/page/{}/", "/list?page={}", "/calendar?day={}&month=5"]
)
def test_an_endless_list_is_left_soon_by_itself(next_page, faulty_shop, crawl):
    class Endless(dict):
        def get(self, path):
            return dict.get(self, path) or index("/p/1", "/p/2", next_page.format(number(path) + 1))

    shop = faulty_shop({})
    shop.pages = Endless(
        {
            "/robots.txt": b"",
            "/sitemap.xml": b"<urlset/>",
            "/p/1": perfume_page(1),
            "/p/2": perfume_page(2),
        }
    )
    records, printed = crawl(shop)
    assert (
        names(records) == ["Nuit 1", "Nuit 2"]
        and len(shop.asked()) < 35
        and "新しいことがないため未読 1" in printed
    )


def test_a_kind_of_page_is_read_on_as_long_as_something_new_comes(faulty_shop, crawl):
    """Every third item is new; the rest of its kind is one page under many addresses."""
    categories = {
        f"/category/{at}": index(*(f"/item/{3 * at + step}" for step in range(3)))
        for at in range(12)
    }
    items = {
        f"/item/{at}": perfume_page(at, brand=f"Nerval {'abcdefghijkl'[at // 3]}")
        if at % 3 == 2
        else page("<h1>石けん</h1>")
        for at in range(36)
    }
    shop = faulty_shop({"/": index(*categories), **categories, **items})
    assert len(crawl(shop, MAX_BARREN=12)[0]) == 12


def test_products_are_reached_beside_an_endless_calendar(faulty_shop, crawl):
    class Endless(dict):
        def get(self, path):
            if "/cal/" not in path:
                return dict.get(self, path)
            days = (f"/cal/{number(path)}/{day}/" for day in range(28))
            return index(*days, f"/cal/{number(path) + 1}/").replace(
                b"perfume", b"%d" % random.Random(path).randrange(10**9)
            )

    shop = faulty_shop({})
    shop.pages = Endless(
        {
            "/robots.txt": b"",
            "/": index("/cal/1/", "/list/1"),
            **{
                f"/list/{at}": index(f"/list/{at + 1}", f"/p/{2 * at}", f"/p/{2 * at + 1}")
                for at in range(10)
            },
            **{f"/p/{at}": perfume_page(at) for at in range(2, 20)},
        }
    )
    records, _ = crawl(shop, MAX_PAGES=90)
    assert len(records) == 18


def test_the_run_ends_at_max_pages_and_keeps_what_was_there(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index(*(f"/p/{at}" for at in range(9))),
            **{f"/p/{at}": perfume_page(at) for at in range(9)},
        }
    )
    assert len(crawl(shop)[0]) == 9
    records, printed = crawl(shop, MAX_PAGES=4)
    assert len(records) == 9 and "MAX_PAGES を大きくすれば読めるページ 8" in printed
    assert "END" not in printed


def test_a_page_under_two_addresses_is_one_perfume(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/sale/1", "/p/2"),
            "/p/1": perfume_page(1),
            "/sale/1": perfume_page(1, extra="<p>5円</p>"),
            "/p/2": perfume_page(2),
        }
    )
    records, printed = crawl(shop)
    assert sorted(names(records)) == ["Nuit 1", "Nuit 2"]
    assert "香水のページ 2、香水のないページ 1\n" in printed


@pytest.mark.parametrize(
    "link, asked",
    [
        ("/p?word=%A5%D6%ED", "/p?word=%A5%D6%ED"),
        ("/a%2Fb", "/a%2Fb"),
        ("/?1", "/?1"),
        ("/50%off", "/50%25off"),
        ("/香 水?q=あ い", "/%E9%A6%99%20%E6%B0%B4?q=%E3%81%82%20%E3%81%84"),
        ("/%e9%a6%99", "/%E9%A6%99"),
        ("?pid=1#top", "/?pid=1"),
        ("/x;jsessionid=1A2B", "/x"),
        ("/x?b=1&PHPSESSID=2&a=%20", "/x?a=%20&b=1"),
        ("\n/x\t", "/x"),
    ],
)
def test_an_address_is_asked_for_as_the_page_means_it(link, asked, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index(
                link,
                "javascript:void(0)",
                "mailto:a@b",
                "http://[::1",
                "http://127.0.0.1:99999/",
                "https://" + "a" * 300 + "/",
                "tel:1",
                "",
                "#",
            ),
            asked: perfume_page(1),
        }
    )
    assert names(crawl(shop)[0]) == ["Nuit 1"] and shop.asked()[3:] == [asked]


def test_the_start_is_read_whatever_its_address(faulty_shop, crawl):
    shop = faulty_shop({"/search/?q=a": index("/p/1"), "/p/1": perfume_page(1)})
    assert names(crawl(f"{shop.url}/search/?q=a")[0]) == ["Nuit 1"]


def test_no_cookie_is_sent_back(faulty_shop, crawl):
    def counting(body):
        return always(
            lambda request: reply(
                request,
                body if not request.headers.get("Cookie") else perfume_page(9),
                Set_Cookie=f"c{len(shop.log)}=1; Path=/",
            )
        )

    shop = faulty_shop({})
    shop.pages |= {
        "/": counting(index("/p/1", "/p/2")),
        "/p/1": counting(perfume_page(1)),
        "/p/2": counting(perfume_page(2)),
    }
    assert names(crawl(shop)[0]) == ["Nuit 1", "Nuit 2"]


@pytest.mark.parametrize(
    "base, asked",
    [("/shop/", "/shop/1"), ("http://[::1", "/1"), ("http://elsewhere.example/", None), ("", "/1")],
)
def test_a_base_address_holds_for_links(base, asked, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": page('<a href="1">x</a>', head=f'<base href="{base}">'),
            "/1": perfume_page(1),
            "/shop/1": perfume_page(1),
        }
    )
    crawl(shop)
    assert shop.asked()[3:] == [asked] * (asked is not None)


def test_each_page_is_asked_for_once_in_whatever_spelling(faulty_shop, crawl):
    others = [
        "/p/1#top",
        "/p/./1",
        "//127.0.0.1:PORT/p/1",
        "/x/../p/1",
        "/p/1?utm_source=a",
        "HTTP://127.0.0.1:PORT/p/1",
        "/p/%31",
        "/p/1?fbclid=1&gclid=2",
        " /p/1 ",
        "/q/2?b=2&a=1",
        "/q/2?a=1&b=2",
    ]
    shop = faulty_shop(
        {
            "/p/1": perfume_page(1),
            "/q/2?a=1&b=2": perfume_page(2),
            "/old": always(lambda request: reply(request, status=301, Location="/p/1")),
        }
    )
    shop.pages["/"] = index(
        "/p/1", "/old", *[path.replace("PORT", shop.url.rsplit(":")[-1]) for path in others]
    )
    records, _ = crawl(shop)
    assert names(records) == ["Nuit 1", "Nuit 2"] and sorted(shop.asked()) == sorted(
        ["/robots.txt", "/sitemap.xml", "/", "/p/1", "/q/2?a=1&b=2", "/old"]
    )


def test_a_canonical_address_names_the_perfume_once(faulty_shop, crawl):
    body = perfume_page(1).replace(b"</head>", b'<link rel="canonical" href="/p/one"></head>')
    shop = faulty_shop(
        {
            "/": index("/p/1?color=red", "/p/1?color=blue"),
            "/p/1?color=red": body,
            "/p/1?color=blue": body,
        }
    )
    records, _ = crawl(shop)
    assert names(records) == ["Nuit 1"]


def test_a_shop_cannot_lead_to_another_address(faulty_shop, crawl):
    inner = FaultyShop({"/": perfume_page(9)}, host="127.0.0.2")
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", f"{inner.url}/"),
            "/p/1": perfume_page(1),
            "/p/2": always(lambda request: reply(request, status=302, Location=inner.url)),
        }
    )
    records, printed = crawl(shop)
    inner.close()
    assert names(records) == ["Nuit 1"] and inner.log == []
    assert f"失敗: 別のホスト（{urlsplit(inner.url).netloc}） 1" in printed


@pytest.mark.parametrize("status, again", [(301, 0), (308, 0), (302, 1), (303, 1), (307, 1)])
def test_a_temporary_redirect_is_asked_for_again_at_the_next_run(status, again, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2"),
            "/p/1": perfume_page(1),
            "/p/2": first(
                lambda request: reply(request, status=status, Location="/closed"),
            ),
            "/closed": page("<h1>メンテナンス中</h1>"),
        }
    )
    assert names(crawl(shop)[0]) == ["Nuit 1"]
    assert names(crawl(shop)[0]) == ["Nuit 1", "Nuit 2"][: 1 + again]
    assert shop.asked().count("/p/2") == 1 + again


@pytest.mark.parametrize(
    "refresh",
    [
        '<meta http-equiv="refresh" content="0; url=/shop/">',
        "<META HTTP-EQUIV='Refresh' CONTENT='3;URL=shop/'>",
    ],
)
def test_a_front_page_that_only_sends_on_is_followed(refresh, faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": f"<html><head>{refresh}</head><body></body></html>".encode(),
            "/shop/": index("/p/1"),
            "/p/1": perfume_page(1),
        }
    )
    assert names(crawl(shop)[0]) == ["Nuit 1"]


@pytest.mark.parametrize(
    "rule, read, followed",
    [
        ("index, follow", True, True),
        ("nofollow", True, False),
        ("NOINDEX,NOFOLLOW", True, False),
        ("none", True, False),
        ("noai", False, True),
        ("noai, noimageai", False, True),
    ],
)
@pytest.mark.parametrize("place", ["meta", "header"])
def test_a_page_is_used_as_it_allows(place, rule, read, followed, faulty_shop, crawl):
    body = perfume_page(2, extra='<a href="/p/3">x</a>')
    if place == "meta":
        tag = f'<meta name="ROBOTS" content="{rule}"></head>'
        body = body.replace(b"</head>", tag.encode())
    headers = {"X_Robots_Tag": rule} if place == "header" else {}
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2"),
            "/p/1": perfume_page(1),
            "/p/2": always(lambda request: reply(request, body, **headers)),
            "/p/3": perfume_page(3),
        }
    )
    records, printed = crawl(shop)
    assert names(records) == ["Nuit 1"] + ["Nuit 2"] * read + ["Nuit 3"] * followed
    assert ("AI の利用を断っている 1" in printed) != read


@pytest.mark.parametrize(
    "path", ["/feed", "/feed/", "/blog.atom", "/x.rss", "/cart.html", "/login.php", "/a/.git/x"]
)
def test_what_is_no_page_is_not_asked_for(path, faulty_shop, crawl):
    shop = faulty_shop({"/": index(path, "/p/1"), "/p/1": perfume_page(1), path: perfume_page(2)})
    assert names(crawl(shop)[0]) == ["Nuit 1"] and path not in shop.asked()


def test_a_canonical_address_that_a_template_gives_to_all_is_not_believed(faulty_shop, crawl):
    link = b'<link rel="canonical" href="/shop/"></head>'
    pages = {f"/p/{at}": perfume_page(at).replace(b"</head>", link) for at in (1, 2, 3)}
    shop = faulty_shop({"/": index(*pages), **pages})
    records, _ = crawl(shop)
    assert [record["url"] for record in records] == [f"{shop.url}{path}" for path in pages]


# Resuming and refreshing ----------------------------------------------------------------------------------------------


def timeless(records: list[dict]) -> list[dict]:
    """The records without the time of fetching."""
    return [
        {field: value for field, value in record.items() if field != "fetched_at"}
        for record in records
    ]


def better_reader():
    """The reader of today, which now knows perfumers."""
    today = getData.read_shop

    def read(pages):
        found = today(pages)
        return found._replace(
            perfumes=[perfume | {"perfumer": "新しい"} for perfume in found.perfumes]
        )

    return read


def test_a_second_run_asks_for_nothing_and_says_how_to_start_over(faulty_shop, crawl):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2", "/gone"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    asked = len(shop.log)
    again, printed = crawl(shop)
    assert again == once and len(shop.log) == asked and "pages" in printed and "削除" in printed


@pytest.mark.parametrize("robots", [200, 404])
@pytest.mark.parametrize("failing", [0, 2, 12])
def test_a_second_run_needs_no_shop(failing, robots, faulty_shop, crawl, monkeypatch):
    """The shop is gone, and some pages could never be had."""
    broken = [f"/broken/{number}" for number in range(failing)]
    shop = faulty_shop(
        {
            "/robots.txt": always(
                lambda request: reply(request, b"User-agent: *\nDisallow: /no", status=robots)
            ),
            "/": index("/no", *broken, "/old", "/p/2"),
            "/p/1": perfume_page(1),
            "/p/2": perfume_page(2),
            "/old": always(lambda request: reply(request, status=301, Location="/p/1")),
            **{path: always(lambda request: reply(request, status=500)) for path in broken},
        }
    )
    once, _ = crawl(shop, MAX_FAILURES=99)
    shop.close()
    monkeypatch.setattr(getData, "read_shop", better_reader())
    again, printed = crawl(shop, MAX_FAILURES=5)
    assert names(once) == ["Nuit 1", "Nuit 2"] and again == [
        {**record, "perfumer": "新しい"} for record in once
    ]
    assert ("END" in printed) == (failing == 12)


def test_a_better_reader_rereads_the_stored_pages(faulty_shop, crawl, monkeypatch):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    asked = len(shop.log)
    monkeypatch.setattr(getData, "read_shop", better_reader())
    again, _ = crawl(shop)
    assert again == [record | {"perfumer": "新しい"} for record in once] and len(shop.log) == asked


def test_a_damaged_perfumes_file_is_written_anew(faulty_shop, crawl, tmp_path):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    output = tmp_path / "perfumes.jsonl"
    output.write_bytes(b"\xff{]\n" + output.read_bytes()[:-40])
    assert crawl(shop)[0] == once


def test_a_run_stopped_while_crawling_reads_all_stored_pages(faulty_shop, crawl, monkeypatch):
    paths = [f"/p/{number}" for number in range(1, 7)]
    shop = faulty_shop(
        {
            "/": index(*paths[:3]),
            "/p/3": perfume_page(3, extra="".join(f'<a href="{path}">x</a>' for path in paths)),
            **{path: perfume_page(number) for number, path in enumerate(paths, 1) if number != 3},
        }
    )
    once, _ = crawl(shop)
    assert len(once) == 6
    shop_read = getData.Shop.read

    def stopped(self, url, *what):
        if url.endswith("/p/3"):
            raise KeyboardInterrupt
        return shop_read(self, url, *what)

    monkeypatch.setattr(getData.Shop, "read", stopped)
    monkeypatch.setattr(getData, "read_shop", better_reader())
    records, printed = crawl(shop)
    assert sorted(names(records)) == names(once) == sorted({*names(records)})
    assert {record["perfumer"] for record in records} == {"新しい"}
    assert "中断しました" in printed.split("END")[1]


def test_a_second_interrupt_leaves_the_earlier_file(faulty_shop, crawl, monkeypatch):
    shop = faulty_shop({"/": index("/p/1"), "/p/1": perfume_page(1)})
    once, _ = crawl(shop)

    def stopped(pages):
        raise KeyboardInterrupt

    monkeypatch.setattr(getData, "read_shop", stopped)
    records, printed = crawl(shop)
    assert records == once and "perfumes.jsonl は前のままです" in printed.split("END")[1]


def test_a_wrong_address_leaves_the_perfumes_as_they_were(faulty_shop, crawl):
    once, _ = crawl(faulty_shop({"/": index("/p/1"), "/p/1": perfume_page(1)}))
    for wrong in (
        "http://127.0.0.1:1/",
        "http://no.such.host.invalid/",
        "no_such_folder",
        faulty_shop({"/": index("/a")}),
        faulty_shop({}),
    ):
        records, printed = crawl(wrong, ATTEMPTS=1)
        assert (
            records == once
            and "python getData.py" in printed.split("END")[1]
            and "例:" not in printed
        )
    records, printed = crawl(faulty_shop({"/": perfume_page(7)}))
    assert names(records) == ["Nuit 7"] and "END" not in printed


@pytest.mark.parametrize(
    "answer, kept", [(503, True), (403, True), (302, True), (404, False), (410, False)]
)
def test_a_page_that_fails_now_costs_no_record_of_before(answer, kept, faulty_shop, crawl):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    crawl(shop)
    shop.pages["/p/2"] = always(lambda request: reply(request, status=answer, Location="/closed"))
    shop.pages["/closed"] = page("<h1>メンテナンス中</h1>")
    records, printed = crawl(shop, REFRESH_DAYS=0)
    assert names(records) == ["Nuit 1", "Nuit 2"][: 1 + kept] and "END" not in printed


def test_old_pages_are_asked_for_again(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            **{f"/p/{number}": perfume_page(number) for number in (1, 2, 3)},
        }
    )
    once, _ = crawl(shop)
    asked = len(shop.log)
    assert crawl(shop, REFRESH_DAYS=1)[0] == once and len(shop.log) == asked
    shop.pages |= {
        "/": index("/p/2"),
        "/p/1": perfume_page(7),
        "/p/2": always(lambda request: reply(request, status=500)),
        "/p/3": always(lambda request: reply(request, status=410)),
    }
    records, printed = crawl(shop, REFRESH_DAYS=0)
    assert names(records) == ["Nuit 7", "Nuit 2"] and "失敗: HTTP 500 1" in printed


KILLED = """
import sys, getData
getData.START_URL, getData.OUTPUT_FILE, getData.PAGES_DIR, getData.DELAY_SECONDS, getData.BACKOFF_SECONDS = sys.argv[1], "perfumes.jsonl", "pages", 0, 0.01
getData.main()
"""


def test_a_kill_at_any_moment_loses_nothing(faulty_shop, crawl, tmp_path):
    chance = random.Random(11)
    perfumes = {f"/p/{number}": perfume_page(number) for number in range(1, 13)}
    pages = {
        "/": index("/list", "/gone", "/old"),
        "/list": index(*perfumes),
        "/old": always(lambda request: reply(request, status=301, Location="/p/3")),
        **perfumes,
        "/p/5": first(
            lambda request: reply(request, status=500),
            lambda request: reply(request, perfumes["/p/5"]),
        ),
    }
    whole = faulty_shop(pages)
    undisturbed = [
        {**record, "url": urlsplit(record["url"]).path} for record in timeless(crawl(whole)[0])
    ]
    assert len(undisturbed) == 12
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    for moment in range(20):
        folder = tmp_path / f"kill{moment}"
        folder.mkdir()
        shop = faulty_shop(pages)
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, f"{shop.url}/"],
            cwd=folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wanted = chance.randrange(1, len(whole.log))
        while len(shop.log) < wanted and process.poll() is None:
            time.sleep(0.0005)
        time.sleep(chance.uniform(0, 0.004))
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        before = shop.asked()
        records, _ = crawl(
            shop, OUTPUT_FILE=str(folder / "perfumes.jsonl"), PAGES_DIR=str(folder / "pages")
        )
        assert [
            {**record, "url": urlsplit(record["url"]).path} for record in timeless(records)
        ] == undisturbed
        twice = [path for path in set(before) & set(shop.asked()[len(before) :]) if path != "/p/5"]
        assert len(twice) <= 1, (moment, twice)


def test_ctrl_c_at_any_moment_is_one_line_and_the_next_run_goes_on(faulty_shop, crawl, tmp_path):
    pages = {
        "/": index(*(f"/p/{number}" for number in range(20))),
        **{f"/p/{number}": perfume_page(number) for number in range(20)},
    }
    for asked in (1, 2, 4, 8):
        folder, shop = tmp_path / f"stop{asked}", faulty_shop(pages)
        folder.mkdir()
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED.replace(", 0, 0.01", ", 0.1, 0.01"), f"{shop.url}/"],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        while len(shop.log) < asked and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
        assert (
            process.returncode == 1 and said.startswith("中断しました。") and said.count("\n") == 1
        ), said
        before = shop.asked()
        records, _ = crawl(
            shop, OUTPUT_FILE=str(folder / "perfumes.jsonl"), PAGES_DIR=str(folder / "pages")
        )
        assert len(records) == 20 and len(set(before) & set(shop.asked()[len(before) :])) <= 1


def test_a_second_run_at_the_same_time_says_so_and_a_kill_leaves_none_waiting(
    faulty_shop, crawl, tmp_path
):
    shop = faulty_shop(
        {
            "/": index("/p/1"),
            "/p/1": first(
                lambda request: time.sleep(20), lambda request: reply(request, perfume_page(1))
            ),
        }
    )
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, f"{shop.url}/"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while "/p/1" not in shop.asked() and process.poll() is None:
        time.sleep(0.005)
    asked = len(shop.log)
    records, printed = crawl(shop)
    assert printed.startswith("\nEND もう 1 つの getData.py が") and printed.count("\n") == 1
    assert len(shop.log) == asked and records == []
    process.kill()
    process.wait()
    assert names(crawl(shop)[0]) == ["Nuit 1"]


# Whole runs -----------------------------------------------------------------------------------------------------------


def test_the_sample_site_is_read_as_its_table_says(crawl):
    records, printed = crawl(str(ROOT / "data" / "sample_site"))
    with open(ROOT / "data" / "sample_site" / "perfumes.csv", encoding="utf-8", newline="") as file:
        wanted = {(row["brand"], row["name"]): row for row in csv.DictReader(file)}
    found = {(record["brand"], record["name"]): record for record in records}
    assert found.keys() == wanted.keys()
    for title, row in wanted.items():
        for field in ("gender", "concentration", *LISTS):
            value = (
                [item for item in row[field].split("、") if item]
                if field in LISTS
                else row[field] or None
            )
            assert found[title][field] == value, (title, field)
    for spelling in ("brand_ja", "name_ja"):
        assert (
            sum(found[title][spelling] == row[spelling] for title, row in wanted.items()) >= 158
        ), spelling
    assert all("localhost/product/" in record["url"] and record["fetched_at"] for record in records)
    assert all(record["concept"].endswith("。") for record in records)
    assert "160 件" in printed and "top_notes 98%（152）" in printed and "注意" not in printed


@pytest.mark.parametrize(
    "setting, value, said",
    [
        ("START_URL", "no_such_folder", "'no_such_folder' は"),
        ("START_URL", "https://", "'https://' は"),
        ("START_URL", "shop.example/perfumes", "https://…"),
        ("START_URL", "htps://shop.example/", "'htps://shop.example/' は"),
        ("START_URL", "", "START_URL"),
        ("START_URL", str(ROOT / "README.md"), "README.md"),
        ("START_URL", "http://127.0.0.1:1/", "robots.txt が読めません（接続できない）"),
        ("START_URL", "\0", "START_URL"),
        ("START_URL", None, "START_URL"),
        ("START_URL", "http://no.such.host.invalid/", "robots.txt が読めません（接続できない）"),
        ("START_URL", "http://*.example/", "START_URL"),
        ("START_URL", "x" * 5_000, "xxx"),
        ("DELAY_SECONDS", -1, "DELAY_SECONDS = -1"),
        ("DELAY_SECONDS", "2", "DELAY_SECONDS = '2'"),
        ("DELAY_SECONDS", float("nan"), "DELAY_SECONDS"),
        ("MAX_PAGES", 0, "MAX_PAGES = 0"),
        ("MAX_PAGES", "many", "MAX_PAGES"),
        ("MAX_PAGES", None, "MAX_PAGES"),
        ("ATTEMPTS", 0, "ATTEMPTS"),
        ("ATTEMPTS", 2.5, "ATTEMPTS"),
        ("REFRESH_DAYS", "30", "REFRESH_DAYS"),
        ("MAX_BYTES", -5, "MAX_BYTES"),
        ("READ_SECONDS", -1, "READ_SECONDS"),
        ("PAGE_SECONDS", float("inf"), "PAGE_SECONDS"),
        ("USER_AGENT", "a\nb", "USER_AGENT"),
        ("USER_AGENT", "", "USER_AGENT"),
        ("AI_AGENTS", "GPTBot", "AI_AGENTS"),
        ("OUTPUT_FILE", str(ROOT / "README.md" / "perfumes.jsonl"), "README.md"),
        ("OUTPUT_FILE", str(ROOT / "data"), str(ROOT / "data")),
        ("SELECTORS", "h1", "SELECTORS = 'h1'"),
        ("SELECTORS", {"title": "h1"}, "title という項目はありません"),
        ("SELECTORS", {"name": "h1["}, "Malformed attribute selector"),
        ("SELECTORS", {"name": ""}, "name"),
        ("SELECTORS", {"name": ["h1"]}, "['h1']"),
        ("SELECTORS", {"url": "h1"}, "url"),
        ("OUTPUT_FILE", "", "OUTPUT_FILE"),
        ("PAGES_DIR", "", "PAGES_DIR"),
        ("PAGES_DIR", 5, "PAGES_DIR"),
        ("PAGES_DIR", str(ROOT / "README.md"), "README.md"),
        ("PAGES_DIR", "/proc/pages", "/proc/pages"),
    ],
)
def test_a_mistake_gets_one_line(setting, value, said, faulty_shop, crawl):
    shop = faulty_shop({"/": perfume_page(1)})
    _, printed = crawl(shop, **{"ATTEMPTS": 1, setting: value})
    assert (
        printed.startswith("\nEND ")
        and printed.count("\n") == 1
        and said in printed
        and "python getData.py" in printed
        and shop.log == []
    )


def test_a_disk_that_takes_no_more_gets_one_line_and_what_is_written_stays(
    faulty_shop, crawl, tmp_path
):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            "/p/1": perfume_page(1),
            "/p/2": perfume_page(2, extra="x" * 200_000),
            "/p/3": perfume_page(3),
        }
    )
    limited = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        + KILLED
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, f"{shop.url}/"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert (
        done.returncode == 1
        and done.stderr.count("\n") == 1
        and "読み書きできません" in done.stderr
        and "python getData.py" in done.stderr
    )
    assert not (tmp_path / "perfumes.jsonl").exists()
    before = shop.asked()
    assert (
        len(
            crawl(
                shop,
                OUTPUT_FILE=str(tmp_path / "perfumes.jsonl"),
                PAGES_DIR=str(tmp_path / "pages"),
            )[0]
        )
        == 3
    )
    assert set(before) & set(shop.asked()[len(before) :]) == {"/p/2"}


@pytest.fixture
def mirror(tmp_path):
    """A maker of folders, from file names and contents."""

    def make(files: dict[str, bytes]) -> str:
        for name, content in files.items():
            path = tmp_path / "shop.example" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return str(tmp_path / "shop.example")

    return make


@pytest.mark.parametrize(
    "link, name",
    [
        ("/items/x", "items/x.html"),
        ("/items/x/", "items/x.html"),
        ("/items/x", "items/x/index.html"),
        ("items/x/index.html", "items/x/index.html"),
        ("/items/x", "items/x"),
        ("/items/x.php", "items/x.php"),
        ("/items/x.html", "items/x.html"),
        ("/items/BORN IN ROMA.HTML", "items/BORN IN ROMA.HTML"),
        ("/items/a%20b", "items/a b.htm"),
        ("/items/香", "items/香.html"),
        ("/item.php?id=7", "item.php?id=7"),
        ("/item.php?id=7", "item.php?id=7.html"),
        ("/item.php%3Fid=7.html", "item.php?id=7.html"),
        ("/item.php?id=7", "item.php@id=7.html"),
        ("/item?b=2&a=1", "item?b=2&a=1"),
        ("/?pid=7", "index.html?pid=7"),
        ("https://shop.example/items/x", "items/x.html"),
        ("//shop.example/items/x?utm_source=a", "items/x.html"),
    ],
)
def test_a_folder_is_served_as_a_static_host_does(link, name, mirror, crawl):
    folder = mirror({"index.html": index(link, "/nothing"), name: perfume_page(1)})
    records, printed = crawl(folder)
    assert names(records) == ["Nuit 1"] and "HTTP 404 1" in printed
    assert records[0]["url"].startswith("http://shop-example.localhost/")


@pytest.mark.parametrize("link", ["/items", "/items/", "https://shop.example/items/"])
def test_links_of_a_folders_index_are_of_that_folder(link, mirror, crawl):
    files = {"index.html": index(link), "items/index.html": index("x", "../y.html")}
    files |= {"items/x.html": perfume_page(1), "y.html": perfume_page(2)}
    assert sorted(names(crawl(mirror(files))[0])) == ["Nuit 1", "Nuit 2"]


def test_a_sitemap_that_names_the_live_shop_is_the_folders_own(mirror, crawl):
    sitemap = "<urlset><url><loc>https://www.shop.example/p/{}</loc></url></urlset>"
    folder = mirror(
        {
            "robots.txt": b"Crawl-delay: 60\nSitemap: https://www.shop.example/maps/all.xml",
            "maps/all.xml": sitemap.format(1).encode(),
            "index.html": index("https://elsewhere.example/p/3"),
            "p/1.html": perfume_page(1),
        }
    )
    assert names(crawl(folder)[0]) == ["Nuit 1"]


def test_a_folder_without_a_front_page_is_read_by_its_files(mirror, crawl):
    files = {"a/1.html": perfume_page(1), "2.html": perfume_page(2), ".git/x": perfume_page(3)}
    assert sorted(names(crawl(mirror(files))[0])) == ["Nuit 1", "Nuit 2"]


def test_a_folder_that_has_changed_is_read_anew(mirror, crawl):
    folder = mirror({f"{number}.html": perfume_page(number) for number in (1, 2)})
    assert names(crawl(folder)[0]) == ["Nuit 1", "Nuit 2"]
    (Path(folder) / "2.html").unlink()
    assert names(crawl(mirror({"1.html": perfume_page(3)}))[0]) == ["Nuit 3"]


def test_a_folder_needs_no_proxy(crawl, tmp_path, monkeypatch):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "index.html").write_bytes(perfume_page(1))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert names(crawl(str(tmp_path / "shop"))[0]) == ["Nuit 1"]


def test_the_closing_counts_say_what_came_of_each_page(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/robots.txt": b"User-agent: *\nDisallow: /members",
            "/": index("/p/1", "/p/2", "/members/", "/p/3", "/p/4", "/away", "/about"),
            "/p/1": perfume_page(1),
            "/p/2": perfume_page(2),
            "/about": page("<h1>当店について</h1>"),
            "/p/4": always(lambda request: reply(request, status=500)),
            "/away": always(
                lambda request: reply(request, status=302, Location="http://elsewhere.example/")
            ),
        }
    )
    _, printed = crawl(shop)
    counts = printed.splitlines()[0]
    assert counts == (
        "取得 8、読めないサイトマップ: HTTP 404 1、失敗: robots.txt が断っている 1、"
        "失敗: HTTP 404 1、失敗: HTTP 500 1、失敗: 別のホスト（elsewhere.example） 1、"
        "香水のページ 2、香水のないページ 2"
    )
    assert (
        "name 100%（2）" in printed and "perfumer 0%（0）" in printed and "2 件の香水を" in printed
    )
    assert "例: Nerval / Nuit 1 — レモン、ライム、ローズ、リリー、ムスク、アンバー" in printed
    again = crawl(shop)[1].splitlines()[0].split("、")
    assert {*again} == {"取得 1", "ディスクから 7", *counts.split("、")[1:]}


def read_as(perfumes=(), silent=(), unmatched=()):
    """A reader that gives the first page these perfumes."""

    def read(pages):
        address = next(iter(pages))[0]
        empty = {field: [] if field in LISTS else None for field in getData.FIELDS}
        found = [empty | perfume | {"url": address} for perfume in perfumes]
        return getData.ShopRead(found, [*silent], [*unmatched], True)

    return read


@pytest.mark.parametrize(
    "perfumes, warned",
    [
        (
            [{"name": "Image 1", "concept": str(at)} for at in range(30)],
            "name が 30 件で同じ「Image 1」",
        ),
        (
            [{"name": f"N {at}", "notes": ["柚子"], "year": at} for at in range(5)],
            "notes が 5 件で",
        ),
        ([{"name": f"N {at}", "brand": "Maru", "gender": "メンズ"} for at in range(30)], ""),
        ([{"name": "Luna", "year": at} for at in range(3)], ""),
        (
            [{"name": "Luna", "year": at % 4} for at in range(4)]
            + [{"name": str(at)} for at in range(20)],
            "",
        ),
    ],
)
def test_what_cannot_be_is_warned_of(perfumes, warned, faulty_shop, crawl, monkeypatch):
    monkeypatch.setattr(getData, "read_shop", read_as(perfumes))
    _, printed = crawl(faulty_shop({"/": page("<h1>x</h1>")}))
    lines = [line for line in printed.splitlines() if line.startswith("注意")]
    assert len(lines) == bool(warned) and all(warned in line for line in lines)
    assert all("SELECTORS" in line and "python getData.py" in line for line in lines)
    assert printed.count("例: ") == 3


def test_silent_pages_and_idle_selectors_are_named(faulty_shop, crawl, monkeypatch):
    silent = [f"http://shop/{at}" for at in range(5)]
    monkeypatch.setattr(getData, "read_shop", read_as([{"name": "Luna"}], silent, ["top_notes"]))
    shop = faulty_shop({"/": page("<h1>x</h1>")})
    _, printed = crawl(shop, SELECTORS={"name": "h1", "top_notes": "#top"})
    shown = "http://shop/0、http://shop/1、http://shop/2"
    assert f"商品のようで何も読めなかったページ 5: {shown}\n" in printed
    assert 'SELECTORS の "top_notes": "#top" はどのページにも見つかりません' in printed


def test_who_reads_no_further_gets_no_traceback(faulty_shop, tmp_path):
    shop = faulty_shop({"/": index("/p/1"), "/p/1": perfume_page(1)})
    command = f"{sys.executable} -O -c '{KILLED}' {shop.url}/ | true"
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.stderr == "" and (tmp_path / "perfumes.jsonl").is_file()


def test_a_terminal_shows_bars(faulty_shop, tmp_path):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2"),
            "/p/1": perfume_page(1, brand="\x1b[31mNerval\x07"),
            "/p/2": perfume_page(2),
        }
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 200))
    done = subprocess.run(
        [sys.executable, "-c", KILLED.replace(", 0, 0.01", ", 0.2, 0.01"), f"{shop.url}/"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=theirs,
        stderr=theirs,
    )
    shown = os.read(ours, 100_000).decode("utf-8")
    os.close(ours), os.close(theirs)
    assert (
        done.returncode == 0
        and "ページ: 3枚" in shown
        and "読み取り（Ctrl-C でやめる）: 100%" in shown
        and "2 件の香水" in shown
        and "\x07" not in shown
        and "\x1b[31m" not in shown
    )


def test_a_shop_without_perfumes_says_so(faulty_shop, crawl):
    records, printed = crawl(faulty_shop({"/": index("/a"), "/a": page("<h1>当店について</h1>")}))
    assert records == [] and "見つかりません" in printed.split("END")[1]


def test_the_script_runs_alone_and_prints_utf_8(tmp_path):
    shutil.copy(ROOT / "getData.py", tmp_path)
    (tmp_path / "data" / "sample_site").mkdir(parents=True)
    for path in (ROOT / "data").glob("*.csv"):
        shutil.copy(path, tmp_path / "data")
    (tmp_path / "data" / "sample_site" / "index.html").write_bytes(
        perfume_page(1, brand="\u001b[31mNerval")
    )
    done = subprocess.run(
        [sys.executable, "getData.py"],
        cwd=tmp_path,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
    )
    assert done.returncode == 0, done.stderr.decode()
    assert "1 件の香水" in done.stdout.decode("utf-8") and b"\x1b" not in done.stdout + done.stderr
