// Shows the OpenAPI document in Swagger UI.
"use strict";

const target = document.getElementById("swagger-ui");
window.SwaggerUIBundle({ url: target.dataset.document, domNode: target, deepLinking: true, validatorUrl: null });
