"""Build the sample shop: static pages of a small perfume shop, from perfumes.csv beside this file.

    python data/sample_site/build.py

Reads perfumes.csv (one perfume a line; a cell with several values joins them with 、). Writes the pages, robots.txt
and the sitemaps into this folder, removes pages it no longer makes, and prints how many there are. The same csv gives
the same bytes: every choice of words comes from a hash of the perfume's address, never from chance or the clock.
"""

import csv
import hashlib
import json
import re
import unicodedata
from html import escape
from pathlib import Path

# ----------------------------------------------------------------------------------------------------------------------
PER_PAGE = 12  # cards on one page of the listing
RELATED = 4  # related-product cards below a perfume
CRAWL_DELAY = 0.03  # seconds between requests asked for in robots.txt; small, the server is this machine's own
# ----------------------------------------------------------------------------------------------------------------------

HERE = Path(__file__).parent
SHOP = "小瓶の香水店"
LISTS = (
    "families",
    "top_notes",
    "middle_notes",
    "last_notes",
    "notes",
    "seasons",
    "scenes",
    "images",
    "impressions",
)
FOLDERS = ("product", "product-category", "about", "guide", "assets")  # wholly made by this script
LISTING = "/product-category/all/"
PREVIEW = "/product/members-preview/"  # disallowed by robots.txt through a wildcard
OTHER_MARKUP = {  # by address; every other perfume has the shop's usual page
    "table": (
        "hermes-24-faubourg",
        "creed-aventus",
        "prada-paradoxe",
        "versace-eros",
        "gucci-gucci-bloom",
    ),
    "dl": ("diptyque-do-son", "mugler-alien", "guerlain-mitsouko", "lancome-idole", "givenchy-pi"),
    "jsonld": (
        "chanel-n-5",
        "dior-sauvage",
        "tom-ford-oud-wood",
        "byredo-blanche",
        "valentino-voce-viva",
    ),
    "one_line": (
        "calvin-klein-ck-one",
        "burberry-mr-burberry",
        "acqua-di-parma-colonia",
        "hugo-boss-hugo",
    ),
    "old_page": ("issey-miyake-pleats-please",),
}
GOODS = (  # things that are no perfume: address, title, price, lines of text (one of them with tiers like a perfume's)
    (
        "fig-candle",
        "小瓶の香水店 – フィグの香りのキャンドル",
        3200,
        (
            "夕方の部屋に灯す、無花果の葉をイメージしたソイキャンドルです。燃焼時間はおよそ四十時間。",
            "香りのノート",
            "Top<br />フィグリーフ　ガルバナム",
            "Middle<br />フィグ　ココナッツ",
            "Last<br />シダーウッド",
            "芯は五ミリほどに切ってから火をつけてください。",
        ),
    ),
    (
        "rose-hand-cream",
        "小瓶の香水店 – ローズのハンドクリーム 50g",
        1800,
        (
            "シアバターを使った、べたつきにくいハンドクリームです。ほのかなローズの香りがします。",
            "全成分：水、グリセリン、シア脂、ダマスクバラ花油",
        ),
    ),
    (
        "empty-atomizer",
        "小瓶の香水店 – 詰め替え用アトマイザー 4mL",
        600,
        ("お手持ちの香水を移して持ち歩くための、ガラスの空き瓶です。香水は入っていません。",),
    ),
)
MOODS = (  # what a material brings, by a part of its name, the first that fits: as a top, a middle and a last note
    (
        "オレンジブロッサム|オレンジフラワー|ネロリ",
        "白い花の明るさ",
        "はなやかな光",
        "淡く澄んだ甘さ",
    ),
    (
        "ベルガモット|レモン|オレンジ|マンダリン|グレープフルーツ|ライム|ユズ|シトロン|タンジェリン|シトラス|キンカン|プチグレン",
        "弾けるような明るさ",
        "柑橘のほろ苦さ",
        "ほのかな酸味",
    ),
    (
        "ウッド|ウッディ|シダー|サンダル|オーク|マホガニー|バーチ|パイン|ツリー|サイプレス|モミ|パピルス",
        "木立の中のような空気",
        "木肌を思わせる静けさ",
        "乾いた木のぬくもり",
    ),
    (
        "ローズ|ジャスミン|ピオニー|フリージア|スズラン|ガーデニア|チュベローズ|ブロッサム|リリー|マグノリア|チューリップ|オーキッド|フローラル|"
        "ミモザ|ゼラニウム|ヒヤシンス|カーネーション|イランイラン|ライラック|スイートピー|シクラメン|ブルーベル|オスマンサス|ナルシサス",
        "摘みたての花の瑞々しさ",
        "花びらのやわらかさ",
        "花束の残り香",
    ),
    (
        "アイリス|オリス|バイオレット|ヘリオトロープ|パウダリー|アンブレット",
        "薄い紙のような軽さ",
        "粉をはたいたようななめらかさ",
        "おしろいに似た気配",
    ),
    (
        "バニラ|トンカ|キャラメル|プラリネ|チョコレート|ハニー|ココア|シュガー|カカオ|クリーム",
        "焼き菓子のような香ばしさ",
        "とろけるような甘さ",
        "こっくりとした甘さ",
    ),
    (
        "ムスク|アルデヒド|ソープ|コットン|アンブロキサン",
        "洗いたての布のような清潔感",
        "石けんに似た穏やかさ",
        "素肌のような自然さ",
    ),
    (
        "ペッパー|カルダモン|シナモン|クローブ|ナツメグ|ジンジャー|サフラン|スパイス|スパイシー|コリアンダー|クミン",
        "ぴりっとした刺激",
        "香辛料の熱",
        "あとを引く辛み",
    ),
    (
        "マリン|シー|ウォーター|レイン|ロータス|メロン|ソルト|ミネラル",
        "水しぶきのような涼しさ",
        "水辺の透明感",
        "潮風の名残り",
    ),
    (
        "ペアー|ピーチ|アップル|カシス|ベリー|プラム|ライチ|チェリー|フィグ|ザクロ|パイナップル|フルーツ|フルーティー|マンゴー|和梨|ネクタリン|パーシモン|クインス",
        "果汁のようなみずみずしさ",
        "熟した果実のまるみ",
        "砂糖煮に似た甘さ",
    ),
    (
        "レザー|スエード|タバコ|タール|インセンス|フランキンセンス|スモーク|ウード",
        "張りつめた緊張感",
        "煙のようなほの暗さ",
        "使いこんだ革の渋み",
    ),
    (
        "アンバー|ベンゾイン|ラブダナム|バルサム|オポポナックス|スチラックス|ミルラ|レジン|パチュリ|ベチバー|モス",
        "土や樹脂の濃さ",
        "陰影のある厚み",
        "奥行きのある深み",
    ),
    (
        "ミント|バジル|ラベンダー|セージ|ローズマリー|タイム|グリーン|ティー|リーフ|ガルバナム|バンブー|マテ",
        "葉を揉んだような青さ",
        "風の通る庭のすがすがしさ",
        "乾いた草の落ち着き",
    ),
    ("", "ほかにない個性", "忘れがたい表情", "独特の存在感"),
)
OPENINGS = (
    "{year_}{family}の香調をまとった、{for_}のフレグランスです。",
    "{brand_ja}が{family}を軸に組み立てた、{for_}の一本。",
    "「{name_ja}」と名づけられた、{family}の香りです。",
    "{family}という言葉から思い浮かぶ景色を、{brand_ja}の流儀で描いています。",
    "{count}種の香料が重なる、{for_}の香り。香調は{family}です。",
    "小さな瓶に詰められているのは、{brand_ja}による{family}の香り。",
    "{year_}{brand_ja}の{kind}です。香調は{family}。",
    "香りの骨格は{family}。{for_}向けにつくられました。",
    "{family}が好きな方に、まず試していただきたい{kind}です。",
    "{brand_ja}の棚で「{name_ja}」を探している方へ。{family}の香りをお届けします。",
)
FIRST = (
    "つけた瞬間に届くのは、{top0}の{top_mood}。",
    "まず{tops}が立ちのぼり、あたりの空気を変えていきます。",
    "はじまりは{tops}。{top_mood}が先に顔を見せます。",
    "ひと吹きすると{top0}がふわりと広がり、{top_mood}を残します。",
    "{tops}の出だしに、{top_mood}を感じる人が多いでしょう。",
    "手首にのせてすぐは{tops}が主役です。",
    "扉を開けるように現れるのは{top0}の{top_mood}です。",
)
THEN = (
    "やがて{middles}が、入れ替わるように現れます。",
    "時間がたつと香りの中心は{middle0}へ移り、{middle_mood}が加わります。",
    "中ほどでは{middle0}の{middle_mood}が、静かに輪郭をつくります。",
    "そこへ{middles}が重なり、{middle_mood}が全体をまとめます。",
    "三十分ほどたつころ、香りの主役は{middles}に替わります。",
    "芯にあるのは{middles}。{middle_mood}がしばらく続きます。",
    "続いて{middles}が、{middle_mood}を運んできます。",
)
AT_LAST = (
    "最後に肌に残るのは{lasts}です。",
    "名残りには{last_mood}があり、{lasts}がゆっくり消えていきます。",
    "夕方には{lasts}が肌の温度となじみます。",
    "締めくくりは{lasts}。{last_mood}が長くとどまります。",
    "土台を支える{lasts}には、{last_mood}があります。",
    "しだいに{last0}の{last_mood}へ落ち着いていきます。",
    "余韻は{lasts}が引き受けます。",
)
TOGETHER = (
    "{alls}が、順番を決めずに響き合います。{note_mood}が印象に残る構成です。",
    "香りに段はなく、{alls}がひとつの和音として鳴り続けます。",
    "{alls}を重ね、{note_mood}を引き出しました。",
    "{note_mood}を中心に、{alls}が溶け合います。",
)
CLOSINGS = (
    "{season}の{scene}に、{image}な装いとあわせてどうぞ。",
    "{season}に似合う{impression}香りで、{scene}の場面で頼りになります。",
    "{impression}印象があり、{season}の{scene}によく合います。",
    "{image}な気分で過ごしたい{season}に。{scene}のお供にも。",
    "{scene}のシーンを{image}に彩る、{season}向きの香りです。",
    "{impression}余韻は{season}の空気と相性がよく、{scene}にも向いています。",
    "{season}に着たくなる香りです。{scene}のひとときを{image}に整えます。",
    "迷ったら{season}の{scene}に。{impression}香り立ちです。",
)
ALL_YEAR = (
    "季節を選ばず、{scene}のひとときを{image}に整えます。",
    "{impression}香り立ちで、一年を通して{scene}に使えます。",
    "四季のどの日にも似合い、{scene}に{image}な気分を添えます。",
)
REVIEWS = (
    "小分けで試せるのが助かります。梱包も丁寧でした。",
    "翌日に届きました。手書きの説明カードがうれしいです。",
    "思っていたよりも持ちがよく、一日楽しめました。",
    "気になっていた香りを少しだけ試せて満足です。また利用します。",
)
TIERS = (
    ("top_notes", "Top", "トップノート"),
    ("middle_notes", "Middle", "ミドルノート"),
    ("last_notes", "Last", "ラストノート"),
)


def read_perfumes(path: Path) -> list[dict]:
    """Perfumes of the csv: list cells split, the year an int, empty cells None; each with its slug, price and page."""
    with open(path, encoding="utf-8", newline="") as file:
        perfumes = list(csv.DictReader(file))
    for perfume in perfumes:
        for field, cell in perfume.items():
            perfume[field] = (
                [value for value in cell.split("、") if value] if field in LISTS else cell or None
            )
        perfume["year"] = int(perfume["year"]) if perfume["year"] else None
        perfume["slug"] = slug(f"{perfume['brand']} {perfume['name']}")
        perfume["url"] = f"/product/{perfume['slug']}/"
        perfume["title"] = f"{perfume['brand']} – {perfume['name']}"
        perfume["price"] = pick(perfume, "price", range(680, 1980, 20))
    return perfumes


def slug(text: str) -> str:
    """Text as an address: ASCII letters and digits joined by hyphens."""
    ascii_text = (
        unicodedata.normalize("NFKD", text.replace("°", " ")).encode("ascii", "ignore").decode()
    )
    return re.sub(r"[^a-z0-9]+", "-", ascii_text.lower().replace("'", "")).strip("-")


def pick(perfume: dict, slot: str, options):
    """One of the options, the same at every run: chosen by a hash of the perfume's slug and the slot's name."""
    digest = hashlib.sha256(f"{perfume['slug']}:{slot}".encode()).digest()
    return options[int.from_bytes(digest[:8], "big") % len(options)]


# Words ----------------------------------------------------------------------------------------------------------------


def mood(note: str, tier: int = 0) -> str:
    """What a note brings to a perfume as a top (0), middle (1) or last (2) note: a noun phrase."""
    return next(words[tier] for part, *words in MOODS if re.search(part, note))


def join(words: list[str], at_most: int = 4) -> str:
    """Words as running text: AとB, or A、B、C, or A、B、Cなど when there are more than at_most."""
    if len(words) > at_most:
        return "、".join(words[: at_most - 1]) + "など"
    return "と".join(words) if len(words) < 3 else "、".join(words)


def impression_words(impressions: list[str]) -> str:
    """The impressions as an adjective: フレッシュで温かみのある."""
    stems = [word for word in impressions if word != "温かみ"]
    return (
        "で".join([*stems, "温かみのある"]) if "温かみ" in impressions else "で".join(stems) + "な"
    )


def description(perfume: dict) -> str:
    """A paragraph about the perfume, from its facts only."""
    notes = list(
        dict.fromkeys(note for field in LISTS if field.endswith("notes") for note in perfume[field])
    )
    words = {
        "brand_ja": perfume["brand_ja"],
        "name_ja": perfume["name_ja"],
        "family": "と".join(perfume["families"][:2]),
        "year_": f"{perfume['year']}年に登場した、" if perfume["year"] else "",
        "for_": perfume["gender"],
        "kind": perfume["concentration"] or "香水",
        "count": len(notes),
        "alls": join(notes, 12),
        "note_mood": mood(notes[0]),
        "season": "や".join(perfume["seasons"])
        if len(perfume["seasons"]) < 3
        else "、".join(perfume["seasons"]),
        "scene": "や".join(perfume["scenes"][:2]),
        "image": pick(perfume, "image", perfume["images"]),
        "impression": impression_words(perfume["impressions"]),
    }
    for number, tier in enumerate(("top", "middle", "last")):
        if tier_notes := perfume[f"{tier}_notes"]:
            words |= {f"{tier}0": tier_notes[0], f"{tier}s": join(tier_notes)}
            words[f"{tier}_mood"] = mood(tier_notes[0], number)
    closings = ALL_YEAR if len(perfume["seasons"]) == 4 else CLOSINGS
    slots = (
        (OPENINGS, TOGETHER, closings)
        if perfume["notes"]
        else (OPENINGS, FIRST, THEN, AT_LAST, closings)
    )
    return "".join(
        pick(perfume, f"sentence {number}", slot) for number, slot in enumerate(slots)
    ).format(**words)


# Pages ----------------------------------------------------------------------------------------------------------------


def page(title: str, url: str, body: str, head: str = "") -> str:
    """A whole page of the shop in UTF-8."""
    return f"""<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="UTF-8" />
<meta name="viewport" content="width=device-width, initial-scale=1" />
<title>{escape(title)} | {SHOP}</title>
<link rel="canonical" href="{url}" />
<link rel="stylesheet" href="/assets/shop.css" />
{head}</head>
<body class="woocommerce">
<header class="site-header">
<a class="site-title" href="/">{SHOP}</a>
<nav><ul><li><a href="{LISTING}">すべての香水</a></li><li><a href="/guide/">香りの段のこと</a></li><li><a href="/about/">お店について</a></li></ul></nav>
</header>
<main>
{body}
</main>
<footer class="site-footer">
<p>メンズ・レディース・ユニセックスの香水を、小さな瓶でお届けします。</p>
<ul><li><a href="/about/">お店について</a></li><li><a href="/guide/">香りの段のこと</a></li><li><a href="{PREVIEW}" rel="nofollow">会員様先行のご案内</a></li></ul>
<p class="small">この店は見本です。実在の店やブランドとは関わりがなく、何も売っていません。</p>
</footer>
</body>
</html>
"""


def card(item: dict) -> str:
    """A product's card, in the listing and among related products."""
    return (
        f'<li class="product"><a class="woocommerce-LoopProduct-link" href="{item["url"]}">'
        f'<span class="bottle {item.get("tint", "tint-0")}"><img src="/assets/bottle.svg" width="80" height="110" alt="{escape(item["title"])}" /></span>'
        f'<h2 class="woocommerce-loop-product__title">{escape(item["title"])}</h2>'
        f'<span class="price">¥{item["price"]:,}</span></a></li>'
    )


def related(perfume: dict, perfumes: list[dict]) -> str:
    """Cards of other perfumes: first of the same brand, then of the same family."""
    others = [other for other in perfumes if other is not perfume]
    others.sort(
        key=lambda other: (
            other["brand"] != perfume["brand"],
            other["families"][0] != perfume["families"][0],
            pick(other, perfume["slug"], range(10**6)),
        )
    )
    cards = "\n".join(map(card, others[:RELATED]))
    return f'<section class="related products">\n<h2>関連商品</h2>\n<ul class="products">\n{cards}\n</ul>\n</section>'


def facts_line(perfume: dict) -> str:
    """【gender／families／concentration】, as the shop closes its concept text."""
    return f"【{'／'.join(filter(None, [perfume['gender'], *perfume['families'], perfume['concentration']]))}】"


def season_line(perfume: dict) -> str:
    """The seasons as the shop writes them."""
    return "全ての季節に合います" if len(perfume["seasons"]) == 4 else " ".join(perfume["seasons"])


def usual_body(perfume: dict) -> str:
    """The shop's usual short description: lines of text, notes separated by full-width spaces."""
    tiers = "<br />\n".join(
        f"{label}<br />\n{'　'.join(perfume[field])}" for field, label, _ in TIERS if perfume[field]
    )
    labels = pick(perfume, "labels", (("", ""), ("イメージ：", "印象："), ("", "")))
    maker = f"\n<p>調香師：{perfume['perfumer']}</p>" if perfume["perfumer"] else ""
    year = f"\n<p>発売年：{perfume['year']}年</p>" if perfume["year"] else ""
    return f"""<p>{description(perfume)}<br />
{facts_line(perfume)}</p>
<p><strong>香りのノート</strong></p>
<p>{tiers or "　".join(perfume["notes"])}</p>{maker}{year}
<p><strong>香りのイメージと印象</strong><br />
{labels[0]}{"　".join(perfume["images"])}<br />
{labels[1]}{"　".join(perfume["impressions"])}</p>
<p><strong>ご利用シーン・季節</strong><br />
{"　".join(perfume["scenes"])}<br />
{season_line(perfume)}</p>"""


def labelled(perfume: dict) -> list[tuple[str, str]]:
    """The facts as pairs of a label and a text, for pages with tables and lists."""
    pairs = [
        ("ブランド", f"{perfume['brand']}（{perfume['brand_ja']}）"),
        ("商品名", f"{perfume['name']}（{perfume['name_ja']}）"),
        ("対象", perfume["gender"]),
        ("香調", "・".join(perfume["families"])),
        ("濃度", perfume["concentration"]),
    ]
    pairs += [(label, "、".join(perfume[field])) for field, _, label in TIERS]
    pairs += [
        ("調香師", perfume["perfumer"]),
        ("発売年", perfume["year"] and f"{perfume['year']}年"),
        ("イメージ", "、".join(perfume["images"])),
        ("印象", "、".join(perfume["impressions"])),
        ("シーン", "、".join(perfume["scenes"])),
        ("季節", "、".join(perfume["seasons"])),
    ]
    return [(label, escape(text)) for label, text in pairs if text]


def table_body(perfume: dict) -> str:
    """The facts as WooCommerce's table of attributes."""
    rows = "\n".join(
        f"<tr><th>{label}</th><td>{text}</td></tr>" for label, text in labelled(perfume)
    )
    return f'<p>{description(perfume)}</p>\n<table class="woocommerce-product-attributes shop_attributes">\n{rows}\n</table>'


def dl_body(perfume: dict) -> str:
    """The facts as a definition list."""
    rows = "\n".join(f"<dt>{label}</dt><dd>{text}</dd>" for label, text in labelled(perfume))
    return f'<p>{description(perfume)}</p>\n<dl class="spec">\n{rows}\n</dl>'


def list_body(perfume: dict) -> str:
    """The facts as list items with a bold label (the page's JSON-LD has brand and name too)."""
    rows = "\n".join(
        f"<li><strong>{label}</strong>：{text}</li>" for label, text in labelled(perfume)
    )
    return f"<p>{description(perfume)}</p>\n<ul>\n{rows}\n</ul>"


def one_line_body(perfume: dict) -> str:
    """The three tiers on one line, the rest as lines of text."""
    tiers = "、".join(
        f"{label}:{'、'.join(perfume[field])}"
        for field, label in (
            ("top_notes", "トップ"),
            ("middle_notes", "ミドル"),
            ("last_notes", "ラスト"),
        )
    )
    kept = ("調香師", "発売年", "イメージ", "印象", "シーン", "季節")
    rest = [f"{label}：{text}" for label, text in labelled(perfume) if label in kept]
    return f"<p>{description(perfume)}<br />\n{facts_line(perfume)}</p>\n<p>{tiers}。</p>\n<p>{'<br />'.join(rest)}</p>"


def json_ld(perfume: dict) -> str:
    """The page's JSON-LD: a graph with a breadcrumb and the Product."""
    product = {
        "@type": "Product",
        "name": perfume["name"],
        "description": description(perfume),
        "sku": perfume["slug"],
        "brand": {"@type": "Brand", "name": perfume["brand"]},
        "category": "香水",
        "offers": {"@type": "Offer", "price": perfume["price"], "priceCurrency": "JPY"},
    }
    graph = {
        "@context": "https://schema.org",
        "@graph": [
            {"@type": "WebPage", "name": f"{perfume['title']} | {SHOP}", "inLanguage": "ja"},
            {
                "@type": "BreadcrumbList",
                "itemListElement": [{"@type": "ListItem", "position": 1, "name": "ホーム"}],
            },
            product,
        ],
    }
    return f'<script type="application/ld+json">{json.dumps(graph, ensure_ascii=False)}</script>\n'


def product_page(perfume: dict, perfumes: list[dict], markup: str) -> bytes:
    """The whole page of one perfume."""
    if markup == "old_page":
        return old_page(perfume)
    bodies = {
        "usual": usual_body,
        "table": table_body,
        "dl": dl_body,
        "jsonld": list_body,
        "one_line": one_line_body,
    }
    review = pick(perfume, "review", REVIEWS)
    body = f"""<nav class="woocommerce-breadcrumb"><a href="/">ホーム</a> / <a href="{LISTING}">すべての香水</a> / {escape(perfume["title"])}</nav>
<div class="product type-product">
<div class="bottle {perfume["tint"]}"><img src="/assets/bottle.svg" width="160" height="220" alt="{escape(perfume["title"])}" /></div>
<div class="summary entry-summary">
<h1 class="product_title entry-title">{escape(perfume["title"])}</h1>
<p class="product-kana">{perfume["brand_ja"]}「{perfume["name_ja"]}」</p>
<p class="price">¥{perfume["price"]:,}（税込）1.5mL</p>
<form class="cart"><label>数量 <input type="number" value="1" min="1" /></label> <button type="button">カートに入れる</button></form>
<div class="woocommerce-product-details__short-description">
{bodies[markup](perfume)}
</div>
<div class="product_meta"><span class="sku_wrapper">商品コード: {perfume["slug"]}</span></div>
</div>
</div>
<section id="reviews"><h2>レビュー（1件）</h2><p>{review}</p></section>
{related(perfume, perfumes)}"""
    return page(
        f"{perfume['title']}（{perfume['brand_ja']} {perfume['name_ja']}）",
        perfume["url"],
        body,
        json_ld(perfume) if markup == "jsonld" else "",
    ).encode()


def old_page(perfume: dict) -> bytes:
    """A page left over from the shop's first years: one table, cp932 bytes that call themselves Shift_JIS."""
    rows = "\n".join(
        f'<tr><td bgcolor="#eeeeee">■{label}</td><td>{text}</td></tr>'
        for label, text in labelled(perfume)
    )
    html = f"""<html>
<head>
<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">
<title>{escape(perfume["brand"])} {escape(perfume["name"])}／{SHOP}</title>
</head>
<body bgcolor="#ffffff">
<a href="/">{SHOP}</a> ＞ <a href="{LISTING}">すべての香水</a>
<h1>{perfume["brand_ja"]} {perfume["name_ja"]} ～ {escape(perfume["brand"])} {escape(perfume["name"])} ～</h1>
<p>{description(perfume)}</p>
<table border="1" cellpadding="4">
{rows}
<tr><td bgcolor="#eeeeee">■ご注文</td><td>①数量を選ぶ　②カートへ　価格 {perfume["price"]:,}円（税込）</td></tr>
</table>
</body>
</html>
"""
    return html.encode("cp932", "xmlcharrefreplace")


def goods_page(item: dict, lines: tuple[str, ...]) -> bytes:
    """A page of something that is no perfume, in the same clothes as a perfume's."""
    body = f"""<nav class="woocommerce-breadcrumb"><a href="/">ホーム</a> / 雑貨 / {item["title"]}</nav>
<div class="product type-product">
<div class="summary entry-summary">
<h1 class="product_title entry-title">{item["title"]}</h1>
<p class="price">¥{item["price"]:,}（税込）</p>
<div class="woocommerce-product-details__short-description">
{chr(10).join(f"<p>{line}</p>" for line in lines)}
</div>
</div>
</div>"""
    return page(item["title"], item["url"], body).encode()


def listing_pages(items: list[dict]) -> dict[str, bytes]:
    """The pages of the listing: the first at LISTING, all of them at LISTING + page/N/."""
    last = -(-len(items) // PER_PAGE)
    addresses = [LISTING, *(f"{LISTING}page/{number}/" for number in range(2, last + 1))]
    pages = {}
    for number, address in enumerate(addresses, 1):
        links = [
            f'<a class="page-numbers" href="{LISTING}page/{other}/">{other}</a>'
            if other != number
            else f'<span class="page-numbers current">{other}</span>'
            for other in range(1, last + 1)
        ]
        head = ""
        if number > 1:
            links.insert(0, f'<a class="prev page-numbers" href="{addresses[number - 2]}">←</a>')
            head += f'<link rel="prev" href="{addresses[number - 2]}" />\n'
        if number < last:
            links.append(f'<a class="next page-numbers" href="{addresses[number]}">→</a>')
            head += f'<link rel="next" href="{addresses[number]}" />\n'
        cards = "\n".join(map(card, items[(number - 1) * PER_PAGE : number * PER_PAGE]))
        body = (
            f'<h1>すべての香水</h1>\n<p class="woocommerce-result-count">{len(items)}件中 {number}ページ目</p>\n'
            f'<p><a href="{LISTING}?orderby=price" rel="nofollow">価格順に並べる</a></p>\n'
            f'<ul class="products">\n{cards}\n</ul>\n<nav class="woocommerce-pagination">{"".join(links)}</nav>'
        )
        pages[address] = page(f"すべての香水（{number}ページ目）", address, body, head).encode()
    return pages | {f"{LISTING}page/1/": pages[LISTING]}


def home_page(perfumes: list[dict]) -> bytes:
    """The shop's front page."""
    chosen = sorted(perfumes, key=lambda perfume: pick(perfume, "front", range(10**6)))[:8]
    body = f"""<section class="hero"><h1>小瓶の香水店</h1>
<p>世界の香水を、1.5mLの小瓶から。{len(perfumes)}種の香りをそろえています。</p>
<p><a class="button" href="{LISTING}">すべての香水を見る</a></p></section>
<h2>今月の棚</h2>
<ul class="products">
{chr(10).join(map(card, chosen))}
</ul>"""
    return page("香水の小分け", "/", body).encode()


ABOUT = """<h1>お店について</h1>
<p>小瓶の香水店は、大きな瓶を買う前に香りを確かめたい方のための、小さな店です。ガラスの小瓶に手作業で移し、一本ずつ説明のカードを添えています。</p>
<table><tr><th>店名</th><td>小瓶の香水店</td></tr><tr><th>営業時間</th><td>平日十時から十七時</td></tr><tr><th>お支払い</th><td>カード、代金引換</td></tr></table>
<p>香りの説明は店の者が書いたもので、ブランドの文章ではありません。感じ方には個人差があります。</p>"""
GUIDE = """<h1>香りの段のこと</h1>
<p>香水の香りは時間とともに移ろいます。説明でよく見かける三つの段を、順にご紹介します。</p>
<h2>トップノート</h2>
<p>つけてから十五分ほどの、最初の印象です。ベルガモットやレモンのように軽い香料が使われます。</p>
<h2>ミドルノート</h2>
<p>三十分から二時間ほど続く、香りの中心です。ローズ、ジャスミンなどの花がよく使われます。</p>
<h2>ラストノート</h2>
<p>最後まで肌に残る香りです。ムスク、アンバー、サンダルウッドなど、重い香料が受け持ちます。</p>
<h2>濃度のちがい</h2>
<ul><li>オードパルファム：五時間前後</li><li>オードトワレ：三時間前後</li><li>オーデコロン：一、二時間</li></ul>"""
PREVIEW_BODY = """<h1 class="product_title entry-title">Maison Exemple – Nuit de Papier</h1>
<p class="product-kana">メゾン エグザンプル「ニュイ ド パピエ」</p>
<div class="woocommerce-product-details__short-description">
<p>会員様へ先にお知らせする、発売前の見本の香りです。<br />【ユニセックス／ウッディ／オードパルファム】</p>
<p>Top<br />ユズ　ティー<br />Middle<br />アイリス<br />Last<br />サンダルウッド　ムスク</p></div>"""
BOTTLE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 80 110" fill="none" stroke="#444" stroke-width="2">
<rect x="31" y="6" width="18" height="16" rx="2" fill="#444"/><rect x="27" y="22" width="26" height="8" fill="#fff"/>
<rect x="10" y="30" width="60" height="74" rx="8" fill="#fff" fill-opacity=".55"/><path d="M12 62h56" stroke-opacity=".4"/>
</svg>
"""
STYLE = """body{margin:0;font-family:"Hiragino Mincho ProN","Yu Mincho","Noto Serif JP",serif;color:#333;background:#faf8f5;line-height:1.9}
a{color:#7a5c3e;text-decoration:none}a:hover{text-decoration:underline}
main,.site-header,.site-footer{max-width:960px;margin:0 auto;padding:0 1.2rem}
.site-header{display:flex;justify-content:space-between;align-items:center;flex-wrap:wrap;border-bottom:1px solid #e3ddd4}
.site-title{font-size:1.5rem;letter-spacing:.2em;color:#333}
.site-header ul,.site-footer ul{display:flex;gap:1.4rem;list-style:none;padding:0;flex-wrap:wrap}
.site-footer{margin-top:4rem;border-top:1px solid #e3ddd4;color:#777;font-size:.85rem;padding-bottom:2rem}
.hero{text-align:center;padding:3rem 0}.button,button{background:#7a5c3e;color:#fff;border:0;border-radius:3px;padding:.5rem 1.4rem}
ul.products{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:1.4rem;list-style:none;padding:0}
ul.products h2{font-size:.95rem;font-weight:normal;margin:.5rem 0 0;color:#333}
.bottle{display:flex;align-items:center;justify-content:center;padding:1.6rem;border-radius:6px}
.tint-0{background:#efe9e1}.tint-1{background:#f3dfe3}.tint-2{background:#e4e0d0}.tint-3{background:#dbe8e0}
.tint-4{background:#f4ecc9}.tint-5{background:#e9dccb}.tint-6{background:#dce6ee}.tint-7{background:#e6dfee}
.type-product{display:flex;gap:2.5rem;flex-wrap:wrap;align-items:flex-start}.summary{flex:1;min-width:280px}
.product_title{font-weight:normal;font-size:1.7rem;margin:.2rem 0}.product-kana{color:#777;margin:0}
.price{color:#7a5c3e}.woocommerce-breadcrumb,.small,.product_meta{font-size:.85rem;color:#777;margin:1rem 0}
table{border-collapse:collapse}th,td{border-bottom:1px solid #e3ddd4;padding:.4rem 1rem;text-align:left;vertical-align:top}
dl.spec{display:grid;grid-template-columns:8em 1fr}dl.spec dd{margin:0}dl.spec dt{color:#777}
.woocommerce-pagination{display:flex;gap:.7rem;flex-wrap:wrap;justify-content:center;margin:2rem 0}
input[type=number]{width:3.5rem}
"""


def robots() -> str:
    """The shop's robots.txt."""
    rules = (
        "User-agent: *",
        "Disallow: /*?orderby=",
        "Disallow: /product/*-preview/",
        f"Crawl-delay: {CRAWL_DELAY}",
    )
    return "\n".join((*rules, "", "Sitemap: /sitemap.xml", ""))


def sitemap(kind: str, addresses: list[str]) -> bytes:
    """A sitemap ("urlset") or an index of sitemaps ("sitemapindex"); addresses start at the root: no port is known."""
    item = {"urlset": "url", "sitemapindex": "sitemap"}[kind]
    lines = "\n".join(f"<{item}><loc>{address}</loc></{item}>" for address in addresses)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{kind} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{lines}\n</{kind}>\n'
    ).encode()


def build(perfumes: list[dict]) -> dict[str, bytes]:
    """Every file of the shop, by its address."""
    families = sorted({perfume["families"][0] for perfume in perfumes})
    for perfume in perfumes:
        perfume["tint"] = f"tint-{1 + families.index(perfume['families'][0]) % 7}"
    markups = {
        address: markup for markup, addresses in OTHER_MARKUP.items() for address in addresses
    }
    unknown = set(markups) - {perfume["slug"] for perfume in perfumes}
    assert not unknown, f"OTHER_MARKUP names perfumes that the csv lacks: {sorted(unknown)}"
    goods = [
        {"url": f"/product/{address}/", "title": title, "price": price}
        for address, title, price, _ in GOODS
    ]
    items = perfumes[:30] + goods[:1] + perfumes[30:90] + goods[1:] + perfumes[90:]
    pages = listing_pages(items)
    pages |= {
        "/": home_page(perfumes),
        "/about/": page("お店について", "/about/", ABOUT).encode(),
        "/guide/": page("香りの段のこと", "/guide/", GUIDE).encode(),
        PREVIEW: page("会員様先行のご案内", PREVIEW, PREVIEW_BODY).encode(),
    }
    pages |= {
        item["url"]: goods_page(item, lines)
        for item, (_, _, _, lines) in zip(goods, GOODS, strict=True)
    }
    for perfume in perfumes:
        pages[perfume["url"]] = product_page(
            perfume, perfumes, markups.get(perfume["slug"], "usual")
        )
    return {address + "index.html": content for address, content in pages.items()} | {
        "/assets/shop.css": STYLE.encode(),
        "/assets/bottle.svg": BOTTLE.encode(),
        "/robots.txt": robots().encode(),
        "/sitemap.xml": sitemap("sitemapindex", ["/page-sitemap.xml", "/product-sitemap.xml"]),
        "/page-sitemap.xml": sitemap("urlset", ["/", LISTING, "/about/", "/guide/"]),
        "/product-sitemap.xml": sitemap("urlset", [item["url"] for item in items]),
    }


def main() -> None:
    """Write the shop and remove pages of an earlier build."""
    perfumes = read_perfumes(HERE / "perfumes.csv")
    files = {HERE / address.lstrip("/"): content for address, content in build(perfumes).items()}
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    stale = [
        path
        for folder in FOLDERS
        for path in (HERE / folder).rglob("*")
        if path.is_file() and path not in files
    ]
    for path in stale:
        path.unlink()
    size = sum(map(len, files.values()))
    print(
        f"香水 {len(perfumes):,} 本、ファイル {len(files):,} 個（{size:,} バイト）を {HERE} に書きました。古いページの削除: {len(stale):,}"
    )


if __name__ == "__main__":
    main()
