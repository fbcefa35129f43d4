// A file that is chosen fills the text; what was shown of another text goes.
(() => {
  "use strict";
  const text = document.getElementById("amend-text");
  const file = document.getElementById("amend-file");
  const forget = () => document.getElementById("proposal").replaceChildren();

  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    text.value = await file.files[0].text();
    forget();
  });
  text.addEventListener("input", forget);
})();
