"""The reliability diagram: the share that came true over the chance that was believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from dialer.errors import ReportError
from dialer.reports.calibration import Calibration, DayCalibration


def save_reliability(found: DayCalibration, path: Path) -> None:
    """Write the diagram; the kind of file is that of its name (.svg, .png, .pdf).

    Raises:
        ReportError: the file cannot be written.
    """
    figure = Figure(figsize=(10, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _fill(left, "a person answers", found.answers)
    _fill(right, "nobody is free for who answers", found.abandoned)
    figure.suptitle(f"believed and happened, {found.day}")
    try:
        figure.savefig(path)
    except (OSError, ValueError) as error:
        raise ReportError(f"{path.name}: cannot be written: {error}") from error


def _fill(panel: Any, title: str, calibration: Calibration) -> None:
    bins = calibration.bins
    believed = [one.believed for one in bins]
    happened = [one.happened for one in bins]
    # an interval around a share of 0 or 1 may miss it by a rounding error
    below = [max(0.0, one.happened - one.low) for one in bins]
    above = [max(0.0, one.high - one.happened) for one in bins]
    panel.errorbar(believed, happened, yerr=[below, above], marker="o", linestyle="", capsize=3)
    for one in bins:
        at = (one.believed, one.happened)
        panel.annotate(one.calls, at, xytext=(5, 4), textcoords="offset points", fontsize=7)
    # misses are small: the interval of a bin with a few calls would make all else a dot
    most = 1.2 * max([0.05, *believed, *happened])
    panel.plot([0, most], [0, most], linestyle="--", color="grey", linewidth=1)
    panel.set(xlim=(0, most), ylim=(0, most))
    panel.set_title(f"{title} ({calibration.calls} calls, z {calibration.z:+.1f})")
    panel.set_xlabel("believed")
    panel.set_ylabel("happened, 95 % interval")
