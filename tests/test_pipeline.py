"""The four scripts one after another as a user runs them, on a copy of the tree, and what the rehearsal has learned."""

import json
import re

from conftest import ROOT, run_python

REFERENCE = [
    "メゾンマルジェラの香水を教えてください。",
    "男性向けの香水を教えてください。",
    "春に相応しい香水を教えてください。",
]


def test_shop_pages_become_perfumes(pipeline):
    folder, _ = pipeline
    lines = (folder / "data" / "perfumes.jsonl").read_text(encoding="utf-8").splitlines()
    assert len({json.loads(line)["url"] for line in lines}) == len(lines) == 160


def test_the_three_reference_questions_are_answered_from_the_data(pipeline):
    folder, finished = pipeline
    responses = {
        record["response"]
        for record in json.loads((folder / "data" / "perfume_qa.json").read_text(encoding="utf-8"))
    }
    output = finished["generate.py"].stdout
    assert re.findall(r"^Q：(.*)$", output, re.M) == REFERENCE
    answers = re.findall(r"^A：(.*)$", output, re.M)
    assert len(answers) == 3 and set(answers) <= responses


def test_the_run_says_that_it_is_a_rehearsal(pipeline):
    folder, finished = pipeline
    assert (
        "リハーサル" in finished["loadModel.py"].stdout
        and "data/rehearsal_model" in finished["loadModel.py"].stdout
    )
    assert "リハーサル" in (folder / "fine_tuned_open_calm" / "README.md").read_text(
        encoding="utf-8"
    )


def test_the_rehearsal_learns(pipeline):
    folder, _ = pipeline
    done = run_python(folder, "-c", "import generate; generate.EVALUATE = True; generate.main()")
    assert done.returncode == 0, done.stderr
    table = json.loads(
        (folder / "fine_tuned_open_calm" / "evaluation.json").read_text(encoding="utf-8")
    )
    narrowed, alone = table["アダプター・絞り込み"], table["アダプター・制約"]
    assert narrowed["全体"] >= 0.95
    assert narrowed["事実"] == 1
    assert alone["全体"] - table["基盤モデル・制約"]["全体"] >= 0.3
    few = {
        name: share
        for name, share in narrowed.items()
        if (table["件数"][name] or 0) >= 10 and share < 0.85
    }
    assert few == {}, "kinds of question that are answered badly"


def test_ci_runs_the_command_that_the_readme_names():
    command = "pip install -r requirements.txt && ruff check . && ruff format --check . && python -m pytest"
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert f"```bash\n{command}\n```" in (ROOT / "README.md").read_text(encoding="utf-8")
