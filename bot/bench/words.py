"""Count how common words are in changes: the table that `bot.analysis.common` reads.

    python -m bot.bench.words CASES [MINED] --repos DIR

A word counts when at least four repositories touch it in 1 % of their changes, and with the share of the fourth:
a word of one project's own vocabulary is not common.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

import orjson

from bot.analysis import changes, common, vocabulary
from bot.bench import suspect_cases

PER_REPOSITORY = 1_500
LEAST_CHANGES = 30
AGREEING = 4
LEAST_SHARE = 0.01
TABLE = Path(common.__file__).parent / "common_words.json"


def main(arguments: list[str] | None = None) -> None:
    """Count over the changes of the cases' histories, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", type=Path, nargs="+")
    parser.add_argument("--repos", type=Path, required=True)
    given = parser.parse_args(arguments)
    seen: set[str] = set()
    totals: Counter[str] = Counter()
    counts: dict[str, Counter[str]] = {}
    for case in [case for path in given.cases for case in suspect_cases.read(path)]:
        if totals[case.repo] >= PER_REPOSITORY:
            continue
        for history in suspect_cases.load(case, given.repos):
            for commit in history.commits:
                if commit.sha not in seen:
                    seen.add(commit.sha)
                    totals[case.repo] += 1
                    counts.setdefault(case.repo, Counter()).update(_words(changes.read(commit)))
    table = shares(counts, totals)
    TABLE.write_bytes(orjson.dumps(table))
    sys.stdout.write(f"{len(table)} words of {sum(totals.values())} changes\n")


def shares(counts: dict[str, Counter[str]], totals: Counter[str]) -> dict[str, float]:
    """The share of changes that hold each common word, in the repository that is fourth by it."""
    large = [repo for repo in counts if totals[repo] >= LEAST_CHANGES]
    table: dict[str, float] = {}
    for word in sorted({word for repo in large for word in counts[repo]}):
        ranked = sorted((counts[repo][word] / totals[repo] for repo in large), reverse=True)
        if len(ranked) >= AGREEING and ranked[AGREEING - 1] >= LEAST_SHARE:
            table[word] = round(ranked[AGREEING - 1], 3)
    return table


def _words(change: changes.Change) -> set[str]:
    found: set[str] = set()
    for identifier in {*change.added, *change.removed}:
        found.add(identifier.lower())
        found.update(vocabulary.parts(identifier))
    return found


if __name__ == "__main__":
    main()
