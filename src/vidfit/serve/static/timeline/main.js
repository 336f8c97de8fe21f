// A long video: the player, what a model says over time, and what people make of it.
import { addressOf, asked } from "../lib/address.js";
import { get } from "../lib/api.js";
import { Export } from "../lib/exporting.js";
import { show } from "../lib/frame.js";
import { complain } from "../lib/notices.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { loadTable } from "../lib/table.js";
import { clock } from "../lib/wording.js";
import { Ask } from "./ask.js";
import { Editor } from "./editor.js";

const LISTED = 200;

function TimelinePage({ libraries, library, readOnly }) {
  const clip = asked("clip");
  const [facts, setFacts] = useState(null);
  const [timelines, setTimelines] = useState([]);
  useEffect(() => {
    if (!clip) return;
    get(`/v1/clips/${clip}`).then((found) => {
      document.title = `${found.name} · vidfit`;
      setFacts(found);
    }, complain);
    readTimelines();
  }, [clip]);
  const nameOf = (id) => libraries.find((one) => one.id === id)?.name ?? "a model";
  const readTimelines = () => get(`/v1/clips/${clip}/timelines`).then((found) => setTimelines(
    found.timelines.map((one) => ({ ...one, name: nameOf(one.model) }))), () => {});
  if (!clip) return html`<${Choose} libraries=${libraries} library=${library} />`;
  if (!facts) return html`<p class="empty" role="status">Reading the clip…</p>`;
  const home = library ?? libraries.find((one) => one.id === facts.library);
  return html`<${Listed} key=${clip} facts=${facts} timelines=${timelines} readOnly=${readOnly}
    home=${home} />
    ${!readOnly && html`<${Ask} libraries=${libraries} home=${home} clip=${clip}
      onAnswer=${readTimelines} />`}
    ${home && html`<${Export} library=${home} what="spans" />`}`;
}

// What the list of the library says of the same file: its other clips are spans of it.
function Listed({ facts, timelines, readOnly, home }) {
  const [listed, setListed] = useState([]);
  useEffect(() => {
    if (!home || (facts.start_seconds === 0 && facts.end_seconds === null)) return;
    loadTable(home).then((table) => setListed(spansOf(table, facts.id)), complain);
  }, [home?.id]);
  return html`<${Editor} facts=${facts} timelines=${timelines} readOnly=${readOnly} listed=${listed}
    classes=${home?.classes ?? []} />`;
}

// A clip that begins later is named after its file and its start.
const fileOf = (name) => name.replace(/ [\d.e+-]+ s$/, "");

function spansOf(table, clip) {
  const file = fileOf(table.names[table.placeOf(clip)] ?? "");
  return [...table.ids.keys()].filter((i) => table.end[i] !== null && table.listed.codes[i] >= 0
    && table.names[i].startsWith(file) && fileOf(table.names[i]) === file)
    .map((i) => ({ start_seconds: table.start[i], end_seconds: table.end[i],
      label: table.listed.values[table.listed.codes[i]] }));
}

// Without a clip in the address: the clips of the library to choose from.
function Choose({ libraries, library }) {
  const of = library ?? libraries[0];
  const [table, setTable] = useState(null);
  useEffect(() => {
    if (of) loadTable(of).then(setTable, complain);
  }, [of?.id]);
  if (!table) return html`<h1>Which video?</h1>`;
  const places = [...table.names.keys()].slice(0, LISTED);
  return html`<h1>Which video?</h1>
    <ul class="choose">${places.map((i) => html`<li key=${i}><a href=${addressOf("/timeline",
      { library: of.id, clip: table.ids[i] })}>${table.names[i]}</a>${table.end[i] !== null
      ? html` <span class="soft num">${clock(table.start[i])} to ${clock(table.end[i])}</span>` : ""}</li>`)}</ul>
    ${table.count > LISTED && html`<p><a href=${addressOf("/wall", { library: of.id })}>All ${
      table.count.toLocaleString("en")} are on the wall.</a></p>`}`;
}

show(TimelinePage, { title: "Long video" });
