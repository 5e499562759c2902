"""What stands around a perfume on a page: heads, menus, prices, reviews, cards of other perfumes, footers."""

CARDS = (
    ("Chanel", "シャネル", "Gabrielle", "ガブリエル", "マンダリン、グレープフルーツ"),
    ("Dior", "ディオール", "Dune", "デューン", "ピオニー、アルデヒド"),
    ("Gucci", "グッチ", "Guilty", "ギルティ", "ピンクペッパー、レモン"),
)
REVIEWS = (
    "友人への贈り物に選びました。トップはレモンのように爽やかで、ラストはバニラの甘さが残ります。",
    "小さな瓶で試せて助かりました。夏のオフィスでも使えそうです。",
)


def woo(
    title: str, main: str, head: str = "", lang: str = "ja", notes_on_cards: bool = False
) -> str:
    """A WooCommerce shop around main."""
    cards = "".join(
        f'<li class="product type-product"><a href="/product/{name.lower()}/" class="woocommerce-LoopProduct-link">'
        f'<img src="/wp-content/uploads/{name.lower()}-300x300.jpg" alt="{brand} – {name}"><h2 class="woocommerce-loop-product__title">'
        f'{brand} – {name}</h2>{f"<p>トップ：{top}</p>" if notes_on_cards else ""}<span class="price"><bdi>¥880</bdi></span></a>'
        f'<a href="?add-to-cart=7" class="button">カートに追加</a></li>'
        for brand, _, name, _, top in CARDS
    )
    return f"""<!DOCTYPE html>
<html lang="{lang}"><head><meta charset="UTF-8"><title>{title}</title>{head}
<script>window.dataLayer=window.dataLayer||[];dataLayer.push({{"event":"view_item","name":"トップノート"}});</script>
<style>.product{{color:#333}}</style></head><body class="single single-product woocommerce">
<header><a href="/">香水の小瓶屋</a><nav><ul><li><a href="/men/">メンズ香水</a></li><li><a href="/women/">レディース香水</a></li>
<li><a href="/candle/">キャンドル</a></li><li><a href="/cart/">カート <span>0</span></a></li></ul></nav></header>
<nav class="woocommerce-breadcrumb"><a href="/">ホーム</a>&nbsp;/&nbsp;<a href="/all/">すべての香水</a></nav>
<main>{main}</main>
<section class="related products"><h2>関連商品</h2><ul class="products columns-3">{cards}</ul></section>
<footer><p>送料は全国一律です。</p><ul><li><a href="/guide/">香りの選び方</a></li><li><a href="/law/">特定商取引法に基づく表記</a></li></ul>
<p>&copy; 香水の小瓶屋</p></footer><script>console.log("ready")</script></body></html>"""


def shopify(
    title: str, main: str, head: str = "", lang: str = "ja", shop: str = "PARFUMERIE NORD"
) -> str:
    """A Shopify shop around main."""
    cards = "".join(
        f'<div class="card-wrapper"><h3 class="card__heading"><a href="/products/{name.lower()}">{name}</a></h3>'
        f'<span class="caption">{brand}</span><span class="price-item">¥19,800</span></div>'
        for brand, _, name, _, _ in CARDS
    )
    return f"""<!doctype html><html class="no-js" lang="{lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>{head}<script>var Shopify=Shopify||{{}};Shopify.shop="nord.example";</script></head>
<body class="gradient"><a class="skip-to-content-link" href="#MainContent">コンテンツに進む</a>
<div class="announcement-bar"><p>11,000円以上で送料無料</p></div>
<header class="header"><ul class="list-menu"><li><a href="/collections/for-men">FOR MEN</a></li><li><a href="/collections/for-women">FOR WOMEN</a></li>
<li><a href="/collections/candles">CANDLES</a></li></ul><a href="/" class="header__heading-link">{shop}</a></header>
<main id="MainContent">{main}
<section class="product-recommendations"><h2>あなたへのおすすめ</h2><div class="grid">{cards}</div></section></main>
<footer class="footer"><h2>ニュースレター</h2><form><input type="email" placeholder="メールアドレス"></form><small>© 2024, {shop} Powered by Shopify</small></footer>
</body></html>"""


def eccube(title: str, main: str, head: str = "", shop: str = "フレグランス堂") -> str:
    """An EC-CUBE, MakeShop or futureshop store around main: columns, a side menu by brand, reviews, recently seen goods."""
    side = "".join(
        f'<li><a href="/list?b={number}">{brand_ja}（{brand}）</a></li>'
        for number, (brand, brand_ja, *_) in enumerate(CARDS)
    )
    seen = "".join(
        f'<div class="item"><a href="/detail/{number}"><img src="/i/{number}.jpg" alt="{brand_ja} {name_ja}"><br>{brand_ja} {name_ja} 50ml</a>'
        f"<p>8,{number}80円</p></div>"
        for number, (_, brand_ja, _, name_ja, _) in enumerate(CARDS)
    )
    return f"""<!DOCTYPE html>
<html lang="ja"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>
<div id="header"><a href="/"><img src="/logo.gif" alt="{shop}"></a><form action="/search"><input name="q"><input type="submit" value="検索"></form>
<ul id="gnav"><li>香水</li><li>ボディケア</li><li>コスメ</li><li>セール</li></ul></div>
<div id="left"><h3>ブランドから探す</h3><ul>{side}</ul><h3>性別から探す</h3><ul><li>メンズ</li><li>レディース</li><li>ユニセックス</li></ul></div>
<div id="main">{main}
<div class="review"><h3>お客様の声</h3><p class="star">★★★★☆</p><p>{REVIEWS[0]}</p><p class="star">★★★★★</p><p>{REVIEWS[1]}</p></div>
<div class="checked"><h3>最近チェックした商品</h3>{seen}</div></div>
<div id="footer"><a href="/guide">ご利用ガイド</a>｜<a href="/tokutei">特定商取引法</a>｜<a href="/privacy">プライバシーポリシー</a><p>Copyright {shop}</p></div></body></html>"""


def old(title: str, main: str, charset: str = "Shift_JIS") -> str:
    """A page of the nineties around main: layout tables, font tags, no end tags."""
    return f"""<html><head><meta http-equiv="Content-Type" content="text/html; charset={charset}"><title>{title}</title></head>
<body bgcolor=#ffffff text=#333333><center><table width=760 border=0><tr><td colspan=2><a href="index.html"><img src="logo.gif" alt="香水倶楽部"></a>
<tr><td width=160 valign=top><font size=2>■メンズ<br>■レディース<br>■ミニ香水<br>■お買い物かご</font>
<td valign=top>{main}
<tr><td colspan=2><hr><font size=1>香水倶楽部　無断転載はご遠慮ください</font></table></center></body></html>"""


def article(title: str, main: str, head: str = "", site: str = "香りの手帖") -> str:
    """A WordPress article around main: author, table of contents, sidebar with a ranking, comments."""
    return f"""<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{title} | {site}</title>{head}</head><body class="post-template single">
<header id="header"><p>{site}</p><nav><a href="/mens">メンズ</a><a href="/ladies">レディース</a><a href="/column">コラム</a></nav></header>
<div id="content"><article class="post"><p class="date">2024.05.12</p>{main}
<div class="author"><p>この記事を書いた人</p><p>香りの手帖編集部</p></div></article>
<section class="comments"><h3>コメント</h3><p>参考になりました！</p></section></div>
<aside><h3>人気記事</h3><ol><li><a href="/a1">メンズ香水の人気ランキング</a></li><li><a href="/a2">トップノートとは？香りの基礎</a></li></ol></aside>
<footer><p>{site}</p></footer></body></html>"""


def english(title: str, main: str, head: str = "", site: str = "The Scent Library") -> str:
    """An English fragrance encyclopedia around main."""
    return f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body>
<header><a href="/">{site}</a><nav><a href="/perfumes">Perfumes</a> <a href="/notes">Notes</a> <a href="/for-women">For Women</a> <a href="/for-men">For Men</a></nav></header>
<div id="main">{main}
<div class="reviews"><h3>Reviews</h3><p>Smells like lemon and fresh laundry on me. Top marks.</p></div>
<div class="carousel"><h3>People who like this also like</h3><a href="/p/1">Gabrielle Chanel</a> <a href="/p/2">Dune Dior</a></div></div>
<footer>Privacy Policy · Contact · © {site}</footer></body></html>"""
