// Protocols are found by any word of their card; a card that has not all of the words is hidden.
(() => {
  "use strict";
  const launch = document.getElementById("launch");

  function find() {
    const box = document.getElementById("find");
    if (!box) return;
    document.getElementById("find-row").hidden = false;
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const place of launch.querySelectorAll(".place")) {
      let here = 0;
      for (const card of place.querySelectorAll(".findable")) {
        const text = card.textContent.toLowerCase();
        card.hidden = !words.every((word) => text.includes(word));
        here += !card.hidden;
      }
      place.hidden = here === 0;
      found += here;
    }
    document.getElementById("found").textContent = words.length ? `${found} found` : "";
  }

  launch.addEventListener("input", (event) => { if (event.target.id === "find") find(); });
  find();
})();
