"""Reads a perfume shop's pages into data/perfumes.jsonl, one perfume a line.

    python getData.py

Reads   START_URL: the shop's address, or a folder of saved pages, which is then served on 127.0.0.1 for the length of the run.
Writes  OUTPUT_FILE (the perfumes) and PAGES_DIR (every page as fetched, so that a second run asks the shop for nothing twice).
Prints  a progress bar, then counts: pages by source, failures by reason, perfumes, and how often each field is filled.

The records of a folder carry the address that its index.html names as canonical (else http://<folder>.localhost/), never a port.
"""

import contextlib
import email.utils
import functools
import hashlib
import html as entities
import http.server
import ipaddress
import json
import os
import random
import re
import socket
import sys
import threading
import time
import unicodedata
import zlib
from collections import Counter, deque
from datetime import UTC, datetime
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

import lxml.etree
import lxml.html
import requests
import urllib3
from protego import Protego
from tqdm import tqdm

# ----------------------------------------------------------------------------------------------------------------------
START_URL = "data/sample_site"  # shop's address (https://...) or a folder of saved pages; read the shop's terms first
OUTPUT_FILE = "data/perfumes.jsonl"  # one perfume a line; read by arrangeData.py and generate.py
PAGES_DIR = "data/pages"  # pages as fetched; delete it to start over from nothing
DELAY_SECONDS = 1.5  # least seconds between two requests; robots.txt may ask for more; not applied to a folder
MAX_PAGES = 5_000  # pages read in one run, listings included; raise it for a shop of more than some 4,000 perfumes
USER_AGENT = "PerfumeChatbot/1.0 (+https://example.com/contact)"  # name and contact that the shop sees; put your own address
AI_AGENTS = ("GPTBot", "ClaudeBot", "CCBot", "Google-Extended")  # what robots.txt refuses to these AI crawlers is refused to us; () to heed our own name only
REFRESH_DAYS = None  # ask again (conditionally) for stored pages older than so many days; None: never
TIMEOUT = (10, 30)  # seconds for connecting, and for each silence while reading
PAGE_SECONDS = 90  # seconds for one whole page, however slowly it drips
MAX_BYTES = 8_000_000  # largest page, after decompression; larger ones are left out
ATTEMPTS = 4  # tries for 408, 429, 5xx and network faults; everything else is tried once
BACKOFF_SECONDS = 2  # wait before the second try; doubles each time
RETRY_AFTER_CAP = 120  # longest Retry-After (seconds) that is waited for; beyond it the run stops and says when to come back
MAX_FAILURES = 10  # so many pages failing in a row mean that the shop is down: the run stops
MAX_BARREN = 5  # pages of one series (calendar, endless list) in a row that show nothing new before it is left
# ----------------------------------------------------------------------------------------------------------------------

# The words that pages use. Labels are compared after squeezed(): NFKC, lower case, no spaces and no decoration.
TIERS = {
    "top_notes": r"トップ|ヘッド|top|head|opening",
    "middle_notes": r"ミドル|ハート|middle|mid|heart",
    "last_notes": r"ラスト|ベース|ボトム|残り香|last|base|bottom|drydown",
}
TIER_LABEL = re.compile(rf"(?:香りの|the|{'|'.join(TIERS.values())}|ノート|notes?|の?香り|and|から|と|~|〜)+")
LABELS = [(tuple(fields.split()), re.compile(words)) for fields, words in (
    ("brand", r"ブランド名?|brand(?:name)?|メーカー名?|manufacturer|designer|house|vendor|ブランド/?メーカー|メゾン"),
    ("name", r"(?:商品|製品|香水|フレグランス|アイテム)名称?|品名|名称|(?:product|perfume|fragrance)?name"),
    ("gender", r"(?:対象)?性別|対象者?|ジェンダー|gender|sex|適応性別|タイプ\(?性別\)?"),
    ("families", r"香調|香りの?(?:系統|タイプ|種類|分類|ジャンル|カテゴリー?)|系統|(?:olfactive|olfactory|fragrance|scent)?famil(?:y|ies)|(?:main)?accords?|fragrancetype|scenttype"),
    ("concentration", r"(?:濃度|賦香率|種類|種別|タイプ|区分|規格|香水の種類|concentration|type)+"),
    ("scenes seasons", r"(?:ご?(?:利用|使用)?(?:シーン|場面)(?:季節)|(?:季節)(?:ご?(?:利用|使用)?シーン))"),
    ("seasons", r"(?:おすすめの?|向いている|似合う|合う)?(?:季節|シーズン)|seasons?"),
    ("scenes", r"(?:おすすめの?|ご?(?:利用|使用))?(?:シーン|場面|tpo)|occasions?|scenes?"),
    ("images impressions", r"香りの(?:イメージと?印象|印象とイメージ)|イメージ印象"),
    ("images", r"(?:香りの)?イメージ|images?|スタイル"),
    ("impressions", r"(?:香りの)?印象|impressions?"),
    ("perfumer", r"調香師?|パフューマー|perfumers?|nose|調香師名|クリエイター"),
    ("year", r"(?:発売|発表|誕生|登場|リリース)(?:年度?|日|年月日?|時期)|発売|(?:launch(?:ed)?|release(?:d)?)?(?:year|date)|launch(?:ed)?|release(?:d)?"),
    ("concept", r"(?:商品|香水の?|香りの)?(?:コンセプト|説明|ストーリー|紹介|解説)|商品詳細|concept|description|story"),
    ("notes", r"(?:香りの|主な|使用|メイン|fragrance|key|main|scent|all|perfume)*(?:ノート|notes?|香料|構成|香り|ingredients?notes?)"),
    ("", r"(?:内|総)?容量|サイズ|size|価格|定価|price|原産国|生産国|製造国|(?:全|主?要?)成分|ingredients|注意(?:事項)?|使用方法|使い方|jan(?:コード)?|品番|型番|"
         r"商品(?:コード|番号)|sku|送料|配送|在庫|数量|レビュー|備考|販売元|製造販売(?:元|業者)|ご?注文|持続(?:時間|性)|longevity|sillage|カテゴリー?|category|タグ|tags?"),
)]
CONCENTRATIONS = {
    "オードパルファム": r"オー\s?[・=]?\s?[ドデ]ゥ?\s?[・=]?\s?パルファ[ムン]|eau\s?de\s?parfum|\be\.?d\.?p\b\.?",
    "オードトワレ": r"オー\s?[・=]?\s?[ドデ]ゥ?\s?[・=]?\s?トワレッ?ト?|eau\s?de\s?toilette|\be\.?d\.?t\b\.?",
    "オーデコロン": r"オー\s?[・=]?\s?[ドデ]ゥ?\s?[・=]?\s?コロン|eau\s?de\s?cologne|\be\.?d\.?c\b\.?",
    "エクストレ ド パルファム": r"エクストレ(?:\s?ド\s?パルファ[ムン])?|extrait(?:\s?de\s?parfum)?",
    "パルファム": r"(?<![ァ-ヶー])パルファ[ムン](?![ァ-ヶー]|\s?ドゥ?\s)|\b(?:pure\s)?parfum\b(?!\sde\s)",
}
GENDERS = {
    "ユニセックス": r"ユニセックス|ジェンダーレス|ジェンダーフリー|unisex|男女(?:兼用|共用|問わず)|(?:women|her)\s?(?:and|&)\s?(?:men|him)|\b(?:men|him)\s?(?:and|&)\s?(?:women|her)",
    "レディース": r"レディー?ス|女性|ウィ?ーメン|ウィメンズ|\b(?:women|woman|female|ladies|lady|femme)",
    "メンズ": r"メンズ|男性|\b(?:men|man|male|gentlem[ae]n|homme)\b",
}
SEASONS = {"春": r"春|spring", "夏": r"夏|summer", "秋": r"秋|autumn|fall", "冬": r"冬|winter"}
ALL_SEASONS = r"[全凡]て|すべて|オール|通年|四季|一年|年間|季節を(?:問わ|選ば)|\ball\b"
IMAGES = "エレガント|キュート|セクシー|ベーシック|モード|クール|カジュアル|ゴージャス|フェミニン|ラグジュアリー|シック|ガーリー|ダンディ|スタイリッシュ|上品|知的|大人|可愛"
IMPRESSIONS = "フレッシュ|ユニーク|スイート|ナチュラル|温かみ|爽やか|清潔感|落ち着|ミステリアス|甘|クリーン|スパイシー|ピュア|華やか|神秘|透明感|優し"
FACT_FIELDS = ("families", "seasons", "scenes", "images", "impressions")
NOTE_FIELDS = (*TIERS, "notes")

# What surrounds the names and the notes.
MARK = "\x1f"  # stands in a line where one inline element ends and another begins
BLOCKS = set("address article aside blockquote body br caption center dd details div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 "
             "header hr html legend li main nav ol p pre section summary table tbody td tfoot th thead tr ul".split())
SEPARATE = {"span", "a", "strong", "b", "label", "button", "img"}
DROPPED = {"script", "style", "noscript", "template", "svg", "nav", "footer", "aside", "iframe", "select", "button", "textarea", "head", "object"}
SIDE_CLASS = re.compile(r"(?<![\w-])(?:[\w]+-)?(?:related|recommend\w*|up-?sells?|cross-?sells?|recent\w*|history|ranking|reviews?|comments?|breadcrumbs?|topicpath|"
                        r"sidebar|side|footer|navi?|navigation|modal|banner|pager|pagination|newsletter|cookie|faq|sns|products|product-?card)(?:-(?:list|items?|products?|area|section|block|wrap\w*|area))?(?![\w-])", re.I)
SIDE_HEADING = re.compile(r"関連|おすすめ(?:商品|アイテム)|お?すすめの(?:商品|香水)|こちらもおすすめ|一緒に|この商品を(?:見|買|チェック)|最近|ランキング|レビュー|口コミ|お客様の声|新着|あわせて|"
                          r"同じ(?:ブランド|シリーズ)|related|you (?:may|might)|also (?:like|bought)|recommend|recently|reviews|customers", re.I)
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]")
PROSE = re.compile(r"です|ます|でし[たょ]|まし[たょ]|ません|する|した|され|れる|られ|ような|という|てい[るく]|ながら|まと[うっ]|包[みまむん]|漂|広が|感じ|与え|誘[いうわ]|香り?立|溢れ|あふれ|"
                   r"満ち|際立|引き立|重な|楽し|ください|こちら|[でにを](?:は|も)|に入れ|\b(?:is|are|the|with|you|your|this|that|it|its|opens?|reveals?|blend|of)\b(?! the valley)|[!?！？。]", re.I)
ABSTRACT = re.compile(r"(?:さ|み|感|香り?|匂い|印象|魅力|世界|余韻|調和|ハーモニー|輝き|き|コントラスト|組み合わせ|など|タイプ|系|イメージ|瞬間|物語)$")
ADJECTIVE = re.compile(r"[ぁ-ん](?:な|い|る|た|れた|った)(?=[ァ-ヶ一-龠A-Za-z])|[ァ-ヶー一-龠]な(?=[ァ-ヶ一-龠])")
NOTHING = re.compile(r"(?:不明|未公開|非公開|なし|無し|ない|特になし|記載なし|unknown|n/?a|none|null|[-–—―ー?？.…*]+)?", re.I)
SIZE = re.compile(r"(?:[/(x×・]\s*)?\d+(?:\.\d+)?\s*(?:ml|ｍｌ|cc|fl\.?\s?oz\.?|oz\.?|ミリ(?:リットル)?|g|本(?:セット|入り?)?|個(?:セット)?)(?![a-zA-Z])\)?", re.I)
YEAR = re.compile(r"\b(?:1[789]|20)\d\d(?!\d)")
SEO = re.compile(r"送料無料|正規(?:輸入)?品?|国内正規品?|並行輸入品?|新品|未使用|テスター|ミニ(?:香水|ボトル)|お試し|サンプル|量り売り|小分け|アトマイザー(?:付き)?|(?:香水)?ギフト|プレゼント|人気|公式|"
                 r"(?:メンズ|レディース|ユニセックス|男女兼用|男性用|女性用)(?:\s?香水|\s?フレグランス)?|香水|フレグランス|通販|激安|最安値?|割引|セール|sale|新作|数量限定|限定(?:品|版)|口コミ|の香り$|"
                 r"(?:perfume|fragrance)s?\b|\b(?:spray|natural spray|vapo\w*|SP|BT|tester|new)\b|スプレー(?:タイプ)?|for (?:women and men|men and women|women|men)\s*$|unisex|【[^】]*】|\[[^\]]*\]|[™®©★☆◆●■]", re.I)
NOT_PERFUME = re.compile(r"クリーム|ローション|シャンプー|コンディショナー|トリートメント|キャンドル|ソープ(?!の)|石鹸|せっけん|ディフューザー|ルーム(?:スプレー|フレグランス)|リード|お香|インセンススティック|ヘア(?:オイル|ミスト)|"
                         r"ボディ(?:ミルク|ウォッシュ|オイル|ジェル|バター|スクラブ|ミスト)?|ハンド|バス(?:ソルト|ボム|オイル|ジェル)|入浴|デオドラント|柔軟剤|洗剤|サシェ|アトマイザー|空き?瓶|空ボトル|ケース|ギフト(?:券|カード|ラッピング)|定期便|福袋|"
                         r"リップ|ネイル|マスカラ|ファンデ|化粧水|アロマオイル|精油|\b(?:body|hand|hair|face|shower|bath)\s(?:cream|lotion|wash|gel|butter|oil|mist|milk|scrub|salts?|soap|spray)\b|"
                         r"\b(?:candles?|lotion|cream|shampoo|conditioner|diffuser|soap|incense sticks?|room spray|gift card|atomi[sz]er|deodorant|lipstick|moisturi[sz]er|air freshener)\b", re.I)
NO_PAGE = re.compile(r"\b(?:404|403|410|500|503)\b(?!\s?ml)|not found|見つかりませ|見つかりません|存在しませ|お探しのページ|ページがありません|access denied|forbidden|アクセス(?:が|を)?(?:拒否|制限|禁止)|just a moment|captcha|"
                     r"attention required|robot|ロボットでは|メンテナンス|maintenance|エラー|\berror\b|販売(?:は|を)?終了(?:しました|いたし)|ログイン|sign in", re.I)
ARTICLE = re.compile(r"とは|選び方|つけ方|付け方|使い方|ランキング|おすすめ|オススメ|まとめ|特集|コラム|ガイド|一覧|カテゴリー?|検索結果|比較|\d+選|基礎知識|用語|ブログ|お知らせ|ニュース|レビュー記事|種類と|について|について$|入門|"
                     r"\b(?:guide|how to|best|top \d+|blog|review of|what (?:is|are)|category|collection|search results|archive|vs\.?|shop all|all products)\b", re.I)
PERFUME = re.compile(r"香水|フレグランス|パルファ[ムン]|オー\s?[ドデ]|トワレ|コロン\b|perfume|parfum|fragrance|eau de|cologne|\bed[pt]\b", re.I)
IDLE_PARAMETER = re.compile(r"utm_\w+|gclid|fbclid|yclid|msclkid|\w*sess(?:ion)?_?id|sid|phpsessid|jsessionid|ref|referrer|orderby|order|sort\w*|filter\w*|min_price|max_price|currency|add[-_]to[-_]\w+|variant|"
                            r"replytocom|share|print|view|display|limit|per_?page|lang|_\w+", re.I)
IDLE_PATH = re.compile(r"/(?:cart|checkout|my-?(?:account|page)|login|signin|register|signup|wish-?list|compare|wp-(?:admin|json|login\.php|content|includes)|feed|search|contact|inquiry|cgi-bin|cdn-cgi|xmlrpc\.php)(?:/|$)|"
                       r"\.(?:jpe?g|png|gif|webp|svg|ico|css|js|json|xml|gz|pdf|zip|mp4|mp3|woff2?|docx?|xlsx?)$", re.I)
# ----------------------------------------------------------------------------------------------------------------------


class Line(NamedTuple):
    """One line of a page as a reader sees it."""

    text: str
    level: int  # 1 to 6 for a heading, else 0
    tag: str  # of the block element it stands in
    block: int  # that element's number in the page
    parent: int  # the number of the element around it
    trust: int  # rank of the source, lower is better


# Text -----------------------------------------------------------------------------------------------------------------


def decode(html: bytes, content_type: str) -> str:
    """The page's text: byte order mark, UTF-8 where it fits, the named encoding, then the Japanese ones."""
    for bom, name in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if html.startswith(bom):
            return html.decode(name, "replace")
    if b"\x1b$" in html[:20_000]:
        return html.decode("iso2022_jp", "replace")
    with contextlib.suppress(UnicodeDecodeError):
        return html.decode("utf-8")
    named = re.findall(r"charset\s*=\s*[\"']?\s*([\w-]+)", content_type + html[:4_000].decode("latin-1"), re.I)
    aliases = {"shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "windows-31j": "cp932", "ms932": "cp932", "x-euc-jp": "euc_jp"}
    names = [aliases.get(name.lower(), name) for name in named if re.match(r"(?i)shift|sjis|x-|windows-31j|ms932|cp932|euc|utf", name)]
    texts = []
    for name in dict.fromkeys([*names, "cp932", "euc_jp", "utf-8"]):
        with contextlib.suppress(LookupError):
            texts.append(html.decode(name, "replace"))
    return min(texts, key=lambda text: 5 * text.count("\ufffd") + len(re.findall("[｡-ﾟ\ue000-\uf8ff]", text)))


def tidy(text: str) -> str:
    """Text on one line without control characters; full-width spaces and MARKs, which separate, are kept."""
    text = re.sub(r"[ \t\r\n\f\v\xa0]+", " ", text)
    text = re.sub(rf"\s*{MARK}[\s{MARK}]*", MARK, text)
    return CONTROL.sub(lambda match: MARK if match[0] == MARK else "", text).strip(f" \u3000{MARK}")


def plain(text: str) -> str:
    """Text without MARKs, in one width of letters."""
    return re.sub(r"\s+", " ", CONTROL.sub("", unicodedata.normalize("NFC", text.replace(MARK, " ")))).strip()


@functools.lru_cache(8192)
def squeezed(text: str) -> str:
    """Text as labels are compared: NFKC, lower case, without spaces, decoration and remarks on time (5分後)."""
    text = unicodedata.normalize("NFKC", text).lower()
    text = re.sub(r"\([^()]*(?:\d|分|時間|min|hour|直後)[^()]*\)", "", text)
    return re.sub(r"[\s■●◆◇▼▽▲★☆♦*・:<>〈〉《》【】\[\]()「」『』\"'#‐\-–—―_.|/&+、,=→⇒▶►✓✔◎○]", "", text)


@functools.lru_cache(8192)
def label_fields(text: str) -> tuple[str, ...] | None:
    """Fields that a label stands for: () for one whose value is of no use here, None when it is no label."""
    label = squeezed(text) if len(text) < 48 else ""
    if label and TIER_LABEL.fullmatch(label):
        if tiers := tuple(field for field, words in TIERS.items() if re.search(words, label)):
            return tiers
    return next((fields for fields, words in LABELS if label and words.fullmatch(label)), None)


def split_label(text: str) -> tuple[tuple[str, ...], str, bool] | None:
    """Fields, value and whether they are clearly apart, of a line that opens with a label: 'トップノート：A、B'."""
    found = None
    for gap in re.finditer(rf"[\s:：{MARK}】〉》>＞）)\]/／|｜…–—―→⇒・=＝~〜」』-]+|$", text[:60]):
        if (fields := label_fields(text[:gap.start()])) is not None:
            apart = gap[0] != " " or bool(re.search(r"ノート|notes?", text[:gap.start()], re.I))
            found = fields, text[gap.end():].strip(f" \u3000{MARK}"), apart or gap.end() == len(text)
    return found


def split_inline(text: str) -> list[str]:
    """A line cut before each label that stands inside it: 'トップ:A、B、ミドル:C' is two."""
    inside = re.compile(rf"(?:^|[\s、。,;；/／|｜{MARK}】）)])(?:([【〈《<＜\[■●◆◇▼▽])\s*|)((?:(?:top|head|middle|heart|mid|base|last)\s)?[^\s、。,;；:：/／|｜{MARK}【】〈〉《》<>＜＞\[\]■●◆◇▼▽]{{1,16}})\s?(?:[:：]|(?<=ノート)[\s{MARK}]|[】〉》>＞\]{MARK}])", re.I)
    cuts, at = [0], 0
    while at < len(text) and (match := inside.search(text, at)):
        if label_fields(match[2]) is not None:
            cuts.append(match.start(1) if match[1] else match.start(2))
        at = max(match.end() - 1, match.start() + 1)
    return [part.strip(f" \u3000{MARK}、,/／") for part in map(text.__getitem__, map(slice, cuts, [*cuts[1:], None])) if part.strip()]


# Notes and other lists --------------------------------------------------------------------------------------------------


def split_outside(text: str, separator: str) -> list[str]:
    """Text split at a separator (a pattern) wherever no parenthesis is open."""
    parts, depth, last = [], 0, 0
    balanced = len(re.findall(r"[(（\[]", text)) == len(re.findall(r"[)）\]]", text))
    for match in re.finditer(rf"[(（\[]|[)）\]]|{separator}", text, re.I):
        if match[0] in "(（[" and match[0]:
            depth += balanced
        elif match[0] in ")）]" and match[0]:
            depth -= balanced
        elif depth <= 0:
            parts.append(text[last:match.start()])
            last = match.end()
    return [*parts, text[last:]]


def split_items(text: str) -> list[str]:
    """Items of a written list, by the strongest separator that the text has."""
    text = re.split(r"——?|――?|。|\s[–-]\s", text.strip(" 　・/／、,"))[0]
    for separator in (rf"[、,，;；/／|｜\n{MARK}]", "\u3000+", r"\s*[・･]\s*", r"\s*[&＆+＋]\s*", r"(?<=[ァ-ヶー一-龠]) +(?=[ァ-ヶー一-龠])"):
        items = split_outside(text, separator)
        if len(items) > 1 and not (len(items) == 2 and (items[0] == items[1] or "[ァ" in separator)):
            break
    else:
        items = [text]
    joints = r"\s*(?:そして|および|並びに|または)\s*|(?<=[ァ-ヶー一-龠)）])[やと](?=[ァ-ヶー一-龠])|\s+and\s+|^and\s+|\s+[&＆]\s+"
    return [part for item in items for part in split_outside(item, joints)]


def tidy_item(text: str) -> str:
    """An item of a list without what clings to it: など, の香り, decoration."""
    text = plain(text).strip(" ・･*＊-–—:：.。,、'\"“”「」『』■●◆→")
    text = re.sub(r"^(?:そして|また|さらに|and |with )", "", text)
    text = re.sub(r"(?:\s*(?:などの?|ほか|その他|(?<=[ァ-ヶー])[等他]|etc\.?))+(?:の香り)?$", "", text)
    return re.sub(r"の(?:香り|アコード)$", "", text).strip()


def is_note(item: str, alone: bool) -> bool:
    """Whether an item of a list of notes reads as a material; one that stands alone is judged more strictly."""
    core = re.sub(r"[(（].*", "", item)
    if NOTHING.fullmatch(item) or label_fields(item) is not None or len(item) > 48 or len(core) > 32 or re.search(r"\d{3}|[¥￥$@%]|https?:|\d\s?ml\b", item, re.I):
        return False
    if PROSE.search(core) or not re.search(r"[^\W\d_]", core) or ABSTRACT.search(core) and re.search("[ぁ-ん]", core) or len(core.split()) > 5:
        return False
    return not (alone and (ADJECTIVE.search(core) or len(core) > 24 and not re.search(r"[(（]|^[\x00-\u024f]+$", item)))


def read_notes(values: list[str]) -> list[str]:
    """Notes of the lines under a label, up to the first that is no list of notes."""
    notes = []
    for value in values:
        items = [item for item in map(tidy_item, split_items(value)) if item and not NOTHING.fullmatch(item)]
        good = [item for item in items if is_note(item, len(items) == 1)]
        if not good or len(good) < 0.67 * len(items):
            break
        notes += good
    return list(dict.fromkeys(notes))


def read_words(values: list[str], longest: int = 14) -> list[str]:
    """Short words of a list of families, scenes, images or impressions."""
    words = [tidy_item(word) for value in values[:3] for item in split_items(value) for word in re.split(r"[\s・･]+", item)]
    return list(dict.fromkeys(word for word in words if word and len(word) <= longest and not PROSE.search(word) and not NOTHING.fullmatch(word)))


def choose(table: dict[str, str], text: str) -> str | None:
    """The first key of a table whose pattern is in the text."""
    return next((key for key, words in table.items() if re.search(words, text, re.I)), None)


def gender_of(text: str) -> str | None:
    """Gender that a label's value or a tag names; both sexes are ユニセックス."""
    text = unicodedata.normalize("NFKC", text)
    both = re.search(GENDERS["レディース"], text, re.I) and re.search(GENDERS["メンズ"], text, re.I)
    return "ユニセックス" if both else choose(GENDERS, text)


def seasons_of(text: str) -> list[str]:
    """Seasons named in a label's value."""
    return [season for season, words in SEASONS.items() if re.search(f"{words}|{ALL_SEASONS}", text, re.I)]


def read_field(field: str, values: list[str]) -> object:
    """Value of one field from the lines under its label, or something empty."""
    text = plain(" ".join(values[:3]))
    if field in NOTE_FIELDS:
        return read_notes(values)
    if field == "gender":
        return gender_of(text)
    if field == "concentration":
        return choose(CONCENTRATIONS, text)
    if field == "seasons":
        return seasons_of(text) if len(text) < 60 else []
    if field == "year":
        return int(found[0]) if (found := YEAR.search(text)) else None
    if field in FACT_FIELDS:
        return read_words(values)
    if field == "concept":
        return text if len(text) >= 20 else None
    text = plain(values[0]) if values else ""
    return None if NOTHING.fullmatch(text) or len(text) > 80 or "。" in text else text


# Names ------------------------------------------------------------------------------------------------------------------


def folded(text: str) -> str:
    """Text as names are compared: no accents, case, spaces or punctuation."""
    text = unicodedata.normalize("NFKD", text.lower())
    return re.sub(r"[^a-z0-9ァ-ヶーぁ-ん一-龠]|\band\b", "", unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", text)))


def consonants(text: str) -> str:
    """Rough consonants of a Latin or a kana word, alike for both spellings of one name: シャネル and Chanel give srn."""
    latin = ""
    for letter in unicodedata.normalize("NFKC", text):
        name = unicodedata.name(letter, "")
        latin += name.split()[-1].lower() if name.startswith(("KATAKANA LETTER", "HIRAGANA LETTER")) else letter.lower()
    latin = re.sub("[^a-z]", "", unicodedata.normalize("NFKD", latin))
    for sound, written in (("s", r"ch|sh|ti(?=[aeiou])|[cg](?=[eiy])|[jzx]"), ("k", r"[cqg]"), ("", r"ph|[fhywaeiou]|m(?=[bp])"), ("r", "l"), ("b", "[vp]"), ("t", "d"), ("n", "m")):
        latin = re.sub(written, sound, latin)
    return re.sub(r"(.)\1+", r"\1", latin)


def alike(latin: str, kana: str) -> float:
    """How well a kana spelling fits a Latin one, 0 to 1, by their consonants."""
    return SequenceMatcher(None, consonants(latin), consonants(kana)).ratio() if consonants(latin) and consonants(kana) else 0.0


def is_japanese(text: str) -> bool:
    """Whether a text is written in kana or kanji."""
    return bool(re.search("[ぁ-んァ-ヶ一-龠]", text))


def spellings(text: str) -> tuple[str | None, str | None]:
    """The Latin and the Japanese spelling that a name is written in: 'Chloé（クロエ）', 'クロエ / Chloé', 'CHLOE クロエ'."""
    text = plain(text).strip(" -–—|／/・:：~〜～「」『』\"“”")
    found = re.fullmatch(r"(.+?)\s*[(（\[]([^()（）\[\]]+)[)）\]]", text) or re.fullmatch(r"(.+?)\s*[/／|｜~〜～]\s*(.+)", text)
    parts = [found[1].strip(), found[2].strip()] if found else []
    if not parts:
        kana = re.search(r"(?<![ぁ-んァ-ヶー一-龠])[ァ-ヶーぁ-ん一-龠][ァ-ヶーぁ-ん一-龠 ・＝=]*$|^[ァ-ヶーぁ-ん一-龠][ァ-ヶーぁ-ん一-龠 ・＝=]*(?= [A-Za-zÀ-ÿ])", text)
        rest = text.replace(kana[0], "").strip() if kana else ""
        if kana and re.search("[A-Za-zÀ-ÿ]{2}", rest) and not is_japanese(rest) and alike(rest, kana[0]) >= 0.5:
            parts = [rest, kana[0].strip()]
    if len(parts) == 2 and is_japanese(parts[0]) != is_japanese(parts[1]):
        return tuple(sorted(parts, key=is_japanese))
    return (None, text or None) if is_japanese(text) else (text or None, None)


def without_brand(title: str, brands: list[str]) -> str | None:
    """The title without a brand that it opens or closes with, or None when it has none of them."""
    for brand in sorted(filter(None, brands), key=len, reverse=True):
        for end in range(len(title), 0, -1):
            if folded(title[:end]) == folded(brand) and not re.match(r"[A-Za-zÀ-ÿァ-ヶー]", title[end:]):
                return title[end:]
        for start in range(len(title)):
            if folded(title[start:]) == folded(brand) and re.match(r"[\s\-–—|/／（(]", title[start - 1:] or " ") and title[start:start + 1].strip():
                return re.sub(r"\s*\bby\s*$", "", title[:start])
    return None


def clean_name(text: str) -> str:
    """A name without size, concentration, year, shop words and decoration."""
    text = unicodedata.normalize("NFKC", text.replace("’", "'"))
    for pattern in (SEO, SIZE, re.compile("|".join(CONCENTRATIONS.values()), re.I), SEO, re.compile(rf"\(\s*{YEAR.pattern}年?\s*\)|{YEAR.pattern}年(?:発売)?")):
        shorter = pattern.sub(" ", text)
        text = shorter if re.search(r"\w", shorter) else text
    text = re.sub(r"\(\s*[/・,]?\s*\)|\s+(?=\))|(?<=\()\s+", "", text)
    return re.sub(r"\s+", " ", text).strip(" -–—|/・:~〜,、*「」『』\"")


def split_title(title: str) -> tuple[str, str] | None:
    """Brand and item of 'Brand – Item' (the first dash parts them) or 'Item by Brand'."""
    if found := re.fullmatch(r"(.+?)\s+by\s+([A-Z].+)", title):
        return found[2], found[1]
    found = re.match(rf"(.+?)(?:\s*[–—|｜／{MARK}]\s*|\s+[-/:：~〜～]\s+)(.+)", title)
    return (found[1], found[2]) if found else None


# Pages ------------------------------------------------------------------------------------------------------------------


def parse(html: bytes, content_type: str) -> lxml.html.HtmlElement | None:
    """Root element of a page; elements nested beyond what the parser takes are laid flat, never lost."""
    text = CONTROL.sub(lambda match: " " if match[0] in "\v\f\r" else "", decode(html, content_type))
    for _ in range(2):
        parser = lxml.html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
        with contextlib.suppress(lxml.etree.LxmlError, ValueError):
            root = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
            if not any("depth" in entry.message for entry in parser.error_log):
                return root
        text = re.sub(r"</?(?:div|span|font|b|i|center|section|ul|li|table|tr|td|blockquote|small|big|p)\b[^>]*>", "<br>", text)
    return None


def json_products(root: lxml.html.HtmlElement) -> tuple[list[dict], set[str]]:
    """The page's own schema.org Products from JSON-LD, and every type that it names."""
    products, types = [], set()
    for script in root.iter("script"):
        if "ld+json" not in (script.get("type") or ""):
            continue
        source = re.sub(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$", "", script.text or "")
        todo = []
        for text in (source, re.sub(r",\s*(?=[}\]])", "", source)):
            with contextlib.suppress(ValueError, RecursionError):
                todo = [json.loads(text, strict=False)]
                break
        while todo:
            node = todo.pop(0)
            if isinstance(node, list):
                todo += node
            elif isinstance(node, dict):
                kinds = node.get("@type") or []
                kinds = {str(kind).rsplit("/")[-1] for kind in (kinds if isinstance(kinds, list) else [kinds])}
                types |= kinds
                if kinds & {"Product", "ProductGroup", "IndividualProduct", "ProductModel"} and isinstance(node.get("name"), str):
                    products.append(node)
                else:
                    todo += [node[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemReviewed", "about") if key in node]
    return products, types


def as_text(value: object) -> str:
    """Text of a JSON-LD value: a string, a number, an object's name, a list's first."""
    if isinstance(value, list):
        return as_text(value[0]) if value else ""
    if isinstance(value, dict):
        return as_text(value.get("name") or value.get("@value") or value.get("value") or "")
    return entities.unescape(re.sub(r"<[^>]*>", " ", str(value))) if isinstance(value, (str, int)) else ""


def labelled_table(table: lxml.html.HtmlElement) -> list[tuple[str, str]]:
    """Label and text of a table whose first row holds the labels of its columns."""
    rows = [[cell.text_content() for cell in row if cell.tag in ("th", "td")] for row in list(table.iter("tr"))[:2]]
    upright = len(rows) == 2 and len(rows[0]) == len(rows[1]) > 1 and all(label_fields(tidy(cell)) is not None for cell in rows[0])
    return list(zip(*rows, strict=True)) if upright and label_fields(tidy(rows[1][0])) is None else []


def page_lines(root: lxml.html.HtmlElement, title: lxml.html.HtmlElement | None) -> list[Line]:
    """Lines of the page's own content: no menus, cards of other products, reviews or footers."""
    kept = {title, *title.iterancestors()} if title is not None else set()
    lines, words, blocks, numbers = [], [], [(root, 0, 4)], 0
    hidden = None  # level of the heading under which another product's content stands

    def end_line() -> None:
        text = tidy("".join(words))
        words.clear()
        (element, number, trust), parent = blocks[-1], blocks[-2][1] if len(blocks) > 1 else 0
        level = int(element.tag[1]) if re.fullmatch("h[1-6]", element.tag) else 0
        nonlocal hidden
        if not text:
            return
        if level and hidden and level <= hidden:
            hidden = None
        if len(text) < 40 and SIDE_HEADING.search(text) and (level or element.tag in ("p", "div", "dt")) and element not in kept and not split_label(text):
            hidden = hidden or level or 7
        if not hidden:
            lines.extend(Line(part, level, element.tag, number, parent, trust) for part in split_inline(text))

    walk = lxml.etree.iterwalk(root, events=("start", "end"))
    for event, element in walk:
        tag = element.tag
        if event == "start":
            names = f"{element.get('class') or ''} {element.get('id') or ''}"
            table = labelled_table(element) if tag == "table" else []
            if element not in kept and (tag in DROPPED or tag not in ("html", "body", "main") and SIDE_CLASS.search(names)) or table:
                for label, text in table:
                    lines.append(Line(f"{tidy(label)}：{tidy(text)}", 0, "td", numbers, 0, 3))
                walk.skip_subtree()
                blocks.append(blocks[-1]) if tag in BLOCKS else None
                continue
            if tag in BLOCKS:
                end_line()
                numbers += tag != "br"
                trust = 2 if "short-description" in names else 3 if tag in ("th", "dt", "td", "li") else min(blocks[-1][2], 4)
                blocks.append((element, numbers, trust) if tag != "br" else blocks[-1])
            for attribute in ("data-label", "data-title", "data-th", "data-name", "alt", "title"):
                if (label := element.get(attribute)) and label_fields(label) is not None:
                    words.append(f"{label}：")
                    break
            if tag in SEPARATE:
                words.append(MARK)
            words.append(element.text or "")
        else:
            if tag in SEPARATE:
                words.append(MARK)
            if tag in BLOCKS:
                end_line()
                blocks.pop()
            words.append(element.tail or "")
    end_line()
    return lines


def facts_of(lines: list[Line]) -> dict[str, object]:
    """Fields that labelled lines, bracketed facts and sentences give; a weaker source only fills what is missing."""
    found = []  # (trust, field, value)
    for at, line in enumerate(lines):
        if label := split_label(line.text):
            fields, rest, apart = label
            values = [rest] if rest else []
            for following in lines[at + 1:at + 40]:
                first = lines[at + 1]
                if following.level or split_label(following.text) or (rest and not values[-1].endswith(("、", ","))):
                    break
                if values and not (following.parent == first.parent and following.tag == first.tag):
                    break
                values.append(following.text)
            for field in fields:
                value = read_field(field, values)
                if value and (apart or field in TIERS and len(value) > 1):
                    found.append((line.trust, field, value))
        elif bracket := re.search(r"[【\[]([^【】\[\]]*[／/・、][^【】\[\]]*)[】\]]", line.text):
            for part in re.split(r"[／/・、]", bracket[1]):
                kind = "gender" if gender_of(part) else "concentration" if choose(CONCENTRATIONS, part) else "families"
                found.append((2, kind, read_field(kind, [part])))
        else:
            found += [(5, field, value) for field, value in sentence_notes(line.text)]
    facts = {}
    for _, field, value in sorted(found, key=lambda fact: fact[0]):
        facts[field] = facts[field] + [item for item in value if item not in facts[field]] if field == "families" and field in facts else facts.get(field) or value
    return facts


def sentence_notes(text: str) -> list[tuple[str, list[str]]]:
    """Tiers that a sentence names: 'Top notes are A, B and C', 'トップノートはA、B、ミドルノートはC'."""
    tiers = []
    for field, words in TIERS.items():
        found = re.search(rf"\b(?:{words})\s+notes?\s+(?:are|is|includes?|of|features?|consists? of)\s+([^;.。]+?)(?=[;.。]|,?\s*(?:and\s+)?(?:the\s+)?(?:top|heart|middle|base)\s+notes?\b|$)", text, re.I) or \
            re.search(rf"(?:{words})(?:ノート)?(?:には|は|に)、?([^。]+?)(?=、?(?:トップ|ミドル|ハート|ラスト|ベース|ボトム)|です|。|が|を|で構成|$)", text)
        if found:
            items = [tidy_item(item) for item in split_items(found[1])]
            if all(is_note(item, True) for item in items) and (len(items) > 1 or len(items[0]) < 20):
                tiers.append((field, items))
    return tiers


def extract_perfumes(html: bytes, url: str, content_type: str = "") -> list[dict]:
    """Perfumes of one page as records of perfumes.jsonl without fetched_at; empty for a page that is about no perfume."""
    root = None if html.startswith(b"%PDF") or not html.strip() else parse(html, content_type)
    if root is None:
        return []
    meta = {tag.get("property") or tag.get("name"): tag.get("content") or "" for tag in root.iter("meta")}
    products, types = json_products(root)
    heading = next(root.iter("h1"), None)
    lines = page_lines(root, heading)
    facts = facts_of(lines)
    title = plain(heading.text_content()) if heading is not None else ""
    parts = split_title(title)
    brand, name = parts or (None, title)
    if products:
        name = as_text(products[0]["name"])
        brand = as_text(products[0].get("brand")) or brand
    if not brand or not name or not any(facts.get(field) for field in NOTE_FIELDS) or NOT_PERFUME.search(title) or ARTICLE.search(title):
        return []
    (brand, brand_ja), (name, name_ja) = spellings(brand), spellings(clean_name(name))
    facts |= {"brand": brand, "brand_ja": brand_ja, "name": name or name_ja, "name_ja": name_ja if name else None}
    return [record(url, facts)]


def record(url: str, facts: dict) -> dict:
    """A perfume with every field in its order, control characters removed."""
    if any(facts.get(field) for field in TIERS):
        facts = {**facts, "notes": []}
    fields = {"url": url, **{field: facts.get(field) for field in ("brand", "brand_ja", "name", "name_ja", "gender")},
              **{field: facts.get(field) or [] for field in (*NOTE_FIELDS, "families")}, "concentration": facts.get("concentration"),
              **{field: facts.get(field) or [] for field in ("seasons", "scenes", "images", "impressions")},
              **{field: facts.get(field) for field in ("perfumer", "year", "concept")}}
    return fields


# The shop ---------------------------------------------------------------------------------------------------------------


class Page(NamedTuple):
    """A page as fetched: its address, status and headers, and its body."""

    head: dict
    body: bytes


class PageFailed(Exception):
    """A page that could not be had; the text is the reason, as counted at the end."""


class RunStopped(Exception):
    """The run cannot go on; the text tells the user why and what to do."""


def canonical(url: str, base: str = "") -> str:
    """The address in one spelling: no fragment, port 80, dot segments, tracking or session parameters."""
    try:
        parts = urlsplit(urljoin(base, url.strip()))
        host = (parts.hostname or "").encode("idna").decode().lower()
        port = parts.port
    except (ValueError, UnicodeError):
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    if port and port != {"http": 80, "https": 443}[parts.scheme]:
        host += f":{port}"
    path = re.sub(r";jsessionid=[^/]*", "", parts.path, flags=re.I)
    path = quote(unquote(urlsplit(urljoin("http://host/", re.sub("/{2,}", "/", path))).path, errors="surrogateescape"),
                 safe="/:@!$&'()*+,;=~-._", errors="surrogateescape") if "%" in path or not path.isascii() else path or "/"
    query = sorted((key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if not IDLE_PARAMETER.fullmatch(key))
    return urlunsplit((parts.scheme, host, re.sub("/{2,}", "/", path), urlencode(query), ""))


def url_key(url: str) -> str:
    """What two spellings of one page's address share: no scheme, no closing slash."""
    parts = urlsplit(url)
    return urlunsplit(("", parts.netloc, parts.path.removesuffix("/"), parts.query, ""))


def stored_file(url: str) -> Path:
    """File that keeps a page: one line of JSON (address, headers, time), then the body."""
    return Path(PAGES_DIR) / f"{hashlib.sha256(url.encode()).hexdigest()[:32]}.page"


def load_page(url: str) -> Page | None:
    """The page as stored, or None."""
    try:
        head, body = stored_file(url).read_bytes().split(b"\n", 1)
        return Page(json.loads(head), body)
    except (OSError, ValueError):
        return None


def replace_file(path: Path, content: bytes) -> None:
    """Writes a file beside its name and moves it into place, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    beside.write_bytes(content)
    os.replace(beside, path)


def is_private(host: str) -> bool:
    """Whether a host's name leads to an address that is not of the public internet."""
    try:
        addresses = {entry[4][0].split("%")[0] for entry in socket.getaddrinfo(host.strip("[]"), None)}
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(address).is_global for address in addresses)


def retry_after(value: str | None) -> float:
    """Seconds that a Retry-After header asks for, as a number or as a date; 0 without one."""
    with contextlib.suppress(ValueError, TypeError):
        if value and value.strip().isdigit():
            return float(value)
        if value:
            return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    return 0.0


class Shop:
    """A polite visitor of one host: robots.txt, pace, retries, redirects and the pages kept on disk."""

    def __init__(self, start: str, served: str | None = None) -> None:
        self.start, self.served = start, served  # served: the local server's address when the shop is a folder
        self.host = urlsplit(start).netloc
        self.public = not served and not is_private(urlsplit(start).hostname)
        self.delay = 0.0 if served else DELAY_SECONDS
        self.last_request = -1e9
        self.counts = Counter()
        self.failures = 0
        self.session = requests.Session()
        self.session.headers.update({"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", "Accept-Language": "ja,en;q=0.5"})
        self.robots = {}

    def refusal(self, url: str) -> str | None:
        """Why an address may not be asked for, or None."""
        parts = urlsplit(url)
        if parts.netloc != self.host:
            return "非公開アドレスへの転送" if self.public and is_private(parts.hostname or "") else "別のホストへの転送"
        if self.public and is_private(parts.hostname):
            return "非公開アドレス"
        rules = self.rules(f"{parts.scheme}://{parts.netloc}")
        return None if all(rules.can_fetch(url, agent) for agent in (USER_AGENT, *AI_AGENTS)) else "robots.txt が断っている"

    def rules(self, origin: str) -> Protego:
        """The origin's robots.txt (RFC 9309), kept for a day: 4xx allows everything, 5xx or silence stops the run."""
        if origin not in self.robots:
            try:
                page = self.follow(f"{origin}/robots.txt", days=1, checked=False)
            except PageFailed as failure:
                raise RunStopped(f"{origin}/robots.txt が読めません（{failure}）。時間をおいてもう一度 python getData.py を実行してください。") from None
            self.robots[origin] = rules = Protego.parse(page.body[:512_000].decode("utf-8-sig", "replace") if page.head["status"] == 200 else "")
            rate = rules.request_rate(USER_AGENT)
            self.delay = max(self.delay, rules.crawl_delay(USER_AGENT) or 0, rate.seconds / rate.requests if rate and rate.requests else 0)
        return self.robots[origin]

    def follow(self, url: str, days: float | None = None, checked: bool = True) -> Page:
        """The page that an address leads to, from disk or from the shop; each redirect is checked like any address."""
        for _ in range(6):
            page = self.page(url, days)
            if page.head["status"] not in (301, 302, 303, 307, 308) or not (target := canonical(page.head["location"], url)):
                return page
            if reason := self.refusal(target) if checked else None if urlsplit(target).netloc == self.host else "別のホストへの転送":
                raise PageFailed(reason)
            url = target
        raise PageFailed("転送が終わらない")

    def page(self, url: str, days: float | None) -> Page:
        """The page as stored, or asked for when there is none or it is older than so many days."""
        stored = load_page(url)
        if stored and (days is None or time.time() - stored.head["checked_at"] < days * 86_400):
            self.counts["ディスクから"] += 1
            return stored
        asked = {"If-None-Match": stored.head["etag"], "If-Modified-Since": stored.head["last_modified"]} if stored else {}
        try:
            page = self.request(url, {key: value for key, value in asked.items() if value})
        except PageFailed:
            if stored:
                self.counts["更新できず前のページを使用"] += 1
                return stored
            raise
        if page.head["status"] == 304 and stored:
            page = Page({**stored.head, "checked_at": time.time()}, stored.body)
        if page.head["status"] in (200, 301, 302, 303, 307, 308, 404, 410):
            replace_file(stored_file(url), json.dumps(page.head, ensure_ascii=False).encode() + b"\n" + page.body)
        self.counts["取得"] += 1
        return page

    def request(self, url: str, headers: dict[str, str]) -> Page:
        """One page from the shop: at a polite pace, again after what can heal, never faster for it."""
        reason, wait = "", 0.0
        for attempt in range(ATTEMPTS):
            pause = max(wait, attempt and BACKOFF_SECONDS * 2 ** (attempt - 1))
            time.sleep(max(0.0, pause, self.last_request + self.delay - time.monotonic()) + random.uniform(0, 0.2) * self.delay)
            wait = 0.0
            try:
                page = self.exchange(url, headers)
            except (requests.exceptions.InvalidURL, requests.exceptions.SSLError, requests.exceptions.InvalidHeader) as error:
                raise PageFailed(type(error).__name__) from None
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, zlib.error) as error:
                reason = next((text for kinds, text in FAULTS if isinstance(error, kinds)), type(error).__name__)
                continue
            finally:
                self.last_request = time.monotonic()
            if page.head["status"] not in (408, 429) and page.head["status"] < 500:
                self.failures = 0
                return page
            reason = f"HTTP {page.head['status']}"
            wait = retry_after(page.head["retry_after"])
            if wait > RETRY_AFTER_CAP:
                raise RunStopped(f"{self.host} が {wait:,.0f} 秒待つよう求めています（{reason}）。{datetime.fromtimestamp(time.time() + wait):%m月%d日 %H:%M} 以降にもう一度 python getData.py を実行してください。")
        self.failures += 1
        if self.failures >= MAX_FAILURES:
            raise RunStopped(f"{self.host} が {self.failures} ページ続けて応えません（{reason}）。時間をおいてもう一度 python getData.py を実行してください。")
        raise PageFailed(reason)

    def exchange(self, url: str, headers: dict[str, str]) -> Page:
        """One request and its answer, within PAGE_SECONDS and MAX_BYTES."""
        address = self.served + url.split(self.host, 1)[1] if self.served else url
        deadline = time.monotonic() + PAGE_SECONDS
        with self.session.get(address, headers=headers, timeout=TIMEOUT, stream=True, allow_redirects=False) as answer:
            head = {"url": url, "status": answer.status_code, "fetched_at": datetime.now(UTC).isoformat(timespec="seconds"), "checked_at": time.time(),
                    **{name: answer.headers.get(name.replace("_", "-")) for name in ("content_type", "location", "etag", "last_modified", "retry_after")}}
            packed = (answer.headers.get("Content-Encoding") or "identity").lower()
            if packed not in ("identity", "gzip", "x-gzip", "deflate"):
                raise PageFailed(f"圧縮形式 {packed}")
            return Page(head, self.body(answer.raw, packed != "identity", deadline) if answer.status_code == 200 else b"")

    @staticmethod
    def body(raw: urllib3.HTTPResponse, packed: bool, deadline: float) -> bytes:
        """A body as it drips in, unpacked; one cut short counts as whole only when it ends with </html>."""
        unpack, body, whole = zlib.decompressobj(47), bytearray(), True
        try:
            while chunk := raw.read1(65_536, decode_content=False):
                body += unpack.decompress(chunk, MAX_BYTES + 1) if packed else chunk
                if len(body) > MAX_BYTES:
                    raise PageFailed("大きすぎる")
                if time.monotonic() > deadline:
                    raise PageFailed("時間切れ")
        except urllib3.exceptions.ProtocolError:
            whole = False
        if not (whole and (not packed or unpack.eof)) and not body.rstrip().lower().endswith(b"</html>"):
            raise urllib3.exceptions.ProtocolError("cut short")
        return bytes(body)


FAULTS = (  # kinds of fault, as counted at the end
    ((requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError), "時間切れ"),
    ((zlib.error,), "圧縮が壊れている"),
    ((urllib3.exceptions.ProtocolError,), "途中で切れた"),
    ((requests.ConnectionError, OSError), "接続できない"),
)


# The crawl --------------------------------------------------------------------------------------------------------------


def sitemap_links(shop: Shop) -> list[str]:
    """Addresses that the shop's sitemaps list, indexes and gz included."""
    origin = "{0.scheme}://{0.netloc}".format(urlsplit(shop.start))
    todo = deque([canonical(url, origin) for url in shop.rules(origin).sitemaps] or [f"{origin}/sitemap.xml"])
    links, seen = [], set()
    while todo and len(seen) < 200:
        url = todo.popleft()
        if url in seen or not url or shop.refusal(url):
            continue
        seen.add(url)
        try:
            page = shop.follow(url, REFRESH_DAYS)
        except PageFailed:
            continue
        body = page.body
        if body[:2] == b"\x1f\x8b":
            with contextlib.suppress(zlib.error):
                body = zlib.decompressobj(47).decompress(body, 10 * MAX_BYTES)
        for kind, address in re.findall(rb"<(?:\w+:)?(sitemap|url)\b[^>]*>(?:(?!</?(?:\w+:)?(?:sitemap|url)\b).)*?<(?:\w+:)?loc>\s*(?:<!\[CDATA\[)?\s*(.*?)\s*(?:\]\]>)?\s*</", body, re.S):
            address = canonical(entities.unescape(address.decode("utf-8", "replace")), origin)
            (todo if kind == b"sitemap" else links).append(address)
    return links


def page_links(root: lxml.html.HtmlElement, base: str) -> list[str]:
    """Addresses that a page links to, next pages first."""
    tag = root.find(".//base[@href]")
    base = urljoin(base, tag.get("href")) if tag is not None else base
    anchors = [link for link in root.iter("a", "link") if link.get("href") and (link.tag == "a" or "next" in (link.get("rel") or ""))]
    return [canonical(link.get("href"), base) for link in anchors if "nofollow" not in (link.get("rel") or "")]


def shape(url: str) -> str:
    """An address with its numbers and ids blotted out: pages that differ in nothing else are one series."""
    parts = urlsplit(url)
    return re.sub(r"[0-9a-f]{8,}|\d+", "0", parts.path) + "?" + "&".join(sorted({key for key, _ in parse_qsl(parts.query)}))


def crawl(shop: Shop):
    """Yields each page of the shop once, as (page, perfumes), in an order that only the pages decide."""
    frontier = deque([(shop.start, 0), *((url, 0) for url in sitemap_links(shop))])
    waiting, done = {url_key(url) for url, _ in frontier}, set()
    read = 0
    while frontier and read < MAX_PAGES:
        url, barren = frontier.popleft()
        if url_key(url) in done or urlsplit(url).netloc != shop.host or not url or IDLE_PATH.search(urlsplit(url).path):
            continue
        done.add(url_key(url))
        if reason := shop.refusal(url):
            shop.counts[reason] += 1
            continue
        read += 1
        try:
            page = shop.follow(url, REFRESH_DAYS)
        except PageFailed as failure:
            shop.counts[f"失敗: {failure}"] += 1
            continue
        final = page.head["url"]
        if url_key(final) != url_key(url) and url_key(final) in done:
            shop.counts["重複"] += 1
            continue
        done.add(url_key(final))
        if page.head["status"] != 200:
            shop.counts[f"失敗: HTTP {page.head['status']}"] += 1
            continue
        perfumes = extract_perfumes(page.body, final, page.head["content_type"] or "")
        root = parse(page.body, page.head["content_type"] or "") if page.body.strip() and not page.body.startswith(b"%PDF") else None
        new = [link for link in page_links(root, final) if link and url_key(link) not in waiting] if root is not None else []
        fruitful = perfumes or any(shape(link) != shape(final) for link in new if urlsplit(link).netloc == shop.host)
        for link in dict.fromkeys(new):
            steps = 0 if fruitful or shape(link) != shape(final) else barren + 1
            if steps > MAX_BARREN or url_key(link) in waiting or len(link) > 500 or link.count("/") > 12:
                continue
            waiting.add(url_key(link))
            frontier.append((link, steps))
        yield page, perfumes


@contextlib.contextmanager
def served(folder: Path):
    """Address of a folder served over HTTP on 127.0.0.1, for as long as the block runs."""
    class Handler(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Says nothing: the terminal is for the progress bar."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def read_lines(path: Path, host: str) -> dict[str, dict]:
    """Perfumes of this host that an earlier run wrote, by their line without the time; a half line is cut off."""
    kept = {}
    for line in path.read_bytes().split(b"\n")[:-1] if path.exists() else []:
        with contextlib.suppress(ValueError, KeyError, AttributeError, TypeError):
            perfume = json.loads(line)
            if urlsplit(perfume["url"]).netloc == host:
                kept[as_line({**perfume, "fetched_at": ""})] = perfume
    return kept


def as_line(perfume: dict) -> str:
    """A perfume as a line of perfumes.jsonl."""
    return json.dumps(perfume, ensure_ascii=False) + "\n"


def visit(shop: Shop) -> None:
    """Crawls the shop into OUTPUT_FILE and prints what was found."""
    output = Path(OUTPUT_FILE)
    before = read_lines(output, shop.host)
    replace_file(output, "".join(map(as_line, before.values())).encode())
    perfumes, stopped = {}, None
    try:
        with open(output, "a", encoding="utf-8") as file, tqdm(desc="ページ", unit="枚", disable=None) as bar:
            for page, found in crawl(shop):
                shop.counts["香水のページ" if found else "香水のないページ"] += 1
                for perfume in found:
                    line = as_line({**perfume, "fetched_at": ""})
                    perfume["fetched_at"] = page.head["fetched_at"]
                    if line not in before and line not in perfumes:
                        file.write(as_line(perfume))
                        file.flush()
                    perfumes.setdefault(line, perfume)
                bar.set_postfix_str(f"香水 {len(perfumes):,}")
                bar.update()
    except RunStopped as stop:
        stopped = str(stop)
    except KeyboardInterrupt:
        stopped = "中断しました。同じコマンド python getData.py で続きから始まります。"
    if not stopped:
        replace_file(output, "".join(map(as_line, perfumes.values())).encode())
    report(shop, list(perfumes.values()), list(before.values()), stopped)


def report(shop: Shop, perfumes: list[dict], before: list[dict], stopped: str | None) -> None:
    """Prints the closing counts; ends the program when the run stopped early or found nothing."""
    print("".join(f"{reason}: {count:,}\n" for reason, count in sorted(shop.counts.items())), end="")
    if stopped:
        raise SystemExit(stopped)
    addresses = {perfume["url"] for perfume in perfumes}
    gone = [perfume for perfume in before if perfume["url"] not in addresses]
    if gone:
        print(f"前回あって今回ない香水: {len(gone):,}（{'、'.join(perfume['name'] for perfume in gone[:10])}）")
    if not perfumes:
        raise SystemExit(f"{START_URL} から香水が見つかりませんでした。START_URL が香水の商品ページのある店か確かめてください。")
    filled = {field: sum(bool(perfume[field]) for perfume in perfumes) for field in perfumes[0] if field not in ("url", "fetched_at")}
    print("項目の埋まり具合: " + "  ".join(f"{field} {count / len(perfumes):.0%}" for field, count in filled.items()))
    print(f"{len(perfumes):,} 件の香水を {OUTPUT_FILE} に書きました。最初からやり直すには {PAGES_DIR} を削除してください。次: python arrangeData.py")


def main() -> None:
    """Reads the shop at START_URL into OUTPUT_FILE."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    if not re.match(r"https?://", START_URL):
        folder = Path(START_URL)
        if not folder.is_dir():
            raise SystemExit(f"{START_URL} がありません。START_URL に店のアドレス（https://…）かフォルダーを書いて、python getData.py を実行してください。")
        home = f"http://{re.sub('[^a-z0-9]+', '-', folder.resolve().name.lower()).strip('-') or 'folder'}.localhost/"
        with served(folder) as address:
            visit(Shop(home, address))
    elif start := canonical(START_URL):
        visit(Shop(start))
    else:
        raise SystemExit(f"START_URL の {START_URL} はアドレスとして読めません。https:// から始まる店のアドレスを書いてください。")


if __name__ == "__main__":
    main()
