"""Shops built with WooCommerce: the reference shop, an English one without any notes, and one of both spellings in a heading."""

from .facts import INVENTED_EN, INVENTED_JA, KNOWN_EN, KNOWN_JA
from .kit import Item, Page, Shop, other_goods, product_ld, shop, surroundings


def woo(shop_name: str, language: str, menu: str, related: str) -> str:
    """The frame of a WooCommerce shop, to be filled with a title, a head and a main part."""
    return f"""<!DOCTYPE html>
<html lang="{language}"><head><meta charset="UTF-8"><title>{{0}} – {shop_name}</title>{{1}}
<link rel="stylesheet" href="/wp-content/themes/storefront/style.css?ver=4.1"><style>.product{{{{color:#333}}}}</style>
<script>window.dataLayer=window.dataLayer||[];</script></head><body class="woocommerce">
<a class="skip-link" href="#content">{related}</a><header><a class="site-title" href="/">{shop_name}</a><nav><ul>{menu}</ul></nav></header>
<nav class="woocommerce-breadcrumb"><a href="/">Home</a>&nbsp;/&nbsp;{{0}}</nav><main>{{2}}</main>
<footer><div class="widget"><h3>Newsletter</h3><form><input type="email"></form></div><p>&copy; 2024 {shop_name}</p></footer>
<div id="cookie-notice" hidden><p>Cookies</p><button>OK</button></div></body></html>"""


def woo_card(item: Item, title: str) -> str:
    """A product in a WooCommerce list."""
    return f"""<li class="product type-product"><a href="/product/{item.slug}/" class="woocommerce-LoopProduct-link">
<img src="/wp-content/uploads/{item.slug}-300x300.jpg" alt="{title}"><h2 class="woocommerce-loop-product__title">{title}</h2>
<span class="price"><bdi>¥{item.price}</bdi></span></a><a class="button" href="?add-to-cart={item.number}">+</a></li>"""


def dashed(item: Item) -> str:
    """The reference shop's heading: brand, an EN DASH, the name."""
    return f"{item.house} – {item.name or item.name_ja}"


def reference() -> Shop:
    """The reference shop: everything in lines of text under a dashed heading."""
    frame = woo(
        "香水の小瓶屋",
        "ja",
        '<li><a href="/men/">メンズ</a></li><li><a href="/candle/">キャンドル</a></li>',
        "本文へ",
    )

    def product(item: Item, beside: list[Item]) -> Page:
        kana = (
            f'<p class="product-kana">{item.brand_ja}「{item.name_ja}」</p>' if item.brand else ""
        )
        kind = "／".join((item.gender(), *item.families, item.concentration()))
        parts = zip(("Top", "Middle", "Last"), item.tiers, strict=True)
        notes = "<br />".join(f"{word}<br />\n{'　'.join(part)}" for word, part in parts if part)
        times = f"{'　'.join(item.scenes)}<br />\n{' '.join(item.seasons)}"
        related = "".join(woo_card(other, dashed(other)) for other in beside)
        return Page(
            dashed(item),
            f"""<div class="product type-product"><img alt="{dashed(item)}" src="/{item.slug}.jpg"><div class="summary entry-summary">
<h1 class="product_title entry-title">{dashed(item)}</h1>{kana}<p class="price">¥{item.price}（税込）1.5mL</p>
<form class="cart"><label>数量 <input type="number" value="1"></label><button>カートに入れる</button></form>
<div class="woocommerce-product-details__short-description"><p>はじめて出会う方にも、長く親しんだ方にも寄りそう一本です。<br />
【{kind}】</p><p><strong>香りのノート</strong></p><p>{notes or "　".join(item.notes)}</p><p>調香師：浜野 澪</p>
<p><strong>香りのイメージと印象</strong><br />ベーシック<br />ナチュラル</p><p><strong>ご利用シーン・季節</strong><br />{times}</p></div>
<div class="product_meta"><span class="sku_wrapper">商品コード: {item.number}</span></div></div></div>
<section id="reviews"><h2>レビュー（1件）</h2><p>トップのレモンが好きです。</p></section>
<section class="related products"><h2>関連商品</h2><ul class="products">{related}</ul></section>""",
        )

    goods = KNOWN_JA + INVENTED_JA[3:8]
    goods += other_goods(
        KNOWN_JA[0], "Bal d’Afrique キャンドル 240g", "Bal d’Afrique ボディクリーム"
    )
    return shop(
        "kobin.example",
        goods,
        product,
        lambda page: frame.format(page.title, page.head, page.main),
        surroundings("ja", goods, lambda item: woo_card(item, dashed(item))),
        says="brand_ja name_ja tiers gender concentration families seasons scenes",
        path="/product/{}/",
    )


def without_notes() -> Shop:
    """Heading, "By:", price, sizes: no notes anywhere; the maker stands in some headings again."""
    frame = woo(
        "Scent Harbour",
        "en",
        '<li><a href="/men/">Men</a></li><li><a href="/women/">Women</a></li>',
        "Skip",
    )

    def heading(item: Item) -> str:
        return f"{item.name} by {item.brand}" if item.number % 3 == 0 else item.name

    def product(item: Item, beside: list[Item]) -> Page:
        related = "".join(woo_card(other, heading(other)) for other in beside)
        sizes = "".join(f"<option>{item.concentration('en')} {ml} ml</option>" for ml in (50, 100))
        return Page(
            heading(item),
            f"""<div class="product"><div class="summary"><h1 class="product_title">{heading(item)}</h1><p class="maker">By: {item.brand}</p>
<p class="price">${item.price}</p><select name="size">{sizes}</select><button>Add to cart</button><ul class="usp"><li>Sealed original</li><li>Ships in 2 days</li></ul></div></div>
<section class="related products"><h2>Related products</h2><ul class="products">{related}</ul></section>""",
            product_ld(item, heading(item), item.brand) if item.number % 2 else "",
        )

    goods = INVENTED_EN + KNOWN_EN
    goods += other_goods(INVENTED_EN[0], "Luna oud body mist", "Discovery set of five", notes=False)
    return shop(
        "harbour.example",
        goods,
        product,
        lambda page: frame.format(page.title, page.head, page.main),
        surroundings("en", goods, lambda item: woo_card(item, heading(item))),
        says="concentration",
        path="/product/{}/",
    )


def both_spellings() -> Shop:
    """Both spellings in the heading, the brand as a link below, notes behind a summary."""
    frame = woo(
        "香りの標本室",
        "ja",
        '<li><a href="/brand/">ブランド</a></li><li><a href="/faq/">質問</a></li>',
        "本文へ",
    )

    def product(item: Item, beside: list[Item]) -> Page:
        title = " / ".join(filter(None, (item.name, item.name_ja)))
        brand = f"{item.brand}（{item.brand_ja}）" if item.brand and item.brand_ja else item.house
        notes = "<br>".join(
            f"{word}：{'・'.join(part)}"
            for word, part in zip(("トップ", "ミドル", "ラスト"), item.tiers, strict=True)
        )
        related = "".join(woo_card(other, other.kana) for other in beside)
        return Page(
            item.kana,
            f"""<div class="product"><h1 class="product_title">{title}</h1><p class="posted_in">ブランド：<a href="/brand/1/">{brand}</a></p>
<p class="price">¥{item.price}</p><p>性別：{item.gender()}</p><details open><summary>香りの移ろい</summary><p>{notes}</p></details></div>
<section class="related products"><h2>こちらもおすすめ</h2><ul class="products">{related}</ul></section>""",
        )

    goods = INVENTED_JA + [item for item in KNOWN_JA if not item.notes]
    goods += other_goods(INVENTED_JA[0], "Luna ハンドソープ 300mL")
    return shop(
        "hyohon.example",
        goods,
        product,
        lambda page: frame.format(page.title, page.head, page.main),
        surroundings("ja", goods, lambda item: woo_card(item, item.kana)),
        says="brand_ja name_ja tiers gender",
        path="/product/{}/",
    )


SHOPS = {
    "woo-reference": reference(),
    "woo-without-notes": without_notes(),
    "woo-both-spellings": both_spellings(),
}
