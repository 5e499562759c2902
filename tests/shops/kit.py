"""What shops are made of: items, the pages around them, and how both become bytes with the truth about each page."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from zlib import crc32

GENDERS = {
    "M": ("メンズ", "for men", "masculino", "pour homme", "für Herren"),
    "L": ("レディース", "for women", "feminino", "pour femme", "für Damen"),
    "U": ("ユニセックス", "unisex", "unissex", "mixte", "unisex"),
}
CONCENTRATIONS = {
    "EDP": ("オードパルファム", "Eau de Parfum"),
    "EDT": ("オードトワレ", "Eau de Toilette"),
    "EDC": ("オーデコロン", "Eau de Cologne"),
}
LANGUAGES = ("ja", "en", "pt", "fr", "de")
TIERS = {
    "ja": ("トップノート", "ミドルノート", "ラストノート"),
    "en": ("Top notes", "Heart notes", "Base notes"),
    "pt": ("Notas de topo", "Notas de coração", "Notas de fundo"),
    "fr": ("Notes de tête", "Notes de cœur", "Notes de fond"),
    "de": ("Kopfnote", "Herznote", "Basisnote"),
}


@dataclass(frozen=True)
class Item:
    """Something a shop sells: a perfume with its facts, or, with perfume=False, something else."""

    brand: str
    brand_ja: str
    name: str
    name_ja: str
    kind: str = ""  # of GENDERS
    strength: str = ""  # of CONCENTRATIONS
    families: tuple[str, ...] = ()
    tiers: tuple[tuple[str, ...], ...] = ((), (), ())
    notes: tuple[str, ...] = ()
    seasons: tuple[str, ...] = ()
    scenes: tuple[str, ...] = ()
    text: str = ""  # some prose of its own
    perfume: bool = True

    @property
    def slug(self) -> str:
        """The item's address: a Latin word, or a number where it has none."""
        latin = re.sub(r"[^a-z0-9]+", "-", f"{self.name} {self.strength}".lower()).strip("-")
        return latin if len(latin) > 3 and self.name.isascii() else f"item-{self.number % 9999}"

    @property
    def number(self) -> int:
        """A number of its own, for prices and codes."""
        names = (self.brand, self.brand_ja, self.name, self.name_ja, self.strength)
        return crc32("".join(names).encode())

    @property
    def price(self) -> str:
        """Its price in yen."""
        return f"{3 + self.number % 25},{100 * (self.number % 9):03d}"

    @property
    def ml(self) -> int:
        """Its size."""
        return (30, 50, 100)[self.number % 3]

    @property
    def house(self) -> str:
        """The brand as a Latin shop writes it."""
        return self.brand or self.brand_ja

    @property
    def house_ja(self) -> str:
        """The brand as a Japanese shop writes it."""
        return self.brand_ja or self.brand

    @property
    def kana(self) -> str:
        """The name as a Japanese shop writes it."""
        return self.name_ja or self.name

    def gender(self, language: str = "ja") -> str:
        """For whom it is, in a language."""
        return GENDERS[self.kind][LANGUAGES.index(language)]

    def concentration(self, language: str = "ja") -> str:
        """Its concentration, written out."""
        return CONCENTRATIONS[self.strength][language != "ja"]


class Page(NamedTuple):
    """What a shop fills its layout with."""

    title: str
    main: str
    head: str = ""


@dataclass
class Shop:
    """All pages of a shop, and for each address the perfume that a careful human reads there, or None."""

    pages: list[tuple[str, bytes]] = field(default_factory=list)
    truth: dict[str, dict | None] = field(default_factory=dict)

    def add(self, url: str, page: str | bytes, truth: dict | None = None) -> None:
        """One page more."""
        self.pages.append((url, page if isinstance(page, bytes) else page.encode()))
        self.truth[url] = truth


def items(table: str) -> list[Item]:
    """Items from lines of "brand=kana; name=kana; kind strength families; top; middle; last; seasons scenes"."""
    found = []
    for line in table.strip().splitlines():
        brand, name, facts, *tiers, times = (cell.strip() for cell in line.split(";"))
        kind, strength, *families = facts.split()
        seasons, *scenes = times.split() or [""]
        notes = [tuple(tier.split(", ")) if tier else () for tier in tiers]
        flat = len(notes) == 1
        found.append(
            Item(
                *spellings(brand),
                *spellings(name),
                kind,
                strength,
                tuple(families),
                ((), (), ()) if flat else tuple(notes),
                notes[0] if flat else (),
                tuple(seasons.replace("-", "")),
                tuple(scenes),
            )
        )
    return found


def spellings(cell: str) -> tuple[str, str]:
    """The Latin and the Japanese spelling of "Latin=かな"; a cell without = is of the one kind it is written in."""
    latin, _, kana = cell.partition("=")
    return (
        (latin, kana)
        if kana or latin.isascii() or not re.search("[ぁ-ヿ一-龠]", latin)
        else ("", latin)
    )


def other_goods(house: Item, *names: str, notes: bool = True) -> list[Item]:
    """Goods of a perfume's house that are no perfume, described as the perfume is."""
    blank = {} if notes else {"tiers": ((), (), ()), "notes": ()}
    return [replace(house, name=name, name_ja="", perfume=False, **blank) for name in names]


def truth(item: Item, says: str) -> dict | None:
    """What a page that says these fields tells of an item. Of a name any spelling is right; one named in says must be there."""
    if not item.perfume:
        return None
    said = set(says.split())
    latin = [item.name, *without(item.name, item.brand)]
    kana = [item.name_ja, *without(item.name_ja, item.brand_ja)]
    facts: dict = {
        "brand": list(filter(None, (item.brand, item.brand_ja))),
        "name": list(filter(None, latin + kana)),
        "top_notes": [],
        "middle_notes": [],
        "last_notes": [],
        "notes": [],
    }
    if "tiers" in said:
        facts |= zip(
            ("top_notes", "middle_notes", "last_notes"), map(list, item.tiers), strict=True
        )
        facts["notes"] = list(item.notes)
    one_of = {
        "brand_ja": [item.brand_ja] if item.brand else [],
        "name_ja": kana if item.name else [],
        "gender": item.kind and item.gender(),
        "concentration": item.strength and item.concentration(),
        "families": list(item.families),
        "seasons": list(item.seasons),
        "scenes": list(item.scenes),
    }
    facts |= {
        word: value for word, value in one_of.items() if word in said and value and value != [""]
    }
    return facts


def without(name: str, brand: str) -> list[str]:
    """A name that begins with its brand, less the brand."""
    return [name[len(brand) :].strip()] if brand and name.startswith(f"{brand} ") else []


def shop(
    host: str,
    goods: list[Item],
    product: Callable[[Item, list[Item]], Page],
    layout: Callable[[Page], str],
    around: Iterable[tuple[str, Page]] = (),
    says: str = "tiers",
    path: str = "/products/{}/",
    codec: str = "utf-8",
) -> Shop:
    """A shop of these goods, each with the next three beside it, among its other pages."""
    built = Shop()
    for place, item in enumerate(goods):
        beside = [goods[(place + step) % len(goods)] for step in (1, 2, 3)]
        page = layout(product(item, beside))
        built.add(f"https://{host}{path.format(item.slug)}", page.encode(codec), truth(item, says))
    for address, page in around:
        built.add(f"https://{host}{address}", layout(page).encode(codec, "ignore"))
    return built


def rows(pairs: Iterable[tuple[str, str]], row: str = "<tr><th>{}</th><td>{}</td></tr>") -> str:
    """Pairs of label and value, each in a row."""
    return "\n".join(row.format(label, value) for label, value in pairs if value)


def tiers(
    item: Item, labels: str | Iterable[str] = "ja", mark: str = "、"
) -> list[tuple[str, str]]:
    """Label and notes of each tier that the item has; a flat list has one label."""
    words = TIERS[labels] if isinstance(labels, str) else tuple(labels)
    if item.notes:
        return [("香りのノート" if labels == "ja" else "Notes", mark.join(item.notes))]
    return [
        (word, mark.join(notes)) for word, notes in zip(words, item.tiers, strict=True) if notes
    ]


def ld(data: object) -> str:
    """A JSON-LD block."""
    return f'<script type="application/ld+json">{json.dumps(data, ensure_ascii=False)}</script>'


def product_ld(item: Item, name: str, brand: str, **more: object) -> str:
    """A Product as shops declare it."""
    price = item.price.replace(",", "")
    return ld(
        {
            "@context": "https://schema.org/",
            "@type": "Product",
            "name": name,
            "brand": {"@type": "Brand", "name": brand},
            "sku": f"SKU{item.number % 99999}",
            "offers": {"@type": "Offer", "price": price, "priceCurrency": "JPY"},
        }
        | more
    )


def surroundings(
    language: str, goods: list[Item], card: Callable[[Item], str], heading: str = "<h1>{}</h1>"
) -> list[tuple[str, Page]]:
    """The pages of a shop that are no product: front, listings, cart, log-in, policies, guide, article, soft 404."""
    one = goods[0]
    cards = [card(item) for item in goods]
    filling = {
        "few": "\n".join(cards[:4]),
        "many": "\n".join(cards),
        "rest": "\n".join(cards[3:]),
        "house": one.house_ja if language == "ja" else one.house,
        "name": one.kana if language == "ja" else one.name,
        "price": one.price,
    }
    pages = []
    for block in AROUND[language].strip().split("\n\n"):
        head, _, main = block.partition("\n")
        address, _, title = head.format(**filling).partition(" ")
        pages.append((address, Page(title, heading.format(title) + main.format(**filling))))
    return pages


# Each block is a page: its address, its title, and below what stands under the heading.
AROUND = {
    "ja": """
/ 香りと暮らす小さな店
<p>世界の香水を小瓶からお届けします。</p><h2>新着の香り</h2><div class="list">{few}</div>
<h2>お知らせ</h2><dl><dt>2024.05.12</dt><dd>夏季休業のお知らせ</dd><dt>2024.04.01</dt><dd>送料を改めました</dd></dl>

/all/ すべての商品
<p>並び替え：おすすめ順｜価格順</p><div class="list">{many}</div><p class="pager"><a href="?page=2">次へ</a></p>

/all/?page=2 すべての商品
<p>並び替え：おすすめ順｜価格順</p><div class="list">{rest}</div><p class="pager"><a href="?page=1">前へ</a></p>

/brand/1/ {house}の香水
<p>{house}は、素材をたずねて旅をする調香の家です。</p><div class="list">{few}</div>

/cart/ ショッピングカート
<table><tr><th>商品名</th><th>数量</th><th>小計</th></tr><tr><td>{house} {name}</td><td>1</td><td>{price}円</td></tr></table><button>レジに進む</button>

/login/ ログイン
<form><label>メールアドレス <input name="mail"></label><label>パスワード <input type="password"></label><button>ログイン</button></form>

/about/ 私たちについて
<p>二〇一二年、港町の路地にひらいた香水の店です。トップからラストまで、時間とともに変わる香りの楽しさを伝えています。</p>

/law/ 特定商取引法に基づく表記
<table><tr><th>販売業者</th><td>小瓶商会</td></tr><tr><th>販売価格</th><td>各商品のページに記します</td></tr><tr><th>お支払い</th><td>クレジットカード、代金引換</td></tr></table>

/faq/ よくあるご質問
<dl><dt>トップノートだけ違う香りがします</dt><dd>気温や肌で変わることがあります。</dd><dt>メンズの香水を女性が使えますか</dt><dd>はい、お楽しみいただけます。</dd></dl>

/guide/ 香りの三つの段
<p>香水は時間とともに姿を変えます。</p><h2>トップノート</h2><p>ベルガモット、レモン、ミント</p><h2>ミドルノート</h2><p>ローズ、ジャスミン</p>
<h2>ラストノート</h2><p>ムスク、アンバー、サンダルウッド</p><table><tr><th>濃度</th><th>持続時間</th></tr><tr><td>オードパルファム</td><td>五時間ほど</td></tr></table>

/blog/7/ スタッフ日記：雨の日に{name}を
<p class="date">2024.06.03</p><p>今日は{house}の{name}をつけて出かけました。最初は柑橘、そのあとから花がひらきます。</p><p>コメント（2）</p><p>わたしも好きです！</p>

/products/gone/ ページが見つかりません
<p>お探しの商品は販売を終えたか、移動しました。</p><h2>おすすめの商品</h2><div class="list">{few}</div>
""",
    "en": """
/ Find your next signature scent
<p>Free delivery over 40.</p><h2>New arrivals</h2><div class="list">{few}</div><h2>As seen in</h2><p>The Harbour Post</p>

/shop Shop all fragrances
<p>Sort by: featured, price</p><div class="list">{many}</div><a href="?page=2">Next</a>

/shop?page=2 Shop all fragrances
<p>Sort by: featured, price</p><div class="list">{rest}</div><a href="?page=1">Previous</a>

/brands/1 {house}
<p>{house} has made perfume in a former boat shed since 2009.</p><div class="list">{few}</div>

/cart Your cart
<table><tr><th>Product</th><th>Quantity</th><th>Total</th></tr><tr><td>{house} {name}</td><td>1</td><td>${price}</td></tr></table><button>Check out</button>

/login Sign in
<form><label>E-mail <input name="mail"></label><label>Password <input type="password"></label><button>Sign in</button></form>

/about Our story
<p>We opened our doors in 2012 with nine bottles and a borrowed till. From top to base, we love how scent changes.</p>

/policy Shipping and returns
<p>Unopened bottles can be returned within 14 days.</p><h2>Shipping</h2><p>Two to four working days.</p>

/faq Frequently asked questions
<h3>How long does a fragrance last?</h3><p>An eau de parfum stays about five hours, an eau de toilette about three.</p><h3>Can men wear it?</h3><p>Everyone can.</p>

/guide How to read a perfume
<p>Every perfume has three acts.</p><h2>Top notes</h2><p>Bergamot, lemon, mint</p><h2>Heart notes</h2><p>Rose, jasmine, violet</p><h2>Base notes</h2><p>Musk, amber, cedar</p>

/journal/3 Wearing {name} in the rain
<p>3 June 2024, by Edda</p><p>I wore {name} by {house} on a wet Tuesday. It opens bright and turns woody by noon.</p><h3>2 comments</h3><p>My favourite too!</p>

/products/gone Page not found
<p>The product you are looking for has moved or is sold out.</p><h2>You may also like</h2><div class="list">{few}</div>
""",
    "pt": """
/ Perfumes que contam histórias
<h2>Lançamentos</h2><div class="list">{few}</div><p>Frete grátis acima de R$ 199</p>

/todos Todos os perfumes
<p>Ordenar por: mais vendidos</p><div class="list">{many}</div>

/carrinho Seu carrinho
<table><tr><th>Produto</th><th>Quantidade</th></tr><tr><td>{house} {name}</td><td>1</td></tr></table><button>Finalizar compra</button>

/entrar Entrar
<form><input name="email"><input type="password"><button>Entrar</button></form>

/guia Como entender a pirâmide olfativa
<h2>Notas de topo</h2><p>Bergamota, limão</p><h2>Notas de coração</h2><p>Rosa, jasmim</p><h2>Notas de fundo</h2><p>Almíscar, âmbar</p>

/perdido Página não encontrada
<p>O produto que você procura não existe mais.</p><div class="list">{few}</div>
""",
    "fr": """
/ La maison des sillages
<h2>Nouveautés</h2><div class="list">{few}</div>

/parfums Tous les parfums
<p>Trier par : prix</p><div class="list">{many}</div>

/panier Votre panier
<table><tr><th>Article</th><th>Quantité</th></tr><tr><td>{house} {name}</td><td>1</td></tr></table><button>Commander</button>

/guide Comprendre la pyramide olfactive
<h2>Notes de tête</h2><p>Bergamote, citron</p><h2>Notes de cœur</h2><p>Rose, jasmin</p><h2>Notes de fond</h2><p>Musc, ambre</p>

/contact Nous écrire
<form><input name="mail"><textarea></textarea><button>Envoyer</button></form>

/perdu Page introuvable
<p>Ce parfum n’est plus disponible.</p><div class="list">{few}</div>
""",
    "de": """
/ Düfte mit Geschichte
<h2>Neu eingetroffen</h2><div class="list">{few}</div>

/duefte Alle Düfte
<p>Sortieren nach: Preis</p><div class="list">{many}</div>

/warenkorb Ihr Warenkorb
<table><tr><th>Artikel</th><th>Menge</th></tr><tr><td>{house} {name}</td><td>1</td></tr></table><button>Zur Kasse</button>

/wissen Die Duftpyramide
<h2>Kopfnote</h2><p>Bergamotte, Zitrone</p><h2>Herznote</h2><p>Rose, Jasmin</p><h2>Basisnote</h2><p>Moschus, Amber</p>

/impressum Impressum
<p>Duftkontor am Hafen, Inhaberin E. Lindner</p>

/weg Seite nicht gefunden
<p>Dieser Duft ist nicht mehr erhältlich.</p><div class="list">{few}</div>
""",
}
