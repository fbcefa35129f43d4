// The plate: arrows walk over it.
(() => {
  "use strict";
})();
