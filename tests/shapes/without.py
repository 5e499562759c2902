"""Pages that have no perfume, most of them in a perfume shop's clothes."""

import json

from .chrome import CARDS, article, eccube, english, old, shopify, woo
from .shape import shape

TIERS = "<p>トップノート：ベルガモット、レモン<br>ミドルノート：ジャスミン、ローズ<br>ラストノート：ムスク、アンバー</p>"
LISTED = "".join(
    f'<li><a href="/product/{name.lower()}/"><h3>{brand} – {name}</h3><p>{brand_ja} {name_ja}</p><p>トップ：{top}</p><p>¥880</p></a></li>'
    for brand, brand_ja, name, name_ja, top in CARDS * 3
)


def ld(product: dict) -> str:
    """A JSON-LD block."""
    return f'<script type="application/ld+json">{json.dumps(product, ensure_ascii=False)}</script>'


def goods(name: str, text: str, brand: str = "北の香房") -> str:
    """A product page of something that is no perfume."""
    return shopify(
        f"{name} | {brand}",
        f"<p class='vendor'>{brand}</p><h1>{name}</h1><p>¥4,400（税込）</p><button>カートに入れる</button>{text}",
        ld(
            {
                "@type": "Product",
                "name": name,
                "brand": {"@type": "Brand", "name": brand},
                "offers": {"price": 4400},
            }
        ),
        shop=brand,
    )


SHAPES = [
    shape(
        "no-listing",
        woo(
            "すべての香水 – 香水の小瓶屋",
            f'<h1>すべての香水</h1><ul class="products">{LISTED}</ul><nav><a class="next" href="/all/page/2/">→</a></nav>',
        ),
    ),
    shape(
        "no-listing-of-a-brand",
        eccube(
            "シャネルの香水一覧｜フレグランス堂",
            f"<h1>シャネル（CHANEL）の香水一覧</h1><p>ブランド：シャネル</p><ul>{LISTED}</ul><p>全128件</p>",
        ),
    ),
    shape(
        "no-listing-with-ld",
        shopify(
            "メンズ香水",
            f"<h1>メンズ香水</h1><ul>{LISTED}</ul>",
            ld(
                {
                    "@type": "ItemList",
                    "itemListElement": [
                        {"@type": "ListItem", "position": 1, "url": "/p/1"},
                        {
                            "@type": "ListItem",
                            "position": 2,
                            "item": {"@type": "Product", "name": "Dune", "brand": "Dior"},
                        },
                    ],
                }
            ),
        ),
    ),
    shape(
        "no-search-results",
        eccube(
            "「ベルガモット」の検索結果",
            f"<h1>「トップノート ベルガモット」の検索結果 3件</h1><ul>{LISTED}</ul>",
        ),
    ),
    shape(
        "no-guide",
        woo(
            "香りの基礎知識",
            """<h1>トップノート・ミドルノート・ラストノートとは</h1><h2>トップノート</h2><p>つけて10分ほどの香り。ベルガモット、レモンなど軽い香料が使われます。</p>
<h2>ミドルノート</h2><p>香水の中心となる香り。ローズ、ジャスミンなど。</p><h2>ラストノート</h2><p>最後に残る香り。ムスク、アンバー、バニラなど。</p>""",
        ),
    ),
    shape(
        "no-guide-with-table",
        article(
            "香水の種類と持続時間",
            "<h1>香水の種類と持続時間</h1><table><tr><th>種類</th><th>濃度</th></tr><tr><td>オードパルファム</td><td>10～15%</td></tr></table>"
            "<table><tr><th>トップノート</th><td>シトラス、グリーン</td></tr><tr><th>ミドルノート</th><td>フローラル、スパイス</td></tr><tr><th>ラストノート</th><td>ウッディ、ムスク</td></tr></table>",
        ),
    ),
    shape(
        "no-article-on-a-note",
        article(
            "ベルガモットとはどんな香り？",
            "<h1>ベルガモットとはどんな香り？香料の解説</h1><p>イタリアのカラブリア産が名高い柑橘です。トップノートによく使われ、ラベンダーやネロリと合わせられます。</p>"
            "<h2>ベルガモットが香る香水</h2><ul><li>ディオール ソヴァージュ</li><li>シャネル ブルー ドゥ シャネル</li></ul>",
        ),
    ),
    shape(
        "no-ranking",
        article(
            "メンズ香水 人気ランキング10選",
            "<h1>メンズ香水 人気ランキング10選</h1>"
            + "".join(
                f"<h2>{number}位 {brand_ja}「{name_ja}」</h2><p>{top}が香る定番です。</p>"
                for number, (_, brand_ja, _, name_ja, top) in enumerate(CARDS, 1)
            ),
        ),
    ),
    shape(
        "no-soft-404",
        woo(
            "ページが見つかりません – 香水の小瓶屋",
            "<h1>お探しのページは見つかりませんでした</h1><p>URLが変わったか、削除された可能性があります。</p>",
            notes_on_cards=True,
        ),
    ),
    shape(
        "no-soft-404-english",
        english(
            "Page not found",
            "<h1>Oops! Page not found</h1><p>The perfume you are looking for is not available.</p>",
        ),
    ),
    shape(
        "no-denied-with-200",
        b"<html><head><title>Access Denied</title></head><body><h1>Access Denied</h1>You don't have permission to access this page.<br>Reference #18.1</body></html>",
    ),
    shape(
        "no-bot-check",
        b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>shop.example</h1><p>Verifying you are human. This may take a few seconds.</p>"
        b"<noscript>Enable JavaScript and cookies to continue</noscript></body></html>",
    ),
    shape(
        "no-maintenance",
        eccube(
            "メンテナンス中", "<h1>ただいまメンテナンス中です</h1><p>ご不便をおかけいたします。</p>"
        ),
    ),
    shape(
        "no-body-cream",
        goods("ボディクリーム ローズ 200mL", TIERS + "<p>全成分：水、グリセリン、シア脂</p>"),
    ),
    shape("no-candle", goods("キャンドル フィグ 190g", TIERS + "<p>燃焼時間：約50時間</p>")),
    shape(
        "no-candle-in-the-reference-shape",
        woo(
            "Diptyque – Baies キャンドル",
            "<h1>Diptyque – Baies フレグランスキャンドル</h1><div class='woocommerce-product-details__short-description'><p>香りのノート</p><p>Top<br>カシス　ベリー<br>Last<br>ローズ</p></div>",
        ),
    ),
    shape(
        "no-diffuser",
        goods("リードディフューザー 白茶 100mL", TIERS + "<p>お部屋に置いてお使いください。</p>"),
    ),
    shape("no-room-spray", goods("ルームスプレー ヒノキ", "<p>香調：ウッディ</p>" + TIERS)),
    shape(
        "no-softener",
        goods(
            "柔軟剤 フローラルの香り 詰替 480mL",
            TIERS + "<p>用途：洗濯用柔軟仕上げ剤</p>",
            "せんたく日和",
        ),
    ),
    shape(
        "no-shampoo",
        goods(
            "シャンプー＆コンディショナー セット",
            "<p>香り：ローズ、ムスク</p><p>ノンシリコン処方</p>",
        ),
    ),
    shape(
        "no-hand-cream-english",
        english(
            "Hand Cream",
            "<h1>Salt Fig Hand Cream</h1><p>by Tidewater</p><p>Top notes: fig, sea salt. Base notes: cedar, musk.</p><p>Shea butter, 50 g.</p>",
        ),
    ),
    shape("no-incense", goods("お香 沈香 20本入り", "<p>トップ：スパイス　ラスト：沈香</p>")),
    shape(
        "no-essential-oil",
        goods(
            "ベルガモット 精油 10mL",
            "<table><tr><th>学名</th><td>Citrus bergamia</td></tr><tr><th>ノート</th><td>トップノート</td></tr><tr><th>香りの系統</th><td>柑橘系</td></tr></table>",
        ),
    ),
    shape(
        "no-atomizer",
        goods(
            "クイックアトマイザー 4mL",
            "<p>香水を持ち歩くための空の容器です。メンズ・レディース兼用。</p>",
        ),
    ),
    shape(
        "no-gift-card",
        goods("ギフトカード 5,000円", "<p>香水選びに迷ったら。全店でお使いいただけます。</p>"),
    ),
    shape(
        "no-lipstick",
        goods(
            "ルージュ エクラ 03 ローズ",
            "<p>カラー：ローズ、ピオニー</p><p>フローラルの香りつき口紅。</p>",
            "LUMIERE",
        ),
    ),
    shape(
        "no-book",
        goods(
            "香水図鑑（書籍）",
            "<p>トップノート、ミドルノート、ラストノートの読み解き方から名香の歴史まで。</p>",
        ),
    ),
    shape(
        "no-brand-story",
        shopify(
            "ABOUT | 北の香房",
            "<h1>北の香房について</h1><p>二〇一二年、札幌で生まれた香水のブランドです。トップからラストまで北国の素材を大切にしています。</p>",
            shop="北の香房",
        ),
    ),
    shape(
        "no-perfumer-interview",
        article(
            "調香師インタビュー",
            "<h1>調香師インタビュー「香りは記憶です」</h1><p>――トップノートには何を選びますか。</p><p>ベルガモットやレモン、そしてユズです。ラストノートはムスクが多いですね。</p>",
        ),
    ),
    shape(
        "no-news",
        article(
            "新作香水の発売のお知らせ",
            "<h1>新作コレクション発売のお知らせ</h1><p>5月1日より、フローラルの新作を全国の直営店で発売いたします。</p>",
        ),
    ),
    shape(
        "no-cart",
        eccube(
            "カート",
            "<h1>ショッピングカート</h1><table><tr><th>商品名</th><th>数量</th></tr><tr><td>ディオール デューン 30ml</td><td>1</td></tr></table><a href='/checkout'>レジに進む</a>",
        ),
    ),
    shape(
        "no-login",
        woo(
            "マイアカウント",
            "<h1>ログイン</h1><form><input name='username'><input type='password'></form>",
        ),
    ),
    shape(
        "no-law",
        eccube(
            "特定商取引法に基づく表記",
            "<h1>特定商取引法に基づく表記</h1><table><tr><th>販売業者</th><td>フレグランス堂</td></tr><tr><th>お支払い</th><td>カード</td></tr></table>",
        ),
    ),
    shape(
        "no-faq",
        woo(
            "よくある質問",
            "<h1>よくある質問</h1><dl><dt>トップノートだけ違う気がします</dt><dd>気温や肌質で変わることがあります。</dd><dt>メンズ香水を女性が使えますか</dt><dd>はい、お使いいただけます。</dd></dl>",
        ),
    ),
    shape(
        "no-old-links",
        old("リンク集", "<b>リンク集</b><br>香水の専門店／化粧品の問屋／ムスクの研究").encode(
            "cp932"
        ),
        content_type="text/html",
    ),
    shape("no-empty", b""),
    shape("no-blank", b"\n\n   \n"),
    shape("no-body", b"<html><head><title></title></head><body></body></html>"),
    shape(
        "no-pdf",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\nTop notes: Bergamot, Lemon\n%%EOF",
    ),
    shape("no-png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4, content_type="image/png"),
    shape(
        "no-json",
        json.dumps({"name": "Dune", "brand": "Dior", "top": "ピオニー"}).encode(),
        content_type="application/json",
    ),
    shape(
        "no-feed",
        b'<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>shop</title><item><title>Dior - Dune</title><description>Top notes: Peony</description></item></channel></rss>',
        content_type="application/rss+xml",
    ),
    shape(
        "no-sitemap",
        b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url><loc>https://shop.example/p/1</loc></url></urlset>',
        content_type="application/xml",
    ),
    shape(
        "no-script-redirect",
        b'<html><head><meta http-equiv="refresh" content="0;url=/top"><script>location.href="/top"</script></head><body></body></html>',
    ),
]
