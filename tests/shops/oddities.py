"""Shops at the edge: very small ones, two templates in one, tangled pages, a shop of everything, and those without perfumes."""

from .facts import INVENTED_EN, INVENTED_JA, KNOWN_JA
from .kit import Item, Page, Shop, other_goods, product_ld, rows, shop, surroundings, tiers, truth
from .labelled import TIERED, card, frame

URL = "https://{}.example/{}"


def three_declared() -> Shop:
    """Three products only: title, heading and JSON-LD agree on the name; brand in JSON-LD and in the title's brackets."""

    def product(item: Item, beside: list[Item]) -> Page:
        return Page(
            f"{item.kana}（{item.brand}）{item.concentration()}の香り｜小さな棚",
            f"""<h1>{item.kana}</h1><p>{item.price}円</p><dl>{rows(tiers(item), "<dt>{}</dt><dd>{}</dd>")}</dl><p>ご注文はお電話でも承ります。</p>""",
            product_ld(item, item.kana, item.brand),
        )

    def layout(page: Page) -> str:
        return f"<!DOCTYPE html><html lang='ja'><head><meta charset='utf-8'><title>{page.title}</title>{page.head}</head><body><a href='/'>小さな棚</a>{page.main}<p>© 小さな棚</p></body></html>"

    goods = [INVENTED_JA[0], TIERED[7], INVENTED_JA[8]]
    around = [("/about", Page("小さな棚について", "<h1>小さな棚について</h1><p>港の店です。</p>"))]
    return shop("tana.example", goods, product, layout, around, path="/{}")


def one_of_microdata() -> Shop:
    """One product, in microdata."""
    item = TIERED[4]
    page = f"""<html lang="ja"><head><meta charset="utf-8"><title>お店</title></head><body><div itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">{item.kana} {item.concentration()}</h2>
<p itemprop="brand" itemscope itemtype="https://schema.org/Brand"><span itemprop="name">{item.brand_ja}</span></p><meta itemprop="sku" content="S-01"><div itemprop="description">島をめぐる散歩。<br>{"<br>".join(f"{label}：{part}" for label, part in tiers(item))}</div></div></body></html>"""
    built = Shop()
    built.add(URL.format("micro", "1"), page, truth(item, "tiers concentration"))
    return built


def two_of_labels() -> Shop:
    """Two products whose facts stand in labelled lines, and a page that asks for a log-in."""
    built = Shop()
    for item in (INVENTED_JA[6], KNOWN_JA[6]):
        facts = [
            ("商品名", item.kana),
            ("ブランド名", item.house_ja),
            *tiers(item),
            ("性別", item.gender()),
        ]
        built.add(
            URL.format("futatsu", item.slug),
            frame(Page("商品", rows(facts, "<p>{}：{}</p>")), "ふたつ屋"),
            truth(item, "tiers gender"),
        )
    built.add(
        URL.format("futatsu", "login"),
        frame(Page("ログイン", "<h1>ログイン</h1><form></form>"), "ふたつ屋"),
    )
    return built


def two_templates() -> Shop:
    """A shop that changed its looks: old pages and new ones have nothing in common but the menu."""

    def old(item: Item) -> Page:
        facts = [("メーカー", item.house_ja), *tiers(item, ("トップ", "ミドル", "ラスト"))]
        return Page(
            f"{item.kana} | 昔と今",
            f"<h1>{item.kana}</h1><table>{rows(facts)}</table><p>{item.price}円</p>",
        )

    def new(item: Item) -> Page:
        notes = rows(
            tiers(item, ("TOP", "MIDDLE", "BASE")), "<section><h4>{}</h4><p>{}</p></section>"
        )
        return Page(
            "商品のご紹介",
            f"""<article class="v2"><p class="v2-brand">{item.house_ja}</p><p class="v2-name">{item.kana}</p><p class="v2-price">{item.price}円</p>{notes}</article>""",
        )

    def product(item: Item, _: list[Item]) -> Page:
        return (old, new)[goods.index(item) % 2](item)

    goods = (
        INVENTED_JA
        + TIERED
        + other_goods(
            TIERED[0], "バル ダフリック ディフューザー", "バル ダフリック ハンドローション"
        )
    )
    around = surroundings("ja", goods, card)
    return shop("mukashi.example", goods, product, lambda page: frame(page, "昔と今"), around)


def tangled() -> Shop:
    """A mark at the start, comments with other perfumes in them, capitals, no end tags, entities twice, icons of a font."""

    def layout(page: Page) -> str:
        return f"""\ufeff<!-- Template: <h1>Old Rose</h1> <p>Top: Rose --><HTML LANG=en><HEAD><META CHARSET=utf-8><TITLE>{page.title} &amp;amp; Tin &amp;amp; Glass</TITLE>{page.head}
<BODY><P CLASS=menu>\ue001 Menu \uf07a Cart<DIV ID=main>{page.main}<!-- {goods[0].name} --></DIV><DIV CLASS=foot>Tin &amp;amp; Glass \uf0e0"""

    def twice(text: str) -> str:
        entity = {"&": "amp", "é": "eacute", "è": "egrave"}
        return "".join(f"&amp;{entity[sign]};" if sign in entity else sign for sign in text)

    def product(item: Item, beside: list[Item]) -> Page:
        name = twice(item.name)
        house = twice(item.brand)
        notes = rows(tiers(item, "en", ", "), "<LI>\uf005 <B>{}</B>: {}")
        return Page(
            name,
            f"""<H1>\ue0a2 {name}</H1><P>Brand: {house}<P>${item.price}<!-- <LI>Top notes: Plastic --><UL>{notes}</UL><P>\uf00c In stock<P>{"<BR>".join(f"<A HREF=/p/{other.slug}>{other.name}</A>" for other in beside)}""",
        )

    caf = [
        Item(
            "Café Bruma",
            "",
            "Crème d’été",
            "",
            "L",
            "EDP",
            (),
            (("Café", "Pear"), ("Rose",), ("Musk",)),
        ),
        Item(
            "Café Bruma",
            "",
            "Thé No. 3",
            "",
            "U",
            "EDT",
            (),
            (("Tea", "Lemon"), ("Violet",), ("Cedar",)),
        ),
    ]
    goods = INVENTED_EN + caf + other_goods(INVENTED_EN[3], "Salt Fig Shower Gel")
    around = surroundings("en", goods, lambda item: f"<P><A HREF=/p/{item.slug}>{item.name}</A>")
    return shop("tin.example", goods, product, layout, around, path="/p/{}")


def everything() -> Shop:
    """A shop of everything: a menu of brands, shoes and bags, a few perfumes among other goods of one template."""

    def product(item: Item, beside: list[Item]) -> Page:
        kind = f"香水 / {item.concentration()}" if item.perfume else item.families[0]
        notes = (
            rows(tiers(item), "<p>{}／{}</p>")
            if item.perfume
            else "<p>サイズ表をご覧ください。</p>"
        )
        return Page(
            item.kana,
            f"""<ul class="menu"><li><a href="/b/">ブランド</a></li><li><a href="/s/">スニーカー</a></li><li><a href="/p/">香水</a></li></ul><div class="g"><span class="brandline">{item.house_ja}</span><h1>{item.kana}</h1>
<p>{item.price}円</p><p>カテゴリー：{kind}</p><div class="desc">{notes}</div></div><div class="recent">{"".join(map(card, beside))}</div>""",
        )

    other = (
        "キャンバス スニーカー 白",
        "革の長財布",
        "ウールのマフラー",
        "腕時計 クロノ",
        "口紅 03 ローズ",
        "麻のシャツ",
        "旅行かばん 大",
    )
    goods = TIERED[:7] + INVENTED_JA[6:]
    goods += [
        Item("", "港の革屋", "", name, "U", "", (name.split()[0],), perfume=False) for name in other
    ]
    around = surroundings("ja", goods, card)
    return shop(
        "nandemo.example",
        goods,
        product,
        lambda page: frame(page, "なんでも市", "ブランド スニーカー 香水 時計"),
        around,
        "tiers",
    )


def magazine() -> Shop:
    """No shop at all: reviews, rankings, a workshop, a band's creams. A review may be passed over; its title is never a name."""
    built = Shop()
    for place, item in enumerate([item for item in INVENTED_JA if item.brand] + TIERED[:4]):
        heading = f"【{item.brand.upper()} {item.kana} レビュー】{('夜の光', '雨の朝に', '静かな火', '花の午後')[place % 4]}"
        told = f"<p>つけた瞬間は{item.tiers[0][0]}、やがて{item.tiers[1][0]}が顔を出します。</p><h2>まとめ</h2><p>長く使える一本でした。</p>"
        facts = truth(item, "") | {"or_none": True}
        built.add(URL.format("techou", f"review/{item.slug}"), article(heading, told), facts)
    ranked = "".join(
        f"<h3>{place}位！{item.house}/{item.kana}</h3><p>{item.tiers[0][0]}が香ります。</p>"
        for place, item in enumerate(TIERED[:4], 1)
    )
    others = {
        "ranking": ("夏に使いたい香水ランキング", ranked),
        "workshop": (
            "Create Your Own Perfume in Hama",
            "<p>港の工房で自分だけの香水をつくりましょう。トップノートを三つ選びます。</p><p>5,500円</p>",
        ),
        "band": (
            "Perfume の三人が語る肌のこと",
            "<p>Perfume のクリームとローションをためしました。</p><p>価格 3,300円</p>",
        ),
        "closet": ("Closet Cosme 春号", "<p>口紅と香水の新作をまとめました。</p>"),
        "about": ("香りの手帖について", "<p>香水を愛する編集者の手帖です。</p>"),
    }
    for path, (heading, text) in others.items():
        built.add(URL.format("techou", path), article(heading, text))
    return built


def article(heading: str, text: str) -> str:
    """A page of a magazine."""
    return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{heading}｜香りの手帖</title></head><body class="single"><header><p>香りの手帖</p><nav><a href="/mens">メンズ</a><a href="/column">コラム</a></nav></header>
<article><h1>{heading}</h1><p class="date">2024.05.12</p>{text}<p>この記事を書いた人：編集部</p></article><aside><h3>人気記事</h3><ol><li>トップノートとは？</li></ol></aside><footer>香りの手帖</footer></body></html>"""


def creams_only() -> Shop:
    """A shop of creams, soaps and candles with tiers on every page and not one perfume."""
    names = (
        "ボディクリーム",
        "ハンドソープ",
        "キャンドル 180g",
        "ルームスプレー",
        "ヘアオイル",
        "バスソルト",
        "リードディフューザー",
    )

    def product(item: Item, beside: list[Item]) -> Page:
        return Page(
            item.kana,
            f"""<p class="vendor">{item.house_ja}</p><h1>{item.kana}</h1><p>{item.price}円</p>{rows(tiers(item), "<p>{}：{}</p>")}<p>全成分：水、グリセリン</p>{"".join(map(card, beside))}""",
            product_ld(item, item.kana, item.house_ja),
        )

    goods = [
        other
        for like, name in zip(TIERED, names, strict=False)
        for other in other_goods(like, f"{like.kana} {name}")
    ]
    around = surroundings("ja", goods, card)
    return shop("awa.example", goods, product, lambda page: frame(page, "あわ"), around)


SHOPS = {
    "three-declared": three_declared(),
    "one-of-microdata": one_of_microdata(),
    "two-of-labels": two_of_labels(),
    "two-templates": two_templates(),
    "tangled": tangled(),
    "everything": everything(),
    "magazine": magazine(),
    "creams-only": creams_only(),
}
