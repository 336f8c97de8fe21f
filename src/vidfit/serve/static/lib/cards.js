// Some clips beside one another that play where the pointer or the keyboard is.
import { addressOf } from "./address.js";
import { Preview } from "./preview.js";
import { look, stillOf, watchPreviews, whyOf } from "./previews.js";
import { html, useEffect, useReducer, useRef, useState } from "./ui.js";
import { fileName, percent } from "./wording.js";

const AT_FIRST = 12;
const MORE = 48;
const SHAPE = { tile: 232, poster: 131 };

// `said` is a component that says what there is to say of clip `i` of `table`; `acts` is one of what
// can be done with it. A card leads to `hrefOf(i)`, or else to the wall, with what is `asked` there.
export function ClipCards({ table, places, said: Says = Said, asked = {}, hrefOf = null, acts: Acts = null,
  atFirst = AT_FIRST }) {
  const [count, setCount] = useState(atFirst);
  const onWall = (i) => addressOf("/wall", { library: table.library.id, ...asked, clip: table.ids[i] });
  const [played, setPlayed] = useState(-1);
  const [, redraw] = useReducer((one) => one + 1, 0);
  const list = useRef(null);
  useEffect(() => watchPreviews(redraw), []);
  // Posters of the cards on screen are asked for; one looks on where they rest.
  useEffect(() => {
    const seen = new Set();
    const watcher = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) seen.add(target.dataset.clip);
        else seen.delete(target.dataset.clip);
      }
      look([...seen], list);
    }, { rootMargin: "150px" });
    for (const card of list.current.children) watcher.observe(card);
    return () => {
      watcher.disconnect();
      look([], list);
    };
  }, [places, count]);
  const play = (i) => ({
    onPointerEnter: (event) => event.pointerType !== "touch" && setPlayed(i),
    onPointerLeave: () => setPlayed(-1), onFocusIn: () => setPlayed(i), onFocusOut: () => setPlayed(-1),
  });
  return html`<ul class="cards" ref=${list}>${places.slice(0, count).map((i) => html`
    <li key=${i} data-clip=${table.ids[i]} ...${play(i)}>
      <a href=${(hrefOf ?? onWall)(i)}>
        <span class="picture">${stillOf(table.ids[i]) === "ready"
          && html`<img src=${`/v1/clips/${table.ids[i]}/poster`} alt="" loading="lazy" />`}
          ${stillOf(table.ids[i]) === "failed" && html`<span class="why">${whyOf(table.ids[i])}</span>`}
          ${played === i && html`<${Preview} id=${table.ids[i]} shape=${SHAPE} start=${table.start[i]}
            end=${table.end[i]} />`}</span>
        <${Says} table=${table} i=${i} /></a>
      ${Acts && html`<${Acts} table=${table} i=${i} />`}</li>`)}</ul>
    ${places.length > count && html`<button type="button" onClick=${() => setCount(count + MORE)}>Show ${
      Math.min(MORE, places.length - count)} more${
      places.length - count > MORE ? ` of ${places.length - count}` : ""}</button>`}`;
}

function Said({ table, i }) {
  const answer = table.predictedOf(i);
  const ofLabel = table.ofLabel?.[i];
  return html`<span class="card-said">
    ${answer !== null && html`<span><s class=${table.isWrong[i] ? "said-wrong" : "said"}>${answer}</s> <span
      class="num">${percent(table.probability[i])}</span>${table.declined[i] ? " declined" : ""}</span>`}
    <span>is <b>${table.labelOf(i) ?? "not labelled"}</b>${Number.isFinite(ofLabel)
      && html` <span class="soft">(given ${percent(ofLabel)})</span>`}</span>
    <span class="soft code" title=${table.names[i]}>${fileName(table.names[i])}</span></span>`;
}
