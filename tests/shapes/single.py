"""Pages of one perfume."""

import json

from .chrome import article, eccube, english, old, shopify, woo
from .shape import perfume, shape


def ld(product) -> str:
    """A JSON-LD block."""
    return f'<script type="application/ld+json">{json.dumps(product, ensure_ascii=False)}</script>'


def woo_summary(h1: str, lines: str) -> str:
    """The reference shop's product: heading, price, cart, short description."""
    return (
        f'<div class="product"><div class="summary entry-summary"><h1 class="product_title entry-title">{h1}</h1><p class="price">¥1,210</p>'
        f'<form class="cart"><input type="number" value="1"><button>カートに入れる</button></form>'
        f'<div class="woocommerce-product-details__short-description">{lines}</div></div></div>'
    )


def rows(pairs: str, row: str = "<tr><th>{}</th><td>{}</td></tr>") -> str:
    """Rows from lines of "label=text"."""
    return "\n".join(row.format(*line.split("=", 1)) for line in pairs.strip().splitlines())


TIERS_WOO = "<p>Top<br />\nベルガモット　レモン<br />\nMiddle<br />\nジャスミン　ローズ<br />\nLast<br />\nムスク　アンバー</p>"
CITRUS = {"top": "ベルガモット|レモン", "middle": "ジャスミン|ローズ", "last": "ムスク|アンバー"}

SHAPES = [
    # The reference shop -----------------------------------------------------------------------------------------------
    shape(
        "woo-reference",
        woo(
            "Maison Margiela – Jazz Club – 香水の小瓶屋",
            woo_summary(
                "Maison Margiela – Jazz Club",
                """
<p>ブルックリンの地下にあるジャズクラブの夜。葉巻の煙とカクテルの気配が漂います。<br />【メンズ／ウッディ／オードトワレ】</p>
<p><strong>香りのノート</strong></p><p>Top<br />ピンクペッパー　レモン　ネロリ<br />Middle<br />ラム　クラリセージ　ジャワ産ベチバー<br />
Last<br />タバコリーフ　バニラビーン　スチラックス</p><p>調香師：アリエノール・マスネ</p>
<p><strong>香りのイメージと印象</strong><br />セクシー　モード<br />ユニーク</p><p><strong>ご利用シーン・季節</strong><br />デート　パーティー<br />秋 冬</p>""",
            ),
        ),
        perfume(
            "ピンクペッパー|レモン|ネロリ",
            "ラム|クラリセージ|ジャワ産ベチバー",
            "タバコリーフ|バニラビーン|スチラックス",
            brand="Maison Margiela",
            name="Jazz Club",
            gender="メンズ",
            families="ウッディ",
            concentration="オードトワレ",
            seasons="秋|冬",
            scenes="デート|パーティー",
            images="セクシー|モード",
            impressions="ユニーク",
            perfumer=("アリエノール・マスネ", "アリエノールマスネ"),
        ),
    ),
    shape(
        "woo-several-dashes",
        woo(
            "Maison Margiela – Replica – Beach Walk",
            woo_summary(
                "Maison Margiela – Replica – Beach Walk",
                f"<p>夏の砂浜を裸足で歩く午後。<br />【レディース／フローラル／オードトワレ】</p><p>香りのノート</p>{TIERS_WOO}<p>ご利用シーン・季節<br />全ての季節に合います</p>",
            ),
        ),
        perfume(
            **CITRUS,
            brand="Maison Margiela",
            name=("Replica – Beach Walk", "Replica Beach Walk", "Beach Walk"),
            gender="レディース",
            families="フローラル",
            concentration="オードトワレ",
            seasons="春|夏|秋|冬",
        ),
    ),
    shape(
        "woo-no-dash",
        woo(
            "ジャスミン ノワール – 香水の小瓶屋",
            woo_summary(
                "ジャスミン ノワール",
                f"""<p class="brand">ブランド：<a href="/brand/bulgari/">Bulgari（ブルガリ）</a></p>
<p>夜に咲く白い花を思わせる一本。<br />【レディース／フローラル・ウッディ／オードパルファム】</p>{TIERS_WOO}""",
            ),
        ),
        perfume(
            **CITRUS,
            brand="Bulgari",
            brand_ja="ブルガリ",
            name="ジャスミン ノワール",
            gender="レディース",
            families="フローラル|ウッディ",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "woo-flat-list",
        woo(
            "Le Labo – Santal 33 – 香水の小瓶屋",
            woo_summary(
                "Le Labo – Santal 33",
                """<p>荒野の焚き火を囲む夜。<br />【ユニセックス／ウッディ／オードパルファム】</p>
<p><strong>香りのノート</strong></p><p>サンダルウッド　シダーウッド　カルダモン　バイオレット　アイリス　アンバー　レザー　ムスク</p>
<p><strong>ご利用シーン・季節</strong><br />デイリー　リラックス<br />秋 冬</p>""",
            ),
        ),
        perfume(
            notes="サンダルウッド|シダーウッド|カルダモン|バイオレット|アイリス|アンバー|レザー|ムスク",
            brand="Le Labo",
            name="Santal 33",
            gender="ユニセックス",
            families="ウッディ",
            concentration="オードパルファム",
            seasons="秋|冬",
            scenes="デイリー|リラックス",
        ),
    ),
    shape(
        "woo-notes-on-related-cards",
        woo(
            "Hermès – Eau de Rhubarbe Écarlate",
            woo_summary(
                "Hermès – Eau de Rhubarbe Écarlate",
                "<p>赤いルバーブのみずみずしさ。<br />【ユニセックス／シトラス／オーデコロン】</p><p>香りのノート</p><p>Top<br />ルバーブ<br />Last<br />ホワイトムスク</p>",
            ),
            notes_on_cards=True,
        ),
        perfume(
            "ルバーブ",
            "",
            "ホワイトムスク",
            brand="Hermès",
            name="Eau de Rhubarbe Écarlate",
            gender="ユニセックス",
            families="シトラス",
            concentration="オーデコロン",
        ),
    ),
    shape(
        "woo-both-spellings-in-h1",
        woo(
            "Byredo – Bal d’Afrique",
            woo_summary(
                "Byredo – Bal d’Afrique / バイレード – バル ダフリック",
                f"<p>一九二〇年代のパリが夢見たアフリカ。<br />【ユニセックス／フローラル／オードパルファム】</p>{TIERS_WOO}",
            ),
        ),
        perfume(
            **CITRUS,
            brand="Byredo",
            brand_ja="バイレード",
            name="Bal d’Afrique",
            name_ja="バル ダフリック",
            gender="ユニセックス",
        ),
    ),
    shape(
        "woo-lines-in-divs-with-nbsp",
        woo(
            "Tom Ford – Oud Wood",
            woo_summary(
                "Tom&nbsp;Ford&nbsp;–&nbsp;Oud&nbsp;Wood",
                """<div>静けさをたたえた木の香り。</div>
<div>【ユニセックス／ウッディ／オードパルファム】</div><div>&nbsp;</div><div>Top</div><div>カルダモン&nbsp;&#12288;ローズウッド</div><div>Middle</div>
<div>ウード　サンダルウッド</div><div>Last</div><div>トンカビーン　アンバー&#8203;</div>""",
            ),
        ),
        perfume(
            "カルダモン|ローズウッド",
            "ウード|サンダルウッド",
            "トンカビーン|アンバー",
            brand="Tom Ford",
            name="Oud Wood",
            gender="ユニセックス",
            families="ウッディ",
        ),
    ),
    # schema.org -------------------------------------------------------------------------------------------------------
    shape(
        "ld-simple",
        shopify(
            "Gypsy Water | PARFUMERIE NORD",
            "<h1>Gypsy Water</h1><p>森の焚き火、自由な旅。</p><ul><li>トップ：ベルガモット、レモン、ペッパー</li>"
            "<li>ミドル：インセンス、パインニードル、オリス</li><li>ベース：アンバー、バニラ、サンダルウッド</li></ul><p>¥28,600</p>",
            ld(
                {
                    "@context": "https://schema.org/",
                    "@type": "Product",
                    "name": "Gypsy Water",
                    "brand": {"@type": "Brand", "name": "BYREDO"},
                    "description": "森の焚き火、自由な旅。",
                    "offers": {"@type": "Offer", "price": "28600", "priceCurrency": "JPY"},
                }
            ),
        ),
        perfume(
            "ベルガモット|レモン|ペッパー",
            "インセンス|パインニードル|オリス",
            "アンバー|バニラ|サンダルウッド",
            brand="BYREDO",
            name="Gypsy Water",
        ),
    ),
    shape(
        "ld-graph-broken-and-commented",
        shopify(
            "フィロシコス オードパルファン | NORD",
            "<h1>フィロシコス</h1><p>香調：グリーン、ウッディ</p><p>トップノート／フィグリーフ、フィグ<br>"
            "ミドルノート／グリーンノート、ココナッツ<br>ラストノート／フィグツリー、シダーウッド</p>",
            '<script type="application/ld+json">{"@type": "Product", "name": "broken", }</script><!-- '
            + ld({"@type": "Product", "name": "Rose Elixir", "brand": "Old Brand"})
            + " -->"
            + ld(
                {
                    "@context": "https://schema.org",
                    "@graph": [
                        {"@type": "Organization", "name": "NORD"},
                        {
                            "@type": "WebPage",
                            "mainEntity": {
                                "@type": ["Product", "Thing"],
                                "name": "フィロシコス オードパルファン 75mL",
                                "brand": [{"@type": "Brand", "name": "DIPTYQUE（ディプティック）"}],
                            },
                        },
                    ],
                }
            ),
        ),
        perfume(
            "フィグリーフ|フィグ",
            "グリーンノート|ココナッツ",
            "フィグツリー|シダーウッド",
            brand="DIPTYQUE",
            brand_ja="ディプティック",
            name="フィロシコス",
            families="グリーン|ウッディ",
            concentration=("オードパルファン", "オードパルファム"),
        ),
    ),
    shape(
        "ld-additional-properties",
        shopify(
            "NORD – No. 4 Cedar",
            "<h1>No. 4 Cedar</h1><p>杉の森を歩く。</p>",
            ld(
                [
                    {"@type": "BreadcrumbList"},
                    {
                        "@type": "Product",
                        "name": "No. 4 Cedar",
                        "brand": "Maison Kumo",
                        "category": "フレグランス",
                        "audience": {"@type": "PeopleAudience", "suggestedGender": "unisex"},
                        "additionalProperty": [
                            {
                                "@type": "PropertyValue",
                                "name": "トップノート",
                                "value": "ヒノキ、ユズ",
                            },
                            {
                                "@type": "PropertyValue",
                                "name": "ミドルノート",
                                "value": "シダーウッド",
                            },
                            {
                                "@type": "PropertyValue",
                                "name": "ラストノート",
                                "value": "ベチバー、モス",
                            },
                        ],
                    },
                ]
            ),
        ),
        perfume(
            "ヒノキ|ユズ",
            "シダーウッド",
            "ベチバー|モス",
            brand="Maison Kumo",
            name="No. 4 Cedar",
            gender="ユニセックス",
        ),
    ),
    shape(
        "ld-tiers-in-description",
        shopify(
            "Delina EDP",
            "<h1>Delina</h1><div class='product__description'><p>Delina is a bouquet of Turkish roses.</p>"
            "<p>Top: Litchi, Rhubarb, Bergamot<br>Heart: Turkish Rose, Peony<br>Base: Musk, Cashmeran</p></div>",
            ld(
                {
                    "@type": "Product",
                    "name": "Delina Eau de Parfum",
                    "brand": {"name": "Parfums de Marly"},
                    "description": "Delina is a bouquet of Turkish roses. Top: Litchi, Rhubarb, Bergamot Heart: Turkish Rose, Peony Base: Musk, Cashmeran",
                }
            ),
            lang="en",
        ),
        perfume(
            "Litchi|Rhubarb|Bergamot",
            "Turkish Rose|Peony",
            "Musk|Cashmeran",
            brand="Parfums de Marly",
            name="Delina",
        ),
    ),
    shape(
        "ld-product-group-of-sizes",
        shopify(
            "Blanche – Byredo",
            "<h1>Blanche</h1><p>Top Notes: Aldehydes, Pink Pepper<br>Heart Notes: Peony, Violet<br>Base Notes: Musk, Sandalwood</p>",
            ld(
                {
                    "@type": "ProductGroup",
                    "name": "Blanche",
                    "brand": {"@type": "Brand", "name": "Byredo"},
                    "hasVariant": [
                        {"@type": "Product", "name": "Blanche - 50 ml", "size": "50 ml"},
                        {"@type": "Product", "name": "Blanche - 100 ml", "size": "100 ml"},
                    ],
                }
            ),
            lang="en",
        ),
        perfume(
            "Aldehydes|Pink Pepper",
            "Peony|Violet",
            "Musk|Sandalwood",
            brand="Byredo",
            name="Blanche",
        ),
    ),
    shape(
        "microdata",
        eccube(
            "ナイルの庭",
            """<div itemscope itemtype="https://schema.org/Product"><h2 itemprop="name">ナイルの庭 オードトワレ</h2>
<p itemprop="brand" itemscope itemtype="https://schema.org/Brand"><span itemprop="name">エルメス</span></p><meta itemprop="sku" content="H-01">
<div itemprop="description">ナイル川の島をめぐる散歩。<br>トップノート：グリーンマンゴー、ロータス<br>ミドルノート：ブルラッシュ<br>ラストノート：シカモア、ムスク</div></div>""",
        ),
        perfume(
            "グリーンマンゴー|ロータス",
            "ブルラッシュ",
            "シカモア|ムスク",
            brand_ja="エルメス",
            name="ナイルの庭",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "opengraph-and-lines",
        shopify(
            "テ ノワール 29 ｜ ル ラボ ｜ 公式オンラインストア",
            """<div class="pdp"><h1>テ ノワール 29<small>THÉ NOIR 29</small></h1>
<p>紅茶の葉とたばこの対話。</p><p>TOP NOTES<br>ベルガモット, フィグ, ベイリーフ</p><p>MIDDLE NOTES<br>シダーウッド, ベチバー</p><p>BASE NOTES<br>ムスク, タバコ</p></div>""",
            '<meta property="og:type" content="product"><meta property="og:title" content="テ ノワール 29"><meta property="product:brand" content="LE LABO">',
        ),
        perfume(
            "ベルガモット|フィグ|ベイリーフ",
            "シダーウッド|ベチバー",
            "ムスク|タバコ",
            brand="LE LABO",
            brand_ja="ル ラボ",
            name="THÉ NOIR 29",
            name_ja="テ ノワール 29",
        ),
    ),
    # Tables -----------------------------------------------------------------------------------------------------------
    shape(
        "table-rows",
        eccube(
            "アクア アレゴリア マンダリン バジリック｜フレグランス堂",
            "<h1>アクア アレゴリア マンダリン バジリック</h1><table class='spec'>"
            + rows("""
ブランド=ゲラン（GUERLAIN）
商品名=アクア アレゴリア マンダリン バジリック
対象性別=女性
香調=シトラス・アロマティック
濃度=オードトワレ
内容量=75mL
トップノート=マンダリン、オレンジブロッサム
ミドルノート=バジル、カモミール、ピオニー
ラストノート=サンダルウッド、アンバー
発売年=2007年""")
            + "</table>",
        ),
        perfume(
            "マンダリン|オレンジブロッサム",
            "バジル|カモミール|ピオニー",
            "サンダルウッド|アンバー",
            brand="GUERLAIN",
            brand_ja="ゲラン",
            name="アクア アレゴリア マンダリン バジリック",
            gender="レディース",
            families="シトラス|アロマティック",
            concentration="オードトワレ",
            year=2007,
        ),
    ),
    shape(
        "table-tiers-in-one-cell",
        eccube(
            "エタニティ フォーメン",
            "<h2>カルバンクライン エタニティ フォーメン EDT 100ml</h2><table>"
            + rows("""
ブランド名=カルバンクライン / Calvin Klein
性別=メンズ
香りの構成=トップ：マンダリン、ラベンダー<br>ミドル：ジャスミン、セージ、バジル<br>ラスト：ローズウッド、ベチバー
タイプ=フレッシュ・フゼア
容量=100ml""")
            + "</table>",
        ),
        perfume(
            "マンダリン|ラベンダー",
            "ジャスミン|セージ|バジル",
            "ローズウッド|ベチバー",
            brand="Calvin Klein",
            brand_ja="カルバンクライン",
            name="エタニティ フォーメン",
            gender="メンズ",
            concentration=("オードトワレ", "EDT"),
        ),
    ),
    shape(
        "table-unknown-tier",
        eccube(
            "コロン エキストラ",
            "<h1>コロン エキストラ</h1><table>"
            + rows("""
メーカー=4711
トップノート=ベルガモット、レモン、オレンジ
ミドルノート=不明
ラストノート=－
対象=男性・女性""")
            + "</table>",
        ),
        perfume(
            "ベルガモット|レモン|オレンジ",
            brand="4711",
            name="コロン エキストラ",
            gender="ユニセックス",
        ),
    ),
    shape(
        "table-head-on-top",
        woo(
            "ラ プティット ローブ ノワール",
            """<h1>ゲラン「ラ プティット ローブ ノワール」</h1><table class="notes"><thead><tr><th>トップ</th><th>ミドル</th><th>ラスト</th></tr></thead>
<tbody><tr><td>ブラックチェリー<br>アーモンド<br>ベルガモット</td><td>ローズ<br>リコリス<br>スモークティー</td><td>バニラ<br>トンカビーン<br>パチュリ</td></tr></tbody></table>""",
        ),
        perfume(
            "ブラックチェリー|アーモンド|ベルガモット",
            "ローズ|リコリス|スモークティー",
            "バニラ|トンカビーン|パチュリ",
            brand_ja="ゲラン",
            name="ラ プティット ローブ ノワール",
        ),
    ),
    shape(
        "table-two-columns-of-pairs",
        eccube(
            "キャンディ",
            """<h1>PRADA プラダ キャンディ オードパルファム</h1><table border="1"><tr><td>ブランド</td><td>プラダ</td><td>性別</td><td>女性用</td></tr>
<tr><td>トップ</td><td>キャラメル</td><td>ミドル</td><td>ホワイトムスク</td></tr><tr><td>ラスト</td><td>ベンゾイン、バニラ</td><td>香り立ち</td><td>約5時間</td></tr></table>""",
        ),
        perfume(
            "キャラメル",
            "ホワイトムスク",
            "ベンゾイン|バニラ",
            brand="PRADA",
            brand_ja="プラダ",
            name=("キャンディ", "プラダ キャンディ"),
            gender="レディース",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "table-spaced-labels",
        old(
            "香水倶楽部",
            """<h3>ブルガリ プールオム ソワール</h3><table border=1><tr><td>&lt;ブ ラ ン ド&gt;<td>ブルガリ
<tr><td>&lt;香 調&gt;<td>ウッディ<tr><td>&lt;ト ッ プ&gt;<td>ダージリンティ、ベルガモット<tr><td>&lt;ミ ド ル&gt;<td>パピルスウッド<tr><td>&lt;ラ ス ト&gt;<td>アンバー、ムスク
<tr><td>&lt;性 別&gt;<td>男性用</table>""",
        ).encode("cp932"),
        perfume(
            "ダージリンティ|ベルガモット",
            "パピルスウッド",
            "アンバー|ムスク",
            brand_ja="ブルガリ",
            name="プールオム ソワール",
            gender="メンズ",
            families="ウッディ",
        ),
        content_type="text/html",
    ),
    # Definition lists, list items, siblings, attributes ----------------------------------------------------------------
    shape(
        "dl",
        shopify(
            "ド ソン",
            "<h1>ド ソン オードトワレ</h1><p class='vendor'>DIPTYQUE</p><dl>"
            + rows(
                """
香りのタイプ=フローラル
トップノート=オレンジリーフ、アイリス、ローズ
ミドルノート=チュベローズ、ピンクペッパー
ベースノート=ベンゾイン、ムスク
おすすめの季節=春・夏
おすすめのシーン=デート、オフィス""",
                "<dt>{}</dt><dd>{}</dd>",
            )
            + "</dl>",
        ),
        perfume(
            "オレンジリーフ|アイリス|ローズ",
            "チュベローズ|ピンクペッパー",
            "ベンゾイン|ムスク",
            brand="DIPTYQUE",
            name="ド ソン",
            families="フローラル",
            seasons="春|夏",
            scenes="デート|オフィス",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "dl-several-dd",
        shopify(
            "Rose 31",
            "<p>LE LABO ル ラボ</p><h1>Rose 31 ローズ 31</h1><div class='acc'><h2>香りの構成</h2><dl><dt>Top</dt><dd>ローズ</dd><dd>クミン</dd>"
            "<dt>Middle</dt><dd>ベチバー</dd><dd>シダー</dd><dt>Base</dt><dd>ムスク</dd><dd>ガイアックウッド</dd><dd>ウード</dd></dl></div>",
        ),
        perfume(
            "ローズ|クミン",
            "ベチバー|シダー",
            "ムスク|ガイアックウッド|ウード",
            brand="LE LABO",
            brand_ja="ル ラボ",
            name="Rose 31",
            name_ja="ローズ 31",
        ),
    ),
    shape(
        "li-strong-then-prose",
        woo(
            "クロエ – ノマド",
            """<h1>クロエ – ノマド オードパルファム</h1><ul><li><strong>トップノート</strong>：ミラベル、ベルガモット — 摘みたての果実が弾けるように香ります。</li>
<li><strong>ミドルノート</strong>：フリージア、ピーチ — 花々がやわらかく寄り添います。</li><li><strong>ラストノート</strong>：オークモス、ムスク — 大地の余韻が続きます。</li></ul>""",
        ),
        perfume(
            "ミラベル|ベルガモット",
            "フリージア|ピーチ",
            "オークモス|ムスク",
            brand_ja="クロエ",
            name="ノマド",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "nested-lists",
        shopify(
            "Halfeti",
            "<h1>PENHALIGON'S<br>Halfeti</h1><ul class='pyramid'><li>HEAD<ul><li>グレープフルーツ</li><li>サフラン</li></ul></li>"
            "<li>HEART<ul><li>ジャスミン</li><li>ローズ</li><li>ナツメグ</li></ul></li><li>BASE<ul><li>レザー</li><li>ウード</li></ul></li></ul>",
        ),
        perfume(
            "グレープフルーツ|サフラン",
            "ジャスミン|ローズ|ナツメグ",
            "レザー|ウード",
            brand="PENHALIGON'S",
            name="Halfeti",
        ),
    ),
    shape(
        "sibling-divs",
        shopify(
            "アナザー13",
            """<div class="title-box"><div class="brand">LE LABO</div><h1>アナザー13</h1></div><div class="row"><div class="label">トップノート</div>
<div class="value">ペアー、アップル</div></div><div class="row"><div class="label">ミドルノート</div><div class="value">アンブレット、ジャスミン</div></div>
<div class="row"><div class="label">ラストノート</div><div class="value">モス、アンブロキサン</div></div><div class="row"><div class="label">香調</div><div class="value">ムスキー</div></div>""",
        ),
        perfume(
            "ペアー|アップル",
            "アンブレット|ジャスミン",
            "モス|アンブロキサン",
            brand="LE LABO",
            name="アナザー13",
            families="ムスキー",
        ),
    ),
    shape(
        "data-label-only",
        shopify(
            "Fleur de Peau",
            """<h1>Fleur de Peau</h1><p class="product-vendor">Diptyque</p><div class="cells"><div data-label="トップ">ピンクペッパー、アルデヒド</div>
<div data-label="ミドル">アイリス、ターキッシュローズ</div><div data-label="ラスト">ムスク、アンブレット、レザー</div></div>""",
        ),
        perfume(
            "ピンクペッパー|アルデヒド",
            "アイリス|ターキッシュローズ",
            "ムスク|アンブレット|レザー",
            brand="Diptyque",
            name="Fleur de Peau",
        ),
    ),
    shape(
        "alt-label-only",
        eccube(
            "サムライ",
            """<h1>アランドロン サムライ オードトワレ</h1><p>ブランド：アランドロン</p><p><img src="top.gif" alt="トップノート"><span>ベルガモット、レモン、アップル</span></p>
<p><img src="mid.gif" alt="ミドルノート"><span>ジャスミン、セージ</span></p><p><img src="last.gif" alt="ラストノート"><span>サンダルウッド、ムスク</span></p>""",
        ),
        perfume(
            "ベルガモット|レモン|アップル",
            "ジャスミン|セージ",
            "サンダルウッド|ムスク",
            brand_ja="アランドロン",
            name="サムライ",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "notes-as-links-and-icons",
        shopify(
            "ロスト チェリー",
            """<h1><span>TOM FORD</span> ロスト チェリー</h1><h3>トップノート</h3><p><a href="/n/1"><img src="c.svg" alt="ブラックチェリー">ブラックチェリー</a>
<a href="/n/2"><img src="a.svg" alt="ビターアーモンド">ビターアーモンド</a></p><h3>ミドルノート</h3><p><a href="/n/3">ターキッシュローズ</a> <a href="/n/4">ジャスミンサンバック</a></p>
<h3>ラストノート</h3><p><a href="/n/5">ペルーバルサム</a> <a href="/n/6">サンダルウッド</a> <a href="/n/7">ベチバー</a></p>""",
        ),
        perfume(
            "ブラックチェリー|ビターアーモンド",
            "ターキッシュローズ|ジャスミンサンバック",
            "ペルーバルサム|サンダルウッド|ベチバー",
            brand="TOM FORD",
            name="ロスト チェリー",
        ),
    ),
    shape(
        "shown-twice-for-phones",
        shopify(
            "グランソワール",
            "<p>Maison Francis Kurkdjian / メゾン フランシス クルジャン</p><h1>グラン ソワール</h1>"
            + "".join(
                f"<div class='{kind}' {style}><p>トップノート：シスタス、ラバンジン</p><p>ミドルノート：シャムベンゾイン</p><p>ラストノート：アンバー、バニラ</p></div>"
                for kind, style in (("pc-only", ""), ("sp-only", "style='display:none'"))
            ),
        ),
        perfume(
            "シスタス|ラバンジン",
            "シャムベンゾイン",
            "アンバー|バニラ",
            brand="Maison Francis Kurkdjian",
            brand_ja="メゾン フランシス クルジャン",
            name="グラン ソワール",
        ),
    ),
    shape(
        "tabs-and-explained-tiers",
        eccube(
            "イドル",
            """<h1>ランコム イドル オードパルファン</h1><p class="brand-name">ランコム</p><ul class="tabs"><li>商品説明</li><li>香りの構成</li></ul><div id="tab2">
<p>トップノート：ペアー、ベルガモット、ピンクペッパー</p><p>ミドルノート：ローズ、ジャスミン</p><p>ラストノート：ホワイトムスク、バニラ、パチュリ</p></div>
<details><summary>トップノートとは？</summary><p>トップノート：つけた直後から10分ほどの香りのことです。</p><p>ミドルノート：30分から2時間ほどの香りのことです。</p></details>""",
        ),
        perfume(
            "ペアー|ベルガモット|ピンクペッパー",
            "ローズ|ジャスミン",
            "ホワイトムスク|バニラ|パチュリ",
            brand_ja="ランコム",
            name="イドル",
            concentration=("オードパルファン", "オードパルファム"),
        ),
    ),
    # Lines of text ----------------------------------------------------------------------------------------------------
    shape(
        "three-labels-on-one-line",
        eccube(
            "ブルガリ プールオム",
            "<h1>ブルガリ プールオム EDT 50ml</h1><p>ブランド：BVLGARI（ブルガリ）</p><p>紅茶の静けさをまとう香り。<br>"
            "トップ:ダージリンティ、ベルガモット、ミドル:パピルスウッド、ラスト:アンバー、ムスク。<br>お届けまで3日ほどいただきます。</p>",
        ),
        perfume(
            "ダージリンティ|ベルガモット",
            "パピルスウッド",
            "アンバー|ムスク",
            brand="BVLGARI",
            brand_ja="ブルガリ",
            name="プールオム",
        ),
    ),
    shape(
        "brackets-without-breaks",
        eccube(
            "ミツコ",
            "<h1>ゲラン ミツコ オードトワレ</h1><p>ブランド名：ゲラン</p><p>東洋への憧れ。【トップノート】ベルガモット・レモン・マンダリン【ミドルノート】ピーチ・ローズ・クローブ"
            "【ラストノート】オークモス・ベチバー・アンバー【香調】シプレ【性別】レディース</p>",
        ),
        perfume(
            "ベルガモット|レモン|マンダリン",
            "ピーチ|ローズ|クローブ",
            "オークモス|ベチバー|アンバー",
            brand_ja="ゲラン",
            name="ミツコ",
            families="シプレ",
            gender="レディース",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "parentheses-and-arrows",
        eccube(
            "ロードゥ イッセイ",
            "<h1>ISSEY MIYAKE ロードゥ イッセイ</h1><p>ブランド　イッセイ ミヤケ</p><p>（トップ）ロータス、フリージア→（ミドル）ピオニー、リリー→（ラスト）シダーウッド、ムスク</p>",
        ),
        perfume(
            "ロータス|フリージア",
            "ピオニー|リリー",
            "シダーウッド|ムスク",
            brand="ISSEY MIYAKE",
            brand_ja="イッセイ ミヤケ",
            name="ロードゥ イッセイ",
        ),
    ),
    shape(
        "squares-and-slashes",
        old(
            "ミニ香水",
            """<font size=4><b>エリザベスアーデン　グリーンティー　EDT・SP 100ml</b></font><br>■ブランド：エリザベスアーデン<br>■トップノート：レモン / ベルガモット / ルバーブ<br>
■ミドルノート：グリーンティー / ミント / フェンネル<br>■ラストノート：オークモス / ムスク / アンバー<br>■対象：女性用香水<br>税込 1,480円""",
        ).encode("cp932"),
        perfume(
            "レモン|ベルガモット|ルバーブ",
            "グリーンティー|ミント|フェンネル",
            "オークモス|ムスク|アンバー",
            brand_ja="エリザベスアーデン",
            name="グリーンティー",
            gender="レディース",
        ),
        content_type="text/html; charset=Shift_JIS",
    ),
    shape(
        "ampersands",
        shopify(
            "ポメグラネート ノアール",
            "<p>ジョー マローン ロンドン</p><h1>ポメグラネート ノアール コロン</h1><p>TOP : ザクロ & ラズベリー＆プラム</p><p>MID : カサブランカリリー & クローブ</p><p>LAST : ガイアックウッド＆パチョリ</p>",
        ),
        perfume(
            "ザクロ|ラズベリー|プラム",
            "カサブランカリリー|クローブ",
            "ガイアックウッド|パチョリ",
            brand_ja="ジョー マローン ロンドン",
            name=("ポメグラネート ノアール", "ポメグラネート ノアール コロン"),
        ),
    ),
    shape(
        "sentences-with-ya",
        article(
            "クリード「アバントゥス」の香り",
            """<h1>クリード「アバントゥス」はどんな香り？</h1><p>力強さと洗練をあわせ持つ、男性に人気の一本です。</p>
<p>トップノートはパイナップルやベルガモット、そしてカシス。ミドルノートはバーチとパチュリ、ジャスミンが重なります。ラストノートにはムスクやオークモス、アンバーグリスが残ります。</p>""",
        ),
        perfume(
            "パイナップル|ベルガモット|カシス",
            "バーチ|パチュリ|ジャスミン",
            "ムスク|オークモス|アンバーグリス",
            brand_ja="クリード",
            name="アバントゥス",
        ),
    ),
    shape(
        "parentheses-hold-separators",
        eccube(
            "アクア エヴァ",
            "<h1>メゾン ソレイユ アクア エヴァ EDP</h1><p>ブランド：メゾン ソレイユ</p><p>トップ：グアバの木の花(グリーン、フルーティーノート)、レモン（シチリア産、無農薬）<br>"
            "ミドル：ジャスミン（サンバック）、ローズ<br>ラスト：ムスク、シダー</p>",
        ),
        perfume(
            "グアバの木の花(グリーン、フルーティーノート)|レモン（シチリア産、無農薬）",
            "ジャスミン（サンバック）|ローズ",
            "ムスク|シダー",
            brand_ja="メゾン ソレイユ",
            name="アクア エヴァ",
        ),
    ),
    shape(
        "notes-named-like-labels",
        eccube(
            "フェリーチェ",
            "<h1>CASA LUCE フェリーチェ</h1><p>ブランド：CASA LUCE（カーサ ルーチェ）</p><p>トップノート：フルーティーノート、グリーンノート<br>ミドルノート：パウダリーノート、フローラルノート<br>"
            "ラストノート：ウッディノート、ムスク</p>",
        ),
        perfume(
            "フルーティーノート|グリーンノート",
            "パウダリーノート|フローラルノート",
            "ウッディノート|ムスク",
            brand="CASA LUCE",
            brand_ja="カーサ ルーチェ",
            name="フェリーチェ",
        ),
    ),
    shape(
        "headlines-that-look-like-lists",
        eccube(
            "ピオニー ブラッシュ",
            """<h1>リリーベル ピオニー ブラッシュ オードトワレ</h1><p>ブランド：リリーベル</p><h4>トップ：ピオニーの可憐さ</h4><p>咲きはじめの花束を抱いたときのときめき。</p>
<h4>ミドル：ローズの優しさ</h4><p>頬を染めるように広がります。</p><p>■香りの構成<br>トップノート：ピオニー、ライチ<br>ミドルノート：ローズ、マグノリア<br>ラストノート：ムスク</p>""",
        ),
        perfume(
            "ピオニー|ライチ",
            "ローズ|マグノリア",
            "ムスク",
            brand_ja="リリーベル",
            name="ピオニー ブラッシュ",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "list-ends-before-prose",
        eccube(
            "マリン",
            "<h1>ブルーメール マリンブリーズ</h1><p>ブランド：ブルーメール</p><p>トップ：ミント、レモン、シーソルトなど。夏の朝の海を思わせます。<br>ミドル：ロータス、ジャスミン等<br>花の透明感が広がります。<br>"
            "ベース：ムスク、シダー 他<br>おすすめの季節：夏</p>",
        ),
        perfume(
            "ミント|レモン|シーソルト",
            "ロータス|ジャスミン",
            "ムスク|シダー",
            brand_ja="ブルーメール",
            name="マリンブリーズ",
            seasons="夏",
        ),
    ),
    shape(
        "joint-middle-and-last",
        eccube(
            "ホワイトティー",
            "<h1>クリーン ホワイトティー</h1><p>ブランド：CLEAN / クリーン</p><p>トップノート：ホワイトティー、ベルガモット<br>ミドル＆ラストノート：ジャスミン、ムスク、シダーウッド</p>",
        ),
        perfume(
            "ホワイトティー|ベルガモット",
            "ジャスミン|ムスク|シダーウッド",
            "ジャスミン|ムスク|シダーウッド",
            brand="CLEAN",
            brand_ja="クリーン",
            name="ホワイトティー",
        ),
    ),
    shape(
        "joint-middle-to-last",
        eccube(
            "スノーフレーク",
            "<h1>アトリエ ネージュ スノーフレーク</h1><table>"
            + rows("""
ブランド=アトリエ ネージュ
トップ=ミント、ユーカリ
ミドル～ラスト=ホワイトムスク、アイリス""")
            + "</table>",
        ),
        perfume(
            "ミント|ユーカリ",
            "ホワイトムスク|アイリス",
            "ホワイトムスク|アイリス",
            brand_ja="アトリエ ネージュ",
            name="スノーフレーク",
        ),
    ),
    shape(
        "head-heart-base-kana",
        shopify(
            "No.7",
            "<h1>N°7 セドラ</h1><p>ブランド：ATELIER HUIT</p><p>ヘッドノート　セドラ、プチグレン<br>ハートノート　ネロリ、ミント<br>ベースノート　ホワイトムスク、ベチバー</p>",
        ),
        perfume(
            "セドラ|プチグレン",
            "ネロリ|ミント",
            "ホワイトムスク|ベチバー",
            brand="ATELIER HUIT",
            name="N°7 セドラ",
        ),
    ),
    shape(
        "last-bottom-label",
        eccube(
            "ロックオン",
            "<h1>ロックオン オードトワレ メンズ</h1><p>ブランド：サンダーロード</p><p>・トップノート － レモン、ペッパー<br>・ミドル(ハート)ノート － ラベンダー、セージ<br>・ラスト(ボトム)ノート － レザー、タバコ</p>",
        ),
        perfume(
            "レモン|ペッパー",
            "ラベンダー|セージ",
            "レザー|タバコ",
            brand_ja="サンダーロード",
            name="ロックオン",
            gender="メンズ",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "spaced-capitals",
        shopify(
            "NUIT BLANCHE",
            "<h1>NUIT BLANCHE</h1><p>MAISON EXEMPLE</p><p>T O P　N O T E</p><p>ユズ、ジンジャー</p><p>M I D D L E　N O T E</p><p>イリス、ティー</p><p>L A S T　N O T E</p><p>ヒノキ、ムスク</p>",
            '<meta property="og:site_name" content="MAISON EXEMPLE">',
            shop="MAISON EXEMPLE",
        ),
        perfume(
            "ユズ|ジンジャー",
            "イリス|ティー",
            "ヒノキ|ムスク",
            brand="MAISON EXEMPLE",
            name="NUIT BLANCHE",
        ),
    ),
    shape(
        "text-newlines-only",
        shopify(
            "かおり",
            "<h1>HINOKI BATH / ヒノキバス</h1><div class='item-vendor'>KAORI TOKYO</div><p style='white-space:pre-wrap'>湯気の向こうの静けさ。\n\n■香り\nTOP：ヒノキ、ユズ\nMIDDLE：ヨモギ、スギ\nBASE：ベチバー、お香\n\n"
            "内容量：30ml\n性別：ジェンダーレス</p>",
            shop="KAORI TOKYO",
        ),
        perfume(
            "ヒノキ|ユズ",
            "ヨモギ|スギ",
            "ベチバー|お香",
            brand="KAORI TOKYO",
            name="HINOKI BATH",
            name_ja="ヒノキバス",
            gender="ユニセックス",
        ),
    ),
    shape(
        "flat-main-notes",
        shopify(
            "フィグ",
            "<h1>FIG &amp; SALT オードパルファム 50ml</h1><p>ブランド：北の香房</p><p>主な香り：フィグ、シーソルト、シダーウッド</p><p>香調：グリーン</p>",
        ),
        perfume(
            notes="フィグ|シーソルト|シダーウッド",
            brand_ja="北の香房",
            name="FIG & SALT",
            families="グリーン",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "family-only",
        eccube(
            "ナチュラルコットン",
            "<h1>レイヤードフレグランス ナチュラルコットン オードトワレ</h1>"
            + "<table>"
            + rows("""
ブランド=レイヤードフレグランス
商品名=ナチュラルコットン
分類=オードトワレ
香調=フローラルムスク
おすすめの季節=オールシーズン
おすすめのシーン=普段使い、ビジネス""")
            + "</table>",
        ),
        perfume(
            brand_ja="レイヤードフレグランス",
            name="ナチュラルコットン",
            families="フローラルムスク",
            concentration="オードトワレ",
            seasons="春|夏|秋|冬",
        ),
    ),
    # Titles of shops --------------------------------------------------------------------------------------------------
    shape(
        "seo-title",
        eccube(
            "【送料無料】シャネル チャンス オー タンドゥル EDT・SP 50ml CHANEL CHANCE EAU TENDRE 香水 レディース【あす楽】",
            "<h1>【送料無料】シャネル チャンス オー タンドゥル EDT・SP 50ml CHANEL CHANCE EAU TENDRE 香水 レディース【あす楽】</h1><p class='brand'>ブランド：シャネル（CHANEL）</p><table>"
            + rows("""
トップノート=グレープフルーツ、クインス
ミドルノート=ヒヤシンス、ジャスミン
ラストノート=アンバー、アイリス、ムスク""")
            + "</table>",
        ),
        perfume(
            "グレープフルーツ|クインス",
            "ヒヤシンス|ジャスミン",
            "アンバー|アイリス|ムスク",
            brand="CHANEL",
            brand_ja="シャネル",
            name="CHANCE EAU TENDRE",
            name_ja="チャンス オー タンドゥル",
            gender="レディース",
        ),
    ),
    shape(
        "department-store",
        eccube(
            "＜ジバンシイ＞ランテルディ オーデパルファム",
            "<p class='brandName'><a href='/b'>GIVENCHY／ジバンシイ</a></p><h1>＜ジバンシイ＞ランテルディ オーデパルファム（50mL）</h1>"
            "<p>【香り】<br>トップノート：ペアー<br>ミドルノート：オレンジブロッサム、ジャスミン、チュベローズ<br>ラストノート：ベチバー、パチュリ、バニラ</p><p>※画像はイメージです。</p>",
        ),
        perfume(
            "ペアー",
            "オレンジブロッサム|ジャスミン|チュベローズ",
            "ベチバー|パチュリ|バニラ",
            brand="GIVENCHY",
            brand_ja="ジバンシイ",
            name="ランテルディ",
            concentration=("オーデパルファム", "オードパルファム"),
        ),
    ),
    shape(
        "brands-own-site",
        shopify(
            "レ・ゾー・ドゥ・パリ オードゥ トワレット | 香水 | LUMIERE 公式サイト",
            """<h1>レ・ゾー・ドゥ・パリ<span class="sub">オードゥ トワレット</span></h1><p>¥16,500（税込）</p>
<h2>NOTE</h2><p>トップ ─ オレンジ、マンダリン</p><p>ハート ─ ローズ、ジャスミン</p><p>ベース ─ ベチバー、パチョリ</p>""",
            '<meta property="og:site_name" content="LUMIERE">',
            shop="LUMIERE",
        ),
        perfume(
            "オレンジ|マンダリン",
            "ローズ|ジャスミン",
            "ベチバー|パチョリ",
            brand="LUMIERE",
            name="レ・ゾー・ドゥ・パリ",
        ),
    ),
    shape(
        "decant-with-size",
        woo(
            "【お試し1.5mL】ディオール ソヴァージュ EDT 香水 メンズ",
            woo_summary(
                "【お試し1.5mL】ディオール ソヴァージュ オードトワレ 1.5mL アトマイザー",
                """<p>ブランド：Dior（ディオール）</p><p>商品名：ソヴァージュ（Sauvage）</p>
<p>トップ：ベルガモット、ペッパー</p><p>ミドル：ラベンダー、ゼラニウム</p><p>ラスト：アンブロキサン、シダー</p><p>性別：メンズ</p>""",
            ),
        ),
        perfume(
            "ベルガモット|ペッパー",
            "ラベンダー|ゼラニウム",
            "アンブロキサン|シダー",
            brand="Dior",
            brand_ja="ディオール",
            name="Sauvage",
            name_ja="ソヴァージュ",
            gender="メンズ",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "same-title-guerlain",
        woo(
            "Guerlain – Vetiver",
            woo_summary(
                "Guerlain – Vetiver",
                f"<p>畑の土と煙草の葉。<br />【メンズ／ウッディ／オードトワレ】</p>{TIERS_WOO}",
            ),
        ),
        perfume(**CITRUS, brand="Guerlain", name="Vetiver", gender="メンズ"),
    ),
    shape(
        "same-title-other-brand",
        woo(
            "Maison Verte – Vetiver",
            woo_summary(
                "Maison Verte – Vetiver",
                "<p>雨上がりの根の香り。<br />【ユニセックス／グリーン／オードパルファム】</p><p>Top<br />ライム<br />Last<br />ベチバー</p>",
            ),
        ),
        perfume(
            "ライム", "", "ベチバー", brand="Maison Verte", name="Vetiver", gender="ユニセックス"
        ),
    ),
    shape(
        "candle-mentioned-beside",
        shopify(
            "サクラ オードパルファム",
            "<h1>サクラ オードパルファム</h1><p class='vendor'>アクア ディ パルマ</p><p>トップ：ベルガモット、マンダリン<br>ミドル：サクラ、ジャスミン<br>ラスト：ムスク</p>"
            "<p>同じ香りのボディクリーム、キャンドル、ヘアミストもご用意しています。</p>",
        ),
        perfume(
            "ベルガモット|マンダリン",
            "サクラ|ジャスミン",
            "ムスク",
            brand_ja="アクア ディ パルマ",
            name="サクラ",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "media-database",
        article(
            "ブラック オピウム / イヴ・サンローランの口コミ",
            """<p class="brand"><a href="/b/ysl">イヴ・サンローラン</a></p><h1>ブラック オピウム</h1><p class="en">YVES SAINT LAURENT / BLACK OPIUM</p><p>容量・税込価格：30ml・9,900円　発売日：2014/10/10</p>
<ul><li>トップノート：ピンクペッパー、ペアー</li><li>ミドルノート：コーヒー、ジャスミン</li><li>ラストノート：バニラ、パチュリ、シダー</li></ul><h2>クチコミ</h2><p>トップはコーヒー、ラストは甘いです（30代・女性）</p>""",
        ),
        perfume(
            "ピンクペッパー|ペアー",
            "コーヒー|ジャスミン",
            "バニラ|パチュリ|シダー",
            brand="YVES SAINT LAURENT",
            brand_ja="イヴ・サンローラン",
            name="BLACK OPIUM",
            name_ja="ブラック オピウム",
            year=2014,
        ),
    ),
    shape(
        "review-article",
        article(
            "【レビュー】トムフォード『グレイ ベチバー』を買ってみた",
            """<h1>【レビュー】トムフォード『グレイ ベチバー』を買ってみた</h1><div class="toc"><p>目次</p><ol><li>基本情報</li><li>香りの移り変わり</li></ol></div><h2>基本情報</h2>
<table>"""
            + rows("""
ブランド=トムフォード（TOM FORD）
香水名=グレイ ベチバー（Grey Vetiver）
種類=オードパルファム
発売=2009年
性別=メンズ
シーン=ビジネス・デート""")
            + """</table><h2>香りの移り変わり</h2><h3>トップノート：グレープフルーツ、オレンジブロッサム、セージ</h3><p>つけた瞬間は苦みのある柑橘です。</p>
<h3>ミドルノート：ナツメグ、オリス、ピメント</h3><p>土っぽさが出てきます。</p><h3>ラストノート：ベチバー、オークモス、アンバー</h3><p>静かに終わります。</p>""",
        ),
        perfume(
            "グレープフルーツ|オレンジブロッサム|セージ",
            "ナツメグ|オリス|ピメント",
            "ベチバー|オークモス|アンバー",
            brand="TOM FORD",
            brand_ja="トムフォード",
            name="Grey Vetiver",
            name_ja="グレイ ベチバー",
            gender="メンズ",
            concentration="オードパルファム",
            year=2009,
        ),
    ),
    # English ----------------------------------------------------------------------------------------------------------
    shape(
        "fragrantica-sentence",
        english(
            "Light Blue Dolce&amp;Gabbana perfume - a fragrance for women 2001",
            """<h1 itemprop="name">Light Blue Dolce&amp;Gabbana for women</h1><p itemprop="description"><b>Light Blue</b> by <b>Dolce&amp;Gabbana</b> is a Floral Fruity fragrance for women.
<b>Light Blue</b> was launched in 2001. The nose behind this fragrance is Olivier Cresp. Top notes are Sicilian Lemon, Apple, Cedar and Bellflower; middle notes are Bamboo, Jasmine and White Rose; base notes are Cedar, Musk and Amber.</p>""",
        ),
        perfume(
            "Sicilian Lemon|Apple|Cedar|Bellflower",
            "Bamboo|Jasmine|White Rose",
            "Cedar|Musk|Amber",
            brand="Dolce&Gabbana",
            name="Light Blue",
            gender="レディース",
            year=2001,
            perfumer="Olivier Cresp",
        ),
    ),
    shape(
        "fragrantica-women-and-men",
        english(
            "Mojave Ghost Byredo for women and men",
            """<h1>Mojave Ghost Byredo <small>for women and men</small></h1><div>Mojave Ghost by Byredo is a Woody Floral Musk fragrance for women and men. Mojave Ghost was launched in 2014.
Top notes are Ambrette and Sapodilla; middle notes are Violet, Sandalwood and Magnolia; base notes are Cedar, Musk and Amber.</div>""",
        ),
        perfume(
            "Ambrette|Sapodilla",
            "Violet|Sandalwood|Magnolia",
            "Cedar|Musk|Amber",
            brand="Byredo",
            name="Mojave Ghost",
            gender="ユニセックス",
            year=2014,
        ),
    ),
    shape(
        "pyramid-with-icons",
        english(
            "Orphéon by Diptyque",
            """<h1>Orphéon</h1><h2>by <a href="/d">Diptyque</a></h2><h3>Perfume Pyramid</h3><h4><b>Top Notes</b></h4><div><div><img src="j.jpg" alt="Juniper"><div>Juniper</div></div></div>
<h4><b>Middle Notes</b></h4><div><div><img src="c.jpg" alt="Cedar"><div>Cedar</div></div><div><img src="t.jpg" alt="Tonka Bean"><div>Tonka Bean</div></div></div>
<h4><b>Base Notes</b></h4><div><div><img src="p.jpg" alt="Powdery Notes"><div>Powdery Notes</div></div></div>""",
        ),
        perfume("Juniper", "Cedar|Tonka Bean", "Powdery Notes", brand="Diptyque", name="Orphéon"),
    ),
    shape(
        "parfumo-like",
        english(
            "Rose of No Man's Land by Byredo",
            """<h1>Rose of No Man's Land <span>Eau de Parfum</span> <a href="/byredo">Byredo</a> 2015</h1><p>A perfume by Byredo for women and men, released in 2015.</p><div class="pyramid"><div class="row"><span class="lbl">Top Notes</span>
<span class="n">Pink pepper</span> <span class="n">Turkish rose petals</span></div><div class="row"><span class="lbl">Heart Notes</span> <span class="n">Raspberry blossom</span></div><div class="row"><span class="lbl">Base Notes</span> <span class="n">Papyrus</span> <span class="n">White amber</span></div></div>""",
        ),
        perfume(
            "Pink pepper|Turkish rose petals",
            "Raspberry blossom",
            "Papyrus|White amber",
            brand="Byredo",
            name="Rose of No Man's Land",
            gender="ユニセックス",
            year=2015,
        ),
    ),
    shape(
        "shopify-english-bold",
        shopify(
            "Cedar Atlas – House of Oak",
            "<span class='product__vendor'>House of Oak</span><h1>Cedar Atlas</h1><p>Notes of a mountain walk, for men.</p><p><strong>TOP:</strong> Bergamot, Black Pepper and Cypress<br><strong>HEART:</strong> Cedar, Clary Sage<br><strong>BASE:</strong> Vetiver, Oakmoss and Musk</p>"
            "<p>50ml / 1.7 fl oz Eau de Parfum</p>",
            lang="en",
        ),
        perfume(
            "Bergamot|Black Pepper|Cypress",
            "Cedar|Clary Sage",
            "Vetiver|Oakmoss|Musk",
            brand="House of Oak",
            name="Cedar Atlas",
        ),
    ),
    shape(
        "english-flat-notes",
        shopify(
            "Salt Fig | Tidewater",
            "<h1>Salt Fig Eau de Parfum</h1><p>by Tidewater Perfumers</p><p>Notes: Fig, Sea Salt, Cedar and Musk.</p><p>Unisex</p>",
            lang="en",
            shop="Tidewater Perfumers",
        ),
        perfume(
            notes="Fig|Sea Salt|Cedar|Musk",
            brand="Tidewater Perfumers",
            name="Salt Fig",
            gender="ユニセックス",
        ),
    ),
    shape(
        "next-js-state-beside",
        shopify(
            "Infusion d'Iris",
            """<div id="__next"><h1>Infusion d'Iris</h1><h2>PRADA</h2><section><div><span>Top</span><span>マンダリン、ネロリ</span></div><div><span>Heart</span><span>アイリス、ガルバナム</span></div><div><span>Base</span><span>インセンス、ベンゾイン</span></div></section></div>
<script id="__NEXT_DATA__" type="application/json">{"props":{"pageProps":{"related":[{"name":"Luna Rossa","top":"ラベンダー"}]}}}</script>""",
        ),
        perfume(
            "マンダリン|ネロリ",
            "アイリス|ガルバナム",
            "インセンス|ベンゾイン",
            brand="PRADA",
            name="Infusion d'Iris",
        ),
    ),
    # Encodings --------------------------------------------------------------------------------------------------------
    shape(
        "cp932-named-shift-jis",
        old(
            "アナスイ シークレットウィッシュ ～香水倶楽部～",
            "<b>アナスイ　シークレットウィッシュ　①30ml</b><br>ブランド：アナスイ（ANNA SUI）<br>トップノート：レモン、メロン<br>ミドルノート：パイナップル、カシス<br>ラストノート：アンバー、ムスク<br>価格　①3,480円 ②4,980円　髙島様のお声をいただきました",
        ).encode("cp932"),
        perfume(
            "レモン|メロン",
            "パイナップル|カシス",
            "アンバー|ムスク",
            brand="ANNA SUI",
            brand_ja="アナスイ",
            name="シークレットウィッシュ",
        ),
        content_type="text/html",
    ),
    shape(
        "euc-jp",
        old(
            "ランバン エクラ・ドゥ・アルページュ",
            "<h2>ランバン エクラ・ドゥ・アルページュ</h2>ブランド：ランバン<br>トップ：レモンリーフ、ライラック<br>ミドル：ピオニー、グリーンティー<br>ラスト：シダーウッド、ムスク",
            "EUC-JP",
        ).encode("euc_jp"),
        perfume(
            "レモンリーフ|ライラック",
            "ピオニー|グリーンティー",
            "シダーウッド|ムスク",
            brand_ja="ランバン",
            name="エクラ・ドゥ・アルページュ",
        ),
        content_type="text/html",
    ),
    shape(
        "bom-and-wrong-lang",
        (
            "\ufeff"
            + woo(
                "Kilian – Good Girl Gone Bad",
                woo_summary(
                    "Kilian – Good Girl Gone Bad",
                    f"<p>エデンの園の寓話。<br />【レディース／フローラル／オードパルファム】</p>{TIERS_WOO}",
                ),
                lang="en",
            ).replace('<meta charset="UTF-8">', "")
        ).encode(),
        perfume(**CITRUS, brand="Kilian", name="Good Girl Gone Bad", gender="レディース"),
        content_type="text/html",
    ),
    shape(
        "no-charset-anywhere",
        woo(
            "Goutal – Petite Chérie",
            woo_summary(
                "Goutal – Petite Chérie",
                f"<p>ペアーを頬張る少女のように。<br />【レディース／フルーティー／オードパルファム】</p>{TIERS_WOO}",
            ),
        )
        .replace('<meta charset="UTF-8">', "")
        .encode(),
        perfume(
            **CITRUS,
            brand="Goutal",
            name="Petite Chérie",
            gender="レディース",
            families="フルーティー",
        ),
        content_type="text/html",
    ),
    shape(
        "header-against-meta",
        woo(
            "ロエベ – 001 ウーマン",
            woo_summary(
                "ロエベ – 001 ウーマン",
                f"<p>夜明けのはじまり。<br />【レディース／ウッディ／オードパルファム】</p>{TIERS_WOO}",
            ),
        ).encode("cp932", "xmlcharrefreplace"),
        perfume(**CITRUS, brand_ja="ロエベ", name="001 ウーマン", gender="レディース"),
        content_type="text/html; charset=Windows-31J",
    ),
    shape(
        "half-width-kana",
        eccube(
            "ﾌﾞﾙｶﾞﾘ ﾌﾞﾙｰ",
            "<h1>ﾌﾞﾙｶﾞﾘ ﾌﾞﾙｰ EDT</h1><p>ﾌﾞﾗﾝﾄﾞ：ﾌﾞﾙｶﾞﾘ</p><p>ﾄｯﾌﾟﾉｰﾄ：ﾍﾞﾙｶﾞﾓｯﾄ､ｼﾞﾝｼﾞｬｰ<br>ﾐﾄﾞﾙﾉｰﾄ：ｼﾞｭﾆﾊﾟｰ､ｺｯﾄﾝﾌﾗﾜｰ<br>ﾗｽﾄﾉｰﾄ：ｻﾝﾀﾞﾙｳｯﾄﾞ､ﾀﾊﾞｺ</p>",
        ),
        perfume(
            "ベルガモット|ジンジャー",
            "ジュニパー|コットンフラワー",
            "サンダルウッド|タバコ",
            brand_ja="ブルガリ",
            name="ブルー",
        ),
    ),
    # Fields beside the notes ------------------------------------------------------------------------------------------
    shape(
        "gender-men-and-women-label",
        eccube(
            "シーケーワン",
            "<h1>CALVIN KLEIN シーケーワン EDT 100ml</h1><p>ブランド：カルバン クライン</p><p>対象性別：男性・女性<br>トップノート：ベルガモット、パパイヤ<br>ミドルノート：ジャスミン、バイオレット<br>ラストノート：ムスク、アンバー</p>",
        ),
        perfume(
            "ベルガモット|パパイヤ",
            "ジャスミン|バイオレット",
            "ムスク|アンバー",
            brand="CALVIN KLEIN",
            brand_ja="カルバン クライン",
            name="シーケーワン",
            gender="ユニセックス",
        ),
    ),
    shape(
        "scenes-in-their-own-words",
        eccube(
            "テンダネス",
            "<h1>シャトレーヌ テンダネス</h1><table>"
            + rows("""
ブランド=シャトレーヌ
性別=レディース
トップ=ライチ、ローズ
ミドル=ピオニー
ラスト=ムスク
おすすめ季節=春夏
おすすめシーン=オフィス／デート／リラックス
香りのイメージ=エレガント、キュート""")
            + "</table>",
        ),
        perfume(
            "ライチ|ローズ",
            "ピオニー",
            "ムスク",
            brand_ja="シャトレーヌ",
            name="テンダネス",
            gender="レディース",
            seasons="春|夏",
            scenes="オフィス|デート|リラックス",
            images="エレガント|キュート",
        ),
    ),
    shape(
        "year-and-perfumer-in-a-line",
        woo(
            "Cartier – L'Envol",
            woo_summary(
                "Cartier – L'Envol",
                f"<p>空へ飛び立つ人の香り。<br />【メンズ／オリエンタル／オードパルファム】</p>{TIERS_WOO}<p>発売年：2016年　調香師：マチルド・ローラン</p>",
            ),
        ),
        perfume(
            **CITRUS,
            brand="Cartier",
            name="L'Envol",
            gender="メンズ",
            families="オリエンタル",
            year=2016,
            perfumer=("マチルド・ローラン", "マチルドローラン"),
        ),
    ),
    shape(
        "autumn-winter-and-special",
        eccube(
            "オペラノワール",
            "<h1>オペラ座 オペラノワール オードパルファム</h1><dl>"
            + rows(
                """
ブランド=オペラ座
トップノート=プラム
ミドルノート=チュベローズ、インセンス
ラストノート=レザー、バニラ
季節=秋冬
シーン=パーティー""",
                "<dt>{}</dt><dd>{}</dd>",
            )
            + "</dl>",
        ),
        perfume(
            "プラム",
            "チュベローズ|インセンス",
            "レザー|バニラ",
            brand_ja="オペラ座",
            name="オペラノワール",
            seasons="秋|冬",
            scenes="パーティー",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "control-characters",
        eccube(
            "ネオン",
            "<h1>スタジオ零 ネオン\x1b[31m</h1><p>ブランド：スタジオ零</p><p>トップ：ライム\x07、ミント\u200b<br>ミドル：ユリ<br>ラスト：ムスク\u202e</p>",
        ),
        perfume(
            "ライム|ミント", "ユリ", "ムスク", brand_ja="スタジオ零", name=("ネオン", "ネオン[31m")
        ),
    ),
    # Labels and brands in further forms -------------------------------------------------------------------------------
    shape(
        "labels-with-a-space-inside",
        eccube(
            "砂の庭",
            "<h1>アトリエ・ミナモ 砂の庭</h1><p>ブランド：アトリエ・ミナモ</p><ul class='scent-notes'><li><em>ヘッド ノート</em>ユズ、サンショウ</li><li><em>ハート ノート</em>ヒノキ</li><li><em>ベース ノート</em>ビャクダン、コケ</li></ul>",
        ),
        perfume(
            "ユズ|サンショウ",
            "ヒノキ",
            "ビャクダン|コケ",
            brand_ja="アトリエ・ミナモ",
            name="砂の庭",
        ),
    ),
    shape(
        "labels-of-one-letter",
        shopify(
            "夜想曲 – MINAMO",
            "<h1>夜想曲</h1><p>ブランド：MINAMO</p><table>"
            + rows("""
T=ベルガモット、ペアー
M=ジャスミン、ローズ
B=ムスク、アンバー""")
            + "</table>",
        ),
        perfume(
            "ベルガモット|ペアー",
            "ジャスミン|ローズ",
            "ムスク|アンバー",
            brand="MINAMO",
            name="夜想曲",
        ),
    ),
    shape(
        "labels-before-brackets",
        eccube(
            "コーラルベイ",
            "<h1>セイレン コーラルベイ EDT 50ml</h1><p>ブランド：セイレン</p><div>トップ(ライム、ミント、シーソルト)</div><div>ミドル(ロータス、スズラン)</div><div>ラスト(ムスク、流木)</div><div>2014年発売。</div>",
        ),
        perfume(
            "ライム|ミント|シーソルト",
            "ロータス|スズラン",
            "ムスク|流木",
            brand_ja="セイレン",
            name="コーラルベイ",
            year=2014,
        ),
    ),
    shape(
        "labels-in-wide-brackets",
        eccube(
            "ルナ ノワール",
            "<h1>カサ・ルナ ルナ ノワール</h1><p>ブランド：カサ・ルナ</p><p>男性用香水。</p><p>［トップ］カルダモン，ラム　→　［ミドル］タバコ，ハニー　→　［ラスト］レザー，バニラ</p>",
        ),
        perfume(
            "カルダモン|ラム",
            "タバコ|ハニー",
            "レザー|バニラ",
            brand_ja="カサ・ルナ",
            name="ルナ ノワール",
            gender="メンズ",
        ),
    ),
    shape(
        "dry-notes",
        eccube(
            "シトラスポート",
            "<h1>シトラスポート</h1><div>BRAND / Quai Vert（ケ ヴェール）<br />Top Notes : レモン, ジンジャー<br />Mid Notes : ミント, ネロリ<br />Dry Notes : シダーウッド, ムスク</div>",
        ),
        perfume(
            "レモン|ジンジャー",
            "ミント|ネロリ",
            "シダーウッド|ムスク",
            brand="Quai Vert",
            brand_ja="ケ ヴェール",
            name="シトラスポート",
        ),
    ),
    shape(
        "french-labels",
        english(
            "Bois de Lune",
            "<p class='brand'>Quai Vert</p><h1>Bois de Lune</h1><ul><li><strong>Notes de tête :</strong> prune, cannelle</li><li><strong>Notes de cœur :</strong> violette, rose</li><li><strong>Notes de fond :</strong> santal, musc</li></ul>",
            site="Le Petit Flacon",
        ),
        perfume(
            "prune|cannelle", "violette|rose", "santal|musc", brand="Quai Vert", name="Bois de Lune"
        ),
    ),
    shape(
        "brand-in-brackets-of-the-title",
        "<html><head><title>ミツコ（ゲラン）｜香りの小事典</title></head><body><article><h1>ミツコ</h1><h2>使われている香料</h2><p>ベルガモット、ピーチ、ジャスミン、オークモス</p></article></body></html>",
        perfume(
            notes="ベルガモット|ピーチ|ジャスミン|オークモス", brand_ja="ゲラン", name="ミツコ"
        ),
    ),
    shape(
        "official-site-of-the-brand",
        "<html><head><meta property='og:type' content='product'><title>白夜 | ミナモ香舗公式サイト MINAMO</title></head><body><main><h1>白夜</h1><p class='price'>￥9,900</p>"
        "<dl><dt>トップノート</dt><dd>ジンジャー、ライム</dd><dt>ミドルノート</dt><dd>ローズ</dd><dt>ラストノート</dt><dd>ムスク</dd></dl></main></body></html>",
        perfume(
            "ジンジャー|ライム",
            "ローズ",
            "ムスク",
            brand="MINAMO",
            brand_ja="ミナモ香舗",
            name="白夜",
        ),
    ),
    shape(
        "brand-in-angle-brackets",
        eccube(
            "〈セイレン〉夕凪 50mL",
            f"<h1>〈セイレン〉夕凪 50mL</h1>{TIERS_WOO}<p>※化粧箱はありません</p>",
        ),
        perfume(**CITRUS, brand_ja="セイレン", name="夕凪"),
    ),
    shape(
        "picks-of-the-staff",
        eccube(
            "夕凪",
            f"<h1>セイレン 夕凪</h1><p>ブランド：セイレン</p>{TIERS_WOO}<p>店長のおすすめ</p><div>カサ・ルナ 真昼<br>トップ：ラム、カカオ<br>ラスト：オークモス</div>",
        ),
        perfume(**CITRUS, brand_ja="セイレン", name="夕凪"),
    ),
    shape(
        "cards-with-whole-pyramids",
        eccube(
            "セイレン 夕凪",
            f"""<h1>セイレン 夕凪</h1><p>ブランド：セイレン</p>{TIERS_WOO}<section><h2>この棚から</h2><ul><li class="c c--41"><a href="/i/41">カサ・ルナ 真昼</a><p>トップ：ラム、カカオ<br>ミドル：タバコ、カカオの花<br>ラスト：レザー、バニラ</p><p>4100円</p></li><li class="c c--52"><a href="/i/52">カサ・ルナ 真夜中</a><p>トップ：ラム、シナモン<br>ミドル：タバコ、シナモンの花<br>ラスト：レザー、バニラ</p><p>5200円</p></li><li class="c c--63"><a href="/i/63">カサ・ルナ 薄明</a><p>トップ：ラム、クローブ<br>ミドル：タバコ、クローブの花<br>ラスト：レザー、バニラ</p><p>6300円</p></li></ul></section>""",
        ),
        perfume(**CITRUS, brand_ja="セイレン", name="夕凪"),
    ),
    shape(
        "bar-at-the-end",
        shopify(
            "夕凪 オードパルファム 50ml – セイレン",
            f"<main><p class='vendor'>セイレン</p><h1>夕凪</h1>{TIERS_WOO}</main><div class='buy-bar'><p>夕凪 オードパルファム 50ml</p></div>",
        ),
        perfume(**CITRUS, brand_ja="セイレン", name="夕凪"),
    ),
    shape(
        "labels-in-plain-japanese",
        eccube(
            "五月闇",
            "<h1>香水「五月闇」</h1><p>ブランド：水無月堂</p><p>◇ 香りの移ろい<br>はじめ：青柚子、若葉<br>なか：白百合、苔<br>おわり：檜、墨</p>",
        ),
        perfume("青柚子|若葉", "白百合|苔", "檜|墨", brand_ja="水無月堂", name="五月闇"),
    ),
    shape(
        "brand-in-kanji-and-in-latin",
        eccube("朝靄", f"<h1>朝靄</h1><p>ブランド：水無月堂 MINAZUKIDO</p>{TIERS_WOO}"),
        perfume(**CITRUS, brand="MINAZUKIDO", brand_ja="水無月堂", name="朝靄"),
    ),
]
