"""Shops of Japanese shop systems and marketplaces, and of Shopify in two languages."""

import json

from .facts import INVENTED_EN, INVENTED_JA, KNOWN_EN, KNOWN_JA
from .kit import Item, Page, Shop, other_goods, product_ld, rows, shop, surroundings, tiers
from .labelled import TIERED

FLAT = [item for item in KNOWN_JA if item.notes]


def card(item: Item) -> str:
    """A product in a list, named as the page's heading names it."""
    return f'<li class="goods"><a href="/products/{item.slug}/"><img src="/img/{item.number}.jpg" alt="{item.kana}"><span>{item.kana}</span></a><p>¥{item.price}</p></li>'


def shopify(page: Page, name: str, language: str = "ja") -> str:
    """A Shopify theme around a page."""
    words = (
        ("コンテンツに進む", "ニュースレター")
        if language == "ja"
        else ("Skip to content", "Newsletter")
    )
    return f"""<!doctype html><html class="no-js" lang="{language}"><head><meta charset="utf-8"><title>{page.title} – {name}</title>{page.head}
<meta property="og:site_name" content="{name}"><script>var Shopify=Shopify||{{}};Shopify.shop="x.example";</script></head>
<body class="gradient"><a class="skip-to-content-link" href="#MainContent">{words[0]}</a><div class="announcement-bar"><p>11,000円 / $70 +</p></div>
<header><a href="/" class="header__heading-link">{name}</a><ul class="list-menu"><li><a href="/collections/men">MEN</a></li><li><a href="/collections/candles">CANDLES</a></li></ul></header>
<main id="MainContent">{page.main}</main><footer class="footer"><h2>{words[1]}</h2><form><input type="email"></form><small>© 2024, {name} Powered by Shopify</small></footer></body></html>"""


def shopify_japanese() -> Shop:
    """Name as heading, the vendor above, the rest in JSON-LD and the description; one flat list among the tiers."""

    def product(item: Item, beside: list[Item]) -> Page:
        notes = "".join(f"<li>{label}：{part}</li>" for label, part in tiers(item))
        about = (
            f"{'／'.join((item.gender(), *item.families))}。{item.name_ja}、静かな午後のために。"
        )
        return Page(
            item.kana,
            f"""<div class="product"><p class="product__vendor">{item.house}</p><div class="product__title"><h1>{item.kana}</h1></div><span class="price-item">¥{item.price}</span>
<variant-radios><label>{item.ml}ml</label><label>1.5ml</label></variant-radios><div class="product__description"><p>性別：{item.gender()}</p><ul>{notes}</ul></div></div>
<section class="product-recommendations"><h2>あなたへのおすすめ</h2><ul>{"".join(map(card, beside))}</ul></section>""",
            product_ld(item, item.kana, item.house, description=about)
            + f'<meta property="og:type" content="product"><meta property="og:title" content="{item.kana}">',
        )

    goods = (
        TIERED
        + FLAT
        + INVENTED_JA[:6]
        + other_goods(TIERED[8], "ウード ウッド フレグランス キャンドル")
    )
    around = surroundings("ja", goods, card)
    return shop(
        "nord.example",
        goods,
        product,
        lambda page: shopify(page, "PARFUMERIE NORD"),
        around,
        "tiers gender",
    )


def shopify_prose() -> Shop:
    """English; what the perfume is like stands in numbered paragraphs that are no notes; some tiers below."""

    def product(item: Item, beside: list[Item]) -> Page:
        told = """<p>1. A bright opening that turns heads, adding a layer of intrigue.</p><p>2. A heart of warmth, with a touch of mystery.</p>
<p>3. Base: long after you leave the room, it stays.</p>"""
        listed = "".join(
            f"<p><strong>{label}:</strong> {part}</p>" for label, part in tiers(item, "en", ", ")
        )
        return Page(
            f"{item.name} | {item.concentration('en')}",
            f"""<div class="product"><h1>{item.name}</h1><a href="/collections/vendors?q=1" class="vendor">{item.brand}</a><span>${item.price}</span>
<div class="product__description rte">{told}{listed}</div></div><section class="product-recommendations"><h2>You may also like</h2><ul>{"".join(map(card, beside))}</ul></section>""",
            product_ld(item, item.name, item.brand, category="Perfume") if item.perfume else "",
        )

    goods = (
        INVENTED_EN
        + KNOWN_EN[:4]
        + other_goods(INVENTED_EN[5], "Velvet 1890 Body Lotion", "The Gift Set", notes=False)
    )
    around = surroundings("en", goods, card)
    return shop(
        "prose.example", goods, product, lambda page: shopify(page, "Quiet Bottles", "en"), around
    )


def marketplace() -> Shop:
    """A marketplace: headings full of advertisements, both spellings and the size; a table below tells the plain facts."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>【いちば】{page.title}：かおり市場</title>{page.head}</head><body>
<div id="rms"><a href="/">いちば</a> 買い物かご ポイント</div><table class="left"><tr><td><a href="/c/1/">ブランドで選ぶ</a><br>シャネル<br>ディオール<br>グッチ</td></tr></table>
{page.main}<div class="law">会社概要｜返品について</div></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        latin = f"{item.brand} {item.name}".upper().strip()
        title = (
            f"【送料無料】{item.house_ja} {item.kana} {item.strength} {item.ml}ml【あす楽】{latin}"
        )
        facts = [
            ("ブランド", f"{item.brand}/{item.brand_ja}"),
            ("商品名", item.kana),
            ("容量", f"{item.ml}ml"),
            ("種類", item.concentration() if item.perfume else "ボディローション"),
            ("性別", item.gender()),
            (
                "香り",
                "<br>".join(
                    f"{label}・・・{part}"
                    for label, part in tiers(item, ("トップ", "ミドル", "ラスト"))
                ),
            ),
            ("JANコード", str(item.number)),
        ]
        return Page(
            title,
            f"""<table><tr><td><span class="catch_copy">ポイント10倍！</span><h1><span class="item_name">{title}</span></h1></td></tr></table><span class="price2">{item.price}円</span>
<span class="item_desc"><table>{rows(facts, "<tr><td bgcolor=#eee>{}</td><td>{}</td></tr>")}</table></span><ul class="also">{"".join(map(card, beside))}</ul>""",
        )

    goods = [item for item in TIERED + INVENTED_JA if item.brand]
    goods += other_goods(TIERED[1], "ブルー ドゥ シャネル ボディローション")
    return shop(
        "ichiba.example",
        goods,
        product,
        layout,
        surroundings("ja", goods, card),
        "tiers gender concentration",
    )


def one_house_base() -> Shop:
    """A maker's own shop in BASE's manner: the house is nowhere but in the shop's name."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{page.title} | アトリエ千草</title><meta property="og:site_name" content="アトリエ千草">
<meta property="og:title" content="{page.title} | アトリエ千草">{page.head}</head><body><header><h1 class="logo"><a href="/">アトリエ千草</a></h1><nav>HOME ABOUT CONTACT</nav></header>
<main>{page.main}</main><footer>© アトリエ千草</footer></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        notes = "<br>".join(
            f"◇{label}<br>{part}" for label, part in tiers(item, ("トップ", "ミドル", "ラスト"))
        )
        return Page(
            item.kana,
            f"""<section id="itemDetail"><h2 class="itemTitle">{item.kana}</h2><p class="itemPrice">¥{item.price} 税込</p><div class="itemOrder"><select><option>1</option></select><button>カートに入れる</button></div>
<p class="itemDescription">{item.gender()}　{item.concentration()}<br>小さな工房で調香しています。<br>{notes}</p></section><section><h3>その他のアイテム</h3><ul>{"".join(map(card, beside))}</ul></section>""",
        )

    names = (
        "月あかりの庭",
        "朝の庭 第二番",
        "雨のあとの石畳",
        "新しい靴",
        "十二時の港",
        "No.7 煙と蜜",
        "夏の手紙",
    )
    goods = [
        Item("", "アトリエ千草", "", name, like.kind, like.strength, like.families, like.tiers)
        for name, like in zip(names, INVENTED_JA, strict=False)
    ]
    goods += other_goods(goods[0], "月あかりの庭 練り香水セット", "アトリエのお香", notes=False)
    around = surroundings("ja", goods, card, "<h2>{}</h2>")
    return shop(
        "chigusa.example", goods, product, layout, around, "tiers gender concentration", "/items/{}"
    )


def stores() -> Shop:
    """STORES: the page is drawn by a script; what is there before is a heading, a few texts and the state as JSON."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{page.title} | 港の香り</title>{page.head}</head><body><div id="app">
<header><a href="/">港の香り</a></header>{page.main}<footer>特定商取引法に関する表記</footer></div></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        about = "\n".join(f"{label}：{part}" for label, part in tiers(item))
        state = {
            "item": {
                "name": item.kana,
                "brand": item.house_ja,
                "price": item.price,
                "description": about,
            }
        }
        state["recommended"] = [{"name": other.kana, "brand": other.house_ja} for other in beside]
        return Page(
            f"{item.kana} / {item.house_ja}",
            f"""<article><h1 class="item_name">{item.kana}</h1><p class="item_brand">{item.house_ja}</p><p>¥{item.price}</p><div class="text">{about.replace(chr(10), "<br>")}</div></article>
<ul class="others">{"".join(map(card, beside))}</ul><script id="__NEXT_DATA__" type="application/json">{json.dumps(state, ensure_ascii=False)}</script>""",
            product_ld(item, item.kana, item.house_ja, description=about),
        )

    goods = INVENTED_JA + TIERED[:3] + other_goods(INVENTED_JA[4], "24 ナイツ ルームフレグランス")
    return shop(
        "minato.example", goods, product, layout, surroundings("ja", goods, card), path="/items/{}"
    )


def color_me() -> Shop:
    """Color Me Shop in EUC-JP: heading with the house in brackets, notes with full-width colons, side menus by house."""

    def layout(page: Page) -> str:
        side = "".join(
            f"<li><a href='?mode=cate&cbid={place}'>{item.house_ja}</a></li>"
            for place, item in enumerate(goods[:6])
        )
        return f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html lang="ja"><head><meta http-equiv="content-type" content="text/html; charset=euc-jp" /><title>{page.title} - こびん通り</title>{page.head}</head>
<body><div id="side"><h3>ブランドから探す</h3><ul>{side}</ul><h3>性別から探す</h3><ul><li>メンズ</li><li>レディース</li></ul></div><div id="contents">{page.main}</div><div id="foot">こびん通り</div></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        notes = "<br />".join(f"■{label}：{part}" for label, part in tiers(item))
        return Page(
            f"{item.kana}（{item.house_ja}）",
            f"""<h2 class="product_name">{item.kana}（{item.house_ja}）</h2><p>型番 {item.number % 9999}</p><p>販売価格 {item.price}円(税込)</p>
<div class="product_explain">■タイプ：{item.concentration() if item.perfume else "クリーム"}<br />{notes}<br />■季節：{"、".join(item.seasons)}</div><ul class="prd_lst">{"".join(map(card, beside))}</ul>""",
        )

    goods = [item for item in INVENTED_JA + TIERED if "’" not in item.name]
    goods += other_goods(goods[2], "ニュー スノー ハンドクリーム")
    around = surroundings("ja", goods, card, "<h2>{}</h2>")
    return shop(
        "kobindori.example",
        goods,
        product,
        layout,
        around,
        "tiers concentration seasons",
        "/?pid={}",
        "euc_jp",
    )


def make_shop() -> Shop:
    """An old MakeShop in cp932: names in a styled div, spaced labels in angle brackets, tags in capitals, no end tags."""

    def layout(page: Page) -> str:
        return f"""<HTML><HEAD><META http-equiv="Content-Type" content="text/html; charset=Shift_JIS"><TITLE>{page.title}</TITLE></HEAD>
<BODY bgcolor=#ffffff text=#333333><CENTER><TABLE width=760 border=0><TR><TD colspan=2><A href="index.html"><IMG src="logo.gif" alt="香水倶楽部"></A>
<TR><TD width=160 valign=top><FONT size=2>■メンズ<BR>■レディース<BR>■お買い物かご</FONT><TD valign=top>{page.main}
<TR><TD colspan=2><HR><FONT size=1>香水倶楽部　無断転載はご遠慮ください</FONT></TABLE></CENTER></BODY></HTML>"""

    def product(item: Item, beside: list[Item]) -> Page:
        facts = [
            ("ブ ラ ン ド", item.house_ja),
            ("香 調", "、".join(item.families)),
            *tiers(item, ("ト ッ プ", "ミ ド ル", "ラ ス ト")),
        ]
        facts.append(("性 別", {"M": "男性用", "L": "女性用", "U": "男女兼用"}[item.kind]))
        more = "<BR>".join(
            f'<A href="{other.slug}.html">{other.house_ja} {other.kana}</A>' for other in beside
        )
        return Page(
            f"香水倶楽部 {item.house_ja} {item.kana}",
            f"""<DIV class=M_item_name><B>{item.house_ja} {item.kana}</B></DIV><FONT color=red>{item.price}円</FONT>
<TABLE border=1>{rows(facts, "<TR><TD>&lt;{}&gt;<TD>{}")}</TABLE><P>こちらもどうぞ<BR>{more}""",
        )

    goods = TIERED + INVENTED_JA[:5] + other_goods(TIERED[6], "ミツコ ボディパウダー")
    around = surroundings(
        "ja", goods, lambda item: f"<P>{item.house_ja} {item.kana}<BR>{item.price}円", "<B>{}</B>"
    )
    return shop(
        "club.example",
        goods,
        product,
        layout,
        around,
        "tiers gender families",
        "/shopdetail/{}/",
        "cp932",
    )


SHOPS = {
    "shopify-japanese": shopify_japanese(),
    "shopify-prose": shopify_prose(),
    "marketplace": marketplace(),
    "base-one-house": one_house_base(),
    "stores-json-state": stores(),
    "color-me-euc-jp": color_me(),
    "make-shop-cp932": make_shop(),
}
