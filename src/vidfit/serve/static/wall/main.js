// The wall of clips: filters above, tiles below, labels for what is selected.
import { asked, useAddress } from "../lib/address.js";
import { show } from "../lib/frame.js";
import { LabelButtons, givenBy } from "../lib/giving.js";
import { useLabels } from "../lib/labels.js";
import { complain, note, tried } from "../lib/notices.js";
import { beginTable, loadTable } from "../lib/table.js";
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { counted } from "../lib/wording.js";
import { FilterBar, choose, countAll } from "./filters.js";
import { Grid } from "./grid.js";
import { Viewer } from "./viewer.js";

function Wall({ libraries, library, readOnly }) {
  const [table, setTable] = useState(null);
  useEffect(() => {
    loadTable(library).then(setTable, complain);
  }, [library]);
  if (!table) return html`<p class="empty" role="status">Reading the list of clips…</p>`;
  const index = library.searchable ? library : libraries.find((one) => one.searchable);
  return html`<${Clips} table=${table} readOnly=${readOnly} index=${index} />`;
}

function Clips({ table, readOnly, index }) {
  const [wished, change] = useAddress();
  const labels = useLabels(table);
  const [selected, setSelected] = useState(() => new Set());
  const [active, setActive] = useState(-1);
  const [viewed, setViewed] = useState(-1);
  const anchor = useRef(-1);
  const layout = useRef({ columns: 1, rows: 1 });

  const counts = useMemo(() => {
    table.isWrong = table.wrong();
    return countAll(table);
  }, [table, labels.version]);
  const query = JSON.stringify({ ...wished, library: "", clip: "" });
  // A label that is given does not take its clip from under the eyes: only a new filter does.
  const shown = useMemo(() => choose(table, wished), [table, query]);
  useEffect(() => {
    const place = wished.clip ? shown.indexOf(table.placeOf(wished.clip)) : -1;
    setActive(place);
    setViewed(place);
    anchor.current = place;
  }, [shown]);
  const close = () => {
    setViewed(-1);
    change({ clip: "" });
  };
  const classes = useMemo(() => table.classes(), [table, labels.version]);

  const target = () => {
    if (selected.size > 0) return [...selected].map((i) => table.ids[i]);
    return active >= 0 ? [table.ids[shown[active]]] : [];
  };
  const give = (clips, what) => tried(async () => {
    if (readOnly || clips.length === 0) return;
    const batches = batchesOf(table, clips, what);
    for (const [one, of] of batches) await labels.give(of, one);
    const said = what.kind === "label" ? `'${what.label}'`
      : what.kind === "unsure" ? "“can't tell”" : "no label";
    note(`${counted(clips.length, "clip")}: ${said}.`, { word: "Undo",
      act: () => tried(async () => {
        for (let left = batches.length; left > 0; left -= 1) await labels.undo();
      }) });
  });

  const select = (place, { extend = false, only = false } = {}) => {
    const next = new Set(only ? [] : selected);
    if (extend && anchor.current >= 0) {
      const [from, to] = [Math.min(anchor.current, place), Math.max(anchor.current, place)];
      for (let at = from; at <= to; at += 1) next.add(shown[at]);
    } else {
      if (!next.delete(shown[place])) next.add(shown[place]);
      anchor.current = place;
    }
    setSelected(next);
  };
  const onPoint = (place, event) => {
    setActive(place);
    if (event.target.dataset.check || event.ctrlKey || event.metaKey || event.shiftKey) {
      select(place, { extend: event.shiftKey });
    } else {
      anchor.current = place;
      setViewed(place);
    }
  };
  const onKey = (event) => {
    if (event.altKey || event.isComposing) return;
    const what = !event.ctrlKey && !event.metaKey && givenBy(event.key, classes);
    if (what) {
      give(target(), what);
    } else if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "a") {
      setSelected(new Set(shown));
    } else if (event.ctrlKey || event.metaKey) {
      return;
    } else if (event.key === "Escape") {
      setSelected(new Set());
    } else if (event.key.toLowerCase() === "u") {
      tried(labels.undo);
    } else if (event.key === " " && active >= 0) {
      select(active, { extend: event.shiftKey });
    } else if (event.key === "Enter" && active >= 0) {
      setViewed(active);
    } else if (!move(event)) {
      return;
    }
    event.preventDefault();
  };
  const move = (event) => {
    const { columns, rows } = layout.current;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns,
      PageDown: columns * rows, PageUp: -columns * rows, Home: -shown.length,
      End: shown.length }[event.key];
    if (step === undefined || shown.length === 0) return false;
    const from = active < 0 ? (step > 0 ? -Math.min(step, 1) : 0) : active;
    const place = Math.max(0, Math.min(shown.length - 1, from + step));
    if (event.shiftKey) {
      if (anchor.current < 0) anchor.current = Math.max(0, active);
      select(place, { extend: true });
    } else {
      anchor.current = place;
    }
    setActive(place);
    return true;
  };

  return html`<div class="wall"><h1 class="sr">Clips of ${table.library.name}</h1>
    <${FilterBar} table=${table} counts=${counts} asked=${wished} change=${change}
      shownCount=${shown.length} />
    ${shown.length === 0
      ? html`<p class="empty">No clip is like that.</p>`
      : html`<${Grid} table=${table} shown=${shown} version=${labels.version} active=${active}
          selected=${selected} onKey=${onKey} onPoint=${onPoint}
          onReady=${(columns, rows) => {
            layout.current = { columns, rows };
          }} />`}
    ${selected.size > 0 && html`<div class="label-bar" role="region" aria-label="Selected clips">
      <p><b class="num">${selected.size.toLocaleString("en")}</b> selected
        <button type="button" class="plain" onClick=${() => setSelected(new Set())}>Deselect</button></p>
      ${!readOnly && html`<${LabelButtons} classes=${classes} kind=${table.library.labels}
        onGive=${(what) => give(target(), what)} />`}</div>`}
    ${viewed >= 0 && viewed < shown.length && html`<${Viewer} table=${table} i=${shown[viewed]}
      place=${viewed} count=${shown.length} version=${labels.version} classes=${classes} index=${index}
      readOnly=${readOnly} onMove=${(place) => {
        setViewed(place);
        setActive(place);
      }} onOpen=${(i) => {
        // A clip that the filters leave out is shown among all.
        const place = shown.indexOf(i);
        if (place >= 0) setViewed(place);
        else change({ ...Object.fromEntries(Object.keys(wished).map((name) => [name, ""])),
          library: table.library.id, clip: table.ids[i] });
      }} onClose=${close} onUndo=${() => tried(labels.undo)}
      onGive=${(what) => give([table.ids[shown[viewed]]], what)} />`}
  </div>`;
}

// What is given to which clips. Where a clip may have several labels, a class is added to those that
// lack it, or taken from all where all have it: what each has then may differ.
function batchesOf(table, clips, what) {
  if (table.library.labels !== "several" || what.kind !== "label" || what.label.includes("|")) {
    return [[what, clips]];
  }
  const now = clips.map((id) => table.classesOf(table.labelOf(table.placeOf(id))));
  const isTaken = now.every((names) => names.includes(what.label));
  const found = new Map();
  now.forEach((names, k) => {
    const others = names.filter((name) => name !== what.label);
    const text = (isTaken ? others : [...others, what.label]).join("|");
    found.set(text, [...(found.get(text) ?? []), clips[k]]);
  });
  return [...found].map(([label, of]) =>
    [label ? { kind: "label", label } : { kind: "cleared", label: "" }, of]);
}

beginTable(asked("library"));
show(Wall, { title: "Clips", full: true, of: "library" });
