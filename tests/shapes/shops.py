"""Pages of one perfume as shop systems of many makes lay them out: menus of brands, headings that are no h1, own trails."""

from .shape import perfume, shape

MENU = "".join(
    f'<li><a href="/brand/{number}">{name}</a></li>'
    for number, name in enumerate(
        (
            "DIOR（ディオール）",
            "CHANEL（シャネル）",
            "GUCCI（グッチ）",
            "HERMES（エルメス）",
            "BVLGARI（ブルガリ）",
            "PRADA（プラダ）",
        )
    )
)
CARDS = "".join(
    f'<li class="goods"><a href="/g/{number}"><img src="/{number}.jpg" alt=""><span>{name}</span></a><p>{number},980円</p></li>'
    for number, name in enumerate(
        ("プラダ キャンディ EDP 50ml", "グッチ ブルーム EDP 30ml", "エルメス 庭園の水 EDT 50ml"), 3
    )
)

TIERS = "<p>トップ：レモン、ライム<br>ミドル：ローズ、リリー<br>ラスト：ムスク、アンバー</p>"
NOTES = {"top": "レモン|ライム", "middle": "ローズ|リリー", "last": "ムスク|アンバー"}


def page(title: str, body: str, head: str = "") -> str:
    """A page with a menu of brands above and one of goods below."""
    return (
        f'<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>{title}</title>{head}</head><body><div class="wrap"><div class="site-top"><a href="/">ことり香水店</a>'
        f'<ul class="global-navi">{MENU}</ul></div><ul class="brand-menu">{MENU}</ul>{body}<div class="box"><h3>この商品を見た人はこちらも見ています</h3><ul>{CARDS}</ul></div>'
        f'<div class="bottom">特定商取引法 ｜ 会社概要<br>Copyright © 2024 ことり香水店 All Rights Reserved.</div></div></body></html>'
    )


SHAPES = [
    shape(
        "shop-heading-is-a-styled-div",
        page(
            "ランバン モダン プリンセス EDP 60ml ｜ことり香水店",
            """<div class="p-detail"><div class="item_name">ランバン モダン プリンセス EDP 60ml</div><p class="kakaku">4,280円（税込）</p>
<div class="txt">りんごの甘さがはじける。<br>□トップノート<br>ピンクレディアップル、レッドカラント<br>□ミドルノート<br>ジャスミン、フリージア<br>□ラストノート<br>バニラオーキッド、ムスク</div></div>""",
        ),
        perfume(
            "ピンクレディアップル|レッドカラント",
            "ジャスミン|フリージア",
            "バニラオーキッド|ムスク",
            brand_ja="ランバン",
            name="モダン プリンセス",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-logo-is-the-h1",
        page(
            "ことり香水店 - ケンゾー ロー ケンゾー プールオム",
            """<h1 class="logo"><a href="/">ことり香水店</a></h1><p id="pan">HOME &gt; メンズ &gt; ケンゾー</p><h2>ケンゾー ロー ケンゾー プールオム オードトワレ 50ml【正規品】</h2>
<table><tr><td>トップ</td><td>ユズ、レモン</td></tr><tr><td>ミドル</td><td>ロータス、セージ</td></tr><tr><td>ラスト</td><td>ムスク、シダー</td></tr><tr><td>性別</td><td>メンズ</td></tr></table>""",
        ),
        perfume(
            "ユズ|レモン",
            "ロータス|セージ",
            "ムスク|シダー",
            brand_ja="ケンゾー",
            name="ロー ケンゾー プールオム",
            gender="メンズ",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "shop-unknown-house-in-the-trail",
        page(
            "月あかりの庭 オードパルファム | ことり香水店",
            """<div class="topic-path"><a href="/">トップ</a><span>›</span><a href="/c/7">香水</a><span>›</span><a href="/c/71">アトリエ千草</a></div>
<h1>月あかりの庭 オードパルファム 30mL</h1><p>9,900円</p><dl><dt>トップノート</dt><dd>ユズ / 山椒</dd><dt>ミドルノート</dt><dd>白梅 / 椿</dd><dt>ベースノート</dt><dd>白檀 / 墨</dd></dl>""",
        ),
        perfume(
            "ユズ|山椒",
            "白梅|椿",
            "白檀|墨",
            brand_ja="アトリエ千草",
            name="月あかりの庭",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-unknown-house-in-its-element",
        page(
            "Salt Garden | ことり香水店",
            """<div class="detail"><p class="goods-brand">MAISON TIDELINE / メゾン タイドライン</p><h1>Salt Garden<br><small>ソルト ガーデン</small></h1><span class="price">¥14,300</span>
<ul class="note-list"><li><span>TOP</span><span>海塩、ベルガモット</span></li><li><span>MIDDLE</span><span>ローズマリー、セージ</span></li><li><span>LAST</span><span>流木、アンバーグリス</span></li></ul></div>""",
        ),
        perfume(
            "海塩|ベルガモット",
            "ローズマリー|セージ",
            "流木|アンバーグリス",
            brand="MAISON TIDELINE",
            brand_ja="メゾン タイドライン",
            name="Salt Garden",
            name_ja="ソルト ガーデン",
        ),
    ),
    shape(
        "shop-brand-closes-the-title",
        page(
            "オー ド マグノリア - フレデリック マル | ことり香水店",
            """<h1>オー ド マグノリア</h1><p>10ml 8,800円</p><p>トップ　ベルガモット、レモン<br>ミドル　マグノリア<br>ラスト　ベチバー、シダー、モス</p>""",
        ),
        perfume(
            "ベルガモット|レモン",
            "マグノリア",
            "ベチバー|シダー|モス",
            brand_ja="フレデリック マル",
            name="オー ド マグノリア",
        ),
    ),
    shape(
        "shop-adverts-around-the-name",
        page(
            "【ポイント5倍】＼クーポン配布中／ エリザベスアーデン グリーンティー EDT SP 100ml【香水】【レディース】【送料無料】",
            """<p><span class="item_name"><b>【ポイント5倍】エリザベスアーデン グリーンティー EDT SP 100ml</b></span></p><p>1,980円</p>
<p>【ブランド】エリザベスアーデン<br>【商品名】グリーンティー<br>【香りの種類】シトラス<br>【トップノート】レモン、オレンジピール<br>【ミドルノート】ジャスミン、カーネーション<br>【ラストノート】オークモス、ムスク<br>【容量】100ml</p>""",
        ),
        perfume(
            "レモン|オレンジピール",
            "ジャスミン|カーネーション",
            "オークモス|ムスク",
            brand_ja="エリザベスアーデン",
            name="グリーンティー",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "shop-og-and-spans",
        page(
            "トバコ バニラ | ことり香水店",
            """<main><section><div class="a1"><span class="b2">TOM FORD</span><h1 class="c3">トバコ バニラ</h1><span class="d4">Tobacco Vanille</span></div><div class="e5"><div><b>Top</b><i>タバコリーフ</i><i>スパイス</i></div>
<div><b>Heart</b><i>トンカビーン</i><i>タバコブロッサム</i></div><div><b>Base</b><i>ドライフルーツ</i><i>ウッディサップ</i></div></div></section></main>""",
            '<meta property="og:title" content="トバコ バニラ"><meta property="og:type" content="product">',
        ),
        perfume(
            "タバコリーフ|スパイス",
            "トンカビーン|タバコブロッサム",
            "ドライフルーツ|ウッディサップ",
            brand="TOM FORD",
            name="Tobacco Vanille",
            name_ja="トバコ バニラ",
        ),
    ),
    shape(
        "shop-ld-brand-is-the-shop",
        page(
            "BYREDO バイレード ブランシュ オードパルファム 50ml",
            """<h1>BYREDO バイレード ブランシュ オードパルファム 50ml</h1><p>Top: ホワイトローズ、アルデヒド / Middle: ピオニー、バイオレット / Base: サンダルウッド、ムスク</p>""",
            '<script type="application/ld+json">{"@context":"https://schema.org", "@type":"Product", "name":"BYREDO バイレード ブランシュ オードパルファム 50ml", "brand":{"@type":"Brand", "name":"ことり香水店"},"offers":{"@type":"Offer", "price":"24200"}}</script>',
        ),
        perfume(
            "ホワイトローズ|アルデヒド",
            "ピオニー|バイオレット",
            "サンダルウッド|ムスク",
            brand="BYREDO",
            brand_ja="バイレード",
            name="ブランシュ",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-numbered-tiers",
        page(
            "アナスイ スイ ドリームス EDT 50ml | ことり香水店",
            """<h1>アナスイ スイ ドリームス EDT 50ml</h1><p>3,280円</p><h4>香りの変化</h4><p>① トップノート（つけて5分）：ミント、マンダリン<br>② ミドルノート（30分〜）：ピオニー、スズラン<br>③ ラストノート（3時間〜）：サンダルウッド、バニラ</p>""",
        ),
        perfume(
            "ミント|マンダリン",
            "ピオニー|スズラン",
            "サンダルウッド|バニラ",
            brand_ja="アナスイ",
            name="スイ ドリームス",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "shop-heading-parts-on-lines",
        page(
            "ジバンシイ プチサンボン 100ml",
            """<div class="ttl"><h1>GIVENCHY<br>プチサンボン<br>PETIT SENBON<br>オードトワレ 100ml</h1></div><p>5,200円</p><table><tr><th>香調</th><td>フルーティー</td></tr><tr><th>香り</th><td>トップ…ベルガモット、オレンジ<br>ミドル…ミモザ、オレンジフラワー<br>ラスト…ホワイトムスク</td></tr></table>""",
        ),
        perfume(
            "ベルガモット|オレンジ",
            "ミモザ|オレンジフラワー",
            "ホワイトムスク",
            brand="GIVENCHY",
            brand_ja="ジバンシイ",
            name="PETIT SENBON",
            name_ja="プチサンボン",
            families="フルーティー",
            concentration="オードトワレ",
        ),
    ),
    shape(
        "shop-sentence-in-the-description",
        page(
            "クロエ ラブストーリー | ことり香水店",
            """<h1>クロエ ラブストーリー オードパルファム</h1><p>¥9,800</p><p>トップノートはネロリとベルガモット、ミドルノートはステファノティスとオレンジブロッサム、ラストノートはシダーウッドとムスクで構成されています。</p>""",
        ),
        perfume(
            "ネロリ|ベルガモット",
            "ステファノティス|オレンジブロッサム",
            "シダーウッド|ムスク",
            brand_ja="クロエ",
            name="ラブストーリー",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-tabs-with-reviews-first",
        page(
            "Dior（ディオール）ジョイ オードパルファム 30ml",
            """<h1>Dior（ディオール） ジョイ オードパルファム 30ml</h1><ul class="tabs"><li>商品説明</li><li>レビュー（12）</li></ul><p>9,350円</p><div class="tab"><h3>香りのノート</h3><p>トップ：ベルガモット、マンダリン</p><p>ミドル：ローズ、ジャスミン</p>
<p>ラスト：サンダルウッド、シダー</p></div><h3>レビュー</h3><p>トップ：最高、ラスト：微妙</p>""",
        ),
        perfume(
            "ベルガモット|マンダリン",
            "ローズ|ジャスミン",
            "サンダルウッド|シダー",
            brand="Dior",
            brand_ja="ディオール",
            name="ジョイ",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-two-spellings-after-the-size",
        page(
            "ディプティック フルール ドゥ ポー EDP 75ml DIPTYQUE FLEUR DE PEAU",
            """<h2 class="goods_name">ディプティック フルール ドゥ ポー EDP 75ml DIPTYQUE FLEUR DE PEAU</h2><p>19,800円</p><p>◎トップ◎<br>ピンクペッパー、アルデヒド<br>◎ミドル◎<br>アイリス<br>◎ラスト◎<br>ムスク、アンブレット</p>""",
        ),
        perfume(
            "ピンクペッパー|アルデヒド",
            "アイリス",
            "ムスク|アンブレット",
            brand="DIPTYQUE",
            brand_ja="ディプティック",
            name="FLEUR DE PEAU",
            name_ja="フルール ドゥ ポー",
            concentration="オードパルファム",
        ),
    ),
    shape(
        "shop-own-brand-without-any-word",
        """<!DOCTYPE html><html lang="ja"><head><meta charset="utf-8"><title>夜風 | 香舗たちばな</title><meta property="og:site_name" content="香舗たちばな"></head><body><header><a href="/">香舗たちばな</a></header><main><h1>夜風</h1><p>¥8,800</p>
<h3>Top</h3><p>生姜、柚子</p><h3>Middle</h3><p>山椒、藤</p><h3>Base</h3><p>杉、苔</p></main><footer>© 香舗たちばな</footer></body></html>""",
        perfume("生姜|柚子", "山椒|藤", "杉|苔", brand_ja="香舗たちばな", name="夜風"),
    ),
    shape(
        "shop-list-without-tiers",
        page(
            "ジョーマローン ネクタリン ブロッサム＆ハニー コロン 30ml | ことり香水店",
            """<h1>ジョーマローン ネクタリン ブロッサム＆ハニー コロン 30ml</h1><p>11,000円</p><p>香りの構成：ネクタリン、ピーチ、カシス、アカシアハニー、ベチバー</p>""",
        ),
        perfume(
            notes="ネクタリン|ピーチ|カシス|アカシアハニー|ベチバー",
            brand_ja="ジョーマローン",
            name=("ネクタリン ブロッサム＆ハニー コロン", "ネクタリン ブロッサム＆ハニー"),
        ),
    ),
    shape(
        "shop-kinds-before-the-brand",
        page(
            "香水 メンズ カルバンクライン CK-ONE シーケーワン オードトワレ EDT 100mL CALVIN KLEIN | ことり香水店",
            f"<h2>香水 メンズ カルバンクライン CK-ONE シーケーワン オードトワレ EDT 100mL CALVIN KLEIN</h2><p>2,980円</p>{TIERS}",
        ),
        perfume(
            **NOTES,
            brand="CALVIN KLEIN",
            brand_ja="カルバンクライン",
            name=("CK-ONE シーケーワン", "CK-ONE"),
        ),
    ),
    shape(
        "shop-h1-says-product-details",
        page(
            "商品詳細 | ことり香水店",
            f"<h1>商品詳細</h1><h2>ロクシタン ヴァーベナ オードトワレ 100ml</h2><p>6,600円</p>{TIERS}",
        ),
        perfume(**NOTES, brand_ja="ロクシタン", name="ヴァーベナ"),
    ),
    shape(
        "shop-brand-link-below",
        page(
            "Aesop｜イソップ テシット オードパルファム - ことり香水店",
            "<h1>テシット オードパルファム</h1><p><a href='/brands/aesop'>Aesop｜イソップ</a></p><p>12,650円</p><dl><dt>トップ</dt><dd>ユズ<br>マンダリン</dd><dt>ミドル</dt><dd>クローブ</dd><dt>ラスト</dt><dd>ベチバー<br>パチュリ</dd></dl>",
        ),
        perfume(
            "ユズ|マンダリン",
            "クローブ",
            "ベチバー|パチュリ",
            brand="Aesop",
            brand_ja="イソップ",
            name="テシット",
        ),
    ),
    shape(
        "shop-wide-spaces-and-et-sp",
        page(
            "ブルガリ プールオム ソワール | ことり香水店",
            f"<h1>BVLGARI　ブルガリ　プールオム　ソワール　オードトワレ　ET/SP　50ml</h1><p>3,480円</p>{TIERS}",
        ),
        perfume(**NOTES, brand="BVLGARI", brand_ja="ブルガリ", name="プールオム ソワール"),
    ),
    shape(
        "shop-translated-name-in-brackets",
        page(
            "エルメス 地中海の庭 EDT 50ml",
            f"<h1>エルメス 地中海の庭 （Un Jardin en Mediterranee） EDT 50ml</h1><p>6,480円</p>{TIERS}",
        ),
        perfume(
            **NOTES, brand_ja="エルメス", name="Un Jardin en Mediterranee", name_ja="地中海の庭"
        ),
    ),
    shape(
        "shop-brand-with-a-slash",
        page(
            "ヴェルサーチェ/VERSACE ブライト クリスタル オードトワレ/50mL|香水・フレグランス",
            f"<h1>ヴェルサーチェ/VERSACE ブライト クリスタル オードトワレ/50mL</h1><p>4,980円</p>{TIERS}",
        ),
        perfume(**NOTES, brand="VERSACE", brand_ja="ヴェルサーチェ", name="ブライト クリスタル"),
    ),
    shape(
        "shop-brand-below-alone",
        page(
            "シャネル N°5 オードゥ パルファム | ことり香水店",
            f"<h1>N°5 オードゥ パルファム（ヴァポリザター）</h1><p>CHANEL</p><p>18,700円</p>{TIERS}",
        ),
        perfume(**NOTES, brand="CHANEL", brand_ja="シャネル", name="N°5"),
    ),
    shape(
        "shop-name-opens-like-a-house",
        page(
            "サボン・デ・フルール",
            "<p class='maker'>香水舎エトワル</p><h1>サボン・デ・フルール</h1><p>3,300円</p><p>TOP NOTE / レモン・ライム<br>MIDDLE NOTE / ローズ・リリー<br>BASE NOTE / ムスク・アンバー</p>",
        ),
        perfume(**NOTES, brand_ja="香水舎エトワル", name="サボン・デ・フルール"),
    ),
    shape(
        "shop-name-opens-with-the-brand",
        page(
            "MISS DIOR ミス ディオール ブルーミング ブーケ | ことり香水店",
            f"<h1>ミス ディオール ブルーミング ブーケ オードゥトワレ</h1><table><tr><th>ブランド</th><td>Dior</td></tr></table><p>15,400円</p>{TIERS}",
        ),
        perfume(
            **NOTES, brand="Dior", brand_ja="ディオール", name="ミス ディオール ブルーミング ブーケ"
        ),
    ),
    shape(
        "shop-other-spelling-below",
        page(
            "ゲラン アクア アレゴリア ネロリア ヴェチヴァー ハーベスト | ことり香水店",
            "<h1>アクア アレゴリア ネロリア ヴェチヴァー</h1><p class='sub'>AQUA ALLEGORIA NEROLIA VETIVER</p><p>商品説明</p><div>【トップノート】レモン、ライム<br/>【ハートノート】ローズ、リリー<br/>【ベースノート】ムスク、アンバー</div><p>17,600円</p>",
        ),
        perfume(
            **NOTES,
            brand_ja="ゲラン",
            name="AQUA ALLEGORIA NEROLIA VETIVER",
            name_ja="アクア アレゴリア ネロリア ヴェチヴァー",
        ),
    ),
    shape(
        "shop-headline-then-lists",
        page(
            "バーバリー HER エリクシール オードパルファム | ことり香水店",
            "<h1>バーバリー　ハー　エリクシール　オードパルファム　50ml</h1><p>9,980円</p><p><b>香りの特徴</b></p><p>トップ：明るいレモンとライムが弾けます<br>ミドル：ローズ、リリー<br>ラスト：ムスク、アンバー</p>",
        ),
        perfume(
            "", "ローズ|リリー", "ムスク|アンバー", brand_ja="バーバリー", name="ハー エリクシール"
        ),
    ),
    shape(
        "shop-decant",
        page(
            "クリード アバントゥス | 量り売り ことり香水店",
            f"<h1>クリード アバントゥス 量り売り 1.5ml アトマイザー</h1><p>1,980円</p>{TIERS}",
        ),
        perfume(**NOTES, brand_ja="クリード", name="アバントゥス"),
    ),
    shape(
        "shop-review-of-one",
        page(
            "香水レビュー：イソップ ヒュイルの香りは？",
            "<h1>イソップ「ヒュイル」の香りを徹底レビュー</h1><h3>トップノート</h3><p>レモン、ライム</p><h3>ミドルノート</h3><p>ローズ、リリー</p><h3>ラストノート</h3><p>ムスク、アンバー</p>",
        ),
        perfume(**NOTES, brand_ja="イソップ", name="ヒュイル"),
    ),
    shape(
        "shop-both-spellings-in-two-lines",
        page(
            "PENHALIGON'S ルナ オードトワレ",
            f"<h1>PENHALIGON'S（ペンハリガン）<br>LUNA（ルナ） オードトワレ 100ml</h1><p>29,700円</p>{TIERS}",
        ),
        perfume(
            **NOTES, brand="PENHALIGON'S", brand_ja="ペンハリガン", name="LUNA", name_ja="ルナ"
        ),
    ),
    # No perfume -------------------------------------------------------------------------------------------------------
    shape(
        "shop-no-brand-page",
        page(
            "DIOR（ディオール）の商品一覧 | ことり香水店",
            f"<h1>DIOR（ディオール）</h1><p>1947年に始まったメゾン。</p><ul>{CARDS}</ul><p>全32件中 1〜3件</p>",
        ),
    ),
    shape(
        "shop-no-category",
        page(
            "オードトワレ | ことり香水店",
            f"<h1>オードトワレ</h1><p>並べ替え：価格の安い順</p><ul>{CARDS}</ul>",
        ),
    ),
    shape(
        "shop-no-front-page",
        page(
            "ことり香水店 | 香水の専門店",
            f"<h1>ことり香水店</h1><h2>新着商品</h2><ul>{CARDS}</ul><h2>トップノートとは</h2><p>つけてすぐの香りです。</p>",
        ),
    ),
    shape(
        "shop-no-hair-mist",
        page(
            "ミス ヘアミスト 30ml | ことり香水店",
            "<h1>クロエ ローズ ヘア ミスト 30ml</h1><p>4,950円</p><p>トップ：ライチ、ローズ<br>ミドル：ピオニー<br>ラスト：ムスク</p>",
        ),
    ),
    shape(
        "shop-no-shower-gel",
        page(
            "シャワージェル 200ml | ことり香水店",
            "<h1>ブルガリ プールオム シャワージェル 200ml</h1><p>2,980円</p><p>トップ：ベルガモット、ティー<br>ミドル：ペッパー<br>ラスト：ムスク</p>",
        ),
    ),
    shape(
        "shop-no-review-list",
        page(
            "シャネル チャンスの口コミ一覧 | ことり香水店",
            "<h1>シャネル チャンスの口コミ一覧</h1><p>★5 トップはグレープフルーツ、ラストはムスク。大好きです。</p><p>★4 夏に使います。</p>",
        ),
    ),
    shape(
        "shop-no-sold-set",
        page(
            "香水 ミニチュア 5本セット | ことり香水店",
            "<h1>ブルガリ ミニチュア 5本セット</h1><p>6,980円</p><p>セット内容：プールオム、ブルー、オムニア、ローズ、アクア</p>",
        ),
    ),
    shape(
        "shop-no-how-to-wear",
        page(
            "香水の選び方ガイド",
            "<h1>香水のつけ方</h1><p>トップノート：つけてすぐ、レモン、ライムなど</p><p>ミドルノート：ローズ、リリーなど</p><p>ラストノート：ムスク、アンバーなど</p>",
        ),
    ),
    shape(
        "shop-no-body-lotion",
        page(
            "フレグランスリボン | ことり香水店",
            f"<h1>クロエ フレグランスボディローション 200ml</h1><p>3,980円</p>{TIERS}",
        ),
    ),
    shape(
        "shop-no-home-candle",
        page(
            "ジョーマローン ホームキャンドル",
            f"<h1>ジョー マローン ロンドン ライム バジル ホーム キャンドル 200g</h1><p>9,900円</p>{TIERS}",
        ),
    ),
    shape(
        "shop-brand-marked-inside-the-heading",
        page(
            "ジョワ ド ヴィ オードパルファム ランコム通販",
            f"<h1><a href='/b/lancome'><span class='brand-name'>ランコム</span></a> <span class='name'>ジョワ ド ヴィ</span></h1><p>12,100円</p>{TIERS}",
        ),
        perfume(**NOTES, brand_ja="ランコム", name="ジョワ ド ヴィ"),
    ),
    shape(
        "shop-main-comment",
        page(
            "ことり香水店 / 【送料無料】ダンヒル アイコン EDP 100ml",
            f"<h1><a href='/'>ことり香水店</a></h1><h2>【送料無料】ダンヒル アイコン EDP 100ml</h2><p>7,480円</p><div class='main_comment'>{TIERS}</div>",
        ),
        perfume(**NOTES, brand_ja="ダンヒル", name="アイコン", concentration="オードパルファム"),
    ),
    shape(
        "shop-brand-named-anew",
        page(
            "クリード シルバー マウンテン EDP CREED SILVER MOUNTAIN",
            f"<h1>クリード シルバー マウンテン EDP CREED SILVER MOUNTAIN 2ml / 5ml</h1><p>990円</p>{TIERS}",
        ),
        perfume(
            **NOTES,
            brand="CREED",
            brand_ja="クリード",
            name="SILVER MOUNTAIN",
            name_ja="シルバー マウンテン",
        ),
    ),
    shape(
        "shop-soap-in-the-name",
        page(
            "白い石けん オードパルファム | ことり香水店",
            f"<h1>白い石けん オードパルファム 30ml</h1><p>ブランド：アトリエ千草</p><p>6,600円</p>{TIERS}",
        ),
        perfume(
            **NOTES, brand_ja="アトリエ千草", name="白い石けん", concentration="オードパルファム"
        ),
    ),
    shape(
        "shop-durations-below-labels",
        page(
            "バイレード ブランシュ | ことり香水店",
            "<h1>バイレード ブランシュ EDP</h1><p>5,980円</p><h3>トップノート</h3><p>つけてから5〜10分</p><p>レモン、ライム</p><h3>ミドルノート</h3><p>30分〜2時間</p><p>ローズ、リリー</p><h3>ラストノート</h3><p>2時間〜</p><p>ムスク、アンバー</p>",
        ),
        perfume(**NOTES, brand_ja="バイレード", name="ブランシュ"),
    ),
    shape(
        "shop-notes-as-pictures-alone",
        page(
            "SHIRO ホワイトリリー オードパルファン | ことり香水店",
            "<h1>SHIRO ホワイトリリー オードパルファン</h1><p>4,950円</p>"
            + "".join(
                f"<p><img src='{tier}.png' alt='{tier}'></p><ul>"
                + "".join(f"<li><img src='n.png' alt='{note}'></li>" for note in notes.split("|"))
                + "</ul>"
                for tier, notes in zip(
                    ("トップノート", "ミドルノート", "ラストノート"), NOTES.values(), strict=True
                )
            ),
        ),
        perfume(**NOTES, brand="SHIRO", name="ホワイトリリー"),
    ),
    shape(
        "shop-described-above-its-name",
        page(
            "【お買い物】ランバン エクラ EDP 50ml",
            f"<table><tr><td>香りの特徴</td><td>{TIERS}</td></tr></table><table><tr><td><h1>【ポイント2倍】ランバン エクラ EDP 50ml</h1></td></tr><tr><td>3,980円</td></tr></table>",
        ),
        perfume(**NOTES, brand_ja="ランバン", name="エクラ", concentration="オードパルファム"),
    ),
    shape(
        "shop-german",
        page(
            "Lattafa Yara Eau de Parfum für Damen | ことり香水店",
            "<h1><span>Lattafa</span> <span>Yara</span></h1><p>Eau de Parfum für Damen</p><p>26,90 €</p><p>Kopfnote</p><p>Heliotrop, Orchidee</p><p>Herznote</p><p>Gourmand, Frucht</p><p>Basisnote</p><p>Vanille, Moschus</p>",
        ),
        perfume(
            "Heliotrop|Orchidee", "Gourmand|Frucht", "Vanille|Moschus", brand="Lattafa", name="Yara"
        ),
    ),
    shape(
        "shop-blog-of-one",
        page(
            "香水日記♡モスキーノ トイ2 | はなのブログ",
            f"<h2>香水日記♡モスキーノ トイ2</h2><p>今回はこちらです。</p>{TIERS}",
        ),
        perfume(**NOTES, brand_ja="モスキーノ", name="トイ2"),
    ),
    shape(
        "shop-no-brand-story",
        page(
            "ブランドストーリー | ことり香水店",
            "<h1>ブランドストーリー</h1><h2>小さな工房から</h2><p>トップに香るのは季節の果実、ミドルには庭の花、ラストには寺院を思わせる白檀。</p>",
        ),
    ),
    shape(
        "shop-no-encyclopedia",
        page(
            "ベチバーとはどんな香り？ | 香料事典",
            "<h1>ベチバー</h1><p>トップノート：レモン、ライム</p><p>ミドルノート：ローズ、ゼラニウム</p><p>ベースノート：パチョリ、シダーウッド</p>",
        ),
    ),
    shape(
        "shop-no-history",
        page(
            "コラム：シャネルの歴史",
            "<h1>シャネルの歴史と名香</h1><p>1921年、N°5が生まれました。トップノートはアルデヒド、ミドルノートはローズ、ラストノートはサンダルウッドです。</p><p>1984年、ココが生まれました。</p>",
        ),
    ),
    shape(
        "shop-no-material",
        page(
            "ベルガモット｜香料辞典",
            "<h1>ベルガモット</h1><p>分類：シトラス</p><p>香りのタイプ：トップノート</p><p>使われている香水</p><ul>"
            + CARDS
            + "</ul>",
        ),
    ),
    shape(
        "shop-no-basket",
        page("お買い物カゴ", "<h1>お買い物カゴ</h1><ul>" + CARDS + "</ul><p>合計 9,940円</p>"),
    ),
]
