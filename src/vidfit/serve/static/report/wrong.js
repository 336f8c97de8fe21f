// The clips that were answered wrongly: all of them play.
import { addressOf } from "../lib/address.js";
import { ClipCards } from "../lib/cards.js";
import { html, useMemo } from "../lib/ui.js";
import { counted } from "../lib/wording.js";

export function Wrong({ report, table, library }) {
  const places = useMemo(() => {
    if (!table?.hasAnswers || library.labels === "number") return [];
    const found = [...table.isWrong.keys()].filter((i) => table.isWrong[i] === 1);
    const believed = (i) => (Number.isNaN(table.ofLabel[i]) ? 1 : table.ofLabel[i]);
    return found.sort((one, other) => believed(one) - believed(other));
  }, [table]);
  if (!table || !table.hasAnswers || library.labels === "number") return null;
  return html`<section aria-labelledby="wrong"><h2 id="wrong">Wrong answers</h2>
    ${places.length === 0 ? html`<p class="lead">No ${report.row} was answered wrongly.</p>` : html`
      <p class="lead">${counted(places.length, report.row)}, those first whose label the model believes
        the least. A wrong label is as likely a cause as a weak model. ${library.frames === "boxes"
        ? html`<a href=${addressOf("/boxes", { library: library.id, show: "wrong", order: "worst" })}>Correct
          boxes</a>` : html`<a href=${addressOf("/wall",
          { library: library.id, wrong: "1", order: "label" })}>Correct labels on the wall</a>`}</p>
      <${ClipCards} table=${table} places=${places} asked=${{ wrong: "1", order: "label" }} />`}
  </section>`;
}
