"""Makes catalogues of perfumes for tests and benchmarks: any size, the same for the same seed, every name invented."""

import random

SOUNDS = [
    "ba-バ", "be-ベ", "bo-ボ", "da-ダ", "de-デ", "do-ド", "fa-ファ", "fi-フィ", "ga-ガ", "go-ゴ", "ka-カ", "ki-キ",
    "la-ラ", "le-レ", "li-リ", "lo-ロ", "lu-ル", "ma-マ", "mi-ミ", "mo-モ", "na-ナ", "ne-ネ", "no-ノ", "pa-パ",
    "pi-ピ", "ra-ラ", "ri-リ", "ro-ロ", "sa-サ", "se-セ", "so-ソ", "ta-タ", "to-ト", "va-ヴァ", "vi-ヴィ", "vo-ヴォ",
    "za-ザ", "ze-ゼ", "zo-ゾ",
]  # fmt: skip
SHARED_TITLES = [
    ("Vetiver", "ベチバー"),
    ("London", "ロンドン"),
    ("Eau Fraîche", "オー フレッシュ"),
    ("Noir", "ノワール"),
    ("Oud", "ウード"),
]
GENDERS = ["メンズ", "レディース", "ユニセックス"] * 6 + [None]
CONCENTRATIONS = ["オードパルファム", "オードトワレ", "オーデコロン", None]
PERFUMERS = [None, "アン・ドゥトン", "ポール・ナニガシ", None, "マリー・ダレソレ"]
FAMILIES = [
    "フローラル",
    "シトラス",
    "ウッディ",
    "オリエンタル",
    "フルーティー",
    "スパイシー",
    "グルマン",
    "ムスク",
    "グリーン",
    "シプレ",
]
SCENES = ["オフィス", "デート", "デイリー", "パーティー", "リラックス", "特別な時"]
IMAGES = ["エレガント", "キュート", "セクシー", "ベーシック", "モード", "大人", "華やか"]
IMPRESSIONS = ["フレッシュ", "ユニーク", "スイート", "ナチュラル", "温かみ", "透明感"]
NOTES = [
    "ベルガモット", "レモン", "オレンジ", "グレープフルーツ", "ライム", "マンダリン", "ユズ", "ネロリ", "プチグレン",
    "カシス", "ピーチ", "ペアー", "アップル", "ラズベリー", "ライチ", "プラム", "フィグ", "スズラン", "ローズ",
    "ジャスミン", "アイリス", "バイオレット", "ピオニー", "フリージア", "ガーデニア", "チュベローズ", "イランイラン",
    "オスマンサス", "マグノリア", "ロータス", "ラベンダー", "ローズマリー", "バジル", "ミント", "セージ", "タイム",
    "ピンクペッパー", "カルダモン", "シナモン", "クローブ", "ナツメグ", "サフラン", "ジンジャー", "コリアンダー",
    "シダーウッド", "サンダルウッド", "ベチバー", "パチュリ", "ウード", "ガイアックウッド", "サイプレス", "パイン",
    "バニラ", "トンカビーン", "ベンゾイン", "ラブダナム", "ミルラ", "インセンス", "アンバー", "ムスク",
    "ホワイトムスク", "レザー", "スエード", "タバコ", "コーヒー", "カカオ", "ハニー", "キャラメル", "アーモンド",
    "ココナッツ", "ミルク", "グリーンティー", "ブラックティー", "マリンノート", "グリーンノート", "ウッディノート",
    "オークモス", "アンバーグリス", "アルデヒド", "シチリア産レモン", "ハイチ産ベチバー", "ターキッシュローズ",
    "抹茶", "和梨",
]  # fmt: skip


def invented(draw, words):
    """(Latin, kana) spellings of a name that nothing bears."""
    sounds = [
        [draw.choice(SOUNDS).split("-") for _ in range(draw.randint(2, 4))] for _ in range(words)
    ]
    return tuple(" ".join("".join(s[i] for s in word) for word in sounds) for i in (0, 1))


def some(draw, values, most):
    """Up to `most` of the values, in their own order; none now and then."""
    chosen = set(draw.sample(values, draw.randint(0 if draw.random() < 0.1 else 1, most)))
    return [value for value in values if value in chosen]


def make_perfume(draw, number, brand, brand_ja):
    """One record as getData.py writes it; each field is missing now and then, one in twenty has no tiers."""
    name, name_ja = (
        draw.choice(SHARED_TITLES) if draw.random() < 0.02 else invented(draw, draw.randint(1, 3))
    )
    notes = draw.sample(NOTES, draw.randint(3, 14))
    first, second = sorted(draw.sample(range(1, len(notes)), 2))
    flat = draw.random() < 0.05
    return {
        "url": f"https://shop.example/product/{number}/",
        "brand": brand,
        "brand_ja": brand_ja,
        "name": name.title(),
        "name_ja": name_ja if draw.random() < 0.95 else None,
        "gender": draw.choice(GENDERS),
        "top_notes": [] if flat else notes[:first],
        "middle_notes": [] if flat else notes[first:second],
        "last_notes": [] if flat else notes[second:],
        "notes": notes if flat else [],
        "families": some(draw, FAMILIES, 2),
        "concentration": draw.choice(CONCENTRATIONS),
        "seasons": some(draw, ["春", "夏", "秋", "冬"], 4),
        "scenes": some(draw, SCENES, 3),
        "images": some(draw, IMAGES, 2),
        "impressions": some(draw, IMPRESSIONS, 2),
        "perfumer": PERFUMERS[number % len(PERFUMERS)],
        "year": draw.choice([None, draw.randint(1920, 2025)]),
        "concept": "朝の庭を歩くような、わたしたちの言葉による説明文です。",
        "fetched_at": "2026-01-01T00:00:00+00:00",
    }


def make_catalogue(count, seed):
    """A list of `count` perfumes; about 14 of a brand, from one to a sixteenth of all, some known in one spelling only."""
    draw = random.Random(seed)
    brands = [invented(draw, draw.randint(1, 2)) for _ in range(max(1, count // 14))]
    brands = [(latin.title(), kana if draw.random() < 0.9 else None) for latin, kana in brands]
    brands = [
        (None, kana) if kana and draw.random() < 0.1 else (latin, kana) for latin, kana in brands
    ]
    sizes = [1 / (rank + 10) for rank in range(len(brands))]
    chosen = sorted(draw.choices(range(len(brands)), sizes, k=count))
    return [make_perfume(draw, number, *brands[brand]) for number, brand in enumerate(chosen, 1)]
