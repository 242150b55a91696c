"""Writes the table in docs/adapters.md from the adapters themselves: `python -m tests.adapters_page`."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from adapters.kit import registry

PAGE = Path(__file__).resolve().parents[1] / "docs" / "adapters.md"
BEGIN, END = (
    "<!-- generated: python -m tests.adapters_page -->",
    "<!-- end of the generated part -->",
)


def table() -> str:
    """One row a vendor and group, and below it the settings of each type."""
    rows = ["| source | group: types | grant | tested with |", "|---|---|---|---|"]
    by_module: dict[str, dict[str, list[str]]] = {}
    for (group, type_), kind in registry.kinds().items():
        by_module.setdefault(kind.module, {}).setdefault(group, []).append(type_)
    for name, groups in sorted(by_module.items()):
        module = importlib.import_module(f"adapters.{name}")
        serves = "<br>".join(
            f"{group}: {', '.join(f'`{t}`' for t in types)}" for group, types in groups.items()
        )
        grant = getattr(module, "SCOPES", "nothing but access to the files")
        tested = getattr(module, "TESTED", "real files and repositories; the conformance suite")
        rows.append(f"| {name} | {serves} | {_cell(grant)} | {_cell(tested)} |")
    return "\n".join([*rows, "", *settings()])


def settings() -> Iterator[str]:
    """The settings of each kind, with defaults."""
    shown: set[object] = set()
    for (group, type_), kind in sorted(registry.kinds().items()):
        if kind.settings in shown:
            continue
        shown.add(kind.settings)
        yield f"### `{type_}` in {group}\n"
        for name, field in kind.settings.model_fields.items():
            need = "required" if field.is_required() else "optional"
            yield f"- `{name}` ({need}): {_cell(field.description or name)}"
        yield ""


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def page(now: str) -> str:
    """The page with its generated part renewed."""
    head, _, rest = now.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text()))
