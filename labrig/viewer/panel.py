"""The panel of napari: what is clicked goes to `labrig.viewer.session`, what it says is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from labrig.viewer.session import (
    Labels,
    Session,
    Shown,
    measured,
    preview_level,
    tubes_at_level,
)
from labrig_measure.errors import MeasureError

if TYPE_CHECKING:
    from napari.viewer import Viewer

_PREVIEW = "tubes at this level"
_COLOURS = {"tubes": "gray", "phase": "gray", "nuclei": "blue"}


class CorrectLabels(QWidget):  # type: ignore[misc]
    """Open results, choose a field, try a level, edit labels, measure, record."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.session: Session | None = None
        self.shown: Shown | None = None
        self.fields = QComboBox()
        self.level = QSlider(Qt.Orientation.Horizontal)
        self.level.setRange(30, 250)
        self.level.setValue(100)
        self.by, self.why = QLineEdit(), QLineEdit()
        self.by.setPlaceholderText("Who corrects")
        self.why.setPlaceholderText("Why, in a few words")
        self.said = QLabel("Open a folder of results or a run.")
        self.said.setWordWrap(True)
        layout = QVBoxLayout(self)
        for part in (
            self._button("Open results or run...", self._ask),
            self.fields,
            QLabel("Level of the outlines (per cent)"),
            self.level,
            self._button("Take tubes at this level", self.take_level),
            self._button("Measure", self.measure),
            self.by,
            self.why,
            self._button("Record correction", self.record),
            self.said,
        ):
            layout.addWidget(part)
        layout.addStretch()
        self.fields.currentTextChanged.connect(self.show_field)
        self.level.valueChanged.connect(self.preview)

    def open(self, path: Path) -> None:
        """Show the fields of a folder of results or a run."""
        try:
            self.session = Session.at(path)
        except MeasureError as error:
            self.said.setText(str(error))
            return
        self.fields.clear()
        self.fields.addItems(self.session.names)

    def show_field(self, name: str) -> None:
        """Planes and labels of a field, in µm."""
        if self.session is None or not name:
            return
        try:
            self.shown = self.session.show(name)
        except MeasureError as error:
            self.said.setText(str(error))
            return
        self.viewer.layers.clear()
        scale = (self.shown.pixel_size_um,) * 2
        for channel, plane in self.shown.planes.items():
            more: dict[str, Any] = {"colormap": _COLOURS.get(channel, "gray")}
            self.viewer.add_image(
                plane, name=f"{channel} plane", scale=scale, blending="additive", **more
            )
        for objects, labels in self.shown.labels.items():
            self.viewer.add_labels(labels.astype(np.int32), name=objects, scale=scale)
        self.said.setText(f"{name}: edit the labels with the brush, then measure or record.")

    def preview(self, percent: int) -> None:
        """Outlines of the tubes at the level of the slider."""
        if self.shown is None or (found := preview_level(self.shown, percent / 100)) is None:
            return
        step = self.shown.pixel_size_um
        # Centres of coarse pixels lie further in than those of the field's own.
        shift = step * (found.scale - 1) / 2
        if _PREVIEW in self.viewer.layers:
            self.viewer.layers[_PREVIEW].data = found.labels
            return
        layer = self.viewer.add_labels(
            found.labels, name=_PREVIEW, scale=(step * found.scale,) * 2, translate=(shift,) * 2
        )
        layer.contour = 1

    def take_level(self) -> None:
        """Put the tubes of this level in place of those that are edited."""
        if self.shown is None:
            return
        found = tubes_at_level(self.shown, self.level.value() / 100)
        if found is not None and "tubes" in self.viewer.layers:
            self.viewer.layers["tubes"].data = found.astype(np.int32)
            self.said.setText(f"{int(found.max())} tubes at {self.level.value()} %.")

    def measure(self) -> None:
        """Tell the measures of the labels on the screen; nothing is written."""
        if self.shown is None:
            return
        try:
            self.said.setText(repr(measured(self.shown, self._labels())))
        except (MeasureError, ValueError, TypeError) as error:
            self.said.setText(str(error))

    def record(self) -> None:
        """Take the labels on the screen as corrected."""
        if self.session is None or self.shown is None:
            return
        try:
            found = self.session.record(self.shown, self._labels(), self.by.text(), self.why.text())
        except (MeasureError, OSError, ValueError) as error:
            self.said.setText(str(error))
            return
        told = [f"{c.objects}: {c.before} -> {c.after}, {c.changed_px} px changed" for c in found]
        self.said.setText("\n".join(["Recorded.", *told] if told else ["Nothing was edited."]))

    def _labels(self) -> Labels:
        assert self.shown is not None
        return {name: np.asarray(self.viewer.layers[name].data) for name in self.shown.labels}

    def _ask(self) -> None:
        if chosen := QFileDialog.getExistingDirectory(self, "Results of labrig measure, or a run"):
            self.open(Path(chosen))

    def _button(self, text: str, act: Any) -> QPushButton:  # noqa: ANN401 - a slot
        button = QPushButton(text)
        button.clicked.connect(lambda: act())
        return button
