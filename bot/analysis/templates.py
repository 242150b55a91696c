"""Log templates: group the few distinct masked strings of a log with Drain.

Masking runs over every line; Drain (He et al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree",
ICWS 2017) only ever sees distinct masked strings, a few thousand per million lines. Seeing them all at once
allows what a streaming Drain cannot do: a wildcard that held only a few plain words is turned back into
constants ("VM Started" and "VM Paused" stay apart).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import eq

from bot.analysis.masking import WILD

MAX_TOKENS = 60
"""Longer messages are cut here before grouping: lists and dumps vary in length, their beginnings do not."""

_SIMILARITY = 0.5
_PREFIX_TOKENS = 2
_MAX_CHILDREN = 100
_SPLIT_BACK = 6
_MAX_LEAF = 300
"""Clusters compared per leaf; beyond it the leaf's strings join the nearest one, so a flood stays linear."""

_HOST = re.compile(
    r"(?<![\w./@-])(?:[A-Za-z](?:[\w-]|<\*>)*\.){2,}"
    r"(?:com|net|org|edu|gov|mil|io|dev|app|cloud|local|localdomain|lan|internal|intranet|corp|svc"
    r"|at|au|be|br|ca|ch|cn|cz|de|dk|es|eu|fi|fr|hk|ie|il|in|it|jp|kr|nl|no|nz|pl|pt|ru|se|sg|tw|uk|us|za)"
    r"(?=:<\*>|[\s,;)\]]|$)(?::<\*>)?"
)
_DAY = re.compile(
    r"\b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?:[a-z]*day)?,?\s+)?"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\s+<\*>"
    r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)\b(?=,?\s+<\*>)"
)
_UNIT = re.compile(
    r"(<\*>)\s?(?:[KMGT]i?B|B|bytes|[munµ]s|s|secs?|seconds|minutes?|hours?)\b(?:/s)?"
)
_RUN = re.compile(r"<\*>(?:[\s,;:/|._+(-]{0,3}<\*>\)?)+")
_DIGIT = re.compile(r"[0-9]")
_PLAIN_WORD = re.compile(r"[^\d<>*]*[A-Za-z][^\d<>*]*\Z")


def canonical(masked: str) -> str:
    """Fold host names, day names, units and runs of wildcards, and cut overlong messages."""
    text = _HOST.sub(WILD, masked)
    text = _DAY.sub(WILD, text)
    text = _UNIT.sub(WILD, text)
    text = _RUN.sub(WILD, text)
    tokens = text.split()
    if len(tokens) > MAX_TOKENS:
        tokens = [*tokens[:MAX_TOKENS], WILD]
    return " ".join(tokens)


class _Cluster:
    """Strings of one length that share most of their words. `fixed` is None where they differ."""

    __slots__ = ("fixed", "members")

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self.fixed = [None if token == WILD else token for token in tokens]
        self.members = [tokens]

    def similarity(self, tokens: Sequence[str]) -> float:
        return float(sum(map(eq, self.fixed, tokens))) / len(tokens)

    def add(self, tokens: tuple[str, ...]) -> None:
        self.members.append(tokens)
        self.fixed = [
            mine if mine == other else None for mine, other in zip(self.fixed, tokens, strict=True)
        ]


class _Tree:
    """Drain's fixed-depth tree: by length, then by the first words, then by similarity."""

    def __init__(self) -> None:
        self._leaves: dict[tuple[str, ...], list[_Cluster]] = defaultdict(list)
        self._children: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self.clusters: list[_Cluster] = []

    def add(self, tokens: tuple[str, ...]) -> None:
        leaf = self._leaves[self._path(tokens)]
        best = max(leaf, key=lambda cluster: cluster.similarity(tokens), default=None)
        if best is not None and (len(leaf) >= _MAX_LEAF or best.similarity(tokens) >= _SIMILARITY):
            best.add(tokens)
            return
        cluster = _Cluster(tokens)
        leaf.append(cluster)
        self.clusters.append(cluster)

    def _path(self, tokens: tuple[str, ...]) -> tuple[str, ...]:
        # A masked string holds no digits but status codes, and two codes are never one template.
        codes = [token for token in tokens if _DIGIT.search(token)]
        path: tuple[str, ...] = (str(len(tokens)), *codes)
        for token in tokens[:_PREFIX_TOKENS]:
            known = self._children[path]
            step = WILD if WILD in token else token
            if step not in known and len(known) >= _MAX_CHILDREN:
                step = WILD
            known.add(step)
            path = (*path, step)
        return path


def _split_back(cluster: _Cluster) -> dict[str, list[tuple[str, ...]]]:
    """Members by their template, with low-cardinality wildcards turned back into the words."""
    keep: list[bool] = []
    for position, token in enumerate(cluster.fixed):
        words = set() if token is not None else {member[position] for member in cluster.members}
        keep.append(
            token is not None or (len(words) < _SPLIT_BACK and all(map(_PLAIN_WORD.match, words)))
        )
    groups: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for member in cluster.members:
        words_of = zip(member, keep, strict=True)
        groups[" ".join(word if kept else WILD for word, kept in words_of)].append(member)
    return groups


def mine(masked: Iterable[str]) -> dict[str, str]:
    """The template of each distinct masked string.

    The result does not depend on the order of `masked`. A template matches every text it was made from: `<*>` is
    any text, a space is any white space, and the rest is literal.
    """
    canon = {text: canonical(text) for text in set(masked)}
    tree = _Tree()
    for folded in sorted(set(canon.values())):
        tree.add(tuple(folded.split(" ")))
    template_of = {
        " ".join(member): template
        for cluster in tree.clusters
        for template, members in _split_back(cluster).items()
        for member in members
    }
    return {text: template_of[folded] for text, folded in canon.items()}
