"""Makes tests/demo.svg, the README's picture, from a real run of generate.py at a real terminal (needs tmux).

python tests/demo.py      after loadModel.py; asks QUESTIONS below and draws what the terminal then shows
"""

import html
import subprocess
import sys
import time
from pathlib import Path

from wcwidth import wcswidth

QUESTIONS = [
    "他には？",
    "ミュゲの香りの香水を3つ",
    "jazz clubは女性でも使える？",
    "甘くない冬のメンズある？",
    "ザラの香水を教えてください。",
]
COLUMNS, ROWS = 92, 60
CELL, LINE = 8, 21  # pixels
COLOURS = {
    "Q：": "#7ee787",
    "　出典": "#8b949e",
    "　　　　その他": "#8b949e",
    "読み込み中": "#79c0ff",
    "基盤モデル": "#79c0ff",
    "制約": "#79c0ff",
}
PICTURE = Path(__file__).with_suffix(".svg")


def tmux(*arguments: str) -> str:
    """What tmux prints."""
    return subprocess.run(
        ["tmux", "-u", *arguments], check=True, capture_output=True, encoding="utf-8"
    ).stdout


def wait_for_prompt() -> list[str]:
    """The terminal's lines once an empty prompt stands last."""
    for _ in range(120):
        time.sleep(0.5)
        lines = tmux("capture-pane", "-p", "-t", "demo").rstrip().splitlines()
        if lines and lines[-1].strip() == "Q：":
            return lines
    raise SystemExit("\n".join(lines))


def drawn(lines: list[str]) -> str:
    """The lines as a picture."""
    width, height = COLUMNS * CELL + 40, len(lines) * LINE + 40
    texts = []
    for number, line in enumerate(lines):
        colour = next(
            (colour for start, colour in COLOURS.items() if line.startswith(start)), "#e6edf3"
        )
        if line:
            texts.append(
                f'<text x="20" y="{number * LINE + 36}" fill="{colour}" textLength="{wcswidth(line) * CELL}" '
                f'xml:space="preserve">{html.escape(line)}</text>'
            )
    font = "font-family=\"'Noto Sans Mono CJK JP','BIZ UDGothic','Osaka-Mono','MS Gothic',monospace\" font-size=\"16\""
    frame = f'<rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>'
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n' + "\n".join(
        [frame, *texts, "</svg>\n"]
    )


def main() -> None:
    """Runs generate.py in tmux, asks, draws."""
    tmux(
        "new-session",
        "-d",
        "-s",
        "demo",
        "-x",
        str(COLUMNS),
        "-y",
        str(ROWS),
        f"{sys.executable} generate.py",
    )
    try:
        lines = wait_for_prompt()
        for question in QUESTIONS:
            tmux("send-keys", "-t", "demo", question, "Enter")
            time.sleep(1)
            lines = wait_for_prompt()
    finally:
        tmux("kill-session", "-t", "demo")
    PICTURE.write_text(drawn(lines[:-1]), encoding="utf-8")
    print(f"{PICTURE} に書きました。")


if __name__ == "__main__":
    main()
