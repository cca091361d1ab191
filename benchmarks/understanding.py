"""What the assistant understands: times, intents, red flags; and how plainly it speaks. Writes the tables of docs/understanding.md.

python -m benchmarks.understanding

The cases of times and the utterances of other projects lie beside this project, in ../shared/understanding; without them their part
is skipped and its figures stay as last measured.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from actions import when
from benchmarks import confusion, time_parsers, wording
from benchmarks.report import RESULTS, report
from bot import emergency
from bot.settings import PROJECT
from bot.training import DIALOGUE, dialogue_environ, dialogue_python
from scheduling_core.segments import TWO_SEGMENTS
from tests.journeys.assistant import clean_environ, lend_model

COMMAND = "python -m benchmarks.understanding"
SHARED = PROJECT.parent / "shared" / "understanding"
SENTENCES = PROJECT / "benchmarks" / "sentences"
DOCUMENT = PROJECT / "docs" / "understanding.md"
PICTURES = PROJECT / "docs" / "pictures"
_OUT_OF_SCOPE = "out_of_scope"
_HARDEST = 12  # lines of a table of mistakes

Pairs = list[tuple[str, str]]
"""(meant, read) for each sentence."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = lend_model(Path(folder))
        if SHARED.is_dir():
            sys.path.insert(0, str(SHARED))
            _measure_times(Path(folder))
            _measure_utterances(Path(folder))
        else:
            print("skipped: times and other projects' utterances, because ../shared/understanding is not there")
        _measure_own_utterances(model)
        _measure_red_flags(model)
    _measure_wording()
    _write_figures()


@dataclass
class _Score:
    """How many cases, and how many of them were understood, asked back, or answered wrong."""

    cases: int = 0
    full: int = 0
    asked: int = 0
    silent: int = 0

    def percent(self, part: str) -> float:
        return round(100 * float(getattr(self, part)) / self.cases, 1)


def _measure_times(data: Path) -> None:
    cases = _json_lines(SHARED / "time_dev.jsonl")
    texts, spans, nows = ([case[key] for case in cases] for key in ("text", "span", "reference"))
    read = _understand(data, [{"id": case["id"], "text": case["text"], "now": case["reference"]} for case in cases])
    scoring = importlib.import_module("score")
    ours = _score(cases, [[found] if (found := scoring.meaning(line)) else [] for line in read])
    spent = [_milliseconds(case) for case in cases]

    core = ours["all core"]
    worst = min((score.percent("full"), group) for group, score in ours.items() if group != "all core")
    _at_least("Times: full meaning, all core cases", core.percent("full"), "%", 93)
    _at_most("Times: asked back, all core cases", core.percent("asked"), "%", 6)
    _at_most("Times: silently wrong, all core cases", core.percent("silent"), "%", 2)
    _at_least("Times: full meaning, the worst category", worst[0], "%", 85)
    _at_most("Times: reading one, median", round(statistics.median(spent), 2), "ms", 2)
    _at_most("Times: reading one, p95", round(_p95(spent), 2), "ms", 10)

    others = {
        "dateparser, bare expression": time_parsers.by_dateparser(spans, nows),
        "search_dates, sentence": time_parsers.by_search_dates(texts, nows),
        "Duckling, sentence": time_parsers.by_duckling(texts, nows),
        "Duckling, bare expression": time_parsers.by_duckling(spans, nows),
    }
    rows = [_row("**ours, sentence**", core, spent)]
    scores = {}
    for name, answered in others.items():
        if answered is None:
            print(f"skipped: {name}, because it could not be installed")
            continue
        scores[name] = _score(cases, answered[0])
        rows.append(_row(name, scores[name]["all core"], answered[1]))
        print(f"  {name}: {scores[name]['all core'].percent('full')} % full")
    _fill("parsers", _table(("parser, given", "full", "asked", "silent", "median ms", "p95 ms"), rows))
    categories = sorted((group for group in ours if group != "all core"), key=lambda group: ours[group].percent("full"))
    beside = list(scores)
    _fill(
        "categories",
        _table(
            (
                "category",
                "cases",
                "full",
                "asked",
                "silent",
                *beside,
            ),
            [
                (
                    group,
                    ours[group].cases,
                    *(ours[group].percent(part) for part in ("full", "asked", "silent")),
                    *(scores[name][group].percent("full") for name in beside),
                )
                for group in categories
            ],
        ),
    )


def _score(cases: Sequence[dict[str, Any]], answers: Iterable[time_parsers.Answers]) -> dict[str, _Score]:
    """By category, and over "all core" cases, as the cases' own scoring counts. Of several answers the best counts."""
    scoring = importlib.import_module("time_meaning")
    scores: defaultdict[str, _Score] = defaultdict(_Score)
    for case, readings in zip(cases, answers, strict=True):
        asked = any(reading.get("ambiguous") for reading in readings)
        full = not asked and any(scoring.score(case, reading)[0] for reading in readings or [None])
        for group in [case["category"]] + ["all core"] * case["core"]:
            score = scores[group]
            score.cases += 1
            score.full += full
            score.asked += asked
            score.silent += bool(readings) and not asked and not full
    return scores


def _milliseconds(case: dict[str, Any]) -> float:
    now = dt.datetime.fromisoformat(case["reference"])
    began = time.perf_counter()
    when.read(case["text"], now)
    return 1000 * (time.perf_counter() - began)


def _row(name: str, score: _Score, spent: Sequence[float]) -> tuple[object, ...]:
    shares = (score.percent(part) for part in ("full", "asked", "silent"))
    return name, *shares, f"{statistics.median(spent):.2f}", f"{_p95(spent):.2f}"


def _measure_utterances(data: Path) -> None:
    cases = _json_lines(SHARED / "utterances_dev.jsonl")
    read = _understand(data, [{"id": case["id"], "text": case["text"]} for case in cases])
    pairs = [(case["intent_hint"], line["intent"]) for case, line in zip(cases, read, strict=True)]
    outside = [got == _OUT_OF_SCOPE for meant, got in pairs if meant == _OUT_OF_SCOPE]
    inside = [got == _OUT_OF_SCOPE for meant, got in pairs if meant != _OUT_OF_SCOPE]
    _at_least("Utterances of other projects: macro-F1", round(_macro_f1(pairs), 3), "", 0.8)
    _at_least("Utterances of other projects: out-of-scope recall", round(statistics.mean(outside), 3), "", 0.9)
    _at_most("Utterances of other projects: in scope but refused", round(statistics.mean(inside), 3), "", 0.05)
    _show("corpus", "Utterances of other projects", pairs)


def _measure_own_utterances(model: Path) -> None:
    """Exact intents, as the classifier names them, the fallback counting as wrong."""
    cases = yaml.safe_load((SENTENCES / "utterances.yml").read_text(encoding="utf-8"))
    read = _intents(model, [case["text"] for case in cases])
    pairs = [(case["intent"], got) for case, got in zip(cases, read, strict=True)]
    right = statistics.mean(meant == got for meant, got in pairs)
    _at_least(f"Own sentences kept apart, {len(cases)}: exact intent", round(right, 3), "", 0.95)
    _show("own", "Own sentences kept apart", pairs)


def _show(name: str, title: str, pairs: Pairs) -> None:
    """The confusion picture, and the most frequent mistakes into the document."""
    confusion.draw(PICTURES / f"understanding-{name}.svg", title, pairs)
    of = Counter(meant for meant, _ in pairs)
    mistakes = Counter((meant, got) for meant, got in pairs if meant != got).most_common(_HARDEST)
    _fill(name, _table(("meant", "read as", "times", "of"), [(meant, got, count, of[meant]) for (meant, got), count in mistakes]))


def _macro_f1(pairs: Pairs) -> float:
    """Over the intents that are meant somewhere."""
    hits = Counter(meant for meant, got in pairs if meant == got)
    meant, read = Counter(meant for meant, _ in pairs), Counter(got for _, got in pairs)
    return statistics.mean(2 * hits[intent] / (meant[intent] + read[intent]) for intent in meant)


def _measure_red_flags(model: Path) -> None:
    """Found: the patient is told the clinic's emergency sentence, for sure words of the table or for what the model read.

    The table alone is what holds while the dialogue is down.
    """
    sentences = yaml.safe_load((SENTENCES / "red_flags.yml").read_text(encoding="utf-8"))
    found: dict[tuple[str, str], float] = {}
    for kind in ("emergencies", "ordinary"):
        alarms = [emergency.find(text) for text in sentences[kind]]
        unsure = [alarm is not None and not alarm.sure for alarm in alarms]
        read = _intents(model, sentences[kind], unsure)
        both = [(alarm and alarm.sure) or intent == "emergency" for alarm, intent in zip(alarms, read, strict=True)]
        found["table and model", kind] = round(100 * statistics.mean(map(bool, both)), 1)
        found["the table alone", kind] = round(100 * statistics.mean(map(bool, alarms)), 1)
    for means in ("table and model", "the table alone"):
        _at_least(f"Red flags: recall, {means}", found[means, "emergencies"], "%", 99.5)
        _at_most(f"Red flags: false alarms, {means}", found[means, "ordinary"], "%", 3)


def _measure_wording() -> None:
    english, spanish = wording.replies("en"), wording.replies("es")
    grade = wording.grade(reply.text for reply in english)
    _at_most("Reading grade of all English replies, Flesch-Kincaid", round(grade, 1), "", 6)
    for language, replies in (("English", english), ("Spanish", spanish)):
        longest = max(reply.segments for reply in replies)
        _at_most(f"Longest {language} reply, typically filled in", longest, "segments", 2)
    hard = sorted(((wording.grade([reply.text]), reply.name) for reply in english), reverse=True)
    long = [f"`{reply.name}` {reply.segments}" for reply in spanish + english if reply.segments > TWO_SEGMENTS]
    _fill(
        "wording",
        [
            f"- Above grade 6 by themselves: {sum(one > 6 for one, _ in hard)} of {len(hard)} English replies, the hardest "
            + ", ".join(f"`{name}` {one:.1f}" for one, name in hard[:5])
            + ".",
            f"- Longer than two segments: {', '.join(long) or 'none'}.",
        ],
    )


def _at_least(name: str, value: float, unit: str, goal: float) -> None:
    report(name, value, unit, f"{goal:g} or more", value >= goal, COMMAND)


def _at_most(name: str, value: float, unit: str, goal: float) -> None:
    report(name, value, unit, f"{goal:g} or less", value <= goal, COMMAND)


def _understand(data: Path, sentences: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What `frontdesk understand --jsonl` makes of them, in order."""
    done = subprocess.run(
        [sys.executable, "-m", "bot.cli", "understand", "--jsonl"],
        cwd=PROJECT,
        env=clean_environ() | {"FRONTDESK_DATA": str(data), "FRONTDESK_ENV": "test"},
        input="".join(json.dumps(sentence) + "\n" for sentence in sentences),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def _intents(model: Path, texts: Sequence[str], alarms: Sequence[bool] | None = None) -> list[str]:
    """The classifier's own names, each sentence by itself. `alarms`: whether the table of red flags asks for a second look."""
    asked = [
        {"id": number, "text": text, "alarm": alarm}
        for number, (text, alarm) in enumerate(zip(texts, alarms or [False] * len(texts), strict=True))
    ]
    done = subprocess.run(
        [dialogue_python(), "-m", "parse", str(model)],
        cwd=DIALOGUE,
        env=dialogue_environ(),
        input="".join(json.dumps(line) + "\n" for line in asked),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [json.loads(line)["intent"] for line in done.stdout.splitlines()]


def _json_lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _write_figures() -> None:
    """The figures of this benchmark from benchmarks/results.json."""
    figures = [one for one in json.loads(RESULTS.read_text(encoding="utf-8")) if one["command"] == COMMAND]
    rows = [
        (one["name"], f"{one['value']:g} {one['unit']}", f"{one['goal']} {one['unit']}", "yes" if one["holds"] else "**no**")
        for one in figures
    ]
    machines = "; ".join(sorted({one["machine"] for one in figures}))
    _fill("figures", [*_table(("what", "measured", "goal", "holds"), rows), "", f"Measured on: {machines}."])


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    lines = [[str(cell).strip() for cell in row] for row in (head, ["---"] * len(head), *rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _fill(mark: str, lines: Sequence[str]) -> None:
    """Put lines between two marks of the document."""
    marked = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- end of {mark} -->)", re.DOTALL)
    text = DOCUMENT.read_text(encoding="utf-8")
    fresh = DOCUMENT.with_suffix(".new")
    fresh.write_text(marked.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text), encoding="utf-8")
    os.replace(fresh, DOCUMENT)


if __name__ == "__main__":
    main()
