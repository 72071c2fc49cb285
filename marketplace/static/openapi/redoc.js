// Starts ReDoc.
"use strict";

// ReDoc loads its maker's logo from their host, and has no option against it. React sets `src` by this method.
const setAttribute = HTMLImageElement.prototype.setAttribute;
HTMLImageElement.prototype.setAttribute = function (name, value) {
  const elsewhere = name === "src" && new URL(value, location.href).origin !== location.origin;
  if (!elsewhere) setAttribute.call(this, name, value);
};

const place = document.getElementById("document");
Redoc.init(place.dataset.url, { hideDownloadButton: false, sortTagsAlphabetically: false }, place);
