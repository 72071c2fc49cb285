// Starts ReDoc.
"use strict";

// ReDoc loads its maker's logo from their host, and has no option against it. To ReDoc, such an image fails to load.
// React sets `src` by the attribute, and then by the property.
const image = HTMLImageElement.prototype;
const { setAttribute } = image;
const property = Object.getOwnPropertyDescriptor(image, "src");

function unlessElsewhere(element, value, set) {
  const { protocol, origin } = new URL(value, location.href);
  if (protocol === "data:" || origin === location.origin) set();
  else setTimeout(() => element.dispatchEvent(new Event("error")));
}

image.setAttribute = function (name, value) {
  const set = () => setAttribute.call(this, name, value);
  if (name === "src") unlessElsewhere(this, value, set);
  else set();
};
Object.defineProperty(image, "src", {
  ...property,
  set(value) {
    unlessElsewhere(this, value, () => property.set.call(this, value));
  },
});

const place = document.getElementById("document");
Redoc.init(place.dataset.url, {}, place);
