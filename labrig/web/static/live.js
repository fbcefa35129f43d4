// The plate: arrows walk over it, a colour is chosen, a well opens.
(() => {
  "use strict";
  const plate = document.getElementById("plate");
  const drawer = document.getElementById("well-drawer");

  for (const choice of document.querySelectorAll("input[name=colour]"))
    choice.addEventListener("change", () => { plate.dataset.colour = choice.value; });

  plate.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!step || !cell) return;
    const rows = [...plate.querySelectorAll("tbody tr")];
    let [row, column] = [rows.indexOf(cell.parentElement), cell.cellIndex];
    for (;;) {
      row += step[0];
      column += step[1];
      const next = rows[row]?.cells[column];
      if (!next || !next.closest("td")) return;
      const button = next.querySelector("button");
      if (button) { button.focus(); event.preventDefault(); return; }
    }
  });

  // Not modal: STOP stays within reach. What was clicked gets the focus back.
  let from = null;
  plate.addEventListener("click", (event) => {
    const button = event.target.closest("button.well");
    if (!button) return;
    from = button.dataset.well;
    if (!drawer.open) drawer.show();
  });
  drawer.addEventListener("close", () => plate.querySelector(`[data-well="${from}"]`)?.focus());
})();
