"""A picture of a simulation: the hosts as bars, by zone, with what the workload takes of their CPU and memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.sax.saxutils import escape

from ecsctl.model.errors import InputError

if TYPE_CHECKING:
    from ecsctl.placement.host import Host
    from ecsctl.placement.simulation import Simulation

WIDTH, MARGIN, PANEL, GAP = 1200, 70, 170, 50
MOST_BARS = 360
FREE, BEFORE, INK, PALE = "#eceff1", "#b0bec5", "#263238", "#78909c"
OTHERS, MISSING = "#546e7a", "#c62828"
COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#bcbd22", "#17becf", "#393b79",
)  # fmt: skip


class Rectangle(NamedTuple):
    """A filled rectangle, in points from the upper left corner; `label` says what it is to who points at it."""

    x: float
    y: float
    width: float
    height: float
    colour: str
    label: str = ""


class Text(NamedTuple):
    """A line of text that stands on y; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    size: int = 13
    colour: str = INK
    anchor: str = "start"


class Drawing(NamedTuple):
    """Shapes on a white ground, the last in front."""

    width: int
    height: int
    shapes: list[Rectangle | Text]


class _Bar(NamedTuple):
    """One host, or several beside each other."""

    zone: str
    hosts: list[Host]


def draw_hosts(simulation: Simulation) -> Drawing:
    """CPU above, memory below; in each zone the fullest hosts first. Many hosts share a bar, which is their mean."""
    bars = list(_bars(simulation))
    zones = list(dict.fromkeys(bar.zone for bar in bars))
    room = WIDTH - 2 * MARGIN - GAP / 2 * (len(zones) - 1)
    step = min(60.0, room / max(1, len(bars)))
    shared = max((len(bar.hosts) for bar in bars), default=1)
    colours = _colours(simulation)
    title = f"{len(simulation.used)} of {len(simulation.hosts)} hosts used"
    if shared > 1:
        title += f"; a bar is up to {shared} hosts"
    shapes: list[Rectangle | Text] = [Text(MARGIN, 34, title, 18)]
    bottom = 70.0
    if missing := [f"{placed.unplaced:,} of {placed.load.name}" for placed in simulation.placed if placed.unplaced]:
        shapes.append(Text(MARGIN, 54, _short(f"not placed: {', '.join(missing)}", 150), 13, MISSING))
        bottom += 20
    for resource in ("CPU", "memory"):
        shapes += _panel(simulation, bars, bottom, step, resource, colours)
        bottom += PANEL + GAP
    bottom -= 20
    names = [
        (placed.load.name, colour)
        for placed, colour in zip(simulation.placed, colours, strict=True)
        if colour != OTHERS
    ]
    if others := colours.count(OTHERS):
        names.append((f"{others} others", OTHERS))
    if any(host.tasks for host in simulation.hosts):
        names.append(("there before", BEFORE))
    for row, (name, colour) in enumerate([*names, ("free", FREE)]):
        y = bottom + 22 * (row // 4)
        x = MARGIN + 270 * (row % 4)
        shapes += [Rectangle(x, y, 14, 14, colour), Text(x + 20, y + 12, _short(name, 30))]
    return Drawing(WIDTH, int(bottom + 22 * (len(names) // 4 + 1) + 20), shapes)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _colours(simulation: Simulation) -> list[str]:
    """Of each item of the workload. Where there are more of them than colours, the smallest have one together."""
    totals = [host.cpu_total for host in simulation.hosts], [host.memory_total for host in simulation.hosts]
    cpu, memory = (sum(total) or 1 for total in totals)
    demands = [(placed.load.asked.demand, placed.tasks) for placed in simulation.placed]
    taken = [(demand.cpu / cpu + demand.memory / memory) * tasks for demand, tasks in demands]
    if len(taken) <= len(COLOURS):
        return list(COLOURS[: len(taken)])
    largest = sorted(range(len(taken)), key=lambda number: -taken[number])[: len(COLOURS)]
    shades = dict(zip(sorted(largest), COLOURS, strict=True))
    return [shades.get(number, OTHERS) for number in range(len(taken))]


def _bars(simulation: Simulation) -> Iterator[_Bar]:
    zones: dict[str, list[Host]] = {}
    for host in simulation.hosts:
        zones.setdefault(host.zone or "no zone", []).append(host)
    together = -(-len(simulation.hosts) // MOST_BARS)
    for zone in sorted(zones):
        fullest = sorted(zones[zone], key=lambda host: (-_fullness(simulation, host), host.arn))
        for first in range(0, len(fullest), together):
            yield _Bar(zone, fullest[first : first + together])


def _fullness(simulation: Simulation, host: Host) -> float:
    cpu, memory = simulation.taken(host)
    return (host.cpu_total - host.cpu_free + cpu) / (host.cpu_total or 1) + (
        host.memory_total - host.memory_free + memory
    ) / (host.memory_total or 1)


def _panel(
    simulation: Simulation, bars: Sequence[_Bar], top: float, step: float, resource: str, colours: Sequence[str]
) -> Iterator[Rectangle | Text]:
    floor = top + PANEL
    yield Text(MARGIN, top - 8, resource, 14)
    for y, percent in ((top + 10, "100%"), (top + PANEL / 2 + 4, "50%"), (floor, "0%")):
        yield Text(MARGIN - 12, y, percent, 11, PALE, "end")
    x, zone, begun = float(MARGIN), bars[0].zone if bars else "", float(MARGIN)
    for bar in bars:
        if bar.zone != zone:
            yield Text((begun + x) / 2, floor + 18, zone, 12, anchor="middle")
            x += GAP / 2
            zone, begun = bar.zone, x
        yield from _bar(simulation, bar, x, step, floor, resource, colours)
        x += step
    yield Text((begun + x) / 2, floor + 18, zone, 12, anchor="middle")


def _bar(
    simulation: Simulation, bar: _Bar, x: float, step: float, floor: float, resource: str, colours: Sequence[str]
) -> Iterator[Rectangle]:
    total = sum(host.cpu_total if resource == "CPU" else host.memory_total for host in bar.hosts) or 1
    before = sum(
        host.cpu_total - host.cpu_free if resource == "CPU" else host.memory_total - host.memory_free
        for host in bar.hosts
    )
    width = step - 1 if step > 4 else step
    name = bar.hosts[0].name + (f" to {bar.hosts[-1].name}" if len(bar.hosts) > 1 else "")
    yield Rectangle(x, floor - PANEL, width, PANEL, FREE, f"{name}: {resource}")
    y = floor
    parts = [("there before", before, BEFORE)]
    for placed, colour in zip(simulation.placed, colours, strict=True):
        demand = placed.load.asked.demand
        tasks = sum(placed.by_host.get(host.arn, 0) for host in bar.hosts)
        taken = tasks * (demand.cpu if resource == "CPU" else demand.memory)
        parts.append((f"{tasks} of {placed.load.name}", taken, colour))
    for label, taken, colour in parts:
        height = PANEL * taken / total
        if height > 0:
            y -= height
            yield Rectangle(x, y, width, height, colour, f"{name}: {label}")


def save(drawing: Drawing, path: Path) -> None:
    """By the ending of the path: .svg or .png. Raises InputError."""
    writers: dict[str, Callable[[Drawing, Path], None]] = {".svg": _save_svg, ".png": _save_png}
    writer = writers.get(path.suffix.lower())
    if writer is None:
        raise InputError(f"{path}: a picture is .svg or .png")
    try:
        writer(drawing, path)
    except OSError as error:
        raise InputError(f"{path}: the picture cannot be written: {error.strerror or error}") from None


def _save_svg(drawing: Drawing, path: Path) -> None:
    size = f'width="{drawing.width}" height="{drawing.height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif">',
        '<rect width="100%" height="100%" fill="#fff"/>',
    ]
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            title = f"<title>{escape(shape.label)}</title>" if shape.label else ""
            lines.append(
                f'<rect x="{shape.x:.2f}" y="{shape.y:.2f}" width="{shape.width:.2f}" height="{shape.height:.2f}" '
                f'fill="{shape.colour}">{title}</rect>'
            )
        else:
            lines.append(
                f'<text x="{shape.x:.2f}" y="{shape.y:.2f}" font-size="{shape.size}" fill="{shape.colour}" '
                f'text-anchor="{shape.anchor}">{escape(shape.text)}</text>'
            )
    path.write_text("\n".join([*lines, "</svg>", ""]), encoding="utf-8")


def _save_png(drawing: Drawing, path: Path) -> None:
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise InputError(f"{path}: PNG needs Pillow (pip install pillow); SVG needs nothing") from None
    scale = 2  # drawn larger and made smaller again: bars are narrower than a point
    image = Image.new("RGB", (drawing.width * scale, drawing.height * scale), "white")
    pen = ImageDraw.Draw(image)
    anchors = {"start": "ls", "middle": "ms", "end": "rs"}
    for shape in drawing.shapes:
        if isinstance(shape, Rectangle):
            left, top = round(shape.x * scale), round(shape.y * scale)
            right, bottom = round((shape.x + shape.width) * scale), round((shape.y + shape.height) * scale)
            if right > left and bottom > top:
                pen.rectangle((left, top, right - 1, bottom - 1), fill=shape.colour)
        else:
            font = ImageFont.load_default(shape.size * scale)
            pen.text((shape.x * scale, shape.y * scale), shape.text, shape.colour, font, anchors[shape.anchor])
    image.save(path, "PNG")
