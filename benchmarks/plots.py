"""How our plots look: one hand for all of them."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import matplotlib as mpl
from matplotlib.figure import Figure

OURS: Final = "#0a6150"
FLOOR: Final = "#9a9a92"
PEER: Final = "#b56a00"
SEED: Final = "#c0392b"
SECOND: Final = "#3b7fc4"
"""Colours mean the same in every plot: ours, the floor of the machine, a peer, the seed, another line of ours."""

_STYLE: Final[Any] = {
    "figure.figsize": (8.0, 4.5),
    "figure.facecolor": "white",
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.titlesize": 13,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 14,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#b9b8b0",
    "axes.labelcolor": "#3c423e",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e3dd",
    "xtick.color": "#5a605c",
    "ytick.color": "#5a605c",
    "legend.frameon": False,
    "lines.linewidth": 2.2,
    "lines.markersize": 6,
    "svg.fonttype": "none",
    "svg.hashsalt": "benchmarks",
}


@contextmanager
def figure(**size: Any) -> Generator[Figure]:
    """A figure in our style, for no screen. Save it within the block, with `save`."""
    with mpl.rc_context(_STYLE):
        yield Figure(layout="constrained", **size)


def save(drawn: Figure, folder: Path, name: str) -> list[Path]:
    """Write a figure as PNG and SVG; both look the same whenever they are drawn from the same numbers."""
    png, svg = folder / f"{name}.png", folder / f"{name}.svg"
    drawn.savefig(png, dpi=144)
    drawn.savefig(svg, metadata={"Date": None})
    return [png, svg]
