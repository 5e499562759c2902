"""generate.py: the constraint, the choice, the checks, the terminal, the figures, and what is said when files are wrong."""

import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import catalogue
import pytest
from wcwidth import wcswidth

import arrangeData
import generate

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE = (
    "{% for message in messages %}{{ '### 質問:\\n' + message['content'] + '\\n\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '### 回答:\\n' }}{% endif %}"
)


def sample_perfumes():
    """The sample shop's perfumes, as getData.py writes them."""
    with open(ROOT / "data" / "sample_site" / "perfumes.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    lists = [field for field in generate.FIELDS if field.endswith("s")]
    return [
        {
            field: value.split("、")
            if field in lists and value
            else []
            if field in lists
            else value or None
            for field, value in row.items()
        }
        | {
            "url": f"https://shop.example/{number}/",
            "year": int(row["year"]) if row["year"] else None,
        }
        for number, row in enumerate(rows)
    ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A folder with the sample's perfumes and questions, and an adapter on a tiny random GPT-NeoX."""
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("shop")
    (folder / "data").mkdir()
    perfumes = sample_perfumes()
    (folder / "data" / "perfumes.jsonl").write_text(
        "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in perfumes), "utf-8"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arrangeData, "PERFUMES_FILE", str(folder / "data" / "perfumes.jsonl"))
        patch.setattr(arrangeData, "OUTPUT_FILE", str(folder / "data" / "perfume_qa.json"))
        arrangeData.main()
    qa = json.loads((folder / "data" / "perfume_qa.json").read_text("utf-8"))
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = (
        pre_tokenizers.ByteLevel(add_prefix_space=False),
        decoders.ByteLevel(),
    )
    bpe.train_from_iterator(
        [r["response"] for r in qa[::3]],
        trainers.BpeTrainer(vocab_size=600, special_tokens=["<|endoftext|>", "<|padding|>"], show_progress=False,
                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    eos = dict.fromkeys(("eos_token", "bos_token", "unk_token"), "<|endoftext|>")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, pad_token="<|padding|>", **eos)
    tokenizer.chat_template = TEMPLATE
    torch.manual_seed(0)
    model = GPTNeoXForCausalLM(GPTNeoXConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, rotary_pct=1.0,
        max_position_embeddings=1024, use_parallel_residual=False, tie_word_embeddings=False, bos_token_id=0, eos_token_id=0, pad_token_id=1,
        initializer_range=0.3,
    ))  # fmt: skip
    for part in (model, tokenizer):
        part.save_pretrained(folder / "base")
    adapter = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM", r=4, target_modules=["query_key_value"], init_lora_weights=False
        ),
    )
    adapter.peft_config["default"].base_model_name_or_path = "base"
    adapter.save_pretrained(folder / "fine_tuned_open_calm", save_embedding_layers=False)
    tokenizer.save_pretrained(folder / "fine_tuned_open_calm")
    tests = random.Random(0).sample(qa, 12)
    (folder / "fine_tuned_open_calm" / "test.json").write_text(
        json.dumps(tests, ensure_ascii=False), "utf-8"
    )
    (folder / "fine_tuned_open_calm" / "README.md").write_text(
        "# カード\n\n本文\n\n## 学習\n\n表\n", "utf-8"
    )
    return folder


@pytest.fixture
def here(shop, tmp_path, monkeypatch):
    """A copy of the shop to stand in, to be spoiled freely."""
    shutil.copytree(shop, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def clerk(shop):
    """What knows the sample shop's words and responses; no model."""
    qa = generate.read_records(str(shop / "data" / "perfume_qa.json"), "", ("response",))
    return generate.Clerk(sample_perfumes(), qa)


@pytest.fixture(scope="module")
def assistant(shop, clerk):
    """The tiny model with everything it needs to answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        model, tokenizer = generate.load(generate.ADAPTER_DIR)
    return generate.Assistant(model, tokenizer, clerk)


@pytest.fixture
def fresh(assistant, monkeypatch):
    """The same assistant with nothing remembered."""
    monkeypatch.setattr(assistant, "before", generate.Said(""))
    return assistant


def run_main(monkeypatch, capsys, stdin=b"", **constants):
    """(standard output, standard error) of main() with this on standard input."""
    for name, value in constants.items():
        monkeypatch.setattr(generate, name, value)
    content = stdin if isinstance(stdin, bytes) else stdin.encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    generate.main()
    return capsys.readouterr()


def ask(assistant, question):
    """The answer to a question, remembered."""
    said = assistant.answer(question)
    assistant.before = said if said.told else assistant.before
    return said


def planned(clerk, question):
    """What is to be said to the first question of a conversation."""
    return clerk.plan(clerk.understand(question))


def fixed(plan):
    """The fixed texts of a plan."""
    return "".join(part for part in plan if isinstance(part, str))


def choices(plan):
    """What the model is to choose from, one choice after the other."""
    return [part for part in plan if not isinstance(part, str)]


# --- understanding ----------------------------------------------------------------------------------------------------
def values(words):
    """{what words may mean}, without the parts of names."""
    return {value.text for word in words for value in word.values}


FOUND = [  # question, what it wishes
    ("ﾒｿﾞﾝﾏﾙｼﾞｪﾗの香水", {"Maison Margiela"}),
    ("メゾン・マルジェラの香水", {"Maison Margiela"}),
    ("ＣＨＡＮＥＬで夏に使えるもの", {"Chanel", "夏"}),
    ("サンローランのレディース", {"Yves Saint Laurent", "レディース"}),
    ("ミュゲの香り", {"スズラン"}),
    ("旦那が会社につけていく香水", {"メンズ", "オフィス"}),
    (unicodedata.normalize("NFD", "デートに使うウッディ"), {"デート", "ウッディ"}),
    ("ローズマリーの香り", {"ローズマリー"}),
    ("2013年の香水", {"2013"}),
    ("男女どちらでも使える冬の一本", {"ユニセックス", "冬"}),
    ("perfume for women in spring", {"レディース", "春"}),
]


@pytest.mark.parametrize(("question", "wished"), FOUND)
def test_words_of_customers_are_found(clerk, question, wished):
    assert values(clerk.understand(question).wishes) == wished


EXCLUDED = [  # question, what is excluded, what is wished
    ("YSLでいいやつ教えて", set(), {"Yves Saint Laurent"}),
    ("シャネル以外のメンズ", {"Chanel"}, {"メンズ"}),
    ("甘くない夏の香水", {"スイート"}, {"夏"}),
    ("レモンとミントは苦手です。冬に合う香水は？", {"レモン", "ミント"}, {"冬"}),
    ("苦手なのはレモンです", {"レモン"}, set()),
    ("レモンの入っていない香水", {"レモン"}, set()),
    ("レモンの香りの香水ない？", set(), {"レモン"}),
    ("レモン系はちょっと苦手、冬に使うなら？", {"レモン"}, {"冬"}),
    ("perfume without lemon", {"レモン"}, set()),
    ("強い香りは苦手なので、夏の香水で", set(), {"夏"}),
    ("ムスクで酔うので、ムスクの入っていない香水", {"ムスク"}, set()),
]


@pytest.mark.parametrize(("question", "excluded", "wished"), EXCLUDED)
def test_what_is_excluded_is_no_wish(clerk, question, excluded, wished):
    known = {value.text for value in clerk.bearing}
    words = clerk.understand(question).wishes
    left_out = [word for word in words if word.excluded]
    assert values(left_out) & known >= excluded
    assert bool(left_out) == bool(excluded)
    assert values(word for word in words if not word.excluded) & known >= wished


NAMED = [  # question, the names of the perfumes
    ("シャネルのＮ°５", {"N°5"}),
    ("シャネル5番のトップノート", {"N°5"}),
    ("ナンバー5はいつ使う？", {"N°5"}),
    ("ソバージュの特徴", {"Sauvage"}),
    ("バカラルージュの香り", {"Baccarat Rouge 540"}),
    ("グッチのブルームは？", {"Gucci Bloom"}),
    ("クロエの香水", set()),
    ("シャネルのチャンス", {"Chance Eau Tendre", "Chance Eau Fraîche"}),
    ("アクアディパルマのサクラってどんな香り", {"Sakura"}),
    ("サクラの香りの香水", set()),
    ("ワイルドな香りの香水", set()),
    ("j adore の調香師", {"J'adore"}),
    ("ミスディオールのブルーミングブーケ", {"Miss Dior Blooming Bouquet"}),
    ("びよんどらぶの香り", {"Beyond Love"}),
    ("デートにモンパリはあり？なし？", {"Mon Paris"}),
    ("ざっくりどんな香り？", set()),
]


@pytest.mark.parametrize(("question", "names"), NAMED)
def test_names_are_told_from_other_words_by_what_surrounds_them(clerk, question, names):
    told = {n for word in clerk.understand(question).names for n in clerk.bears(word)}
    assert {clerk.perfumes[number]["name"] for number in told} == names


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("香水を三つ", 3), ("５本ください", 5), ("ひとつ選んで", 1), ("いくつか", 3), ("全部", 10),
        ("100本", 10), ("N°5", None), ("20代の女性に", None), ("二人で使う", None),
    ],
)  # fmt: skip
def test_how_many_are_wanted(clerk, question, number):
    wanted = clerk.understand(question).says("number")
    assert [int(text) for text in wanted[:1]] == [number] * (number is not None)


@pytest.mark.parametrize(
    ("said", "meant"), [("ソヴァージュエ", "ソヴァージュ"), ("シャリメー", "シャリマー")]
)
def test_a_name_one_letter_off_is_taken_and_said(clerk, said, meant):
    opening = fixed(planned(clerk, f"{said}の特徴は？"))
    assert opening == f"「{said}」を「{meant}」としてお答えします。"


@pytest.mark.parametrize(
    "question",
    [
        "薔薇の香りの香水",
    ],
)
def test_what_is_no_thing_asked_for_is_not_said_to_be_unknown(clerk, question):
    assert "データにありません" not in fixed(planned(clerk, question))


# --- what may be said -------------------------------------------------------------------------------------------------
def fit(clerk, plan):
    """The perfumes of which a plan may tell."""
    return {number for group in choices(plan) for claim in group for number in claim.perfumes}


BORNE_OUT = [  # question, what every perfume told of bears out
    ("夏に使えるメンズ", lambda p: "夏" in p["seasons"] and p["gender"] == "メンズ"),
    ("ディオール以外で甘い香水", lambda p: p["brand"] != "Dior" and "スイート" in p["impressions"]),
    ("バニラなしの冬の香水", lambda p: "バニラ" not in str(p) and "冬" in p["seasons"]),
    ("トップにレモンが入った香水", lambda p: "レモン" in "".join(p["top_notes"])),
    ("ムスクの香りの香水", lambda p: "ムスク" in str(p)),
    ("薔薇の香りの香水", lambda p: "ローズ" in str(p).replace("チュベローズ", "")),
    ("シャネルかディオールのレディース", lambda p: p["brand"] in ("Chanel", "Dior")),
]


@pytest.mark.parametrize(("question", "holds"), BORNE_OUT)
def test_only_what_bears_out_all_the_wishes_may_be_said(clerk, question, holds):
    told = fit(clerk, planned(clerk, question))
    assert told
    assert all(holds(clerk.perfumes[number] | {"url": ""}) for number in told)


def test_one_wanted_is_any_record_that_says_the_rest(clerk):
    (claims,) = choices(planned(clerk, "メンズの香水を一つ"))
    assert {claim.record["type"] for claim in claims} == {"gender"}


def test_wishes_that_cannot_be_met_together_are_said(clerk):
    plan = planned(clerk, "バイレードのメンズでオーデコロン")
    assert "すべてに当てはまる香水はデータにありません" in fixed(plan)
    assert fit(clerk, plan)


@pytest.mark.parametrize(
    ("question", "opening"),
    [
        ("ジャドールは女性向け？", "はい"),
        ("ジャドールは男性でも使える？", "いいえ"),
        ("タムダオは男性が使ってもいい？", "はい"),
        ("タムダオは男性専用？", "いいえ"),
        ("シャリマーは夏でも使える？", "いいえ"),
        ("キャンディってプラダ？", "はい"),
    ],
)
def test_yes_or_no_comes_first(clerk, question, opening):
    plan = planned(clerk, question)
    said = {fixed(plan) + claim.record["response"] for claim in choices(plan)[0]}
    assert all(text.startswith(opening) for text in said)


ASKED = [  # question with words beside the point, what is answered
    ("孫娘がつけているシャリマーはいつの香水？", "name_year"),
    ("妻が好きなノマドはどこのブランド？", "name_brand"),
    ("母のプワゾンを作った調香師は？", "name_perfumer"),
]


@pytest.mark.parametrize(("question", "kind"), ASKED)
def test_what_is_asked_is_answered_whatever_is_told_beside_it(clerk, question, kind):
    plan = planned(clerk, question)
    assert fixed(plan) == ""
    assert {claim.record["type"] for claim in choices(plan)[0]} == {kind}


@pytest.mark.parametrize(
    "question", ["80年代の香水", "1980年代の香水", "エレナの香水", "ジャン＝クロード・エレナの香水"]
)
def test_perfumes_are_found_by_decade_and_by_perfumer(clerk, question):
    (word,) = clerk.understand(question).wishes
    facts = {
        (clerk.perfumes[number]["year"], clerk.perfumes[number]["perfumer"])
        for number in clerk.bears(word)
    }
    assert facts
    if "年代" in question:
        assert all(1980 <= year < 1990 for year, _ in facts)
    else:
        assert all(perfumer.endswith("エレナ") for _, perfumer in facts)


@pytest.mark.parametrize(
    ("question", "pick"),
    [
        ("いちばん古い香水はどれですか", min),
        ("歴史の古い香水", min),
        ("一番新しい香水を教えて", max),
    ],
)
def test_the_oldest_and_the_newest_are_found_by_their_years(clerk, question, pick):
    (word,) = clerk.understand(question).wishes
    years = [perfume["year"] for perfume in clerk.perfumes if perfume.get("year")]
    assert {clerk.perfumes[number]["year"] for number in clerk.bears(word)} == {pick(years)}


def test_what_the_records_lack_is_told_from_the_facts(clerk):
    perfume = next(p for p in clerk.perfumes if p.get("year"))
    records = [c.record for c in clerk.claims if c.record["type"] != "name_year"]
    plan = planned(generate.Clerk(clerk.perfumes, records), f"{perfume['name']}の発売年は？")
    assert f"の発売年は、{perfume['year']}です。" in "".join(
        c.record["response"] for c in choices(plan)[0]
    )


REFUSED = [  # question, what its refusal names
    ("ザラの香水を教えてください。", "「ザラ」"),
    ("ラーメンの匂いの香水", "「ラーメン」"),
    ("おにぎりの香りの香水", "「おにぎり」"),
    ("ソヴァージュはいくらですか？", "価格の情報"),
    ("天気は？", "「天気」"),
    ("財布おすすめある？", "ほかの品の情報"),
    ("柔軟剤でいい匂いのやつ", "ほかの品の情報"),
    ("www", "お尋ねの内容"),
]


@pytest.mark.parametrize(("question", "named"), REFUSED)
def test_a_refusal_names_what_is_unknown_and_questions_that_can_be_asked(clerk, question, named):
    plan = planned(clerk, question)
    assert choices(plan) == []
    assert fixed(plan).startswith(f"{named}はデータにありません。")
    asked = {claim.record["instruction"] for claim in clerk.claims}
    examples = re.findall("「([^」]+)」", fixed(plan).partition("。")[2])
    assert len(examples) == 3
    assert set(examples) <= asked


def test_an_unknown_word_beside_known_ones_is_named_and_the_rest_answered(clerk):
    assert fixed(planned(clerk, "春の天気は？")) == "「天気」はデータにありません。"
    plan = planned(clerk, "メゾン・マルジェラのレプリカ")
    assert fixed(plan).startswith("「レプリカ」はデータにありません。")
    assert {clerk.perfumes[n]["brand"] for n in fit(clerk, plan)} == {"Maison Margiela"}


def test_a_name_alone_asks_what_it_is_like(clerk):
    types = {c.record["type"] for group in choices(planned(clerk, "ソヴァージュ")) for c in group}
    assert types == {"name_features", "name_notes"}


def test_ordinary_words_do_not_refuse(clerk):
    assert choices(planned(clerk, "男友達にあげる誕生日の香水を選んでほしい"))
    assert choices(planned(clerk, "来月の旅行に持っていく夏の香水"))


def test_a_greeting_is_answered_as_one(clerk):
    assert fixed(planned(clerk, "こんにちは")).startswith("こんにちは。")
    assert fixed(planned(clerk, "ありがとう！")).startswith("どういたしまして。")


def test_most_questions_of_the_data_set_may_be_answered_rightly(clerk):
    may = []
    for claim in clerk.claims[::3]:
        groups = choices(planned(clerk, claim.record["instruction"]))
        keys = {generate.asked_by(c.record) for group in groups for c in group}
        may.append(generate.asked_by(claim.record) in keys)
    assert sum(may) >= 0.97 * len(may)


def test_every_response_of_the_data_set_is_true(clerk):
    wrong = [
        claim.record["response"]
        for claim in clerk.claims
        if clerk.invented(claim.record["response"])
    ]
    assert len(wrong) <= len(clerk.claims) / 500, wrong


def test_every_response_of_a_shop_full_of_namesakes_is_true(tmp_path, monkeypatch):
    perfumes = catalogue.make_catalogue(300, 3)
    for perfume in perfumes[::10]:  # named like another house
        names = perfumes[0]["brand"] or "Rasa", perfumes[0]["brand_ja"]
        perfume["name"], perfume["name_ja"] = names
    for perfume in perfumes[5::50]:  # and like a family and a note
        perfume["name"], perfume["name_ja"] = "Musk", "ムスク"
    lines = (json.dumps(p, ensure_ascii=False) + "\n" for p in perfumes)
    (tmp_path / "perfumes.jsonl").write_text("".join(lines), "utf-8")
    monkeypatch.setattr(arrangeData, "PERFUMES_FILE", str(tmp_path / "perfumes.jsonl"))
    monkeypatch.setattr(arrangeData, "OUTPUT_FILE", str(tmp_path / "qa.json"))
    arrangeData.main()
    qa = json.loads((tmp_path / "qa.json").read_text("utf-8"))[::5]
    known = generate.Clerk(perfumes, qa)
    wrong = [record["response"] for record in qa if known.invented(record["response"])]
    assert len(wrong) <= len(qa) / 100, wrong[:5]


INVENTED = [  # answer, what is marked
    ("春でしたら、Lancômeの「イドル」がおすすめです。【トップノート】ペアー, ベルガモット", []),
    ("Sauvageのブランドは、Dior（ディオール）です。", []),
    ("夏でしたら、Lancômeの「イドル」がおすすめです。", ["夏"]),
    ("Chanelの香りでは、ソヴァージュがおすすめです。", ["Chanel"]),
    ("Diorの香りでは、ソヴァージュがおすすめです。【トップノート】バニラ", ["バニラ"]),
    ("春でしたら、Lancômeの「イドル」がおすすめです。マルセルワンダースの香りです。", ["マルセルワンダース"]),
    ("きょうはよい日です。", ["きょうはよい日です。"]),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "marks"), INVENTED)
def test_inventions_are_marked(clerk, answer, marks):
    assert clerk.invented(answer) == marks


# --- decoding ---------------------------------------------------------------------------------------------------------
def test_importing_takes_no_torch():
    script = "import generate, sys; print('torch' in sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert loaded.stdout.strip() == "False", loaded.stderr


def test_tokens_are_those_of_training(assistant):
    tokenizer = assistant.tokenizer
    for claim in assistant.clerk.claims[::97]:
        tokens = assistant.tokens(claim.record["response"])
        text = claim.record["response"] + tokenizer.eos_token
        assert tuple(tokenizer(text)["input_ids"]) == tokens
        assert tokens.count(tokenizer.eos_token_id) == 1


QUESTIONS = [
    "春の香水を教えてください。",
    "シャネルの香水はありますか？",
    "Sauvageはどこのブランドですか？",
    "ジャスミンの香りがする香水を三つか四つ、ぜひ教えてください。",
]


@pytest.mark.parametrize("question", QUESTIONS)
def test_greedy_choice_equals_model_generate(assistant, monkeypatch, question):
    import torch

    monkeypatch.setattr(generate, "TEMPERATURE", 1e-6)
    claims = assistant.clerk.claims
    rows = {assistant.tokens(claim.record["response"]) for claim in claims}
    prompt = assistant.prompt(question)

    def allowed(_, ids):
        said = tuple(ids[len(prompt) :].tolist())
        return sorted({row[len(said)] for row in rows if row[: len(said)] == said})

    ids = torch.tensor([prompt])
    out = assistant.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False,
                                   max_new_tokens=400, prefix_allowed_tokens_fn=allowed)  # fmt: skip
    chosen = assistant.choose(question, claims).record["response"]
    assert tuple(out[0, len(prompt) :].tolist()) == assistant.tokens(chosen)


def test_equally_right_answers_vary_and_a_seed_repeats_them(assistant, monkeypatch):
    import torch

    monkeypatch.setattr(generate, "TEMPERATURE", 5.0)
    said = []
    for seed in (1, 2, 3, 4, 1):
        torch.manual_seed(seed)
        (claims,) = choices(planned(assistant.clerk, "春の香水を教えてください。"))
        said.append(assistant.choose("春の香水を教えてください。", claims).record["response"])
    assert len(set(said)) > 1
    assert said[0] == said[4]


def test_free_answers_end_at_eos_or_at_the_limit(assistant, monkeypatch):
    import torch

    torch.manual_seed(0)
    monkeypatch.setattr(generate, "TEMPERATURE", 1.0)
    for limit in (5, 40):
        monkeypatch.setattr(generate, "MAX_NEW_TOKENS", limit)
        answers = [assistant.free(question) for question in QUESTIONS]
        assert all("\ufffd" not in answer for answer in answers)
        assert all(len(answer.encode()) <= 12 * limit for answer in answers)


# --- answering --------------------------------------------------------------------------------------------------------
def test_another_perfume_until_there_is_none(fresh):
    said = [ask(fresh, question) for question in ["バーバリーの香水は？"] + ["他には？"] * 3]
    told = [claim.perfumes for answer in said for claim in answer.claims]
    assert len(told) == len(set(told)) == 2
    assert "ほかに当てはまる香水はデータにありません。" in said[-1].text


def test_a_question_goes_on_from_the_one_before(fresh):
    first = ask(fresh, "Chanelの甘い香水を教えて")
    second = ask(fresh, "もっと爽やかなのある？")
    (number,) = second.claims[0].perfumes
    assert fresh.clerk.perfumes[number]["brand"] == "Chanel"
    assert "フレッシュ" in fresh.clerk.perfumes[number]["impressions"]
    assert first.claims[0].perfumes != second.claims[0].perfumes
    third = ask(fresh, "それは夏でも使える？")
    assert third.claims[0].perfumes == second.claims[0].perfumes
    assert third.text.startswith(("はい", "いいえ"))


@pytest.mark.parametrize("number", [2, 5, 10])
def test_as_many_perfumes_as_are_wanted_none_twice(fresh, number):
    said = ask(fresh, f"オフィスで使えるユニセックスを{number}本教えて")
    told = [claim.perfumes for claim in said.claims]
    assert len(told) == len(set(told)) == number
    assert said.text.count("「") >= number


def test_fewer_only_where_the_data_has_fewer_and_that_is_said(fresh):
    said = ask(fresh, "バーバリーの香水を5本")
    assert "データにあるのは2つです。" in said.text


def test_two_perfumes_are_compared(fresh):
    said = ask(fresh, "シャリマーとミツコの違いは？")
    assert "シャリマー" in said.text
    assert "ミツコ" in said.text


def test_piped_questions_are_answered_in_order(here, monkeypatch, capsys):
    questions = ["春の香水を教えて", "天気は？", "シャネルの香水は？"] * 3
    out, err = run_main(monkeypatch, capsys, "\n\n".join(questions) + "\n")
    lines = out.splitlines()
    assert [line.removeprefix("Q：") for line in lines[::2]] == questions
    assert all(line.startswith("A：") for line in lines[1::2])
    assert "出典：https://shop.example/" in err
    assert "アダプター fine_tuned_open_calm" in err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp932"])
def test_files_of_questions_in_any_encoding(here, monkeypatch, capsys, encoding):
    out, _ = run_main(monkeypatch, capsys, "春の香水は？\r\n夏の香水は？\r\n".encode(encoding))
    assert [line for line in out.splitlines() if line.startswith("Q")] == [
        "Q：春の香水は？",
        "Q：夏の香水は？",
    ]


def test_at_most_two_pages_are_named(here, monkeypatch, capsys):
    _, err = run_main(monkeypatch, capsys, "メンズの香水を5本教えて\n")
    assert err.count("出典：") == 2
    assert "その他 3 件" in err


def test_without_input_the_constants_questions_are_answered(here, monkeypatch, capsys):
    out, _ = run_main(monkeypatch, capsys)
    assert [line[2:] for line in out.splitlines() if line.startswith("Q：")] == generate.QUESTIONS
    assert out.count("出典：https://shop.example/") >= 3


def test_nothing_waits_in_a_notebook(here, monkeypatch, capsys):
    monkeypatch.setenv("JPY_PARENT_PID", "1")
    monkeypatch.setattr(sys, "stdin", type("Keyboard", (), {"isatty": lambda self: True})())
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    generate.main()
    assert capsys.readouterr().out.count("A：") == 3


def test_what_free_answers_invent_is_named(here, monkeypatch, capsys):
    out, _ = run_main(monkeypatch, capsys, GROUNDED=False, MAX_NEW_TOKENS=40, TEMPERATURE=1.0)
    assert out.count("A：") == 3
    assert "※データで確かめられない言葉：" in out


def test_control_characters_never_reach_the_terminal(here, monkeypatch, capsys):
    qa = json.loads(Path("data/perfume_qa.json").read_text("utf-8"))
    qa = [
        record
        | {
            "response": "\x1b[2J" * (i % 2) + record["response"],
            "source": ["https://shop.example/\x07"],
        }
        for i, record in enumerate(qa)
    ]
    Path("data/perfume_qa.json").write_text(json.dumps(qa), "utf-8")
    out, err = run_main(monkeypatch, capsys, "春の\x1b]0;香水\x07を教えて\n")
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out + err)
    assert "香水" in out


@pytest.mark.parametrize("columns", [20, 40, 80])
def test_no_line_begins_with_a_closing_mark(capsys, monkeypatch, columns):
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
    text = (
        "A：春でしたら、Maison Margielaの「レイジー サンデー モーニング」がおすすめです。【トップノート】ペアー, ローズ。"
        * 3
    )
    generate.show(text)
    lines = capsys.readouterr().out.splitlines()
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert not any(line.startswith(tuple("、。，」】ーッ")) for line in lines)
    assert all(wcswidth(line) <= columns for line in lines)


def test_at_a_terminal(here):
    import pty
    import select
    import unicodedata

    pid, screen = pty.fork()
    if not pid:
        os.environ |= {
            "COLUMNS": "40",
            "LINES": "20",
            "TERM": "xterm",
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "CUDA_VISIBLE_DEVICES": "",
        }
        slowly = """
import generate, time
answer = generate.Assistant.answer
generate.Assistant.answer = lambda self, text: (time.sleep(1), answer(self, text))[1]
generate.main()
"""
        os.execv(sys.executable, [sys.executable, "-c", slowly])
    shown = b""

    def until(*wanted, seconds=180):
        nonlocal shown
        end = time.monotonic() + seconds
        while not all(word.encode() in shown for word in wanted) and time.monotonic() < end:
            if select.select([screen], [], [], 0.5)[0]:
                try:
                    shown += os.read(screen, 4096)
                except OSError:
                    return
        assert all(word.encode() in shown for word in wanted), shown.decode(errors="replace")

    until(*(f"Q：{question}" for question in generate.QUESTIONS), "出典")
    first, shown = shown.decode(), shown[-200:]
    assert "\ufffd" not in first
    time.sleep(3)
    os.write(screen, "天気は？\r".encode())
    until("A：「天気」")
    time.sleep(2)
    os.write(screen, "もう終わり".encode())
    until("もう終わり")
    lines = [
        line
        for line in re.sub(
            r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode(errors="replace")
        ).splitlines()
        if line.strip()
    ]
    answer = lines[next(n for n, line in enumerate(lines) if line.startswith("A：「天気」")) :]
    assert len(answer) > 1, "nothing was wrapped"
    assert all(
        sum(2 if unicodedata.east_asian_width(c) in "WFA" else 1 for c in line) <= 40
        for line in answer
    )
    os.write(screen, "\x15春の香水を教えて\r".encode())
    time.sleep(0.7)
    os.write(screen, b"\x03")
    until("止めました")
    time.sleep(1)
    os.write(screen, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


# --- judging ----------------------------------------------------------------------------------------------------------
def test_evaluation_is_printed_kept_and_put_into_the_card_once(here, monkeypatch, capsys):
    for _ in range(2):
        out, _ = run_main(monkeypatch, capsys, EVALUATE=True, MAX_NEW_TOKENS=20)
    table = json.loads(Path("fine_tuned_open_calm/evaluation.json").read_text("utf-8"))
    card = Path("fine_tuned_open_calm/README.md").read_text("utf-8")
    assert list(table) == [
        "件数", "アダプター・制約", "偶然・制約", "アダプター・絞り込み", "偶然・絞り込み", "アダプター・自由",
        "基盤モデル・制約", "基盤モデル・絞り込み", "基盤モデル・自由",
    ]  # fmt: skip
    assert table["件数"]["全体"] == 12
    assert table["アダプター・絞り込み"]["事実"] == 1
    assert table["アダプター・絞り込み"]["全体"] >= 0.9
    assert 0 < table["偶然・制約"]["全体"] < 0.05
    assert card.count("## 評価") == 1
    assert "## 学習\n\n表" in card
    assert card.split("## 評価")[1].strip() in out


# --- loading ----------------------------------------------------------------------------------------------------------
def no_adapter(folder):
    shutil.rmtree(folder / "fine_tuned_open_calm")


def truncated(folder):
    path = folder / "fine_tuned_open_calm" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def other_base(folder):
    from transformers import AutoTokenizer, GPTNeoXConfig, GPTNeoXForCausalLM

    size = len(AutoTokenizer.from_pretrained(folder / "base"))
    GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=size,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=8,
        )
    ).save_pretrained(folder / "base")


def fewer_layers(folder):
    config = json.loads((folder / "base" / "config.json").read_text())
    (folder / "base" / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))


def empty_adapter(folder):
    from safetensors.torch import load_file, save_file

    path = folder / "fine_tuned_open_calm" / "adapter_model.safetensors"
    save_file(
        {name: tensor * ("lora_B" not in name) for name, tensor in load_file(path).items()}, path
    )


def no_template(folder):
    (folder / "fine_tuned_open_calm" / "chat_template.jinja").unlink()


def other_tokenizer(folder):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder / "fine_tuned_open_calm")
    tokenizer.add_tokens([f"<|{number}|>" for number in range(9)])
    tokenizer.save_pretrained(folder / "fine_tuned_open_calm")


def no_base(folder):
    shutil.rmtree(folder / "base")


WRONG = [
    (no_adapter, "adapter_model.safetensors がありません", "python loadModel.py"),
    (truncated, "アダプター", "python loadModel.py"),
    (other_base, "base", "python loadModel.py"),
    (fewer_layers, "層の名前が違います", "python loadModel.py"),
    (empty_adapter, "中身が空です", "python loadModel.py"),
    (no_template, "chat_template", "python loadModel.py"),
    (other_tokenizer, "語のはずのトークナイザー", "python loadModel.py"),
    (no_base, "base", "python loadModel.py"),
    (
        lambda folder: (folder / "data" / "perfumes.jsonl").unlink(),
        "data/perfumes.jsonl がありません",
        "python getData.py",
    ),
    (
        lambda folder: (folder / "data" / "perfume_qa.json").unlink(),
        "data/perfume_qa.json がありません",
        "python arrangeData.py",
    ),
    (
        lambda folder: (folder / "data" / "perfume_qa.json").write_text("<html>"),
        "使える記録がありません",
        "python arrangeData.py",
    ),
    (
        lambda folder: (folder / "data" / "perfume_qa.json").write_text('["a", 3]'),
        "使える記録がありません",
        "python arrangeData.py",
    ),
]


@pytest.mark.parametrize(
    ("spoil", "cause", "command"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)]
)
def test_what_is_wrong_is_said_in_one_line(here, monkeypatch, capsys, spoil, cause, command):
    spoil(here)
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SystemExit) as stop:
        generate.main()
    assert isinstance(stop.value.code, str), "exit status would not be 1"
    assert cause in stop.value.code
    assert command in stop.value.code
    assert "\n" not in stop.value.code


def test_an_adapter_with_a_row_added_for_padding_answers(here, monkeypatch, capsys):
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained("fine_tuned_open_calm")
    tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
    tokenizer.save_pretrained("fine_tuned_open_calm")
    out, _ = run_main(monkeypatch, capsys, "春の香水を教えて\n")
    assert out.startswith("Q：春の香水を教えて\nA：")


def test_a_half_line_of_perfumes_is_left_out_and_said(here, monkeypatch, capsys):
    path = Path("data/perfumes.jsonl")
    path.write_text(path.read_text("utf-8") + '{"url": "https://shop', "utf-8")
    _, err = run_main(monkeypatch, capsys, "春の香水を教えて\n")
    assert "data/perfumes.jsonl: 読めない記録 1 件" in err
