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
from pathlib import Path

import catalogue
import pytest

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
    lists = generate.LISTS
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
def assistant(shop):
    """The tiny model with everything it needs to answer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(shop)
        model, tokenizer = generate.load(generate.ADAPTER_DIR)
    qa = generate.read_records(str(shop / "data" / "perfume_qa.json"), "", ("response",))
    catalogue = generate.Catalogue(sample_perfumes(), qa)
    return generate.Assistant(model, tokenizer, generate.Responses(tokenizer, qa), catalogue)


@pytest.fixture
def fresh(assistant):
    """The same assistant with nothing remembered."""
    return generate.Assistant(
        assistant.model, assistant.tokenizer, assistant.responses, assistant.catalogue
    )


def run_main(monkeypatch, capsys, stdin="", **constants):
    """(standard output, standard error) of main() with this on standard input."""
    for name, value in constants.items():
        monkeypatch.setattr(generate, name, value)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
    generate.main()
    return capsys.readouterr()


# --- the constraint ---------------------------------------------------------------------------------------------------
def test_importing_takes_no_torch():
    loaded = subprocess.run(
        [sys.executable, "-c", "import generate, sys; print('torch' in sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert loaded.stdout.strip() == "False", loaded.stderr


def test_tokens_are_those_of_training(assistant):
    tokenizer = assistant.tokenizer
    tokenizer(
        ["春", "春の香水"], padding=True, truncation=True, max_length=5
    )  # must leave nothing behind
    responses = generate.Responses(tokenizer, assistant.catalogue.qa)
    assert responses.tokens == assistant.responses.tokens
    for tokens, same in list(zip(responses.tokens, responses.records, strict=True))[::97]:
        answer = same[0]["response"] + tokenizer.eos_token  # as loadModel.py tokenizes it
        assert tokenizer(answer)["input_ids"] == tokens
        assert tokens.count(tokenizer.eos_token_id) == 1


def test_branches_are_what_a_plain_search_finds(assistant):
    responses, draw = assistant.responses, random.Random(1)
    everything = responses.tokens
    assert everything == sorted(everything)
    for _ in range(30):
        low, high, prefix = 0, len(everything), []
        while high - low > 1:
            same = [tokens for tokens in everything if tokens[: len(prefix)] == prefix]
            assert len(same) == high - low
            depth = responses.shared(low, high)
            branches = responses.branches(low, high)
            assert list(branches) == sorted({tokens[depth] for tokens in same})
            assert len(branches) > 1, "a forced token was left to the model"
            assert sum(end - start for start, end in branches.values()) == high - low
            token = draw.choice(list(branches))
            prefix = [*everything[low][:depth], token]
            low, high = branches[token]
        assert everything[low][: len(prefix)] == prefix


def test_equally_right_rows_answer_one_question(assistant):
    responses = assistant.responses
    keys = [frozenset(map(generate.asked_by, same)) for same in responses.records]
    for low in range(0, len(keys), 53):
        for high in (low + 1, low + 2, low + 9):
            if high <= len(keys):
                assert responses.equally_right(low, high) == (len(set(keys[low:high])) == 1)


# --- decoding ---------------------------------------------------------------------------------------------------------
def prompts_of(assistant, questions):
    return [
        assistant.tokenizer(generate.prompt(assistant.tokenizer, question))["input_ids"]
        for question in questions
    ]


QUESTIONS = [
    "春の香水を教えてください。",
    "シャネルの香水はありますか？",
    "Sauvageはどこのブランドですか？",
    "ジャスミンの香りがする香水を三つか四つ、ぜひ教えてください。",
]


def test_greedy_choice_equals_model_generate(assistant, monkeypatch):
    import torch

    monkeypatch.setattr(generate, "TEMPERATURE", 1e-6)
    responses, prompts = assistant.responses, prompts_of(assistant, QUESTIONS)
    rows = generate.decode(assistant.model, responses, prompts)
    for tokens, row in zip(prompts, rows, strict=True):

        def allowed(_, ids, tokens=tokens):
            said = ids[len(tokens) :].tolist()
            return sorted({row[len(said)] for row in responses.tokens if row[: len(said)] == said})

        ids = torch.tensor([tokens])
        out = assistant.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=400,
                                       prefix_allowed_tokens_fn=allowed)  # fmt: skip
        assert out[0, len(tokens) :].tolist() == responses.tokens[row]


def test_a_batch_answers_as_one_by_one(assistant, monkeypatch):
    monkeypatch.setattr(generate, "TEMPERATURE", 1e-6)
    prompts = prompts_of(assistant, QUESTIONS)
    assert len(set(map(len, prompts))) > 1, "nothing would be padded"
    together = generate.decode(assistant.model, assistant.responses, prompts)
    assert together == [
        generate.decode(assistant.model, assistant.responses, [tokens])[0] for tokens in prompts
    ]


def test_equally_right_answers_vary_and_a_seed_repeats_them(fresh, monkeypatch):
    import torch

    monkeypatch.setattr(generate, "TEMPERATURE", 5.0)
    records = [
        same for same in fresh.responses.records if ("season", "春") in map(generate.asked_by, same)
    ]
    spring = generate.Responses(fresh.tokenizer, [record for same in records for record in same])
    said = []
    for seed in (1, 2, 3, 4, 1):
        torch.manual_seed(seed)
        said.append(fresh.say(["春の香水を教えてください。"], True, spring)[0][0])
    assert len(set(said)) > 1
    assert said[0] == said[4]


def test_free_answers_end_at_eos_or_at_the_limit(fresh, monkeypatch):
    import torch

    torch.manual_seed(0)
    monkeypatch.setattr(generate, "MAX_NEW_TOKENS", 5)
    monkeypatch.setattr(generate, "TEMPERATURE", 1.0)
    answers = generate.sample(fresh.model, fresh.tokenizer, QUESTIONS * 8)
    assert all(len(tokens) <= 5 and (ended or len(tokens) == 5) for tokens, ended in answers)
    assert all(0 not in tokens for tokens, _ in answers)
    assert any(not ended for _, ended in answers)
    grown = []
    generate.sample(
        fresh.model, fresh.tokenizer, QUESTIONS[:1], lambda tokens: grown.append(len(tokens))
    )
    assert grown == list(range(1, len(grown) + 1))


def test_no_half_character_is_shown(fresh):
    tokens = fresh.tokenizer("春でしたら、鷗")["input_ids"]
    assert all("\ufffd" not in fresh.text(tokens[:n]) for n in range(len(tokens) + 1))
    assert fresh.text(tokens) == "春でしたら、鷗"


# --- what the data bears out ------------------------------------------------------------------------------------------
TRUE_ANSWERS = [
    "春でしたら、Lancômeの「イドル」がおすすめです。【トップノート】ペアー, ベルガモット【ミドルノート】ターキッシュローズ",
    "Diorの香りでは、ソヴァージュがおすすめです。【トップノート】カラブリア産ベルガモット, ペッパー。男性向けの香りです。",
    "Sauvageのブランドは、Dior（ディオール）です。",
    "メンズの香水を2つ選ぶと、Diorの「ソヴァージュ」、Pradaの「ルナ ロッサ」がおすすめです。",
]
INVENTED = [  # answer, what is marked
    (
        "Maison Margielaの香りでは、ローザがおすすめです。【トップノート】オレンジ, レモン",
        ["ローザ", "オレンジ"],
    ),
    ("夏でしたら、Lancômeの「イドル」がおすすめです。", ["夏"]),
    ("Chanelの香りでは、ソヴァージュがおすすめです。", ["Chanel"]),
    (
        "Diorの香りでは、ソヴァージュがおすすめです。【トップノート】カラブリア産ベルガモット, バニラ",
        ["バニラ"],
    ),
    (
        "Diorの香りでは、ソヴァージュがおすすめです。【ミドルエレガンス】ラベンダー",
        ["ミドルエレガンス"],
    ),
    (
        "Diorの香りでは、ソヴァージュがおすすめです。【ラストノート】カラブリア産ベルガモット",
        ["カラブリア産ベルガモット"],
    ),
    ("Sauvageのブランドは、Chanel（シャネル）です。", ["Chanel", "シャネル"]),
    ("Sauvageの対象は、レディース（女性向け）です。", ["レディース", "女性"]),
    (
        "メンズの香水を2つ選ぶと、Diorの「ソヴァージュ」、Diorの「ジャドール」がおすすめです。",
        ["メンズ"],
    ),
    (
        "春でしたら、Lancômeの「イドル」がおすすめです。マルセルワンダースの香りです。",
        ["マルセルワンダース"],
    ),
    ("きょうはよい天気です。", ["きょうはよい天気です。"]),
]


@pytest.mark.parametrize("answer", TRUE_ANSWERS)
def test_a_true_answer_is_not_marked(assistant, answer):
    assert assistant.catalogue.marked(answer) == answer


@pytest.mark.parametrize(("answer", "marks"), INVENTED)
def test_inventions_are_marked(assistant, answer, marks):
    spans, _ = assistant.catalogue.check(answer)
    assert [answer[start:end] for start, end in spans] == marks
    assert all(f"［？{mark}］" in assistant.catalogue.marked(answer) for mark in marks)


def test_every_response_of_the_data_set_is_true(assistant):
    wrong = [
        (r["response"], spans)
        for r in assistant.catalogue.qa
        if (spans := assistant.catalogue.check(r["response"])[0])
    ]
    assert wrong == []


def test_every_response_of_a_shop_full_of_namesakes_is_true(tmp_path, monkeypatch):
    perfumes = catalogue.make_catalogue(300, 3)
    for perfume in perfumes[::10]:  # named like another house
        perfume["name"], perfume["name_ja"] = (
            perfumes[0]["brand"] or "Rasa",
            perfumes[0]["brand_ja"],
        )
    for perfume in perfumes[5::50]:  # and like a family and a note
        perfume["name"], perfume["name_ja"] = "Musk", "ムスク"
    (tmp_path / "perfumes.jsonl").write_text(
        "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in perfumes), "utf-8"
    )
    monkeypatch.setattr(arrangeData, "PERFUMES_FILE", str(tmp_path / "perfumes.jsonl"))
    monkeypatch.setattr(arrangeData, "OUTPUT_FILE", str(tmp_path / "qa.json"))
    arrangeData.main()
    qa = json.loads((tmp_path / "qa.json").read_text("utf-8"))[::2]
    known = generate.Catalogue(perfumes, qa)
    assert [(r["response"], spans) for r in qa if (spans := known.check(r["response"])[0])] == []


def test_a_swapped_note_or_name_is_noticed(assistant):
    catalogue, draw, noticed, tried = assistant.catalogue, random.Random(2), 0, 0
    names = [p["name_ja"] for p in sample_perfumes() if p["name_ja"]]
    for record in draw.sample(
        [r for r in catalogue.qa if r["type"] in ("season", "brand", "note")], 120
    ):
        for name in names:
            if name in record["response"]:
                spoiled = record["response"].replace(
                    name, draw.choice([n for n in names if n != name])
                )
                tried, noticed = tried + 1, noticed + bool(catalogue.check(spoiled)[0])
                break
    assert tried > 80
    assert noticed > 0.97 * tried


@pytest.mark.parametrize(("asked", "normal"), [
    ("maison margielaの香水", "Maison Margielaの香水"),
    ("ＣＨＡＮＥＬの香水", "Chanelの香水"),
    ("ﾒｿﾞﾝﾏﾙｼﾞｪﾗの香水", "Maison Margielaの香水"),
    ("メゾン・マルジェラの香水", "Maison Margielaの香水"),
    ("メゾンマルジェラの香水", "Maison Margielaの香水"),
    ("イヴサンローランの香水", "Yves Saint Laurentの香水"),
    ("マルジェラの香水", "Maison Margielaの香水"),
    ("アルマーニの香水", "Giorgio Armaniの香水"),
    ("アルマーニ コードの特徴", "アルマーニ コードの特徴"),
    ("メゾンの香水", "メゾンの香水"),
    ("chloeの香水", "Chloéの香水"),
    ("ミュゲの香り", "スズランの香り"),
    ("白檀の香り", "サンダルウッドの香り"),
    ("レイジーサンデーモーニングの特徴", "レイジー サンデー モーニングの特徴"),
    ("ローズマリーの香り", "ローズマリーの香り"),
    ("\x1b[31m春\x07の香水 ", "[31m春の香水"),
])  # fmt: skip
def test_other_spellings_are_understood(assistant, asked, normal):
    assert assistant.catalogue.normalized(asked) == normal


@pytest.mark.parametrize(
    ("answerable", "used", "least"),
    [("yes", "tuning", 0.96), ("no", "tuning", 0.95), ("yes", "held", 0.93), ("no", "held", 0.93)],
)
def test_refusals_on_the_written_questions(assistant, answerable, used, least):
    """Questions marked held were written before any result was seen, and nothing was chosen by them."""
    with open(ROOT / "tests" / "questions.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = [
        row["question"] for row in rows if (row["answerable"], row["used"]) == (answerable, used)
    ]
    refusals = [
        assistant.catalogue.refusal(assistant.catalogue.normalized(question)) for question in asked
    ]
    right = [(refusal is None) == (answerable == "yes") for refusal in refusals]
    assert len(right) >= 20
    assert sum(right) >= least * len(right), [
        question for question, good in zip(asked, right, strict=True) if not good
    ]
    assert all("データにありません" in refusal for refusal in refusals if refusal)


def test_a_refusal_names_questions_that_can_be_asked(assistant):
    refusal = assistant.catalogue.refusal("ザラの香水を教えてください。")
    assert refusal.startswith("「ザラ」はデータにありません。")
    asked = {record["instruction"] for record in assistant.catalogue.qa}
    examples = re.findall("「([^」]+)」", refusal)[1:]
    assert len(examples) == 3
    assert set(examples) <= asked


# --- answering --------------------------------------------------------------------------------------------------------
def test_another_perfume_until_there_is_none(fresh):
    first, *rest = [
        fresh.answers([question])[0] for question in ["春の香水を教えて"] + ["他には？"] * 6
    ]
    known = {record["response"]: record for record in fresh.catalogue.qa}
    seen = set(first[1])
    for text, pages in rest:
        if "データにありません" in text:
            assert pages == ()
        else:
            assert known[text]["key"] == known[first[0]]["key"]
            assert not seen & set(pages)
            seen |= set(pages)
    fresh.answers(["ソヴァージュのブランドを教えて"])
    assert (
        fresh.answers(["ほかには？"])[0][0] == "ほかに当てはまる香水はデータにありません。"
        or fresh.told
    )


def test_asked_again_in_one_batch_gives_another(fresh):
    answers = fresh.answers(["春の香水を教えて", "天気は？", "春の香水を教えて"])
    assert answers[0][0] != answers[2][0]
    assert answers[1][0].startswith("「天気」はデータにありません。")


def test_piped_questions_are_answered_in_order(here, monkeypatch, capsys):
    questions = ["春の香水を教えて", "天気は？", "シャネルの香水は？"] * 3
    out, err = run_main(monkeypatch, capsys, "\n\n".join(questions) + "\n", BATCH_SIZE=4)
    lines = out.splitlines()
    assert [line.removeprefix("Q：") for line in lines[::2]] == questions
    assert all(line.startswith("A：") for line in lines[1::2])
    known = {
        record["response"] for record in json.loads(Path("data/perfume_qa.json").read_text("utf-8"))
    }
    assert all(line[2:] in known or "データにありません" in line for line in lines[1::2])
    assert "出典：https://shop.example/" in err
    assert "アダプター fine_tuned_open_calm" in err


def test_without_input_the_constants_questions_are_answered(here, monkeypatch, capsys):
    out, _ = run_main(monkeypatch, capsys)
    assert [line[2:] for line in out.splitlines() if line.startswith("Q：")] == generate.QUESTIONS
    assert out.count("出典：https://shop.example/") >= 3


def test_free_answers_are_marked_and_the_mark_explained(here, monkeypatch, capsys):
    out, _ = run_main(monkeypatch, capsys, GROUNDED=False, MAX_NEW_TOKENS=40, TEMPERATURE=1.0)
    assert out.count("A：") == 3
    assert "［？" in out
    assert generate.LEGEND in out


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
        os.execv(
            sys.executable,
            [
                sys.executable,
                "-c",
                "import generate; generate.CHARACTER_SECONDS = 0.01; generate.main()",
            ],
        )
    shown, pieces = b"", 0

    def until(*wanted, seconds=180):
        nonlocal shown, pieces
        end = time.monotonic() + seconds
        while not all(word.encode() in shown for word in wanted) and time.monotonic() < end:
            if select.select([screen], [], [], 0.5)[0]:
                try:
                    shown, pieces = shown + os.read(screen, 4096), pieces + 1
                except OSError:
                    return
        assert all(word.encode() in shown for word in wanted), shown.decode(errors="replace")

    until(*(f"Q：{question}" for question in generate.QUESTIONS), "出典")
    first, shown = shown.decode(), shown[-200:]
    assert pieces > 20, "one burst"
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
    shown = b""
    until("A：")
    os.write(screen, b"\x03")
    until("止めました")
    time.sleep(1)
    os.write(screen, b"\x03")
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


# --- judging ----------------------------------------------------------------------------------------------------------
class Said:
    """An assistant whose answers are given."""

    def __init__(self, catalogue, answers):
        self.catalogue, self.given = catalogue, answers

    def say(self, questions, grounded):
        return [(self.given[question], set(), True) for question in questions]


SUPPORTS = [  # type, key, response of the only record
    (
        "season",
        "春",
        "春でしたら、Creedの「アバントゥス」がおすすめです。フレッシュな印象の香りです。",
    ),
    ("season", "夏", "夏でしたら、Versaceの「ブライト クリスタル」がおすすめです。"),
    ("name_features", "Dior/Sauvage", "ソヴァージュの特徴は、アロマティック系の香りです。"),
    (
        "several",
        "2×gender×メンズ",
        "メンズ向けの香水を2つ選ぶなら、Creedの「アバントゥス」、Versaceの「エロス」がおすすめです。",
    ),
]
JUDGED = [  # type, key, answer, (right, true)
    (
        "season",
        "春",
        "春でしたら、Lancômeの「イドル」がおすすめです。【トップノート】ペアー",
        (True, True),
    ),
    (
        "season",
        "春",
        "春でしたら、Lancômeの「イドル」がおすすめです。【トップノート】ドリアン",
        (False, False),
    ),
    ("season", "春", "春でしたら、Lancômeの「ローザ」がおすすめです。", (False, False)),
    ("season", "夏", "春でしたら、Lancômeの「イドル」がおすすめです。", (False, True)),
    ("season", "春", "春でしたら、", (False, False)),
    ("season", "春", "一方、春にまといたい。", (False, False)),
    ("name_features", "Dior/Sauvage", "Sauvageの特徴は、スパイシー系の香りです。", (True, True)),
    (
        "name_features",
        "Dior/Sauvage",
        "ソヴァージュの特徴は、スパイシー系の香りです。",
        (True, True),
    ),
    ("name_features", "Dior/Sauvage", "Poisonの特徴は、フローラル系の香りです。", (False, True)),
    (
        "name_features",
        "Dior/Sauvage",
        "ソヴァージュの特徴は、キュートなイメージです。",
        (False, False),
    ),
    (
        "several",
        "2×gender×メンズ",
        "メンズ向けの香水を2つ選ぶなら、Diorの「ソヴァージュ」、Pradaの「ルナ ロッサ」がおすすめです。",
        (True, True),
    ),
    (
        "several",
        "2×gender×メンズ",
        "メンズ向けの香水を2つ選ぶなら、Diorの「ソヴァージュ」がおすすめです。",
        (False, True),
    ),
    (
        "several",
        "2×gender×メンズ",
        "メンズ向けの香水を2つ選ぶなら、Diorの「ジャドール」、Pradaの「ルナ ロッサ」がおすすめです。",
        (False, False),
    ),
]


@pytest.mark.parametrize(("kind", "key", "answer", "verdict"), JUDGED)
def test_what_counts_as_right(assistant, kind, key, answer, verdict):
    test = {"instruction": "Chanelの香水を教えてください。", "type": kind, "key": key}
    records = [dict(zip(("type", "key", "response"), row, strict=True)) for row in SUPPORTS]
    ((right, true, _),) = generate.measure(
        Said(assistant.catalogue, {test["instruction"]: answer}), [test], records, "", False
    )
    assert (right, true) == verdict


def test_every_answer_of_the_set_is_right_and_a_refusal_is_not(assistant):
    records = assistant.catalogue.qa[::40]
    said = Said(
        assistant.catalogue,
        {assistant.catalogue.normalized(r["instruction"]): r["response"] for r in records},
    )
    once = list({assistant.catalogue.normalized(r["instruction"]): r for r in records}.values())
    assert generate.measure(said, once, assistant.catalogue.qa, "", True) == [
        (True, True, True)
    ] * len(once)
    weather = {"instruction": "春の天気は？", "type": "season", "key": "春"}
    assert generate.measure(said, [weather], assistant.catalogue.qa, "", True) == [
        (False, True, True)
    ]


def test_evaluation_is_printed_kept_and_put_into_the_card_once(here, monkeypatch, capsys):
    for _ in range(2):
        out, _ = run_main(monkeypatch, capsys, EVALUATE=True, MAX_NEW_TOKENS=20)
    table = json.loads(Path("fine_tuned_open_calm/evaluation.json").read_text("utf-8"))
    card = Path("fine_tuned_open_calm/README.md").read_text("utf-8")
    assert list(table) == [
        "件数",
        "偶然",
        "アダプター・制約",
        "アダプター・自由",
        "基盤モデル・制約",
        "基盤モデル・自由",
    ]
    assert table["件数"]["全体"] == 12
    assert table["アダプター・制約"]["事実"] == 1
    assert table["アダプター・制約"]["完結"] == 1
    assert 0 < table["偶然"]["全体"] < 0.05
    assert card.count("## 評価") == 1
    assert "## 学習\n\n表" in card
    assert card.strip().endswith("|")
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
    (no_adapter, "アダプターがありません", "python loadModel.py"),
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
