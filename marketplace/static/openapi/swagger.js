// Starts Swagger UI. "Authorize" takes an access token of POST /auth/token; who is signed in as staff needs none.
"use strict";

const place = document.getElementById("document");

function csrfToken() {
  const found = document.cookie.split("; ").find((one) => one.startsWith(place.dataset.csrfCookie + "="));
  return found && found.slice(found.indexOf("=") + 1);
}

SwaggerUIBundle({
  url: place.dataset.url,
  domNode: place,
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null, // it would show the document to a service of its maker
  requestInterceptor: (request) => {
    // Writes with a staff session need Django's token.
    const token = csrfToken();
    if (token && request.method && request.method !== "GET") request.headers["X-CSRFToken"] = token;
    return request;
  },
});
