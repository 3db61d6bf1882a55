"""The colours of the graph, by day and by night; every text is readable on its ground (WCAG AA)."""

from __future__ import annotations

from typing import NamedTuple


class Colours(NamedTuple):
    """Of one sort of box."""

    ground: str
    border: str
    dark_ground: str
    dark_border: str


COLOURS = {
    "port": Colours("#f6f8fa", "#57606a", "#21262d", "#9ea7b3"),
    "service": Colours("#e1f2ff", "#0860c4", "#10253f", "#6cb6ff"),
    "network": Colours("#dcf6f0", "#0a6b5d", "#0e2d29", "#4fd1b8"),
    "volume": Colours("#fff2d8", "#855800", "#33270d", "#e3b341"),
    "image": Colours("#f2e9fe", "#7444cf", "#281b43", "#b78dff"),
    "secret": Colours("#ffeff7", "#a3286f", "#37152a", "#f778ba"),
    "config": Colours("#ffeff7", "#a3286f", "#37152a", "#f778ba"),
    "unit": Colours("#dffbe5", "#176f30", "#11291a", "#56d364"),
    "runtime": Colours("#fff0e6", "#a84300", "#351d0e", "#ffa657"),
    "host": Colours("#eff1f5", "#424a53", "#1c2129", "#b1bac4"),
}
"""Family of a node -> its colours; captions have that of the border."""
INK, FAINT, PAPER, RIM = "#1f2328", "#59636e", "#ffffff", "#d1d9e0"
DARK_INK, DARK_FAINT, DARK_PAPER, DARK_RIM = "#e6edf3", "#9ea7b3", "#0d1117", "#30363d"


def style() -> str:
    """Return the style sheet: by day the elements' own colours hold, by night these."""
    rules = {
        ".paper": f"fill:{DARK_PAPER}",
        ".ink": f"fill:{DARK_INK}",
        ".faint": f"fill:{DARK_FAINT}",
        ".tip": f"fill:{DARK_FAINT}",
        ".edge": f"stroke:{DARK_FAINT}",
        ".rim": f"stroke:{DARK_RIM}",
    }
    for name, colours in COLOURS.items():
        rules[f".{name} .box"] = f"fill:{colours.dark_ground};stroke:{colours.dark_border}"
        rules[f".{name} .caption"] = f"fill:{colours.dark_border}"
    night = "".join(f".lab-graph {which}{{{what}}}" for which, what in rules.items())
    return f"@media(prefers-color-scheme:dark){{{night}}}"
