"""Encyclopedias in the manner of the large ones, and shops in Portuguese, French and German."""

from dataclasses import replace

from .facts import FRENCH, GERMAN, INVENTED_EN, KNOWN_EN, PORTUGUESE
from .kit import Item, Page, Shop, other_goods, product_ld, rows, shop, surroundings, tiers


def listed(words: tuple[str, ...]) -> str:
    """ "A, B and C"."""
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def card(item: Item) -> str:
    """A product in a list."""
    return f'<div class="card"><a href="/p/{item.slug}"><img src="/i/{item.number}.webp" alt="{item.name} {item.brand}"><b>{item.name}</b></a> <i>{item.brand}</i></div>'


def sentences() -> Shop:
    """An encyclopedia that tells everything in one English sentence after the other."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{page.title}</title>{page.head}</head><body>
<header><a href="/">Scentopedia</a><nav><a href="/notes">Notes</a> <a href="/for-women">For Women</a> <a href="/for-men">For Men</a></nav></header>
<div id="main">{page.main}</div><footer>Privacy · Contact · © Scentopedia</footer></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        whom = {"M": "men", "L": "women", "U": "women and men"}[item.kind]
        top, middle, base = map(listed, item.tiers)
        return Page(
            f"{item.name} {item.brand} for {whom}",
            f"""<h1 itemprop="name">{item.name} {item.brand} <small>for {whom}</small></h1><div class="accords"><span>{item.families[0].lower()}</span></div>
<div itemprop="description"><p><b>{item.name}</b> by <b>{item.brand}</b> is a {item.families[0]} fragrance for {whom}. {item.name} was launched in 20{item.number % 20 + 3:02d}.
Top notes are {top}; middle notes are {middle}; base notes are {base}.</p></div><p>Rating 4.1 out of 5 with {item.number % 900} votes</p>
<div class="reviews"><h3>Reviews</h3><p>Smells like lemon and fresh laundry on me. Top marks.</p></div><h3>People who like this also like</h3>{"".join(map(card, beside))}""",
        )

    goods = KNOWN_EN + INVENTED_EN
    return shop(
        "scentopedia.example",
        goods,
        product,
        layout,
        surroundings("en", goods, card),
        "tiers gender",
        "/p/{}",
    )


def pyramid() -> Shop:
    """An encyclopedia with a drawn pyramid: links with pictures, the house inside the heading, accords as words."""

    def layout(page: Page) -> str:
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{page.title} | Flaconbook</title>{page.head}</head><body><div class="bar"><a href="/">Flaconbook</a><a href="/brands">Brands</a></div>
<div class="grid">{page.main}</div><div class="foot">Imprint · Privacy</div></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        stages = "".join(
            f'<div class="pyramid_block"><div class="label"><img src="/{word[:3]}.svg" alt="{word}"> {word}</div><div class="right">'
            + " ".join(
                f'<span class="nb"><a href="/n/{len(note)}"><img src="/n.jpg" alt="{note}">{note}</a></span>'
                for note in notes
            )
            + "</div></div>"
            for word, notes in zip(
                ("Top Notes", "Heart Notes", "Base Notes"), item.tiers, strict=True
            )
        )
        return Page(
            f"{item.name} by {item.brand} ({item.concentration('en')})",
            f"""<h1 class="p_name_h1">{item.name} <span class="p_brand_name"><a href="/b/1"><span>{item.brand}</span></a></span></h1><p class="p_gender">{item.gender("en")}</p>
<p>A perfume by {item.brand}. Longevity is above average.</p><h2>Fragrance Pyramid</h2><div class="pyramid">{stages}</div><h2>Ratings</h2><p>Scent 7.9 · Longevity 7.1</p><h2>Similar</h2>{"".join(map(card, beside))}""",
        )

    goods = INVENTED_EN + KNOWN_EN[2:]
    return shop(
        "flaconbook.example",
        goods,
        product,
        layout,
        surroundings("en", goods, card),
        "tiers gender",
        "/p/{}",
    )


def foreign(
    language: str, host: str, name: str, goods: list[Item], candle: str, brand: str, buy: str
) -> Shop:
    """A shop that is neither English nor Japanese: heading with the concentration at its end, tiers by their names there."""

    def layout(page: Page) -> str:
        return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{page.title} - {name}</title>{page.head}</head><body><header><a class="logo" href="/">{name}</a></header>
<main>{page.main}</main><footer><p>{name} © 2024</p></footer></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        heading = f"{item.name} {item.concentration('en')}" if item.perfume else item.name
        notes = rows(tiers(item, language, ", "), "<li><b>{}:</b> {}</li>")
        return Page(
            f"{heading} {item.gender(language)}",
            f"""<h1>{heading}</h1><p>{brand}: <a href="/m/1">{item.brand}</a></p><p class="price">{item.price} €</p><p>{item.gender(language)}</p><ul>{notes}</ul><button>{buy}</button>
<section class="also">{"".join(map(card, beside))}</section>""",
            product_ld(item, heading, item.brand),
        )

    goods = goods + other_goods(goods[0], candle)
    around = surroundings(
        language,
        goods,
        lambda item: card(item) + rows(tiers(item, language, ", "), "<p>{}: {}</p>"),
    )
    return shop(host, goods, product, layout, around, "tiers concentration gender", "/p/{}")


def goods_and_attars() -> Shop:
    """A house that sells more else than perfume; its attars and concentrated oils are perfumes all the same."""

    def layout(page: Page) -> str:
        return f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{page.title} – Dar Sahir</title>{page.head}</head><body><header><a href="/">Dar Sahir</a><nav><a>Perfumes</a><a>Home</a><a>Body</a></nav></header>
<main>{page.main}</main><footer>Dar Sahir Perfumes LLC, since 1987</footer></body></html>"""

    def product(item: Item, beside: list[Item]) -> Page:
        notes = rows(tiers(item, ("Top", "Middle", "Base"), ", "), "<p>{}: {}</p>")
        size = f"{item.ml}ml" if item.perfume else "300ml"
        return Page(
            item.name,
            f"""<div class="pdp"><h1>{item.name}</h1><span class="amount">AED {item.price}</span><p>Size: {size}</p><div class="tab">{notes}</div><button>Add to bag</button></div>
<h3>Complete the ritual</h3>{"".join(map(card, beside))}""",
            product_ld(item, item.name, "Dar Sahir"),
        )

    names = (
        "Layl Attar",
        "Sahra Oud",
        "Rose Majlis",
        "Qamar 7",
        "Amber Attar",
        "Bahr",
        "Warda Noir",
    )
    perfumes = [
        replace(like, brand="Dar Sahir", name=name)
        for name, like in zip(names, INVENTED_EN, strict=False)
    ]
    goods = perfumes + other_goods(
        perfumes[1], "Sahra Oud Gift Set", "Sahra Oud Body Mist", "Sahra Oud Air Freshener", "Sahra Oud Hair Oil",
        "Sahra Oud Deodorant Spray", "Sahra Oud Discovery Set", "Sahra Oud Reed Diffuser", "Sahra Oud Bath Soap",
    )  # fmt: skip
    return shop(
        "sahir.example", goods, product, layout, surroundings("en", goods, card), "tiers", "/p/{}"
    )


SHOPS = {
    "encyclopedia-sentences": sentences(),
    "encyclopedia-pyramid": pyramid(),
    "portuguese": foreign(
        "pt",
        "ipe.example",
        "Perfumaria do Porto",
        PORTUGUESE,
        "Vela Perfumada Noite de Ipê",
        "Marca",
        "Comprar",
    ),
    "french": foreign(
        "fr",
        "sillage.example",
        "Le Sillage",
        FRENCH,
        "Bougie parfumée L’Heure Grise",
        "Marque",
        "Ajouter au panier",
    ),
    "german": foreign(
        "de",
        "kontor.example",
        "Duftkontor",
        GERMAN,
        "Duftkerze Morgenrot",
        "Marke",
        "In den Warenkorb",
    ),
    "goods-and-attars": goods_and_attars(),
}
