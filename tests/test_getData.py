"""getData.py: rules as tables of real strings, page shapes, and a crawler held against a real HTTP server with faults."""

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
from tests.shapes.table import SHAPES, mistakes, note_counts, right_names

ROOT = Path(__file__).resolve().parent.parent
FIELDS = [
    "url",
    "brand",
    "brand_ja",
    "name",
    "name_ja",
    "gender",
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "families",
    "concentration",
    "seasons",
    "scenes",
    "images",
    "impressions",
    "perfumer",
    "year",
    "concept",
]
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


# Labels, lists and names ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "label, fields",
    [
        ("トップノート", ("top_notes",)),
        ("トップ", ("top_notes",)),
        ("TOP NOTES", ("top_notes",)),
        ("T O P　N O T E", ("top_notes",)),
        ("ヘッド", ("top_notes",)),
        ("■ミドルノート", ("middle_notes",)),
        ("MID", ("middle_notes",)),
        ("Heart Notes", ("middle_notes",)),
        ("ハート", ("middle_notes",)),
        ("ラスト（ボトム）ノート", ("last_notes",)),
        ("ベースノート", ("last_notes",)),
        ("Base", ("last_notes",)),
        ("【ラスト】", ("last_notes",)),
        ("ミドル〜ラスト", ("middle_notes", "last_notes")),
        ("ミドル&ラスト", ("middle_notes", "last_notes")),
        ("ミドル・ラストノート", ("middle_notes", "last_notes")),
        ("トップノート（5〜10分）", ("top_notes",)),
        ("<香 調>", ("families",)),
        ("香りのノート", ("notes",)),
        ("調香師", ("perfumer",)),
        ("発売年", ("year",)),
        ("ご利用シーン・季節", ("scenes", "seasons")),
        ("香りのイメージと印象", ("images", "impressions")),
        ("対象性別", ("gender",)),
        ("内容量", ()),
        ("価格", ()),
        ("パウダリーノート", None),
        ("フルーティーノート", None),
        ("トップス", None),
        ("ベルガモット", None),
        ("ハートリーフ", None),
        ("", None),
    ],
)
def test_a_label_stands_for_its_fields(label, fields):
    assert getData.label_fields(label) == fields


@pytest.mark.parametrize(
    "line, parts",
    [
        (
            "トップ:ダージリンティ、ベルガモット、ミドル:パピルスウッド、ラスト:アンバー、ムスク。",
            [
                "トップ:ダージリンティ、ベルガモット",
                "ミドル:パピルスウッド",
                "ラスト:アンバー、ムスク。",
            ],
        ),
        (
            "【トップ】レモン【ミドル】ローズ【ラスト】ムスク",
            ["【トップ】レモン", "【ミドル】ローズ", "【ラスト】ムスク"],
        ),
        (
            "Top: Lemon, Lime Heart: Rose Base: Musk",
            ["Top: Lemon, Lime", "Heart: Rose", "Base: Musk"],
        ),
        ("・ミドル(ハート)ノート － ラベンダー", ["・ミドル(ハート)ノート － ラベンダー"]),
        ("ベルガモット、レモン", ["ベルガモット、レモン"]),
    ],
)
def test_a_line_is_cut_before_each_label_in_it(line, parts):
    assert getData.split_inline(line) == parts


@pytest.mark.parametrize(
    "text, notes",
    [
        ("ベルガモット　ピンクペッパー　ネロリ", ["ベルガモット", "ピンクペッパー", "ネロリ"]),
        ("ベルガモット、レモン など", ["ベルガモット", "レモン"]),
        ("レモン / ローズ / ムスク", ["レモン", "ローズ", "ムスク"]),
        ("ローズ・ジャスミン・リリー", ["ローズ", "ジャスミン", "リリー"]),
        ("ローズ・ド・メ、ジャスミン", ["ローズ・ド・メ", "ジャスミン"]),
        ("イラン・イラン", ["イラン・イラン"]),
        (
            "グアバの木の花(グリーン、フルーティーノート)、ローズ",
            ["グアバの木の花(グリーン、フルーティーノート)", "ローズ"],
        ),
        ("グアバ（青い、甘い）　ローズ", ["グアバ（青い、甘い）", "ローズ"]),
        ("カシス（ブラックカラント", ["カシス（ブラックカラント"]),
        ("ベルガモットやレモン、そしてローズ", ["ベルガモット", "レモン", "ローズ"]),
        ("ザクロ & ラズベリー＆プラム", ["ザクロ", "ラズベリー", "プラム"]),
        (
            "Bergamot, Pink Pepper and Lily of the Valley",
            ["Bergamot", "Pink Pepper", "Lily of the Valley"],
        ),
        ("Fig, Sea Salt, and Musk.", ["Fig", "Sea Salt", "Musk"]),
        ("ローズ、ムスク——肌に残る余韻", ["ローズ", "ムスク"]),
        ("ローズ、ムスク。やさしく香ります。", ["ローズ", "ムスク"]),
        ("ローズの香り、ムスクの香り", ["ローズ", "ムスク"]),
        ("パウダリーノート、フルーティーノート", ["パウダリーノート", "フルーティーノート"]),
        ("お香、焚き火", ["お香", "焚き火"]),
        ("ゆず、ひのき、さくら", ["ゆず", "ひのき", "さくら"]),
        ("Top", []),
        ("不明", []),
        ("－", []),
        ("N/A", []),
        ("ピオニーの可憐さ", []),
        ("爽やかなはじまり", []),
        ("つけた瞬間に広がる柑橘の香り", []),
        ("", []),
        ("香水をつけて最初の10分ほどに感じられる香りです。", []),
        ("¥12,100", []),
        ("50ml", []),
    ],
)
def test_notes_are_read_from_a_list_and_nothing_else(text, notes):
    assert getData.read_notes([text]) == notes


@pytest.mark.parametrize(
    "text, latin, japanese",
    [
        (
            "Lazy Sunday Morning（レイジー サンデー モーニング）",
            "Lazy Sunday Morning",
            "レイジー サンデー モーニング",
        ),
        ("クロエ / Chloé", "Chloé", "クロエ"),
        ("CHANEL シャネル", "CHANEL", "シャネル"),
        ("ジョー マローン ロンドン", None, "ジョー マローン ロンドン"),
        ("No.5", "No.5", None),
        ("CK ワン", None, "CK ワン"),
        ("メゾン マルジェラ (Maison Margiela)", "Maison Margiela", "メゾン マルジェラ"),
    ],
)
def test_the_two_spellings_of_a_name_are_told_apart(text, latin, japanese):
    assert getData.spellings(text) == [latin, japanese]


@pytest.mark.parametrize(
    "latin, kana",
    [
        ("Chanel", "シャネル"),
        ("Hermès", "エルメス"),
        ("Givenchy", "ジバンシイ"),
        ("Yves Saint Laurent", "イヴ・サンローラン"),
        ("Guerlain", "ゲラン"),
        ("Maison Margiela", "メゾン マルジェラ"),
        ("Diptyque", "ディプティック"),
        ("Jo Malone London", "ジョー マローン ロンドン"),
        ("Creed", "クリード"),
    ],
)
def test_both_spellings_of_a_name_sound_alike(latin, kana):
    others = [
        other
        for other in ("ベルガモット", "モーニング", "ガブリエル", "トワレ")
        if getData.alike(latin, other) >= getData.alike(latin, kana)
    ]
    assert getData.alike(latin, kana) >= 0.6 and not others


@pytest.mark.parametrize(
    "title, name",
    [
        ("【送料無料】チャンス オー タンドゥル EDT・SP 50ml", "チャンス オー タンドゥル"),
        ("Sauvage Eau de Parfum 100 mL", "Sauvage"),
        ("アクア アレゴリア オードトワレ（75mL）", "アクア アレゴリア"),
        ("Le Parfum", "Le Parfum"),
        ("Colonia 1916", "Colonia 1916"),
        ("212 VIP", "212 VIP"),
        ("ロー ドゥ イッセイ（2013年）", "ロー ドゥ イッセイ"),
        ("N°5 香水 レディース", "N°5"),
    ],
)
def test_a_name_has_no_size_kind_year_or_shop_words(title, name):
    assert getData.clean_name(title) == name


@pytest.mark.parametrize(
    "title, own",
    [
        ("シャネル チャンス EDT 50ml | 小さな店", "シャネル チャンス EDT 50ml"),
        ("小さな店 / プラダ キャンディ", "プラダ キャンディ"),
        ("ブルガリ ブルー-小さな店", "ブルガリ ブルー"),
        ("【送料無料】【CHANEL】チャンス", "CHANEL チャンス"),
        ("＜ゲラン＞シャリマー", "ゲラン シャリマー"),
        ("香水 メンズ ブルガリ ブルー", "ブルガリ ブルー"),
        ("夜風｜香水の通販 森のストア", "夜風"),
        ("小さな店", "小さな店"),
    ],
)
def test_a_title_is_read_without_its_shop_and_adverts(title, own):
    assert getData.own_title(title, ["小さな店"]) == own


@pytest.mark.parametrize(
    "text, house",
    [
        ("イヴ・サンローラン リブレ", "イヴ・サンローラン"),
        ("イヴサンローラン リブレ", "イヴサンローラン"),
        ("JO MALONE LONDON Wild Bluebell", "JO MALONE LONDON"),
        ("Chloe（クロエ）", "Chloe"),
        ("香水日記♡モスキーノ トイ2", "モスキーノ"),
        ("パリの「メゾン クリヴェリ」、新しい香り", "メゾン クリヴェリ"),
        ("イヴ・サンローラン", "イヴ・サンローラン"),
        ("ベルサーチ エロス", "ベルサーチ"),
        ("サボン・デ・フルール", ""),
        ("静かな夜", ""),
        ("グッチョ", ""),
        ("ミグッチ", ""),
        ("", ""),
    ],
)
def test_a_known_house_is_found_in_a_title(text, house):
    assert getData.house_in(text) == house


@pytest.mark.parametrize(
    "nested",
    [
        "<table><tr><td>",
        "<table>",
        '<div class="brand">a',
        '<span class="brand">a',
        "<div><a href='/brand/x'>a</a>",
        "<div><img alt='x'>",
        "<dl><dt>",
        "<b>",
    ],
)
def test_endless_nesting_is_read_to_its_end(nested):
    page = f"<h1>シャネル チャンス EDT</h1><p>トップ：レモン、ライム</p><p>ミドル：ローズ、リリー</p><p>ラスト：ムスク</p>{nested * 20_000}"
    assert [
        perfume["name"]
        for perfume in getData.extract_perfumes(page.encode(), "https://shop.example/p/1")
    ] == ["チャンス"]


@pytest.mark.parametrize(
    "told, brand",
    [
        ("ブランド：シャネル（CHANEL）", "シャネル（CHANEL）"),
        ("★ミュグレー★", "ミュグレー"),
        ("＜ゲラン＞", "ゲラン"),
        ("BYREDO バイレード公式", "BYREDO バイレード"),
        ("by Diptyque", "Diptyque"),
        ("Salvatore Ferragamo の商品一覧", "Salvatore Ferragamo"),
        ("¥1,210", ""),
        ("カートに入れる", ""),
        ("メンズ香水", ""),
        ("当店について", ""),
    ],
)
def test_a_brand_is_told_without_what_clings_to_it(told, brand):
    assert getData.brand_text(told) == brand


def page(body: str, title: str = "", head: str = "") -> bytes:
    """A small page of a shop."""
    return f'<html lang="ja"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body><main>{body}</main></body></html>'.encode()


def perfume_page(number: int, brand: str = "Nerval", extra: str = "") -> bytes:
    """A perfume's page, as the reference shop writes it."""
    return page(
        f"<h1>{brand} – Nuit {number}</h1><div class='woocommerce-product-details__short-description'><p>夜の庭を歩くような香りです。静かな時間に。<br>"
        f"【ユニセックス／ウッディ】</p><p>Top<br>レモン　ライム<br>Middle<br>ローズ　リリー<br>Last<br>ムスク　アンバー</p></div>{extra}",
        f"Nuit {number} | 小さな店",
    )


def read(html: bytes, content_type: str = "text/html; charset=utf-8") -> dict:
    """The only record of a page."""
    records = getData.extract_perfumes(html, "https://shop.example/p/1", content_type)
    assert len(records) == 1, records
    return records[0]


TIERS = "<p>トップ：レモン、ライム</p><p>ミドル：ローズ、リリー</p><p>ラスト：ムスク、アンバー</p>"


@pytest.mark.parametrize(
    "body, expected",
    [
        (
            "<h1>A – B</h1><table><tr><th>Top</th><th>Middle</th><th>Last</th></tr><tr><td>レモン、ライム</td><td>ローズ</td><td>ムスク</td></tr></table>",
            {
                "top_notes": ["レモン", "ライム"],
                "middle_notes": ["ローズ"],
                "last_notes": ["ムスク"],
            },
        ),
        (
            "<h1>A – B</h1><p>トップノート：レモン、ライム</p><p>ミドル＆ラスト：ローズ、ムスク</p>",
            {"middle_notes": ["ローズ", "ムスク"], "last_notes": ["ローズ", "ムスク"]},
        ),
        (
            "<h1>A – B</h1><div data-label='トップ'>レモン、ライム</div><div data-label='ミドル'>ローズ</div><div data-label='ラスト'>ムスク</div>",
            {"top_notes": ["レモン", "ライム"]},
        ),
        (
            "<h1>A – B</h1><p class='price'>1円</p><p>香りのノート</p><p>レモン　ローズ　ムスク</p>",
            {"notes": ["レモン", "ローズ", "ムスク"], "top_notes": []},
        ),
        (
            f"<h1>A – B</h1>{TIERS}<h2>関連商品</h2><div>C – D<p>トップ：バニラ</p></div>",
            {"top_notes": ["レモン", "ライム"], "brand": "A"},
        ),
        (
            f"<h1>CHANEL シャネル チャンス オードトワレ 50ml</h1>{TIERS}",
            {
                "brand": "CHANEL",
                "brand_ja": "シャネル",
                "name": "チャンス",
                "name_ja": None,
                "concentration": "オードトワレ",
            },
        ),
        (
            f"<h1>Bleu de Chanel</h1><p>ブランド：Chanel（シャネル）</p>{TIERS}",
            {"brand": "Chanel", "brand_ja": "シャネル", "name": "Bleu de Chanel"},
        ),
        (
            f"<h1>A – B</h1>{TIERS}<p>調香師：ジャック・ポルジュ</p><p>発売年：2013年</p><p>季節：春夏</p><p>性別：男性・女性</p>",
            {
                "perfumer": "ジャック・ポルジュ",
                "year": 2013,
                "seasons": ["春", "夏"],
                "gender": "ユニセックス",
            },
        ),
        (
            f"<h1>A – B</h1>{TIERS}<p>ご利用シーン・季節<br>オフィス　デート<br>全ての季節に合います</p>",
            {"scenes": ["オフィス", "デート"], "seasons": ["春", "夏", "秋", "冬"]},
        ),
        (
            "<h1>A – B</h1><p>トップノート：不明</p><p>ミドルノート：ローズ、リリー</p><p>ラストノート：ムスク</p>",
            {"top_notes": [], "middle_notes": ["ローズ", "リリー"]},
        ),
    ],
)
def test_a_page_gives_its_facts(body, expected):
    record = read(page(body))
    assert list(record) == FIELDS
    assert {field: record[field] for field in expected} == expected


@pytest.mark.parametrize(
    "block, brand",
    [
        (
            '{"@type": "Product", "name": "B", "brand": {"@type": "Brand", "name": "Right"}}',
            "Right",
        ),
        (
            '{"@graph": [{"@type": "WebPage", "mainEntity": {"@type": ["Product"], "name": "B", "brand": "Right"}}]}',
            "Right",
        ),
        ('{"@type": "Product", "name": "B", "brand": "Right",}', "Right"),
        ('{"@type": "Product", "name": "B", "brand": "Wrong"', "A"),
        ("[" * 100_000, "A"),
        ('<!-- {"@type": "Product", "name": "B", "brand": "Right"} -->', "Right"),
        ('{"@type": "Product", "name": 5, "brand": [[]]}', "A"),
        ("null", "A"),
    ],
)
def test_json_ld_is_trusted_when_it_can_be_read(block, brand):
    assert (
        read(
            page(
                f"<h1>A – B</h1>{TIERS}",
                head=f'<script type="application/ld+json">{block}</script>',
            )
        )["brand"]
        == brand
    )


def test_json_ld_in_a_comment_says_nothing():
    head = '<!-- <script type="application/ld+json">{"@type": "Product", "name": "B", "brand": "Wrong"}</script> -->'
    assert read(page(f"<h1>A – B</h1>{TIERS}", head=head))["brand"] == "A"


LONG = "トップノート：ベルガモット、レモン<br>ミドルノート：ローズ、ジャスミン<br>ラストノート：ムスク、アンバー"


@pytest.mark.parametrize(
    "html, expected",
    [
        (
            f"<title>クロエ オードパルファム EDP 75ml - 香水のパルファン本店</title><div class='topicpath_nav'><ul><li><a>ホーム</a></li><li>&gt; <a>クロエ Chloe</a></li></ul></div>"
            f"<h2 class='product_name'>クロエ オードパルファム EDP 75ml</h2><div>クロエの代表作。<br>【香りの構成】<br>{LONG}<br>■内容量：75ml<br>■原産国：フランス</div>",
            ("Chloe", "クロエ", None),
        ),
        (
            f"<title>【P10倍】ブルガリ BVLGARI オムニア アメジスト EDT SP 65ml【送料無料】香水 レディース：フレグランス広場</title><h1>【P10倍】ブルガリ BVLGARI オムニア アメジスト EDT SP 65ml"
            f"【送料無料】香水 レディース</h1><table><tr><td>ブランド名</td><td>ブルガリ/BVLGARI</td></tr><tr><td>香調</td><td>フローラル</td></tr><tr><td>香り</td><td>{LONG}</td></tr></table>",
            ("BVLGARI", "ブルガリ", "オムニア アメジスト"),
        ),
        (
            f"<title>ウッドセージ＆シーソルト コロン / ジョー マローン ロンドン</title><ol class='breadcrumb'><li><a>TOP</a></li><li><a>ブランド一覧</a></li><li><a>ジョー マローン ロンドン</a></li>"
            f"<li>ウッドセージ＆シーソルト コロン</li></ol><h1>ウッドセージ＆シーソルト コロン</h1><div>{LONG}</div>",
            (None, "ジョー マローン ロンドン", "ウッドセージ＆シーソルト コロン"),
        ),
        (
            f"<h1>GUCCI グッチ ギルティ プールオム EDT 90ml</h1><p>{LONG}</p>",
            ("GUCCI", "グッチ", "ギルティ プールオム"),
        ),
        (
            f"<table><tr><td><font size=5><b>サルヴァトーレ フェラガモ シニョリーナ EDP 30ml</b></font><br>＜ブランド＞<br>サルヴァトーレ フェラガモ<br>{LONG}<br>＜性別＞<br>女性用</td></tr></table>",
            (None, "サルヴァトーレ フェラガモ", "シニョリーナ"),
        ),
        (
            f"<h1>【1.5ml】DIPTYQUE オードパルファン ド ソン</h1><p>ブランド：DIPTYQUE（ディプティック）\n商品名：オードパルファン ド ソン（DO SON）\n香調：フローラル<br>{LONG}</p>",
            ("DIPTYQUE", "ディプティック", "DO SON"),
        ),
        (
            "<h1>ゼルジョフ ナクソス</h1><p class='vendor'>XERJOFF</p><p>トップノートはベルガモット、レモン。ミドルノートはローズ、ジャスミン。ラストノートはムスク、アンバーです。</p>",
            ("XERJOFF", "ゼルジョフ", "ナクソス"),
        ),
    ],
)
def test_pages_of_other_shops_give_brand_name_and_notes(html, expected):
    record = read(f"<html><meta charset='utf-8'>{html}</html>".encode())
    assert (record["brand"], record["brand_ja"]) == expected[:2] and (
        expected[2] is None or record["name"] == expected[2]
    )
    assert [record[field] for field in LISTS[:4]] == [
        ["ベルガモット", "レモン"],
        ["ローズ", "ジャスミン"],
        ["ムスク", "アンバー"],
        [],
    ]


@pytest.mark.parametrize(
    "codec, declared, content_type",
    [
        ("cp932", "Shift_JIS", "text/html"),
        ("euc_jp", "EUC-JP", "text/html"),
        ("utf-8", "Shift_JIS", "text/html"),
        ("cp932", "utf-8", "text/html; charset=utf-8"),
        ("cp932", "", "text/html; charset=Shift_JIS"),
        ("euc_jp", "", ""),
        ("cp932", "", ""),
        ("utf-8-sig", "", ""),
        ("utf-16", "", ""),
        ("iso2022_jp", "iso-2022-jp", ""),
    ],
)
def test_every_japanese_encoding_is_read(codec, declared, content_type):
    body = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}"><h1>A - 静かな夜</h1>'
    html = f"<html><head>{body}{TIERS}</html>".encode(codec, "replace")
    assert read(html, content_type)["top_notes"] == ["レモン", "ライム"]


@pytest.mark.parametrize(
    "body",
    [
        f"<h1>ローズのボディクリーム</h1><p>ブランド：A</p>{TIERS}",
        f"<h1>A – Fig Candle</h1>{TIERS}",
        f"<h1>404 Not Found</h1><p>ブランド：A</p>{TIERS}",
        f"<h1>香水ランキング10選</h1>{TIERS}",
        "<h1>トップノートとは</h1><p>トップノート：つけてから10分ほどの香り</p><p>ミドルノート：その後の香り</p>",
        "<h1>Access Denied</h1>",
        "<h1>すべての香水</h1><ul class='products'><li>A – B</li></ul>",
        "",
        "<p>",
        f"<h1>当店について</h1>{TIERS}",
    ],
)
def test_a_page_without_a_perfume_gives_none(body):
    assert getData.extract_perfumes(page(body), "https://shop.example/", "text/html") == []


@pytest.mark.parametrize(
    "heading",
    [
        "オリジナル香水作り体験チケット",
        "メゾン マルジェラの香水一覧",
        "シャネル チャンス ボディ モイスチャー 200ml",
        "香水の付け方講座",
        "シャネル N°5 ザ ソープ 150g",
        "アルガン ヘアオイル",
        "ローズのアロマキャンドル 180g",
        "香水 ギフトセット 3種アソート",
        "ルームフレグランス ラベンダー",
        "お問い合わせ",
        "Just a moment...",
    ],
)
def test_other_goods_and_other_pages_give_none(heading):
    html = page(
        f"<h1>{heading}</h1><p>ブランド：SHIRO</p><p class='price'>1円</p><p>トップ：ラベンダー、レモン</p><p>ラスト：ムスク、ウッド</p>"
    )
    assert getData.extract_perfumes(html, "https://shop.example/", "text/html") == []


def test_two_perfumes_on_one_page_are_never_blended():
    other = TIERS.replace("レモン、ライム", "バニラ、カカオ")
    records = getData.extract_perfumes(
        page(f"<h1>A – 二つの香り</h1><h2>A – B</h2>{TIERS}<h2>A – C</h2>{other}"),
        "https://shop.example/",
        "text/html",
    )
    assert {"レモン", "バニラ"} - {note for record in records for note in record["top_notes"]} in (
        {"レモン", "バニラ"},
        set(),
    )
    assert all(not {"レモン", "バニラ"} <= set(record["top_notes"]) for record in records)


def test_the_shapes_are_read():
    """Brand and name right on 95 % of the pages of one perfume, notes 0.95 precise and complete, nothing from negatives."""
    wrong, right, counts, ones, found_in_negatives = [], 0, [0, 0, 0], 0, []
    for shape in SHAPES:
        records = getData.extract_perfumes(shape["html"], shape["url"], shape["content_type"])
        wrong += [f"{shape['id']}: {mistake}" for mistake in mistakes(shape, records)]
        if not shape["expected"] and records:
            found_in_negatives.append(shape["id"])
        if len(shape["expected"]) == 1:
            record = records[0] if len(records) == 1 else {}
            ones, right = ones + 1, right + right_names(shape["expected"][0], record)
            counts = [
                sum(pair)
                for pair in zip(counts, note_counts(shape["expected"][0], record), strict=True)
            ]
    assert not found_in_negatives
    assert (
        right >= 0.95 * ones and counts[0] >= 0.95 * counts[1] and counts[0] >= 0.95 * counts[2]
    ), wrong


def test_no_bytes_raise():
    chance = random.Random(5)
    sources = [shape["html"] or b"<p>" for shape in SHAPES]
    junk = [chance.randbytes(chance.randrange(400)) for _ in range(100)]
    cut = [
        source[chance.randrange(len(source)) :][: chance.randrange(len(source))]
        for source in sources
    ]
    mixed = []
    for source in sources:
        spoiled = bytearray(source)
        for _ in range(30):
            spoiled[chance.randrange(len(spoiled))] = chance.randrange(256)
        mixed.append(bytes(spoiled))
    odd = [
        b"<html>" + b"<div>" * 50_000 + perfume_page(1),
        b"<table>" * 20_000,
        b"<h1>" + b"A" * 500_000,
        b"\xff\xfe\x00",
        b"<a href='http://[::1'>x</a><h1>A \xe2\x80\x93 B</h1>",
        b"<h1>" + "（".encode() * 5_000,
        ("トップ：" + "、" * 50_000).encode(),
        b"<script type='application/ld+json'>" + b"[" * 100_000 + b"</script>",
    ]
    for html in junk + cut + mixed + odd:
        for record in getData.extract_perfumes(
            html,
            "https://shop.example/p/1",
            chance.choice(["", "text/html", "text/html; charset=shift_jis", "\0;;charset=x"]),
        ):
            assert list(record) == FIELDS and json.dumps(record, ensure_ascii=False).encode()


def test_a_page_of_four_megabytes_and_a_deep_one_are_read():
    assert read(
        perfume_page(1, extra="<div><p>ご利用ガイド：あれこれ</p><span>x</span></div>" * 60_000)
    )["top_notes"] == ["レモン", "ライム"]
    for opening in ("<div>", "<table><tr><td>", "<span>"):
        assert read(page(f"<h1>A – B</h1>{opening * 10_000}{TIERS}"))["top_notes"] == [
            "レモン",
            "ライム",
        ]


def test_control_characters_never_reach_a_record():
    html = page(
        "<h1>A – Nu\x1b[31mit\x00&#27;]0;x&#7;\u202e</h1><p>トップ：レ\u200bモン、ライム\x9b</p><p>ミドル：ローズ</p><p>ラスト：ムスク</p>",
        head='<script type="application/ld+json">{"@type": "Product", "name": "Nu\\u001bit", "brand": "A\\u0000B"}</script>',
    )
    text = json.dumps(read(html), ensure_ascii=False)
    assert not [
        letter
        for letter in text
        if letter < " " or "\x7f" <= letter < "\xa0" or letter in "\u200b\u202e"
    ]
    assert read(html)["top_notes"] == ["レモン", "ライム"]


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
            "CONNECT_SECONDS": 5,
            "READ_SECONDS": 10,
            "PAGE_SECONDS": 30,
            "MAX_BARREN": 20,
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


def drip_head(request, _):
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in range(60):
        request.wfile.write(b"x")
        time.sleep(0.05)


def drip_chunk_size(request, _):
    request.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    for _ in range(60):
        request.wfile.write(b"0")
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
    "slow drip": (drip, False, "時間切れ", 1),
    "slow drip of the head": (drip_head, False, "時間切れ", 1),
    "slow drip of a chunk's size": (drip_chunk_size, False, "時間切れ", 1),
    "slow drip without a length": (drip_for_ever, False, "時間切れ", 1),
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
        "大きすぎる",
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
        "香水のないページ",
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
        "転送先が読めない",
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
        names(records) == ["Nuit 1", "Nuit 2", "Nuit 3"]
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
        and f"HTTP {status}" in printed.split("END")[1]
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
        (drip_head, False),
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
        or "robots.txt が 1 ページを断っています" in printed.split("END")[1]
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
            CONNECT_SECONDS=0.3,
            READ_SECONDS=60,
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
        and "http://127.0.0.2:9/shop%1B%5B31m/ に転送されています" in printed.split("END")[1]
        and "失敗: 転送先: 別のホスト 1" in printed
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
    assert names(records) == ["Nuit 3", "Nuit 5"] and "robots.txt が断っている 3" in printed


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
        (gzip.compress(b"<urlset><url><loc>/p/1</loc></url>" * 9)[:-20], True),
        (
            b"<?xml version='1.0' encoding='nonsense'?><urlset><url><loc>/p/1</loc></url></urlset>",
            True,
        ),
        (
            b"<urlset><url><loc>/p/1</loc></url><url><loc>http://[::1</loc></url><url><loc></loc></url>",
            True,
        ),
        (gzip.compress(b"<urlset><url><loc>/p/1</loc></url>" + b" " * 40_000_000), True),
        (b"<loc>/p/1</loc>", False),
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
    assert len(shop.asked()) <= 205 and not [path for path in shop.asked() if "root:" in path]
    assert ("読めないサイトマップ: 大きすぎる 1" in printed) == (len(body) > 300_000)


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
    records, printed = crawl(shop, MAX_BARREN=200)
    assert (
        names(records) == ["Nuit 1", "Nuit 2"]
        and len(shop.asked()) < 35
        and "香水に通じないため未読 1" in printed
    )


def test_what_was_put_off_is_read_when_its_kind_brings_perfumes_after_all(faulty_shop, crawl):
    categories = {
        f"/category/{at}": index(*(f"/item/{3 * at + step}" for step in range(3)))
        for at in range(40)
    }
    items = {
        f"/item/{at}": perfume_page(at) if at % 3 == 2 else page(f"<h1>石けん {at}</h1>")
        for at in range(120)
    }
    shop = faulty_shop({"/": index(*categories), **categories, **items})
    assert len(crawl(shop, MAX_BARREN=15)[0]) == 40


def test_the_run_ends_at_max_pages_and_keeps_what_was_there(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index(*(f"/p/{at}" for at in range(9))),
            **{f"/p/{at}": perfume_page(at) for at in range(9)},
        }
    )
    assert len(crawl(shop)[0]) == 9
    records, printed = crawl(shop, MAX_PAGES=4)
    assert (
        len(records) == 9
        and "MAX_PAGES（4）" in printed
        and "今回ない" not in printed
        and "END" not in printed
    )


def test_a_page_under_two_addresses_is_one_perfume(faulty_shop, crawl):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/sale/1", "/p/2"),
            "/p/1": perfume_page(1),
            "/sale/1": perfume_page(1, extra="<p>5円</p>"),
            "/p/2": perfume_page(2),
        }
    )
    assert names(crawl(shop)[0]) == ["Nuit 1", "Nuit 2"]


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


def test_a_page_that_the_extractor_fails_on_ends_no_run(faulty_shop, crawl, monkeypatch):
    shop, extract = (
        faulty_shop({"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}),
        getData.extract_perfumes,
    )
    crawl(shop)
    monkeypatch.setattr(
        getData,
        "extract_perfumes",
        lambda html, url, kind: extract(html, url, kind) if not url.endswith("1") else 1 / 0,
    )
    records, printed = crawl(shop)
    assert (
        names(records) == ["Nuit 2", "Nuit 1"]
        and "失敗: 読み取れない（ZeroDivisionError） 1" in printed
        and "END" not in printed
    )


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
        "/p/1/",
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
    assert [record["url"] for record in records] == [f"{shop.url}/p/one"]


@pytest.mark.parametrize(
    "host, private",
    [
        ("127.0.0.1", True),
        ("10.1.2.3", True),
        ("192.168.0.1", True),
        ("169.254.169.254", True),
        ("[::1]", True),
        ("localhost", True),
        ("8.8.8.8", False),
        ("0.0.0.0", True),
        ("[fd00::1]", True),
        ("no.such.host.invalid", False),
    ],
)
def test_private_addresses_are_known(host, private):
    assert getData.is_private(host) == private


def test_a_public_shop_cannot_lead_to_a_private_address(faulty_shop, crawl, monkeypatch):
    """The test's own host counts as public here."""
    monkeypatch.setattr(getData, "is_private", lambda host: host != "127.0.0.1")
    inner = FaultyShop({"/": perfume_page(9)}, host="127.0.0.2")
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2"),
            "/p/1": perfume_page(1),
            "/p/2": always(lambda request: reply(request, status=302, Location=inner.url)),
        }
    )
    records, printed = crawl(shop)
    inner.close()
    assert (
        names(records) == ["Nuit 1"]
        and "失敗: 転送先: 非公開アドレス 1" in printed
        and inner.log == []
    )


# Resuming and refreshing ----------------------------------------------------------------------------------------------


def timeless(records: list[dict]) -> list[dict]:
    """The records without the time of fetching."""
    return [
        {field: value for field, value in record.items() if field != "fetched_at"}
        for record in records
    ]


def test_a_second_run_asks_for_nothing_and_says_how_to_start_over(faulty_shop, crawl):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2", "/gone"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    asked = len(shop.log)
    again, printed = crawl(shop)
    assert again == once and len(shop.log) == asked and "pages" in printed and "削除" in printed


@pytest.mark.parametrize("robots", [200, 404, 403])
@pytest.mark.parametrize("failing", [0, 2, 12])
def test_a_second_run_needs_no_shop(failing, robots, faulty_shop, crawl, monkeypatch):
    """The shop is gone, what is kept of its robots.txt is two days old, and some pages could never be had."""
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
    now, extract = time.time, getData.extract_perfumes
    monkeypatch.setattr(getData.time, "time", lambda: now() + 172_800)
    monkeypatch.setattr(
        getData,
        "extract_perfumes",
        lambda *page: [{**record, "perfumer": "新しい"} for record in extract(*page)],
    )
    again, printed = crawl(shop, MAX_FAILURES=5)
    assert names(once) == ["Nuit 1", "Nuit 2"] and again == [
        {**record, "perfumer": "新しい"} for record in once
    ]
    assert ("END" in printed) == (failing == 12) and "今回ない" not in printed


def test_a_better_extractor_rereads_the_stored_pages(faulty_shop, crawl, monkeypatch):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    asked, extract = len(shop.log), getData.extract_perfumes
    monkeypatch.setattr(
        getData,
        "extract_perfumes",
        lambda *page: [{**record, "perfumer": "新しい"} for record in extract(*page)],
    )
    again, _ = crawl(shop)
    assert [record["perfumer"] for record in again] == ["新しい"] * 2 and len(shop.log) == asked
    assert [record["fetched_at"] for record in again] == [record["fetched_at"] for record in once]


def test_a_half_line_is_cut_off(faulty_shop, crawl, tmp_path):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    once, _ = crawl(shop)
    output = tmp_path / "perfumes.jsonl"
    output.write_bytes(output.read_bytes()[:-40])
    assert crawl(shop)[0] == once


def test_a_run_stopped_while_rereading_leaves_each_perfume_once(faulty_shop, crawl, monkeypatch):
    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            **{f"/p/{number}": perfume_page(number) for number in (1, 2, 3)},
        }
    )
    once, _ = crawl(shop)
    extract = getData.extract_perfumes

    def stopped(html, url, content_type):
        if url.endswith("/p/3"):
            raise KeyboardInterrupt
        return [{**record, "perfumer": "新しい"} for record in extract(html, url, content_type)]

    monkeypatch.setattr(getData, "extract_perfumes", stopped)
    records, printed = crawl(shop)
    assert [record["perfumer"] for record in records] == ["新しい", "新しい", None] and names(
        records
    ) == names(once)
    assert "中断しました" in printed.split("END")[1] and "今回ない" not in printed


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
            and "brand" not in printed
        )
    records, printed = crawl(faulty_shop({"/": perfume_page(7)}))
    assert names(records) == ["Nuit 7"] and "END" not in printed


@pytest.mark.parametrize("answer, kept", [(503, True), (403, True), (404, False), (410, False)])
def test_a_page_that_fails_now_costs_no_record_of_before(
    answer, kept, faulty_shop, crawl, tmp_path
):
    shop = faulty_shop(
        {"/": index("/p/1", "/p/2"), "/p/1": perfume_page(1), "/p/2": perfume_page(2)}
    )
    crawl(shop)
    shutil.rmtree(tmp_path / "pages")
    shop.pages["/p/2"] = always(lambda request: reply(request, status=answer))
    records, printed = crawl(shop)
    assert (
        names(records) == ["Nuit 1", "Nuit 2"][: 1 + kept]
        and ("今回ない香水 1: Nuit 2" in printed) != kept
        and ("前回のまま残した香水 1" in printed) == kept
        and "END" not in printed
    )


@pytest.mark.parametrize(
    "header, condition", [("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")]
)
def test_old_pages_are_asked_for_again_only_when_changed(header, condition, faulty_shop, crawl):
    def tagged(number, tag):
        return lambda request, _: (
            reply(request, status=304)
            if request.headers.get(condition) == tag
            else reply(request, perfume_page(number), **{header.replace("-", "_"): tag})
        )

    shop = faulty_shop(
        {
            "/": index("/p/1", "/p/2", "/p/3"),
            "/p/1": tagged(1, '"a"'),
            "/p/2": tagged(2, '"b"'),
            "/p/3": perfume_page(3),
        }
    )
    once, _ = crawl(shop)
    asked = len(shop.log)
    assert crawl(shop, REFRESH_DAYS=1)[0] == once and len(shop.log) == asked
    shop.pages |= {
        "/p/2": tagged(7, '"c"'),
        "/p/3": always(lambda request: reply(request, status=410)),
    }
    records, printed = crawl(shop, REFRESH_DAYS=0)
    assert names(records) == ["Nuit 1", "Nuit 7"] and records[0] == once[0]
    assert "前回あって今回ない香水 1: Nuit 3" in printed
    shop.pages["/p/2"] = always(lambda request: reply(request, status=500))
    records, printed = crawl(shop, REFRESH_DAYS=0)
    assert names(records) == ["Nuit 1", "Nuit 7"] and "更新できず前のページを使用 1" in printed


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
    assert "160 件" in printed and "top_notes" in printed and "埋まった項目" in printed


@pytest.mark.parametrize(
    "setting, value, said",
    [
        ("START_URL", "no_such_folder", "no_such_folder がありません"),
        ("START_URL", "https://", "https:// がありません"),
        ("START_URL", "shop.example/perfumes", "https://…"),
        ("START_URL", "htps://shop.example/", "htps://shop.example/ がありません"),
        ("START_URL", "", "START_URL"),
        ("START_URL", str(ROOT / "README.md"), "README.md はファイルです"),
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
        ("READ_SECONDS", 0, "READ_SECONDS"),
        ("USER_AGENT", "香水ボット", "USER_AGENT"),
        ("USER_AGENT", "a\nb", "USER_AGENT"),
        ("USER_AGENT", "", "USER_AGENT"),
        ("AI_AGENTS", "GPTBot", "AI_AGENTS"),
        ("OUTPUT_FILE", str(ROOT / "README.md" / "perfumes.jsonl"), "README.md"),
        ("OUTPUT_FILE", str(ROOT / "data"), str(ROOT / "data")),
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
    assert names(
        [
            json.loads(line)
            for line in (tmp_path / "perfumes.jsonl").read_text(encoding="utf-8").splitlines()
        ]
    ) == ["Nuit 1"]
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
    assert (
        printed.splitlines()[0]
        == "取得 8、robots.txt が断っている 1、香水のないページ 2、香水のページ 2、失敗: HTTP 404 1、失敗: HTTP 500 1、失敗: 転送先: 別のホスト 1"
    )
    assert "top_notes 100%" in printed and "perfumer 0%" in printed and "2 件の香水を" in printed
    assert (
        crawl(shop)[1].splitlines()[0]
        == "ディスクから 8、robots.txt が断っている 1、香水のないページ 2、香水のページ 2、失敗: HTTP 404 1、失敗: HTTP 500 1、失敗: 転送先: 別のホスト 1"
    )


def test_a_terminal_shows_a_bar_with_the_perfumes_found(faulty_shop, tmp_path):
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
        and "香水 2" in shown
        and "\x07" not in shown
        and "[31m" not in shown.replace("\x1b[A", "")
    )


def test_a_shop_without_perfumes_says_so(faulty_shop, crawl):
    records, printed = crawl(faulty_shop({"/": index("/a"), "/a": page("<h1>当店について</h1>")}))
    assert records == [] and "見つかりません" in printed.split("END")[1]


def test_the_script_runs_alone_and_prints_utf_8(tmp_path):
    shutil.copy(ROOT / "getData.py", tmp_path)
    (tmp_path / "data" / "sample_site").mkdir(parents=True)
    for name in ("page_words.csv", "brands.csv"):
        shutil.copy(ROOT / "data" / name, tmp_path / "data")
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
