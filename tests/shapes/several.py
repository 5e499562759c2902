"""Pages of several perfumes: one record for each, or none, never a blend."""

from .chrome import article, eccube, shopify, woo
from .shape import perfume, shape


def tiers(top: str, middle: str, last: str) -> str:
    """Three labelled lines."""
    return f"<p>トップノート：{top}<br>ミドルノート：{middle}<br>ラストノート：{last}</p>"


LIBRE = perfume(
    "ラベンダー|マンダリン",
    "オレンジブロッサム|ジャスミン",
    "バニラ|ムスク",
    brand_ja="イヴ・サンローラン",
    name="リブレ",
)
ALIEN = perfume("ジャスミン", "カシュメラン", "アンバー", brand_ja="ミュグレー", name="エイリアン")

SHAPES = [
    shape(
        "several-compared-in-an-article",
        article(
            "リブレとエイリアンを比べました",
            "<h1>リブレとエイリアンを比べました</h1><p>どちらも花の香りですが、性格はまるで違います。</p>"
            f"<h2>イヴ・サンローラン「リブレ」</h2>{tiers('ラベンダー、マンダリン', 'オレンジブロッサム、ジャスミン', 'バニラ、ムスク')}"
            f"<h2>ミュグレー「エイリアン」</h2>{tiers('ジャスミン', 'カシュメラン', 'アンバー')}",
        ),
        LIBRE,
        ALIEN,
        or_none=True,
    ),
    shape(
        "several-in-a-discovery-set",
        shopify(
            "ディスカバリーセット | 北の香房",
            "<h1>ディスカバリーセット 2mL×3本</h1><p>北の香房の三つの香りをお試しいただけます。</p>"
            f"<h3>朝霧</h3>{tiers('ユズ、ミント', 'ティー', 'ヒノキ')}<h3>白夜</h3>{tiers('ペアー', 'スズラン、ミモザ', 'ホワイトムスク')}<h3>焚火</h3>{tiers('ペッパー', 'インセンス', 'バーチ、レザー')}",
            shop="北の香房",
        ),
        perfume("ユズ|ミント", "ティー", "ヒノキ", brand_ja="北の香房", name="朝霧"),
        perfume("ペアー", "スズラン|ミモザ", "ホワイトムスク", brand_ja="北の香房", name="白夜"),
        perfume("ペッパー", "インセンス", "バーチ|レザー", brand_ja="北の香房", name="焚火"),
        or_none=True,
    ),
    shape(
        "several-table-of-a-series",
        eccube(
            "アクア シリーズ",
            "<h1>メゾン ソレイユ アクア シリーズ全種</h1><table><tr><th>商品名</th><th>トップ</th><th>ミドル</th><th>ラスト</th></tr>"
            "<tr><td>アクア エヴァ</td><td>レモン</td><td>ジャスミン</td><td>ムスク</td></tr><tr><td>アクア ルナ</td><td>ミント</td><td>ローズ</td><td>シダー</td></tr></table>",
        ),
        perfume("レモン", "ジャスミン", "ムスク", brand_ja="メゾン ソレイユ", name="アクア エヴァ"),
        perfume("ミント", "ローズ", "シダー", brand_ja="メゾン ソレイユ", name="アクア ルナ"),
        or_none=True,
    ),
    shape(
        "several-his-and-hers",
        woo(
            "ペアフレグランス",
            "<h1>ペアフレグランス 2本セット</h1><div><h2>【メンズ】サンダーロード ロックオン</h2>"
            + tiers("レモン", "セージ", "レザー")
            + "</div><div><h2>【レディース】リリーベル ピオニー ブラッシュ</h2>"
            + tiers("ピオニー", "ローズ", "ムスク")
            + "</div>",
        ),
        perfume(
            "レモン",
            "セージ",
            "レザー",
            brand_ja="サンダーロード",
            name="ロックオン",
            gender="メンズ",
        ),
        perfume(
            "ピオニー",
            "ローズ",
            "ムスク",
            brand_ja="リリーベル",
            name="ピオニー ブラッシュ",
            gender="レディース",
        ),
        or_none=True,
    ),
    shape(
        "several-tiers-repeat-without-headings",
        eccube(
            "福袋",
            "<h1>香水福袋 おまかせ2本</h1><p>例1 トップ：レモン、ライム ミドル：ローズ ラスト：ムスク</p><p>例2 トップ：カシス ミドル：ピオニー ラスト：アンバー</p>",
        ),
    ),
]
