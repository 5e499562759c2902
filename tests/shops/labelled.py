"""Japanese shops that label their facts: tables, lists, boxes, attributes, pictures, lines."""

from collections.abc import Callable
from dataclasses import replace

from .facts import INVENTED_JA, KNOWN_JA
from .kit import Item, Page, Shop, other_goods, rows, shop, surroundings, tiers

TIERED = [item for item in KNOWN_JA if not item.notes]


def frame(page: Page, name: str, menu: str = "メンズ レディース ユニセックス ボディケア") -> str:
    """A plain Japanese shop: logo, search, menu by kind, footer links."""
    links = "".join(
        f'<li><a href="/c/{place}/">{word}</a></li>' for place, word in enumerate(menu.split())
    )
    return f"""<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>{page.title}｜{name}</title>{page.head}</head><body>
<div id="header"><a href="/"><img src="/logo.gif" alt="{name}"></a><form action="/search"><input name="q"><input type="submit" value="検索"></form><ul id="gnav">{links}</ul></div>
<div id="main">{page.main}</div>
<div id="footer"><a href="/guide/">ご利用ガイド</a>｜<a href="/law/">特定商取引法</a>｜<a href="/privacy/">プライバシーポリシー</a><p>Copyright {name}</p></div></body></html>"""


def card(item: Item) -> str:
    """A product in a list."""
    return f'<div class="item"><a href="/products/{item.slug}/"><img src="/i/{item.number}.jpg" alt=""><br>{item.house_ja} {item.kana}</a><p>{item.price}円</p></div>'


def tiered_card(item: Item) -> str:
    """A product in a list that tells its tiers too."""
    return f"{card(item)}<ul>{rows(tiers(item, ('トップ', 'ミドル', 'ラスト')), '<li>{}：{}</li>')}</ul>"


def seen(beside: list[Item]) -> str:
    """What was looked at before."""
    return f'<div class="checked"><h3>最近チェックした商品</h3>{"".join(map(card, beside))}</div>'


def plain(
    host: str,
    name: str,
    goods: list[Item],
    product: Callable[[Item, list[Item]], Page],
    says: str = "tiers",
    in_lists: Callable[[Item], str] = card,
    heading: str = "<h1>{}</h1>",
) -> Shop:
    """A shop in this frame."""
    around = surroundings("ja", goods, in_lists, heading)
    return shop(f"{host}.example", goods, product, lambda page: frame(page, name), around, says)


def table() -> Shop:
    """Everything in a table, both spellings of the brand in one cell, 不明 where nothing is known, a candle laid out alike."""

    def product(item: Item, beside: list[Item]) -> Page:
        unknown = [("ラストノート", "不明")] if not item.tiers[2] else []
        brand = f"{item.house_ja}（{item.brand}）" if item.brand else item.house_ja
        facts = [
            ("ブランド", brand),
            ("商品名", item.kana),
            ("対象性別", {"M": "男性", "L": "女性", "U": "男性・女性"}[item.kind]),
            ("香調", "・".join(item.families)),
            ("濃度", item.concentration() if item.perfume else ""),
            ("内容量", f"{item.ml}mL"),
            *tiers(item),
            *unknown,
            ("原産国", "フランス"),
        ]
        return Page(
            item.kana,
            f"""<div id="pan"><a href="/">トップ</a> &gt; <a href="/c/0/">香水</a> &gt; {item.kana}</div><h1>{item.kana}</h1><p class="price">{item.price}円（税込）</p>
<table class="spec">{rows(facts)}</table><input type="submit" value="買い物かごに入れる"><div class="review"><h3>お客様の声</h3><p>★★★★☆ トップのレモンが気持ちいいです。</p></div>{seen(beside)}""",
        )

    cut = [replace(item, tiers=(*item.tiers[:2], ())) for item in TIERED[8:]]
    goods = TIERED[:8] + cut + INVENTED_JA[6:] + other_goods(TIERED[6], "ミツコ キャンドル 180g")
    return plain(
        "hyou", "香りの表紙", goods, product, "brand_ja tiers gender concentration families"
    )


def definitions() -> Shop:
    """A dl with one dd a note, the vendor above the heading, the concentration at the heading's end."""

    def product(item: Item, beside: list[Item]) -> Page:
        words = ("TOP", "HEART", "BASE")
        notes = "".join(
            f"<dt>{word}</dt>" + "".join(f"<dd>{note}</dd>" for note in part)
            for word, part in zip(words, item.tiers, strict=True)
        )
        return Page(
            f"{item.kana} | {item.house_ja}",
            f"""<p class="vendor">{item.house_ja}</p><h1>{item.kana} {item.concentration() if item.perfume else ""}</h1><p>{item.price}円</p>
<h2>香りの構成</h2><dl class="pyramid">{notes}</dl><dl><dt>季節</dt><dd>{"・".join(item.seasons)}</dd><dt>シーン</dt><dd>{"、".join(item.scenes)}</dd></dl>{seen(beside)}""",
        )

    goods = INVENTED_JA + TIERED[:5] + other_goods(INVENTED_JA[8], "No. 4 シダー ルームスプレー")
    return plain("dl", "北窓フレグランス", goods, product, "tiers concentration seasons scenes")


def list_items() -> Shop:
    """<li><strong>label</strong>：notes — prose; the heading says "brand「name」"."""

    def product(item: Item, beside: list[Item]) -> Page:
        told = (
            "はじけるように香り立ちます。",
            "ゆっくりと心をほどきます。",
            "肌のうえに長く残ります。",
        )
        lines = "".join(
            f"<li><strong>{label}</strong>：{part} — {prose}</li>"
            for (label, part), prose in zip(tiers(item), told, strict=True)
        )
        return Page(
            f"{item.house_ja}「{item.kana}」",
            f"""<h1>{item.house_ja}「{item.kana}」</h1><p class="lead">{item.gender()}におすすめの{item.families[0]}の香り。</p><ul class="scent">{lines}</ul>
<p>{item.price}円</p><h2>お支払いと配送</h2><ul><li><strong>送料</strong>：全国一律六百円</li><li><strong>返品</strong>：未開封に限ります</li></ul>{seen(beside)}""",
        )

    goods = TIERED + INVENTED_JA[:3] + other_goods(TIERED[1], "ブルー ドゥ シャネル シャワージェル")
    return plain("kajou", "香りの箇条書き", goods, product)


def boxes() -> Shop:
    """Label and value in sibling boxes, once for large screens and once for phones."""

    def product(item: Item, beside: list[Item]) -> Page:
        facts = [
            ("ブランド", item.house_ja),
            *tiers(item, ("トップ", "ミドル", "ベース")),
            ("系統", "、".join(item.families)),
        ]
        grid = rows(
            facts, '<div class="row"><div class="label">{}</div><div class="value">{}</div></div>'
        )
        return Page(
            f"{item.kana}の香り",
            f"""<div class="title-box"><h1>{item.kana}</h1><span>{item.ml}ml</span></div><div class="pc-only">{grid}</div><div class="sp-only" style="display:none">{grid}</div>
<p class="cost">{item.price}円</p><details><summary>トップノートとは？</summary><p>トップノート：つけた直後から十分ほどの香りのことです。</p></details>{seen(beside)}""",
        )

    goods = INVENTED_JA + TIERED[5:] + other_goods(INVENTED_JA[0], "ルナ リードディフューザー")
    return plain("hako", "はこ", goods, product, "tiers families", tiered_card)


def attributes() -> Shop:
    """Labels that stand in attributes alone."""

    def product(item: Item, beside: list[Item]) -> Page:
        cells = rows(
            tiers(item, ("トップ", "ミドル", "ラスト")),
            '<div class="cell" data-label="{}">{}</div>',
        )
        return Page(
            f"{item.kana}／{item.house_ja}",
            f"""<p class="product-vendor">{item.house_ja}</p><h1>{item.kana}</h1><p>{item.price}円</p><div class="cells">{cells}</div>{seen(beside)}""",
        )

    goods = TIERED[:6] + INVENTED_JA[4:] + other_goods(TIERED[2], "チャンス ボディミスト")
    return plain("zokusei", "灯台通り", goods, product)


def pictures() -> Shop:
    """Labels are pictures' alternatives, notes stand beside; each note has an icon that is named after it."""

    def product(item: Item, beside: list[Item]) -> Page:
        def line(label: str, notes: tuple[str, ...]) -> str:
            told = "".join(
                f'<li><img src="n.svg" alt="{note}"><span>{note}</span></li>' for note in notes
            )
            return f'<div class="stage"><img src="stage.gif" alt="{label}"><ul>{told}</ul></div>'

        stages = "".join(map(line, ("トップノート", "ミドルノート", "ラストノート"), item.tiers))
        return Page(
            f"{item.house_ja} {item.kana}",
            f"""<h2 class="goods_name">{item.house_ja} {item.kana} {item.ml}ml</h2><p>ブランド：{item.house_ja}</p><p>{item.price}円</p>{stages}{seen(beside)}""",
        )

    goods = TIERED[2:] + INVENTED_JA[:4] + other_goods(TIERED[7], "ハルフェティ 香りの石鹸")
    return plain("ehon", "えほん香水店", goods, product, heading="<h2>{}</h2>")


def label_after() -> Shop:
    """The label stands below its notes, and pictures above them have numbered alternatives."""

    def product(item: Item, beside: list[Item]) -> Page:
        words = zip(
            ("トップ1", "ミドル1", "ラスト1"), ("TOP", "MIDDLE", "LAST"), item.tiers, strict=True
        )
        stages = "".join(
            f'<div class="stage"><img src="{alt}.jpg" alt="{alt}"><p>{"、".join(notes)}</p><div class="word">{word}</div></div>'
            for alt, word, notes in words
        )
        return Page(
            f"{item.kana} {item.house_ja}の香水",
            f"""<div class="brand">{item.house_ja}</div><h1>{item.kana}</h1><div class="stages">{stages}</div><p>{item.price}円</p>{seen(beside)}""",
        )

    goods = INVENTED_JA + TIERED[:4] + other_goods(INVENTED_JA[2], "ニュー スノー ヘアミスト")
    return plain("sakasa", "さかさま", goods, product)


def comparison() -> Shop:
    """The page's perfume beside another one in a table of axes, under its own notes."""

    def product(item: Item, beside: list[Item]) -> Page:
        other = next(near for near in beside if near.perfume)
        axes = [
            (mine[0], f"{mine[1]}</td><td>{theirs[1]}")
            for mine, theirs in zip(
                tiers(item, ("トップ", "ミドル", "ラスト")), tiers(other), strict=True
            )
        ]
        lines = rows(
            tiers(
                item, [f"{word}の目安" for word in ("トップノート", "ミドルノート", "ラストノート")]
            ),
            "<p>{}</p><p>{}</p>",
        )
        return Page(
            f"{item.kana}（{item.house_ja}）香りの紹介",
            f"""<h1>{item.kana}</h1><p class="maker">メーカー：{item.house_ja}</p><div class="notes">{lines}</div>
<h2>似た香りとの比べ方</h2><table class="compare"><tr><th>比較軸</th><th>{item.kana}</th><th>{other.kana}</th></tr>{rows(axes)}
<tr><th>価格</th><td>{item.price}円</td><td>{other.price}円</td></tr></table>{seen(beside)}""",
        )

    goods = TIERED + INVENTED_JA[:4] + other_goods(TIERED[3], "ソヴァージュ デオドラント")
    return plain("kurabe", "くらべる香水", goods, product, in_lists=tiered_card)


def one_line() -> Shop:
    """Three labels on one line of prose, and on some pages in brackets on lines of their own."""

    def product(item: Item, beside: list[Item]) -> Page:
        words = ("トップ", "ミドル", "ラスト")
        if item.number % 2:
            notes = "、".join(f"{label}:{part}" for label, part in tiers(item, words)) + "。"
        else:
            notes = "<br>".join(f"【{label}】{part}" for label, part in tiers(item, words, "，"))
        return Page(
            f"{item.house_ja} {item.kana} {item.concentration()}",
            f"""<h1>{item.house_ja} {item.kana} {item.concentration() if item.perfume else ""} {item.ml}ml</h1><p>ブランド：{item.house_ja}</p><p>静けさをまとう香り。<br>{notes}<br>お届けまで三日ほどいただきます。</p><p>{item.price}円</p>{seen(beside)}""",
        )

    goods = TIERED + INVENTED_JA[2:] + other_goods(TIERED[0], "バル ダフリック ハンドクリーム")
    return plain("gyou", "一行堂", goods, product, "tiers concentration")


def columns() -> Shop:
    """Tiers as columns under their heads, and a table of two pairs a row."""

    def product(item: Item, beside: list[Item]) -> Page:
        heads = "".join(f"<th>{word}</th>" for word in ("トップ", "ミドル", "ラスト"))
        cells = "".join(f"<td>{'<br>'.join(notes)}</td>" for notes in item.tiers)
        return Page(
            f"{item.kana}：{item.house_ja}",
            f"""<h1>{item.kana}</h1><table border="1"><tr><td>ブランド</td><td>{item.house_ja}</td><td>性別</td><td>{item.gender()}</td></tr>
<tr><td>容量</td><td>{item.ml}ml</td><td>濃度</td><td>{item.concentration() if item.perfume else "－"}</td></tr></table>
<table class="notes"><thead><tr>{heads}</tr></thead><tbody><tr>{cells}</tr></tbody></table><p>{item.price}円</p>{seen(beside)}""",
        )

    goods = INVENTED_JA[:7] + TIERED[3:] + other_goods(TIERED[5], "ミツコ ボディオイル")
    return plain("hashira", "柱時計", goods, product, "tiers gender concentration")


def nested() -> Shop:
    """Lists within lists, the two later tiers joined on some pages; the house is told by the trail alone."""

    def joined(item: Item) -> bool:
        return item.number % 3 == 0

    def product(item: Item, beside: list[Item]) -> Page:
        words = ("HEAD", "HEART & BASE") if joined(item) else ("HEAD", "HEART", "BASE")
        stages = "".join(
            f"<li>{word}<ul>{''.join(f'<li>{note}</li>' for note in notes)}</ul></li>"
            for word, notes in zip(words, item.tiers, strict=False)
        )
        return Page(
            item.kana,
            f"""<div class="topic-path"><a href="/">トップ</a><span>›</span><a href="/c/7">香水</a><span>›</span><a href="/c/71">{item.house_ja}</a></div>
<h1>{item.kana}</h1><p>{item.price}円</p><ul class="pyramid">{stages}</ul>{seen(beside)}
<dl class="help"><dt>HEADとは</dt><dd>つけてすぐの香りのことです。</dd><dt>BASEとは</dt><dd>最後まで残る香りのことです。</dd></dl>""",
        )

    goods = TIERED + INVENTED_JA[4:]
    goods = [
        replace(item, tiers=(item.tiers[0], item.tiers[1], item.tiers[1])) if joined(item) else item
        for item in goods
    ]
    goods += other_goods(goods[0], "バル ダフリック バスソルト")
    return plain("ireko", "入れ子", goods, product)


SHOPS = {
    "label-table": table(),
    "label-definitions": definitions(),
    "label-list-items": list_items(),
    "label-boxes": boxes(),
    "label-attributes": attributes(),
    "label-pictures": pictures(),
    "label-after-notes": label_after(),
    "label-comparison": comparison(),
    "label-one-line": one_line(),
    "label-columns": columns(),
    "label-nested": nested(),
}
