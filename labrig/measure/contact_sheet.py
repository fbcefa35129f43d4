"""All overlays of a folder of results on one page, the ones to look at first in front."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from labrig.durable import write_text_whole
from labrig.measure.oddness import DEFINITION, ODD, Oddness, by_oddness
from labrig_measure.field_job import overlay_path

NAME = "contact_sheet.html"
SIDE_PX = 300
"""Of the longer side of a picture on the sheet: 96 of them are a file of about 3 MB."""
_CSS = """
body { font: 14px/1.4 system-ui, sans-serif; margin: 1.5rem; color: #222; background: #fff; }
p { max-width: 60rem; } .sheet { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; width: 300px; border: 3px solid #ddd; border-radius: 4px; }
figure.failed { border-color: #b00; } figure.flagged { border-color: #e69f00; }
img, .none { display: block; width: 300px; height: 225px; object-fit: contain; background: #111; }
.none { color: #fff; display: grid; place-items: center; }
figcaption { padding: .4rem .5rem; overflow-wrap: anywhere; } .why { color: #a00; }
.odd { font-weight: bold; } @media print { figure { break-inside: avoid; } }
"""


def write_contact_sheet(
    out: Path, rows: Sequence[Mapping[str, Any]], told: Mapping[str, str] | None = None
) -> Path:
    """Write :data:`NAME`, which needs no other file; a click opens a field's overlay.

    Args:
        out: folder of results.
        rows: of ``fields.csv``, None for what is not known.
        told: by field what else to say of it, such as its arm and donor.

    Raises:
        OSError: the disk refuses.
    """
    found = by_oddness(rows)
    counts = [sum(row["status"] == status for row in rows) for status in ("failed", "flagged")]
    odd = sum(oddness.score > ODD for _, oddness in found)
    figures = "\n".join(_figure(out, row, oddness, (told or {})) for row, oddness in found)
    path = out / NAME
    write_text_whole(
        path,
        f'<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>Contact sheet</title>'
        f"<style>{_CSS}</style>\n<h1>{len(rows)} fields</h1>\n"
        f"<p>{counts[0]} failed, {counts[1]} flagged, {odd} outliers. {escape(DEFINITION)}</p>\n"
        f'<div class="sheet">\n{figures}\n</div></html>\n',
    )
    return path


def _figure(out: Path, row: Mapping[str, Any], oddness: Oddness, told: Mapping[str, str]) -> str:
    name = str(row["field"])
    lines = [f"<b>{escape(name)}</b>"]
    if name in told:
        lines.append(escape(told[name]))
    if oddness.readout:
        value, usual = float(row[oddness.readout]), oddness.usual
        what = f"oddness {oddness.score:.1f}: {oddness.readout} {value:.3g}, usual {usual:.3g}"
        outlier = ' class="odd"' if oddness.score > ODD else ""
        lines.append(f"<span{outlier}>{escape(what)}</span>")
    if reasons := row.get("reasons"):
        lines.append(f'<span class="why">{escape(str(reasons))}</span>')
    # An overlay of a failed field is one of an earlier time.
    picture = None if row["status"] == "failed" else _thumbnail(overlay_path(out, name))
    if picture is None:
        shown = '<div class="none">no overlay</div>'
    else:
        link = escape(quote(overlay_path(Path(), name).as_posix()))
        shown = f'<a href="{link}"><img alt="" src="data:image/jpeg;base64,{picture}"></a>'
    kind = escape(str(row["status"]))
    return f'<figure class="{kind}">{shown}<figcaption>{"<br>".join(lines)}</figcaption></figure>'


def _thumbnail(path: Path) -> str | None:
    import cv2
    import numpy as np

    if not path.exists():
        return None
    image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        return None
    scale = min(1.0, SIDE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    file = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return base64.b64encode(file).decode()
