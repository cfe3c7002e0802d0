"""Utilisation against abandoned calls, a panel for each scenario."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dialer.errors import ReportError
from dialer.simulation.rivals import OURS
from dialer.simulation.table import Row

_COLUMNS = 3
_PANEL = (5.2, 4.0)
_MARKS = "osv^D<>Pp*Xhd"


def save_plot(rows: Sequence[Row], cap: float, path: Path) -> None:
    """Write the plot; the kind of file is that of its name (.svg, .png, .pdf).

    Raises:
        ReportError: the file cannot be written.
    """
    figure = plot_of(rows, cap)
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ReportError(f"{path.name}: cannot be written: {error}") from error


def plot_of(rows: Sequence[Row], cap: float) -> Figure:
    """A point for each number of operators (written beside it), a line for each way of pacing."""
    scenarios = list(dict.fromkeys(row.scenario for row in rows))
    columns = min(_COLUMNS, len(scenarios))
    lines = -(-len(scenarios) // columns)
    size = (_PANEL[0] * columns + 2.2, _PANEL[1] * lines)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel, scenario in zip(panels, scenarios, strict=False):
        _fill(panel, [row for row in rows if row.scenario == scenario], cap)
        panel.set_title(scenario)
    for panel in panels[len(scenarios) :]:
        panel.set_axis_off()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right upper")
    return figure


def _fill(panel: Any, rows: Sequence[Row], cap: float) -> None:
    for way, mark in zip(dict.fromkeys(row.way for row in rows), cycle(_MARKS), strict=False):
        points = [row for row in rows if row.way == way]
        ours = way == OURS
        panel.errorbar(
            [100 * row.abandoned.value for row in points],
            [100 * row.utilisation.value for row in points],
            yerr=[100 * row.utilisation.half for row in points],
            marker=mark,
            label=way,
            color="black" if ours else None,
            linewidth=2.0 if ours else 0.8,
            zorder=3 if ours else 2,
        )
        for row in points:
            at = (100 * row.abandoned.value, 100 * row.utilisation.value)
            panel.annotate(row.operators, at, xytext=(4, 4), textcoords="offset points", fontsize=7)
    panel.axvline(100 * cap, linestyle="--", color="grey", linewidth=1)
    # most of what matters lies below the cap, some rivals far beyond
    panel.set_xscale("symlog", linthresh=max(1.0, 100 * cap))
    panel.set_xlim(left=-0.05)
    panel.set_xlabel("abandoned ÷ (abandoned + connected), %")
    panel.set_ylabel("utilisation, %")
