// Before anything is drawn: the theme and the clock that this browser was last set to.
(() => {
  const root = document.documentElement;
  for (const name of ["theme", "time"]) {
    const kept = localStorage.getItem(`labrig-${name}`);
    if (kept) root.dataset[name] = kept;
  }
})();
