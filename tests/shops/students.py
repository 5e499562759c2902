"""Static shops written by hand, as courses and portfolios have them: each page a copy of another, changed here and there."""

from .facts import INVENTED_EN, INVENTED_JA, KNOWN_EN
from .kit import Item, Page, Shop, other_goods, rows, shop, surroundings, tiers


def details_everywhere() -> Shop:
    """One title and one image alt on every page; the name stands in h3 under the brand in h6."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{page.title}</title><link href="css/bootstrap.min.css" rel="stylesheet"></head><body>
<nav class="navbar"><a class="navbar-brand" href="index.html">AROMA</a><ul><li><a href="index.html">Home</a></li><li><a href="shop.html">Shop</a></li></ul></nav>
<div class="container">{page.main}</div><footer class="bg-dark"><h5>Contact</h5><p>hello@aroma.example</p><p>+81 45 555 0101</p></footer></body></html>"""

    def card(item: Item) -> str:
        return f"""<div class="col-md-3"><div class="card"><img src="img/{item.slug}.jpg" alt="Perfume"><div class="card-body">
<h5 class="card-title">{item.name}</h5><p class="card-text">{item.brand}</p><a class="btn" href="{item.slug}.html">View</a></div></div></div>"""

    def product(item: Item, beside: list[Item]) -> Page:
        notes = "".join(f"<p><b>{label}:</b> {part}</p>" for label, part in tiers(item, "en", ", "))
        related = "".join(map(card, beside))
        return Page(
            "Perfume Details",
            f"""<div class="row"><div class="col-6"><img src="img/{item.slug}.jpg" alt="Perfume Image 1"><img src="img/{item.slug}-2.jpg" alt="Perfume Image 2"></div>
<div class="col-6"><h6>{item.brand}</h6><h3><b>{item.name}</b></h3><p class="text-danger">${item.price}</p><p>{item.concentration("en")} {item.gender("en")}</p>
{notes}<button class="btn btn-dark">Add to Cart</button></div></div><h4>You may also like</h4><div class="row">{related}</div>""",
        )

    goods = INVENTED_EN + KNOWN_EN + other_goods(KNOWN_EN[4], "Philosykos Scented Candle")
    around = [
        (path, page._replace(title="Perfume Details" if path == "/cart" else page.title))
        for path, page in surroundings("en", goods, card, "<h2>{}</h2>")
    ]
    return shop(
        "aroma.example", goods, product, layout, around, "tiers gender concentration", "/{}.html"
    )


def about_us_below() -> Shop:
    """Titles are file names, the heading holds brand, name and size, and the only h1 is the footer's."""

    def layout(page: Page) -> str:
        return f"""<html>
<head><title>{page.title}</title><meta name="viewport" content="width=device-width, initial-scale=1.0"></head>
<body><div class="header"><img src="logo.png" width="125px"><nav><ul><li><a href="index.html">Home</a></li><li><a href="account.html">Account</a></li></ul></nav></div>
{page.main}
<div class="footer"><div class="row"><div><h3>Download our app</h3><p>For Android and ios.</p></div><div><h1>About us.</h1><p>We sell smiles in bottles.</p></div></div>
<p class="copyright">Copyright 2023</p></div></body></html>"""

    def card(item: Item) -> str:
        return f"<div class='col-4'><a href='{item.slug}.html'><img src='{item.number}.png'></a><h4>{item.brand} {item.name}</h4><p>${item.price}</p></div>"

    def product(item: Item, beside: list[Item]) -> Page:
        place = goods.index(item)
        about = (
            f"A {item.families[0].lower()} scent that follows you through the day."
            if item.families
            else "Made by hand."
        )
        return Page(
            f"Prod{place % 4 + 1}",
            f"""<div class="small-container single-product"><div class="row"><div class="col-2"><img src="{item.number}.png" id="ProductImg"></div>
<div class="col-2"><p>Home / Perfumes</p><h2>{item.brand} {item.name.upper()} {item.ml}ml</h2><h4>${item.price}</h4>
<select><option>Select Size</option><option>50ml</option><option>100ml</option></select><input type="number" value="1"><a href="cart.html" class="btn">Add To Cart</a>
<h3>Product Details</h3><br><p>{about}</p></div></div></div>
<div class="small-container"><div class="row row-2"><h2>Related Products</h2><p>View More</p></div><div class="row">{"".join(map(card, beside))}</div></div>""",
        )

    goods = INVENTED_EN + KNOWN_EN + other_goods(INVENTED_EN[3], "Salt Fig Hand Cream", notes=False)
    return shop(
        "smiles.example",
        goods,
        product,
        layout,
        surroundings("en", goods, card, "<h2>{}</h2>"),
        "",
        "/{}.html",
    )


def concierge() -> Shop:
    """No h1; the name in an h2; the contact's address is the loudest link; soaps and questions in the same frame."""

    def layout(page: Page) -> str:
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>MARU</title></head><body><header><a href="/"><img src="/m.svg" alt="Maru"></a></header>
<main>{page.main}</main><footer><a href="mailto:concierge@maru.example">concierge@maru.example</a><p>Maru Atelier, Yokohama</p></footer></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        more = "".join(
            f"<li><a href='/{other.slug}'>{other.name.upper()}</a></li>" for other in beside
        )
        head, heart, base = item.tiers
        notes = (
            f"<p class='notes'>HEAD {', '.join(head)}<br>HEART {', '.join(heart)}<br>BASE {', '.join(base)}</p>"
            if head
            else ""
        )
        return Page(
            "MARU",
            f"""<section class="hero"><h2>{item.name.upper()}</h2><p class="kind">{item.concentration("en") if item.perfume else "Liquid soap"}, {item.ml} ml</p><p>{item.price} JPY</p>{notes}
<a href="mailto:concierge@maru.example">concierge@maru.example</a></section><h3>Continue</h3><ul>{more}</ul>""",
        )

    names = (
        "Luna 5",
        "Eau Nocturne",
        "Winter Line",
        "7 Stones",
        "Oud for June",
        "Her Garden",
        "New Tide",
    )
    goods = [
        Item("Maru", "マル", name, "", like.kind, like.strength, (), like.tiers)
        for name, like in zip(names, INVENTED_EN, strict=False)
    ]
    goods += other_goods(goods[0], "Hand Soap Luna", "Bar Soap Tide", notes=False)
    around = surroundings(
        "en",
        goods,
        lambda item: f"<p><a href='/{item.slug}'>{item.name.upper()}</a></p>",
        "<h2>{}</h2>",
    )
    return shop("maru.example", goods, product, layout, around, "tiers concentration", "/{}")


def by_hand() -> Shop:
    """No two pages quite alike: other classes, other orders, parts left out, another page's title left behind."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html>
<html lang="ja">
<head>
<meta charset="UTF-8">
<title>{page.title}</title>
</head>
<body>
<header><h2 class="logo">潮風香水店</h2><ul class="nav"><li><a href="top.html">トップ</a></li><li><a href="list.html">商品一覧</a></li></ul></header>
{page.main}
<footer><small>&copy; 潮風香水店</small></footer>
</body>
</html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        place = goods.index(item)
        table = rows(
            [
                ("ブランド", item.house_ja),
                ("性別", item.gender()),
                *tiers(item, ("トップ", "ミドル", "ラスト")),
            ],
            ("<tr><th>{}</th><td>{}</td></tr>", "<tr><td class='koumoku'>{}</td><td>{}</td></tr>")[
                place % 2
            ],
        )
        parts = [
            f'<div class="{("photo", "item-photo", "img_box")[place % 3]}"><img src="img/{place}.jpg" alt=""></div>',
            f"<h1{(' class=name', '', ' id=title')[place % 3]}>{item.kana}</h1>",
            f"<p>価格：{item.price}円</p>" if place % 4 else "",
            f"<table>{table}</table>",
        ]
        if place % 3 == 2:
            parts[0], parts[1] = parts[1], parts[0]
        if place % 5 == 1:
            parts.append("<p>店長のひとこと：夜に似合います。</p>")
        more = "".join(
            f'<li><a href="{other.slug}.html">{other.kana}</a></li>'
            for other in beside[: place % 4]
        )
        forgotten = goods[0].kana if place in (2, 5) else item.kana
        wrapper = ("div", "section", "main")[place % 3]
        return Page(
            f"{forgotten}｜潮風香水店",
            f'<{wrapper} class="{("item", "wrap item", "item2")[place % 3]}">\n{"".join(parts)}\n</{wrapper}>\n'
            + (f"<h3>ほかの香り</h3><ul>{more}</ul>" if more else ""),
        )

    goods = INVENTED_JA + other_goods(
        INVENTED_JA[6], "月あかりの庭 ハンドクリーム", "香りの石けん 三個入り"
    )
    around = surroundings(
        "ja",
        goods,
        lambda item: f'<p><a href="{item.slug}.html">{item.kana}</a>　{item.price}円</p>',
    )
    return shop("shiokaze.example", goods, product, layout, around, "tiers gender", "/{}.html")


SHOPS = {
    "student-details-everywhere": details_everywhere(),
    "student-about-us-below": about_us_below(),
    "student-concierge": concierge(),
    "student-by-hand": by_hand(),
}
