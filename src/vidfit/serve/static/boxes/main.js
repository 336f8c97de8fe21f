// Frames with boxes or masks: what is labelled, what a model says, and corrections.
import { addressOf, useAddress } from "../lib/address.js";
import { get } from "../lib/api.js";
import { show } from "../lib/frame.js";
import { complain } from "../lib/notices.js";
import { html, useEffect, useMemo, useReducer, useRef, useState } from "../lib/ui.js";
import { counted } from "../lib/wording.js";
import { Desk } from "./desk.js";
import { FrameList } from "./frames.js";

const SHOWS = [["", "all"], ["wrong", "wrong"], ["changed", "looked at by people"], ["open", "not looked at"]];
const LEAST = 0.35;
const REST_MILLISECONDS = 400;

function BoxesPage({ libraries, library, readOnly }) {
  const [asked, change] = useAddress();
  const [list, setList] = useState(null);
  const [, redraw] = useReducer((one) => one + 1, 0);
  const least = library.frames === "faces" ? 0 : Number(asked.least ?? LEAST);
  const timer = useRef(0);
  const isOf = library.frames !== "";
  const isOfFaces = library.frames === "faces";
  useEffect(() => { // what counts as wrong hangs on the threshold, which may still be moving
    if (!isOf) return undefined;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => get(addressOf(`/v1/libraries/${library.id}/frames`, { least }))
      .then((found) => setList(new FrameList(found)), complain), list ? REST_MILLISECONDS : 0);
    return () => clearTimeout(timer.current);
  }, [library.id, least]);
  const order = asked.order ?? "";
  const shows = asked.show ?? "";
  const places = useMemo(() => list?.chosen(shows, order) ?? [], [list, shows, order]);
  if (!isOf) return html`<${None} libraries=${libraries} library=${library} />`;
  if (!list) return html`<p class="empty" role="status">Reading the frames…</p>`;
  const named = asked.clip ? list.placeOf(asked.clip, Number(asked.frame ?? 0)) : -1;
  const place = named >= 0 ? named : asked.clip ? -1 : places[0] ?? -1;
  const at = place >= 0 ? { clip: list.clipOf(place), frame: list.number[place] }
    : asked.clip ? { clip: asked.clip, frame: Number(asked.frame ?? 0) } : null;
  const goTo = (i) => i !== undefined && change({ clip: list.clipOf(i), frame: list.number[i] });
  const inTurn = places.indexOf(place);
  const go = (by) => goTo(inTurn >= 0 ? places[inTurn + by]
    : by > 0 ? places.find((i) => i > place) : places.findLast((i) => i < place));
  const wrong = list.hasAnswers && !list.hasMasks && list.hasTruth;
  const isFixed = list.hasMasks || isOfFaces; // shown, and not changed
  const shown = SHOWS.filter(([name]) => name === "" || (!isFixed && (wrong || name !== "wrong")));
  return html`<div class="row head"><h1>${list.hasMasks ? "Masks" : isOfFaces ? "Faces" : "Boxes"} of ${library.name}</h1>
      ${shown.length > 1 && html`<label class="inline">Frames <select onChange=${(event) =>
        change({ show: event.currentTarget.value })}>${shown.map(([name, word]) => html`<option value=${name}
          key=${name} selected=${name === shows}>${word}</option>`)}</select></label>`}
      ${wrong && html`<label class="inline">Order <select onChange=${(event) =>
        change({ order: event.currentTarget.value })}>
        <option value="" selected=${order === ""}>as they lie</option>
        <option value="worst" selected=${order === "worst"}>most mistakes first</option></select></label>`}
      <span class="soft num" role="status">${inTurn >= 0 ? `${(inTurn + 1).toLocaleString("en")} of ` : ""}${
        counted(places.length, "frame")}</span></div>
    ${isOfFaces && html`<p class="soft small">${list.consent
      ? html`Named by a model whose people agreed to: <b>${list.consent}</b>.`
      : "No consent of these people is recorded, so that nobody is named."}</p>`}
    ${at ? html`<${Desk} library=${library} list=${list} place=${place} at=${at} go=${go} least=${least}
        change=${change} readOnly=${readOnly} next=${nextOf(list, places, inTurn)} onChange=${(facts) => {
          list.take(list.placeOf(facts.clip, facts.frame), facts);
          redraw();
        }} />`
      : html`<p class="empty">No frame is like that. <button type="button" class="plain"
          onClick=${() => change({ show: "" })}>Show all</button></p>`}
    <${Listed} list=${list} places=${places} place=${place} goTo=${goTo} wrong=${wrong} one=${isOfFaces ? "face" : ""} />
    ${!isFixed && (list.hasTruth || list.by.values.length > 0) && html`<p class="row small export"><span class="soft">All boxes of ${library.name} as a
      file:</span>${[["csv", "CSV"], ["coco", "COCO JSON"], ["cvat", "CVAT XML (zip)"]].map(([form, word]) => html`<a key=${form} download
      href=${addressOf(`/v1/libraries/${library.id}/boxes`, { form })}>${word}</a>`)}</p>`}`;
}

const nextOf = (list, places, at) => [at + 1, at + 2, at - 1].map((n) => places[n])
  .filter((i) => i !== undefined).map((i) => ({ clip: list.clipOf(i), frame: list.number[i] }));

function None({ libraries, library }) {
  const others = libraries.filter((one) => one.frames);
  return html`<h1>No boxes here</h1><p class="lead">Neither boxes nor masks are known of the frames of
    ${" "}${library.name}. Open a list of boxes (CSV, COCO, CVAT, MOT …), a run of
    ${" "}<span class="code">vidfit fit --task detect</span> or <span class="code">segment</span>, or what
    ${" "}<span class="code">vidfit predict</span> wrote of objects or faces.</p>
    ${others.length > 0 && html`<ul>${others.map((one) => html`<li key=${one.id}><a
      href=${addressOf("/boxes", { library: one.id })}>${one.name}</a> <span class="soft">${one.frames}</span></li>`)}</ul>`}`;
}

const LISTED = 24;

// The frames around the one that is looked at.
function Listed({ list, places, place, goTo, wrong, one }) {
  const [from, setFrom] = useState(0);
  const inTurn = places.indexOf(place);
  useEffect(() => {
    if (inTurn >= 0 && (inTurn < from || inTurn >= from + LISTED)) {
      setFrom(Math.floor(inTurn / LISTED) * LISTED);
    }
  }, [inTurn]);
  const shown = places.slice(from, from + LISTED);
  if (places.length === 0) return null;
  return html`<section aria-labelledby="frames"><h2 id="frames">Frames</h2>
    <ol class="frame-list" start=${from + 1}>${shown.map((i) => html`<li key=${i}><button type="button"
      aria-current=${i === place ? "true" : null} onClick=${() => goTo(i)}>
      <span class="name" title=${list.nameOf(i)}>${shortOf(list.nameOf(i))}</span>
      <span class="num n">frame ${list.number[i].toLocaleString("en")}</span>
      <span class="soft small">${said(list, i, wrong, one)}</span></button></li>`)}</ol>
    ${places.length > LISTED && html`<p class="row"><button type="button" disabled=${from === 0}
      onClick=${() => setFrom(Math.max(0, from - LISTED))}>Before</button>
      <span class="num soft">${from + 1} to ${from + shown.length} of ${places.length.toLocaleString("en")}</span>
      <button type="button" disabled=${from + LISTED >= places.length}
        onClick=${() => setFrom(from + LISTED)}>After</button></p>`}</section>`;
}

function said(list, i, wrong, one) {
  if (list.hasMasks) return "";
  const found = one ? counted(list.found[i], one) : counted(list.found[i], "box", "boxes");
  if (!list.hasTruth && !list.byOf(i)) return `${found} found`;
  const parts = [list.objects[i] ? counted(list.objects[i], "box", "boxes") : "nothing"];
  if (wrong && list.missed[i]) parts.push(`${list.missed[i]} missed`);
  if (wrong && list.falseAlarms[i]) parts.push(counted(list.falseAlarms[i], "false alarm"));
  if (list.byOf(i)) parts.push(`by ${list.byOf(i)}`);
  return parts.join(" · ");
}

const shortOf = (path) => path.split("/").slice(-2).join("/");

show(BoxesPage, { title: "Boxes", of: "library" });
