"""Figures as text: for a terminal, and for a page."""

from collections.abc import Sequence

from audiobend.train.evaluation import Measured, Rows, means
from audiobend.train.metrics import FIGURES


def text_table(measured: Sequence[Measured]) -> str:
    """Return the mean of all files beside baselines, then every file."""
    rows = means(measured)
    width = max(len(name) for name in [*rows, *(one.sound.name for one in measured)]) + 2
    blocks = [_heading(width), *_lines(rows, width)]
    if len(measured) > 1:
        blocks = [f"mean of {len(measured)} files", *blocks]
        for one in measured:
            blocks += ["", one.sound.name, *_lines(one.rows, width)]
    else:
        blocks = [measured[0].sound.name, *blocks]
    return "\n".join(blocks)


def _heading(width: int) -> str:
    return " " * width + "".join(f"{figure.title:>10}" for figure in FIGURES.values())


def _lines(rows: Rows, width: int) -> list[str]:
    return [
        f"  {name:{width - 2}}" + "".join(f"{figures[key]:10.2f}" if key in figures else " " * 10 for key in FIGURES)
        for name, figures in rows.items()
    ]


def markdown_table(rows: Rows, names: dict[str, str] | None = None) -> str:
    """Return rows as a Markdown table; ``names`` may call them by other words."""
    head = ["", *(figure.title for figure in FIGURES.values())]
    lines = [_row(head), _row(["---"] * len(head))]
    for name, figures in rows.items():
        values = [f"{figures[key]:.2f}" if key in figures else "" for key in FIGURES]
        lines.append(_row([(names or {}).get(name, name), *values]))
    return "\n".join(lines)


def legend() -> str:
    """Return what each figure says, as a Markdown list."""
    return "\n".join(f"- {figure.title}: {figure.says}; {figure.best:g} is perfect" for figure in FIGURES.values())


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
