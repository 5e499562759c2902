"""Make the rehearsal model: a small GPT-NeoX that knows the language of perfume and not one real perfume.

    python data/rehearsal_model/build.py

A machine without a GPU cannot train OpenCALM-3B. It rehearses with this model instead: OpenCALM's architecture flags and
special tokens in little, trained from scratch on the passages that this file writes. Every passage states facts about
invented perfumes, and every name in it is drawn anew, so that what can be learned is to read and to repeat, never to
remember. There is no question in the text, and nothing of the sample site.

Writes config.json, model.safetensors (float16) and the tokenizer beside itself. Prints the loss on passages that were
held out, and how often a name that stood earlier in a passage is repeated without a mistake.
"""

import csv
import math
import random
import re
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

# ----------------------------------------------------------------------------------------------------------------------
SEED = 1  # of the passages and the weights
PASSAGES = 155_000  # passages to learn from, read once: about 130 tokens each
HELD_OUT = 600  # further passages, for the figures printed at the end
VOCABULARY = 2_048  # byte-level BPE tokens, the two special ones included
LAYERS, HIDDEN, HEADS = 3, 192, 4  # OpenCALM-3B has 32, 2560 and 32
POSITIONS = 2_048  # as OpenCALM
BATCH_TOKENS = 4_096  # tokens an optimizer step
SEQUENCE = 256  # tokens a training sequence
LEARNING_RATE = 4e-3  # the peak; 2 % warm-up, then a cosine down to a twentieth of it
# ----------------------------------------------------------------------------------------------------------------------

END, PAD = "<|endoftext|>", "<|padding|>"  # ids 0 and 1, as in OpenCALM

GENDERS = {
    "メンズ": ["メンズ", "男性", "男の人", "紳士"],
    "レディース": ["レディース", "女性", "女の人", "淑女"],
    "ユニセックス": ["ユニセックス", "男女", "性別を問わない人", "男女両方"],
}
SEASONS = ["春", "夏", "秋", "冬"]
SCENES = [
    "オフィス",
    "デート",
    "デイリー",
    "パーティー",
    "リラックス",
    "休日",
    "夜の外出",
    "旅行",
    "結婚式",
    "読書",
    "散歩",
]
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
    "アクアティック",
    "レザー",
    "アンバー",
    "パウダリー",
    "アロマティック",
    "フゼア",
    "ソープ",
    "マリン",
]
IMAGES = [
    "エレガント",
    "ベーシック",
    "セクシー",
    "モード",
    "キュート",
    "クラシック",
    "カジュアル",
    "ミステリアス",
    "上品",
    "知的",
    "シック",
]
IMPRESSIONS = [
    "フレッシュ",
    "ナチュラル",
    "スイート",
    "ユニーク",
    "温かみ",
    "クール",
    "やわらかさ",
    "透明感",
    "深み",
    "清潔感",
    "軽さ",
]
STRENGTHS = ["オードトワレ", "オードパルファム", "オーデコロン", "パルファム", "練り香水"]
MATERIALS = """ベルガモット ジャスミン ムスク パチュリ シダーウッド アンバー バニラ ベチバー サンダルウッド トンカビーン ローズ マンダリン
オレンジブロッサム レモン ラベンダー アイリス ホワイトムスク ピンクペッパー オークモス スズラン カルダモン グレープフルーツ オレンジ ペアー ネロリ
ピーチ ウッディノート ベンゾイン チュベローズ グリーンノート レザー シナモン コリアンダー ナツメグ フリージア バジル ガイアックウッド ローズマリー
ゼラニウム カシス バイオレット ピオニー アルデヒド ペッパー アンバーグリス ミント ジンジャー インセンス クローブ イランイラン マリンノート モス
ラブダナム ロータス ライム プチグレン アップル ストロベリー ラズベリー ココナッツ アーモンド ハニー カカオ コーヒー ティー 緑茶 抹茶 桜 梅 桃 柚子
金木犀 沈丁花 白檀 沈香 檜 杉 竹 麝香 ハチミツ 黒胡椒 山椒 紫蘇 生姜 タバコ ラム ウイスキー カシミアウッド スエード パウダリーノート フルーティーノート
ミモザ マグノリア ガーデニア ヒヤシンス ヘリオトロープ カーネーション ダバナ サフラン クミン アニス タイム セージ オレガノ シソ ユーカリ 松 パイン
サイプレス ジュニパー エレミ ミルラ 乳香 オポポナックス スチラックス トルーバルサム キャラメル プラリネ ミルク ライス イチジク メロン スイカ パイナップル
マンゴー グアバ ライチ チェリー プラム ザクロ ルバーブ 海水 塩 雨 土 石 灰 煙 革 綿 麻 シルク 石けん""".split()
PLACES = """パリ ローマ 京都 東京 港町 山の村 海辺 古い図書館 温室 市場 駅前 川沿い 森 砂漠 島 北の町 南の村 庭園 劇場 酒場 工房 大学 病院跡 寺 教会 果樹園
牧場 灯台 桟橋 茶室""".split()
MEMORIES = """祖母の鏡台 雨上がりの庭 朝の台所 夕暮れの坂道 洗いたての布 冬の暖炉 夏の木陰 春の並木道 秋の書斎 夜明けの海 古い手紙 初めての旅 子どものころの菓子
月夜の窓辺 誰もいない教室 日だまりの縁側 雪の朝 祭りの夜 温めた牛乳 遠い雷""".split()
# Latin and kana spellings of sounds, and of words that names of perfumes are often made of: a reader of both scripts needs them.
SOUNDS = """a-ア i-イ u-ウ e-エ o-オ ka-カ ki-キ ku-ク ke-ケ ko-コ sa-サ si-シ su-ス se-セ so-ソ ta-タ ti-ティ to-ト te-テ na-ナ ni-ニ nu-ヌ ne-ネ no-ノ
ha-ハ hi-ヒ he-ヘ ho-ホ ma-マ mi-ミ mu-ム me-メ mo-モ ya-ヤ yu-ユ yo-ヨ ra-ラ ri-リ ru-ル re-レ ro-ロ la-ラ li-リ lu-リュ le-レ lo-ロ wa-ワ ga-ガ gi-ギ
gu-グ ge-ゲ go-ゴ za-ザ zi-ジ zu-ズ ze-ゼ zo-ゾ da-ダ di-ディ do-ド de-デ ba-バ bi-ビ bu-ブ be-ベ bo-ボ pa-パ pi-ピ pu-プ pe-ペ po-ポ va-ヴァ vi-ヴィ
ve-ヴェ vo-ヴォ fa-ファ fi-フィ fe-フェ fo-フォ fu-フ ja-ジャ ju-ジュ jo-ジョ cha-シャ chi-シ che-シェ cho-ショ sha-シャ shi-シ sho-ショ kya-キャ ryu-リュ
lan-ラン len-レン lin-リン lon-ロン ran-ラン ren-レン rin-リン ron-ロン man-マン men-メン min-ミン mon-モン van-ヴァン ven-ヴェン vin-ヴァン don-ドン dan-ダン
den-デン san-サン sen-セン sin-シン son-ソン tan-タン ten-テン ton-トン bel-ベル del-デル vel-ヴェル mel-メル nel-ネル sol-ソル mar-マール gar-ガール var-ヴァール
ber-ベール ter-テール nor-ノール dor-ドール tte-ット ssa-ッサ lla-ラ lle-ル nne-ンヌ que-ク gue-グ oi-ワ ou-ウ eau-オー au-オー ai-エ ay-エイ ee-イー
oo-ウー ly-リー ny-ニー ty-ティー ry-リー th-ス ph-フ x-クス ce-セ ci-シ ca-カ co-コ cu-キュ qui-キ""".split()
WORDS = """eau-オー rose-ローズ noir-ノワール blanc-ブラン bois-ボワ fleur-フルール jardin-ジャルダン night-ナイト garden-ガーデン water-ウォーター wood-ウッド
amber-アンバー musk-ムスク vanilla-バニラ oud-ウード santal-サンタル iris-アイリス neroli-ネロリ soleil-ソレイユ lune-リュンヌ ciel-シエル mer-メール amour-アムール
rouge-ルージュ bleu-ブルー or-オール d'or-ドール de-ドゥ du-デュ la-ラ le-ル les-レ the-ザ of-オブ and-アンド &-＆ summer-サマー winter-ウィンター spring-スプリング autumn-オータム
moon-ムーン sun-サン star-スター sea-シー rain-レイン fire-ファイア light-ライト dark-ダーク black-ブラック white-ホワイト red-レッド green-グリーン blue-ブルー gold-ゴールド
silver-シルバー silk-シルク velvet-ベルベット leather-レザー tobacco-タバコ coffee-コーヒー tea-ティー honey-ハニー sugar-シュガー milk-ミルク cherry-チェリー pear-ペアー
fig-フィグ lime-ライム lemon-レモン mandarin-マンダリン basil-バジル mint-ミント sage-セージ salt-ソルト pepper-ペッパー spice-スパイス flower-フラワー bloom-ブルーム
blossom-ブロッサム bouquet-ブーケ market-マーケット street-ストリート club-クラブ day-デイ morning-モーニング evening-イブニング midnight-ミッドナイト dream-ドリーム
love-ラブ kiss-キス soul-ソウル ghost-ゴースト angel-エンジェル queen-クイーン king-キング man-マン woman-ウーマン homme-オム femme-ファム donna-ドンナ uomo-ウォモ
intense-インテンス absolu-アブソリュ sport-スポーツ elixir-エリクシール parfum-パルファム cologne-コロン nuit-ニュイ jour-ジュール matin-マタン soir-ソワール vie-ヴィ
belle-ベル petit-プティ grand-グラン mon-モン ma-マ my-マイ l'eau-ロー l'homme-ロム acqua-アクア terra-テラ villa-ヴィラ casa-カーサ maison-メゾン atelier-アトリエ
paris-パリ roma-ローマ london-ロンドン tokyo-トウキョウ kyoto-キョウト studio-スタジオ house-ハウス john-ジョン paul-ポール anna-アンナ marie-マリー louis-ルイ carlo-カルロ
jean-ジャン marc-マルク luca-ルカ elena-エレナ sofia-ソフィア thomas-トーマス hugo-ユーゴ bond-ボンド no.-ナンバー one-ワン two-トゥー 7-7 12-12 19-19 21-21 33-33 1920-1920""".split()

# What can be said of one perfume. {n} its name, {b} its brand, {g} for whom, {s} a season, {c} a scene, {f} a family, {t} {m} {l} the tiers,
# {a} one material of it, {k} its strength, {i} an image, {p} an impression, {y} a year, {w} the perfumer, {o} a place, {r} a memory.
OPENINGS = """{n}は{b}の香水である。|{b}の{n}は{y}年に世に出た。|{b}から出ている「{n}」は{f}系の香りです。|{n}（{b}）は{w}が調香した。|「{n}」は{b}というブランドの作品で、{o}から着想を得ている。|\
{b}は{y}年、{n}という名の{k}を発表した。|ブランド：{b}\n商品名：{n}|{b} – {n}|香水名は{n}、ブランドは{b}。|{o}で生まれた{b}には、{n}という香りがある。|{b}の代表作といえば{n}だ。|{n}。{b}の{k}。|\
{r}を思わせる{n}は、{b}の調香師{w}の手による。|{y}年に{w}が{b}のために作ったのが{n}です。|棚の奥に{b}の{n}が一本残っている。|{n}について記す。作り手は{b}、調香は{w}。""".split(
    "|"
)
FACTS = {
    "brand": "{n}のブランドは{b}です。|{n}を作っているのは{b}である。|{n}は{b}から出ている。|作り手の{b}は{o}に店を構える。|{b}というブランドの香りである。|{n}といえば{b}、{b}といえば{n}。|"
    "{b}の香りの中でも、{n}はよく知られている。|発売元は{b}。|{b}らしさがよく出た{n}は、長く愛されている。",
    "gender": "{g}向けに作られている。|{n}は{g}向けの香りです。|{g}によく選ばれる。|対象は{g}。|{n}を手に取るのは{g}が多い。|{g}の肌によくなじみます。|{g}に似合う香りで、{n}を贈り物にする人もいる。|{n}の性別区分は{g}である。|"
    "{g}に向けた一本。|{g}にふさわしい。",
    "season": "{s}に似合う。|{n}は{s}の空気に合う香りです。|{s}になると{n}が恋しくなる。|季節は{s}がよい。|おすすめの季節は{s}。|{s}に相応しい一本である。|{s}にまといたい。|{n}がいちばん映えるのは{s}である。|{s}らしい香り立ち。|"
    "{s}の朝に{n}をひと吹きする。|{s}向きの香りで、{n}は{s}によく売れる。",
    "scene": "{c}に向いている。|{n}は{c}の場面で使いやすい。|{c}のときにつけるとよい。|利用シーンは{c}。|{c}にぴったりの{n}。|{c}で使う人が多い。|{c}にもなじむ香りです。|{n}をつけて{c}に出かける。|シーン：{c}",
    "family": "香調は{f}。|{f}の系統に入る。|{n}は{f}系にあたります。|{f}ノートが主役である。|{n}の香調は{f}です。|系統でいえば{f}である。|{f}が好きな人は{n}を好む。",
    "tiers": "トップノートは{t}、ミドルノートは{m}、ラストノートは{l}。|トップに{t}、ミドルに{m}、ラストに{l}が香る。|{t}で始まり、{m}へ移り、{l}で終わる。|【トップノート】{t}【ミドルノート】{m}【ラストノート】{l}|"
    "{n}の香りの構成\nトップ：{t}\nミドル：{m}\nラスト：{l}|{n}のトップノートは{t}です。|{n}のミドルノートは{m}です。|{n}のラストノートは{l}です。|つけたては{t}、やがて{m}、最後に{l}が残る。",
    "note": "{a}が香る。|{n}には{a}が使われている。|{a}の香りが印象に残る。|{a}を使った{n}。|{a}が好きな人に愛されている。|{n}といえば{a}である。|{a}の香りを楽しめます。|{a}の入った香水で、{a}がはっきりわかる。|原料の{a}は{o}で採れる。|"
    "{a}を感じる一本。",
    "strength": "{k}である。|濃度は{k}。|{n}は{k}として売られている。|{k}なので香りの強さは中くらい。|種類は{k}です。",
    "image": "{i}なイメージ。|{n}は{i}な雰囲気をまとう。|{i}な印象を与えます。|{i}な人に似合う{n}。|イメージは{i}である。|{i}な装いに合う。",
    "impression": "{p}のある香り。|{p}を感じさせる。|{n}の印象は{p}。|{p}が心地よい。|{p}のある香り立ちが特徴です。|香りの印象：{p}",
    "past": "{y}年に発売された。|調香師は{w}。|{w}は{n}で{r}を描いた。|{o}にちなむ名である。|{r}を思い出させる。|{w}が{y}年に仕上げた。|{n}という名は{o}に由来する。",
}
# What can be said of several at once: each fact is told of its own perfume, then found again by what was told.
TOGETHER = {
    "season": (
        "{n}は{s}の香りである。|{s}には{n}がよい。|{n}、{s}向き。|{bn}は{s}に似合います。",
        "{s}の一本は{n}である。|{s}に似合うのは{n}。|この中で{s}向きなのは{n}です。|{s}なら{n}である。",
    ),
    "gender": (
        "{n}は{g}向け。|{g}には{n}がある。|{bn}は{g}に人気です。",
        "{g}向けなのは{n}である。|{g}が選ぶのは{n}。|{g}向けの一本は{n}です。",
    ),
    "scene": (
        "{n}は{c}に合う。|{c}には{n}を使う。|{bn}は{c}向きです。",
        "{c}に合うのは{n}である。|{c}のための一本は{n}です。|{c}向きは{n}。",
    ),
    "note": (
        "{n}は{a}の香り。|{n}には{a}が入っている。|{bn}は{a}が香ります。",
        "{a}が香るのは{n}である。|{a}の一本は{n}です。|{a}を使っているのは{n}。",
    ),
    "brand": (
        "{n}は{b}の香水。|{b}には{n}がある。|{b}が出しているのは{n}です。",
        "{b}の一本は{n}である。|{n}を出したのは{b}。|{b}の香りは{n}です。|{n}のブランドは{b}。",
    ),
    "family": (
        "{n}は{f}系。|{f}の香りなら{n}がある。|{bn}の香調は{f}です。",
        "{f}系なのは{n}である。|{f}の一本は{n}です。",
    ),
}
# Parts of a magazine: a headline names a subject, and the text below takes it up again in its own words. [words of a headline, words of a text],
# by kind of subject; a value that has other names is named by any of them above and by its own below.
SUBJECTS = {
    "gender": (
        "{G}に|{G}へ|{G}向け|{G}用|{G}が選ぶ香り|{G}のための一本|{G}に似合う|{G}の香水",
        "{g}向けの|{g}の|{g}向けとして|{g}では",
    ),
    "season": (
        "{s}|{s}に|{s}の香り|{s}に似合う|{s}にまとう|{s}向き|{s}に相応しい|{s}にぴったり|{s}らしい",
        "{s}の|{s}に似合う|{s}には|{s}なら",
    ),
    "scene": (
        "{C}に|{C}で|{C}用|{C}の香り|{C}に合う|{C}に向いた|{C}にぴったり|{C}でつける",
        "{c}シーンの|{c}シーンに合う|{c}に合う|{c}シーンでは",
    ),
    "family": (
        "{f}|{f}系|{f}の香調|香調が{f}|{f}系の香り|{f}ノート",
        "{f}系の|{f}系では|{f}の香調の|{f}系として",
    ),
    "note": (
        "{A}|{A}の香り|{A}を使った|{A}が香る|{A}の入った|{A}づくし|{A}好きへ",
        "{a}の|{a}を使った|{a}の香りの|{a}が香る",
    ),
    "tier": (
        "{T}に{A}|{A}が{T}に香る|{T}が{A}|{A}の{T}|{T}に{A}を使った",
        "{T2}に{a}を使った|{T2}が{a}の|{T2}に{a}が香る",
    ),
    "strength": ("{k}|{k}の香水|濃度が{k}|{k}で選ぶ", "{k}の|{k}では|濃度が{k}の|{k}として"),
    "image": (
        "{i}な雰囲気|{i}なイメージ|{i}な香り|{i}な人へ|{i}に装う",
        "{i}なイメージの|{i}な|イメージが{i}の|{i}なイメージでは",
    ),
    "impression": (
        "{p}な印象|印象は{p}|{p}な香り|{p}を感じる|{p}な感じ",
        "{p}な印象の|{p}の|印象が{p}の|{p}な印象では",
    ),
    "brand": (
        "{b}|{b}の香水|{b}から|{b}の香り|{b}を選ぶ|{b}の一本|{b}というブランド",
        "{B}の香りの|{B}の|{B}から出た|{B}の香りでは",
    ),
}
TAKEN_UP = [  # (end of a headline, what follows it); {x} is the subject in the text's words
    (
        "||||香水|の香水|一本|名作|の一本",
        "{x}一本は{n}である。|{x}香りに{n}がある。|{x}香水なら{n}がよい。|{x}定番は{n}です。|{x}香水として{n}が知られる。|{x}ものでは{n}が人気です。|{x}香りを代表するのは{bn}。|"
        "{x}{n}が選ばれている。|{x}おすすめは{bn}です。",
    ),
    (
        "二本|の2本|2選|を二つ|の香水を2つ|香水2種類|の二品",
        "{x}香水を二つ挙げると、{n}、{n2}である。|{x}香りは二つ、{n}と{n2}。|{x}香水を2つ選ぶと{n}、{n2}となる。|{x}2つは{n}、{n2}です。",
    ),
    (
        "三本|の3本|3選|を三つ|の香水を3つ|香水3種類|の三品",
        "{x}香りを三つ選ぶと、{n}、{n2}、{n3}となる。|{x}香りは三つ、{n}、{n2}、{n3}。|{x}香水を3つ挙げると{n}、{n2}、{n3}である。|{x}3つは{n}、{n2}、{n3}です。",
    ),
    (
        "のブランド|を出すブランド|香水のブランド|のブランド一覧|を扱うブランド",
        "{x}ブランドは{B}、{B2}、{B3}など。|{x}香水のブランドには{B}、{B2}、{B3}がある。|{x}香水を出すブランドは{B}と{B3}です。",
    ),
]
# Headlines about one perfume: its name and one side of it, and the text that takes both up again.
SIDES = [
    (
        "ブランド|メーカー|作り手|出しているところ",
        "{n}のブランドは{B}（{B2}）です。|{n}のブランドは、{B}。|{n}の作り手は{B}である。",
    ),
    ("対象|性別|つける人", "{n}の対象は{g}。|{n}の対象は、{g}向けです。|{n}の性別は{g}である。"),
    (
        "季節とシーン|季節|シーン|使う場面|つけるとき|合う季節",
        "{n}の季節は{s}、シーンは{c}。|{n}に合う季節は{s}、場面は{c}です。|{n}のシーンは{c}。|{n}のおすすめは{s}の{c}。",
    ),
    (
        "特徴|印象|イメージ|雰囲気|香りの感じ",
        "{n}の特徴は、{f}系の香り、{p}な印象、{i}なイメージ。|{n}の印象は{p}。|{n}の特徴は{f}系で{i}なこと。",
    ),
    (
        "香りの構成|ノート|香料|成分|香りの移り変わり|トップからラストまで",
        "{n}の構成は、【トップノート】{t}【ミドルノート】{m}【ラストノート】{l}。|{n}のノートはトップが{t}、ミドルが{m}、ラストが{l}。|{n}の香りの構成は、{t}から{m}、{l}へ。",
    ),
    ("調香師|発売年|来歴", "{n}の調香師は{w}。|{n}の発売は{y}年。|{n}の来歴は{w}に始まる。"),
]
OTHER_NAMES = {  # what customers and magazines call the same thing
    **GENDERS,
    "オフィス": ["オフィス", "職場", "会社", "仕事", "ビジネス"],
    "デイリー": ["デイリー", "普段", "毎日", "普段使い", "日常", "毎日の生活"],
    "デート": ["デート", "恋人と会う日", "デートの日", "特別な人に会う日"],
    "パーティー": ["パーティー", "夜会", "お祝いの席", "華やかな席"],
    "リラックス": [
        "リラックス",
        "くつろぐ時間",
        "休む時間",
        "おうち時間",
        "リラックスタイム",
        "寝る前",
    ],
    "スズラン": ["スズラン", "ミュゲ", "鈴蘭"],
    "サンダルウッド": ["サンダルウッド", "白檀", "ビャクダン"],
    "ペアー": ["ペアー", "洋梨", "洋ナシ", "ペア"],
    "カシス": ["カシス", "ブラックカラント"],
    "パチュリ": ["パチュリ", "パチョリ", "パチューリ"],
    "ローズ": ["ローズ", "バラ", "薔薇"],
    "アイリス": ["アイリス", "オリス", "イリス"],
    "オレンジブロッサム": ["オレンジブロッサム", "オレンジの花", "オレンジフラワー"],
    "シダーウッド": ["シダーウッド", "シダー", "杉の木"],
    "レモン": ["レモン", "檸檬"],
    "インセンス": ["インセンス", "お香", "乳香"],
    "ピオニー": ["ピオニー", "シャクヤク", "芍薬", "牡丹"],
    "バイオレット": ["バイオレット", "スミレ", "すみれ"],
    "チュベローズ": ["チュベローズ", "月下香"],
    "ピーチ": ["ピーチ", "桃"],
    "ムスク": ["ムスク", "麝香"],
    "ハニー": ["ハニー", "はちみつ", "ハチミツ", "蜂蜜"],
    "トップノート": ["トップ", "トップノート", "ヘッドノート", "最初"],
    "ミドルノート": ["ミドル", "ミドルノート", "ハートノート"],
    "ラストノート": ["ラスト", "ラストノート", "ベースノート", "最後"],
    "オードトワレ": ["オードトワレ", "オーデトワレ", "EDT", "トワレ"],
    "オードパルファム": ["オードパルファム", "オーデパルファム", "オードパルファン", "EDP"],
    "オーデコロン": ["オーデコロン", "コロン", "オードコロン"],
}
HEADLINES = [
    "{h}\n",
    "■{h}\n",
    "●{h}\n",
    "【{h}】\n",
    "〈{h}〉\n",
    "{h}。",
    "{h}：",
    "{h}――",
    "特集 {h}\n",
    "第一章 {h}\n",
    "{h}\n\n",
    "◆ {h}\n",
    "話題：{h}\n",
    "{h}について。\n",
]

SHOPS = """{o}に「{x}」という店がある。|「{x}」は{o}の香水店である。|{x}は{y}年に開いた小さな店です。|香水店{x}の棚には{b}がそろう。|{x}では{b}と{b2}を扱っている。|店主の{w}は{b}を好む。|\
{x}の取り扱いブランドは{b}、{b2}、{b3}です。|{s}になると{x}の棚は{s}の香りで埋まる。|{x}には{g}向けの香りが多い。|{x}で{c}向けの香りを買う人が多い。|{x}は{o}から移ってきた。|{x}では{a}の香りがよく売れる。""".split(
    "|"
)
GENERAL = """{a}は{f}系の香水によく使われる。|{s}には{a}の香りが合う。|{c}には{f}系の香りがよい。|{g}向けの香水には{a}が多い。|トップノートはつけてすぐの香り、ミドルノートはなかばの香り、ラストノートは最後に残る香りを指す。|{k}は{y}年ごろから広まった。|\
{a}と{a2}を合わせると{p}が生まれる。|{i}な香りを好む人は{f}系を選ぶ。|{f}系の香りは{s}に好まれる。|{o}では{a}がとれる。|{a}は{a2}に似ているが、より{p}がある。|同じ{f}系でも、{a}の香りと{a2}の香りは違う。""".split(
    "|"
)
JOINERS = [
    "",
    "",
    "",
    "",
    "",
    "また、",
    "そして、",
    "さらに、",
    "なお、",
    "特に、",
    "一方、",
    "つまり、",
    "もちろん、",
]


class Perfume:
    """Facts of one invented perfume, and its sentences."""

    def __init__(self, rng, brand=None):
        self.rng = rng
        self.brand, self.name = brand or invented(rng), invented(rng)
        self.gender, self.seasons = (
            rng.choice(list(GENDERS)),
            rng.sample(SEASONS, rng.choice([1, 1, 2])),
        )
        self.scenes, self.families = (
            rng.sample(SCENES, rng.randint(1, 3)),
            rng.sample(FAMILIES, rng.choice([1, 1, 2])),
        )
        self.tiers = [[material(rng) for _ in range(rng.randint(1, 4))] for _ in "tml"]
        self.fixed = {
            "k": rng.choice(STRENGTHS),
            "i": rng.choice(IMAGES),
            "p": rng.choice(IMPRESSIONS),
            "y": rng.randint(1900, 2030),
            "w": rng.choice(invented(rng)),
            "o": rng.choice(PLACES),
            "r": rng.choice(MEMORIES),
        }
        self.script = rng.choice(
            [(0, 0), (1, 1), (0, 1), (1, 0), None]
        )  # spellings of brand and name; None: both in turn

    def say(self, template, **more):
        """The sentence of a template, its facts filled in."""
        rng = self.rng
        brand, name = (
            rng.choice(pair) if self.script is None else pair[k]
            for pair, k in zip((self.brand, self.name), self.script or (0, 0), strict=True)
        )
        separator = rng.choice(["、", ", ", "と", "・"])
        top, middle, last = (separator.join(tier) for tier in self.tiers)
        values = {
            "b": brand,
            "n": name,
            "bn": rng.choice([f"{brand}の{name}", f"{brand} {name}", f"{brand}の「{name}」"]),
            "g": rng.choice(GENDERS[self.gender]),
            "s": rng.choice(self.seasons),
            "c": rng.choice(self.scenes),
            "f": rng.choice(self.families),
            "t": top,
            "m": middle,
            "l": last,
            "a": rng.choice(rng.choice(self.tiers)),
            "a2": rng.choice(MATERIALS),
        }
        return template.format(**(values | self.fixed | more))

    def say_subject(self):
        """Values for a headline and its text: one of each kind, in any of its names above ({G}) and in its own below ({g})."""
        rng, others = self.rng, [Perfume(self.rng) for _ in range(2)]
        tier = rng.choice(range(3))
        own = {
            "g": self.gender,
            "c": rng.choice(self.scenes),
            "a": rng.choice(self.tiers[tier]),
            "T2": ["トップノート", "ミドルノート", "ラストノート"][tier],
        }
        named = {
            letter: rng.choice(
                OTHER_NAMES.get(
                    own[letter.lower() if letter != "T" else "T2"],
                    [own[letter.lower() if letter != "T" else "T2"]],
                )
            )
            for letter in "GCAT"
        }
        more = {
            "B": self.brand[0],
            "B2": self.brand[1],
            "B3": others[1].brand[0],
            "n2": others[0].name[1],
            "n3": others[1].name[1],
        }
        fixed = {
            "s": rng.choice(self.seasons),
            "f": rng.choice(self.families),
            "b": rng.choice(self.brand),
            "n": rng.choice(self.name),
        }
        return own | named | more | fixed


def material(rng):
    """A material: one of MATERIALS or, as often, one that nobody has heard of, so that any can be read and repeated."""
    if rng.random() < 0.5:
        return rng.choice(MATERIALS)
    words = [word[1] for word in invented_words(rng)[: rng.choice([1, 1, 1, 2])]]
    return (
        rng.choice(["", "", "", "", invented_words(rng)[0][1] + "産"])
        + "".join(words)
        + rng.choice(["", "", "", "", "ノート", "ウッド", "フラワー", "リーフ"])
    )


def squeezed(words):
    """Words without what spellings of a name differ in."""
    return re.sub(r"[\s・&＆'’.\-]", "", "".join(words)).lower()


with open(HERE.parent / "sample_site" / "perfumes.csv", encoding="utf-8", newline="") as shop:
    REAL = {
        squeezed(row[field])
        for row in csv.DictReader(shop)
        for field in ("brand", "brand_ja", "name", "name_ja")
    }


def invented(rng):
    """(Latin, kana) of a name of one to three words, at least one of invented sounds; no run of them is a name of the sample site."""
    while True:
        words = invented_words(rng)
        runs = [words[a:b] for b in range(1, len(words) + 1) for a in range(b)]
        if not any(squeezed(word[k] for word in run) in REAL for run in runs for k in (0, 1)):
            separator = rng.choice([" ", " ", "", "・"])
            return " ".join(word[0] for word in words), separator.join(word[1] for word in words)


def invented_words(rng):
    """(Latin, kana) of each word of a name, some of them words that names of perfumes are made of."""

    def sounds():
        parts = [rng.choice(SOUNDS).split("-") for _ in range(rng.choice([2, 2, 3, 3, 4]))]
        return "".join(p[0] for p in parts).capitalize(), "".join(p[1] for p in parts)

    words = [sounds()] + [
        sounds() if rng.random() < 0.35 else spelled(rng.choice(WORDS))
        for _ in range(rng.choice([0, 0, 1, 1, 1, 2]))
    ]
    rng.shuffle(words)
    return words


def spelled(word):
    """(Latin, kana) of an entry of WORDS, the Latin one capitalised as in a title."""
    latin, kana = word.rsplit("-", 1)
    return (
        latin
        if latin in {"de", "du", "la", "le", "les", "of", "and", "the"}
        else latin[:1].upper() + latin[1:]
    ), kana


def passage(rng):
    """One passage: a magazine's page, about one perfume, several, a shop, or the art in general."""
    kinds = {magazine: 55, about_one: 22, about_several: 15, about_shop: 5, about_the_art: 3}
    return rng.choices(list(kinds), kinds.values())[0](rng)


def magazine(rng):
    """One to four parts, each a headline and what takes it up."""
    head, one, parts = rng.choice(HEADLINES), rng.random() < 0.35, []
    perfume = Perfume(rng)
    for _ in range(rng.choice([1, 1, 2, 3, 4])):
        if not one:
            perfume = Perfume(rng)
        if one or rng.random() < 0.25:
            side, text = rng.choice(SIDES)
            headline, said = (
                rng.choice(["{n}の", "{n} ", "{n}、", "{bn}の", "「{n}」の"])
                + rng.choice(side.split("|")),
                rng.choice(text.split("|")),
            )
        else:
            subjects = rng.sample(list(SUBJECTS), rng.choice([1, 1, 1, 2, 2]))
            above, below = zip(
                *(
                    [rng.choice(words.split("|")) for words in SUBJECTS[subject]]
                    for subject in subjects
                ),
                strict=True,
            )
            ending, following = rng.choices(TAKEN_UP, [70, 10, 10, 10])[0]
            headline = rng.choice(["", "", "", "、"]).join(above) + rng.choice(ending.split("|"))
            below = rng.sample(below, len(below)) if rng.random() < 0.15 else list(below)
            said = rng.choice(following.split("|")).replace(
                "{x}",
                "".join(
                    word if word[-1] in "のうたる" else word + rng.choice(["", "、"])
                    for word in below
                ),
            )
        more = perfume.say_subject()
        parts.append(head.format(h=perfume.say(headline, **more)) + perfume.say(said, **more))
        if rng.random() < 0.4:
            parts[-1] += perfume.say(rng.choice(FACTS[rng.choice(list(FACTS))].split("|")))
    return "\n".join(parts)


def about_one(rng):
    """Several sentences about one perfume; what matters recurs in other words."""
    perfume, style = Perfume(rng), rng.choice(["", "", "\n"])
    kinds = [kind for kind in FACTS for _ in range(rng.choice([0, 1, 1, 2]))]
    rng.shuffle(kinds)
    sentences = [rng.choice(OPENINGS)] + [
        rng.choice(JOINERS) + rng.choice(FACTS[kind].split("|"))
        for kind in kinds[: rng.randint(3, 12)]
    ]
    return style.join(perfume.say(sentence) for sentence in sentences)


def about_several(rng):
    """Two to five perfumes told apart by one kind of fact, then found again by it."""
    kind = rng.choice(list(TOGETHER))
    told, found = (sentences.split("|") for sentences in TOGETHER[kind])
    perfumes = [Perfume(rng) for _ in range(rng.randint(2, 5))]
    distinct = {
        "season": SEASONS,
        "gender": list(GENDERS),
        "scene": SCENES,
        "note": [material(rng) for _ in range(9)],
        "family": FAMILIES,
    }.get(kind)
    if distinct:
        perfumes = perfumes[: len(distinct)]
        for perfume, value in zip(perfumes, rng.sample(distinct, len(perfumes)), strict=True):
            perfume.seasons = perfume.scenes = perfume.families = [value]
            perfume.tiers, perfume.gender = (
                ([[value]] * 3 if kind == "note" else perfume.tiers),
                (value if kind == "gender" else perfume.gender),
            )
    sentences = [p.say(rng.choice(told)) for p in perfumes]
    again = perfumes * rng.choice([1, 1, 2])
    rng.shuffle(again)
    return rng.choice(["", "", "\n"]).join(sentences + [p.say(rng.choice(found)) for p in again])


def about_shop(rng):
    """A shop, its brands and some of its perfumes."""
    shop, brands = rng.choice(invented(rng)), [invented(rng) for _ in range(3)]
    others = {"x": shop, "b2": brands[1][0], "b3": brands[2][0]}
    perfumes = [Perfume(rng, rng.choice(brands)) for _ in range(rng.randint(1, 3))]
    sentences = [
        Perfume(rng, brands[0]).say(t, **others) for t in rng.sample(SHOPS, rng.randint(2, 5))
    ]
    for perfume in perfumes:
        sentences += [perfume.say(rng.choice(OPENINGS))] + [
            perfume.say(rng.choice(FACTS[kind].split("|"))) for kind in rng.sample(list(FACTS), 2)
        ]
    return "".join(sentences)


def about_the_art(rng):
    """Sentences about materials, families and seasons in general."""
    return "".join(Perfume(rng).say(t) for t in rng.sample(GENERAL, rng.randint(2, 5)))


def passages(count, seed):
    """The passages of a seed, one string each."""
    rng = random.Random(seed)
    return [passage(rng) for _ in range(count)]


def train_tokenizer(texts):
    """A byte-level BPE tokenizer with OpenCALM's special tokens at OpenCALM's ids."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    tokenizer.train_from_iterator(
        texts,
        trainers.BpeTrainer(
            vocab_size=VOCABULARY,
            special_tokens=[END, PAD],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=END, eos_token=END, unk_token=END
    )


def new_model():
    """A GPT-NeoX with OpenCALM's flags, random weights."""
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM

    return GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=VOCABULARY,
            hidden_size=HIDDEN,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=4 * HIDDEN,
            max_position_embeddings=POSITIONS,
            rotary_pct=1.0,
            rotary_emb_base=10_000,
            use_parallel_residual=False,
            hidden_act="gelu",
            tie_word_embeddings=False,
            bos_token_id=0,
            eos_token_id=0,
        )
    )


def pretrain(model, sequences):
    """Train on (sequences, SEQUENCE) ids, each read once; prints loss and tokens a second."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device).train()
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim < 2]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=LEARNING_RATE,
        betas=(0.9, 0.95),
        fused=True,
    )
    batch = BATCH_TOKENS // SEQUENCE
    steps, started, shown = len(sequences) // batch, time.time(), 0.0
    for step in range(steps):
        done = step / steps
        rate = LEARNING_RATE * min(
            step / (0.02 * steps), 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))
        )
        for group in optimizer.param_groups:
            group["lr"] = rate
        ids = sequences[step * batch : (step + 1) * batch].to(device).long()
        with torch.autocast(device, dtype=torch.bfloat16):
            logits = model(ids, use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(
            logits[:, :-1].float().flatten(0, 1), ids[:, 1:].flatten()
        )
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        shown = loss.item() if step == 0 else 0.95 * shown + 0.05 * loss.item()
        if step % 50 == 0 or step == steps - 1:
            speed = (step + 1) * BATCH_TOKENS / (time.time() - started)
            print(
                f"step {step + 1:,}/{steps:,}  loss {shown:.3f}  {speed:,.0f} tokens/s", flush=True
            )
    return model.eval().to("cpu")


def judge(model, tokenizer, texts):
    """(loss a token, share of names right at first mention, share right when repeated) on held-out passages.

    A name is a Latin word of five or more letters. It is right when each of its tokens but the first is the most probable
    one after the true text before it.
    """
    import torch

    losses, right = [], {False: [], True: []}
    for text in texts:
        encoded = tokenizer(END + text + END, return_offsets_mapping=True, return_tensors="pt")
        ids, offsets = encoded["input_ids"][0], encoded["offset_mapping"][0].tolist()
        with torch.no_grad():
            logits = model(ids[None]).logits[0, :-1]
        losses += torch.nn.functional.cross_entropy(logits, ids[1:], reduction="none").tolist()
        hits = (logits.argmax(-1) == ids[1:]).tolist()
        seen = set()
        for word in re.finditer(r"[A-Za-z]{5,}", text):
            start, end = word.start() + len(END), word.end() + len(END)
            inside = [k for k, (a, b) in enumerate(offsets) if a > start and b <= end]
            if inside:
                right[word.group() in seen].append(all(hits[k - 1] for k in inside))
            seen.add(word.group())
    return sum(losses) / len(losses), *(sum(r) / len(r) for r in right.values())


def main():
    import torch

    torch.manual_seed(SEED)
    texts = passages(PASSAGES, SEED)
    print(f"{len(texts):,} passages, for example:", *texts[:3], sep="\n\n", end="\n\n")
    tokenizer = train_tokenizer(texts[:20_000])
    ids = [
        torch.tensor(
            tokenizer(END.join(["", *texts[k : k + 1000]]))["input_ids"], dtype=torch.int32
        )
        for k in range(0, len(texts), 1000)
    ]
    ids = torch.cat(ids)
    sequences = ids[: len(ids) // SEQUENCE * SEQUENCE].view(-1, SEQUENCE)
    model = new_model()
    print(
        f"{sum(p.numel() for p in model.parameters()):,} parameters, {sequences.numel():,} tokens"
    )
    pretrain(model, sequences)
    loss, first, repeated = judge(model, tokenizer, passages(HELD_OUT, SEED + 1))
    print(f"held-out loss a token: {loss:.3f}")
    print(f"names right at their first mention: {first:.1%}; when repeated: {repeated:.1%}")
    model.to(torch.float16).save_pretrained(HERE)
    tokenizer.save_pretrained(HERE)


if __name__ == "__main__":
    main()
