"""The recorded day among its simulated ones: utilisation against abandoned calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from dialer.errors import ReportError
from dialer.simulation.replay import Figures


def save_replay_plot(
    recorded: Figures, simulated: Mapping[str, Sequence[Figures]], path: Path
) -> None:
    """Write the plot, a point for each day; the kind of file is that of its name (.svg, .png, .pdf).

    Raises:
        ReportError: the file cannot be written.
    """
    figure = Figure(figsize=(6.4, 4.8), layout="constrained")
    panel = figure.subplots()
    for (name, days), mark in zip(simulated.items(), "o^", strict=False):
        panel.plot(*_points(days), mark, label=name, alpha=0.6)
    panel.plot(*_points([recorded]), "*", markersize=14, color="black", label="recorded")
    panel.set_xlabel("abandoned ÷ (abandoned + connected), %")
    panel.set_ylabel("utilisation, %")
    panel.legend()
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ReportError(f"{path.name}: cannot be written: {error}") from error


def _points(days: Sequence[Figures]) -> tuple[list[float], list[float]]:
    shares = [100 * day.abandoned_share for day in days]
    return shares, [100 * day.utilisation for day in days]
