// Files of labels and spans, for fits from the command line and for other programs.
import { addressOf } from "./address.js";
import { html } from "./ui.js";

const FORMS = {
  labels: [["csv", "CSV"], ["parquet", "Parquet"]],
  spans: [["csv", "CSV"], ["parquet", "Parquet"], ["activitynet", "ActivityNet JSON"],
    ["label-studio", "Label Studio JSON"]],
};

// `what` is "labels" or "spans".
export function Export({ library, what }) {
  return html`<p class="row small export"><span class="soft">All ${what} of ${library.name} as a
    file:</span>${FORMS[what].map(([form, word]) => html`<a key=${form} download
      href=${addressOf(`/v1/libraries/${library.id}/export`, { form, what })}>${word}</a>`)}</p>`;
}
