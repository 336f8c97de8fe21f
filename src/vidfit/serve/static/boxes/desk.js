// One frame: the picture with its boxes, and beside it what is in it and what can be done.
import { addressOf } from "../lib/address.js";
import { note } from "../lib/notices.js";
import { html, useEffect, useState } from "../lib/ui.js";
import { clock } from "../lib/wording.js";
import { useAhead, useFrame, usePicture } from "./frame.js";
import { EDGE_STEPS, HELP, useBoxKeys } from "./keys.js";
import { MaskControls, MaskLayer, useMask, usePointed } from "./masks.js";
import { Panel } from "./panel.js";
import { Stage, shifted } from "./stage.js";

const TAKEN_OVERLAP = 0.5; // from which on a box of the model lies on one that is there

export function Desk({ library, list, place, at, go, least, change, readOnly, next, onChange }) {
  const frame = useFrame(library, at, onChange);
  const { source, why } = usePicture(at);
  useAhead(next);
  const [size, setSize] = useState(null);
  const [chosen, setChosen] = useState(null); // id of a box, or the place of one of the model
  const [label, setLabel] = useState(list.classes[0] ?? "");
  const [edge, setEdge] = useState("");
  const [isDrawing, setIsDrawing] = useState(false);
  const [zoom, setZoom] = useState(1);
  const [hidden, setHidden] = useState({});
  const [kind, setKind] = useState("found");
  const [opacity, setOpacity] = useState(0.5);
  const { facts, draft } = frame;
  const mask = useMask(facts);
  const { pointed, onMove, onLeave } = usePointed(mask);
  useEffect(() => {
    setChosen(null);
    setEdge("");
  }, [at.clip, at.frame]);

  const classes = [...new Set([...list.classes, ...(facts?.boxes ?? []).map((one) => one.label), label])]
    .filter(Boolean);
  const boxes = (facts?.boxes ?? []).map((one) => (draft?.id === one.id ? draft : one));
  const answers = (facts?.found ?? []).filter((one) => one.score >= least);
  const shownBoxes = hidden.objects ? [] : boxes;
  const shownAnswers = hidden.found ? [] : answers;
  const box = boxes.find((one) => one.id === chosen) ?? null;
  const answer = typeof chosen === "number" ? answers[chosen] ?? null : null;
  const isOfFaces = library.frames === "faces";
  const canEdit = !readOnly && !isOfFaces && facts !== null && !facts.holder && !facts.mask && size !== null;

  const added = async (some) => {
    const before = new Set(boxes.map((one) => one.id));
    const found = await frame.add(some);
    const made = found?.boxes.filter((one) => !before.has(one.id)) ?? [];
    if (made.length === 1) setChosen(made[0].id);
  };
  const free = answers.filter((one) => !boxes.some((other) => overlap(one, other) >= TAKEN_OVERLAP));
  const edits = canEdit && {
    begin: frame.begin,
    move: frame.move,
    drop: frame.drop,
    draw: (drawn) => (label ? added([{ ...drawn, label }]) : note("Type a class first.")),
    nudge: (x, y) => box && frame.begin().then((isOurs) => isOurs
      && frame.move(shifted(box, edge, x, y, size))),
    nextEdge: () => setEdge(EDGE_STEPS[(EDGE_STEPS.indexOf(edge) + 1) % EDGE_STEPS.length]),
    toggleDrawing: () => setIsDrawing(!isDrawing),
    fresh: () => edits.draw({ left: size[0] * 0.375, top: size[1] * 0.375, right: size[0] * 0.625,
      bottom: size[1] * 0.625 }),
    give: (name) => {
      setLabel(name);
      if (box) frame.move({ ...box, label: name }, true);
    },
    ignore: () => box && frame.move({ ...box, ignored: !box.ignored }, true),
    remove: () => {
      if (!box) return;
      frame.drop();
      frame.remove(box);
      setChosen(null);
    },
    accept: () => answer && added([answer]),
    enter: () => (answer ? edits.accept() : box ? setChosen(null) : edits.confirm()),
    confirm: () => frame.add([]).then((found) => found && note("Kept: it is right as it is.")),
    acceptAll: () => (free.length ? added(free) : note("The model says nothing here that is not there.")),
    undo: frame.undo,
  };
  const step = (by) => {
    const all = [...shownBoxes.map((one) => one.id), ...shownAnswers.keys()];
    if (all.length === 0) return;
    const now = all.indexOf(chosen);
    setChosen(all[now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length]);
  };
  const toggle = (name) => setHidden((now) => ({ ...now, [name]: !now[name] }));
  useBoxKeys({ go, step, edits: edits || null, hasChosen: Boolean(box), choose: setChosen, toggle, classes });

  return html`<div class="box-desk">
    <div class="seen" onPointerMove=${onMove} onPointerLeave=${onLeave}>
      <${Stage} source=${source} size=${size} onSize=${setSize} boxes=${shownBoxes} found=${shownAnswers}
        chosen=${chosen} classes=${classes} drawing=${isDrawing} zoom=${zoom} edits=${edits || null} isOfFaces=${isOfFaces}
        onChoose=${setChosen}>${mask && html`<${MaskLayer} mask=${mask} kind=${kind} opacity=${opacity} />`}<//>
      ${!source && html`<p class="waiting" role="status">${why || "The picture is being made…"}</p>`}
      <div class="row transport">
        <button type="button" onClick=${() => go(-1)}><kbd>,</kbd>Before</button>
        <button type="button" onClick=${() => go(1)}>After<kbd>.</kbd></button>
        <span class="place"><b class="code">${place >= 0 ? list.nameOf(place) : ""}</b>
          ${" "}<span class="num soft n">frame ${at.frame.toLocaleString("en")}${place >= 0
          && list.seconds[place] !== null ? `, ${clock(list.seconds[place], 2)}` : ""}</span></span>
        <label class="inline">Zoom <input type="range" min="1" max="6" step="0.5" value=${zoom}
          onInput=${(event) => setZoom(Number(event.currentTarget.value))} /></label>
        ${!facts?.is_photo && html`<a href=${addressOf("/timeline", { library: library.id, clip: at.clip })}>Play
          the video</a>`}
      </div></div>
    <div class="said">
      ${facts?.holder && html`<p class="warning" role="status">${facts.holder} is at this frame; it cannot be
        changed until they leave it.</p>`}
      ${mask ? html`<${MaskControls} mask=${mask} classes=${list.classes} kind=${kind} setKind=${setKind}
          opacity=${opacity} setOpacity=${setOpacity} pointed=${pointed} />`
        : html`<${Panel} facts=${facts} boxes=${boxes} answers=${answers} hasAnswers=${list.hasAnswers} isOfFaces=${isOfFaces}
          hasTruth=${list.hasTruth} classes=${classes} chosen=${chosen} box=${box} answer=${answer} label=${label} edge=${edge}
          isDrawing=${isDrawing} hidden=${hidden} toggle=${toggle} least=${least} change=${change}
          state=${frame.state} edits=${edits || null} free=${free.length} onChoose=${setChosen} />`}
    </div>
    ${!mask && !isOfFaces && html`<details class="keys"><summary>Keys</summary><dl>${HELP.map(([keys, tells]) => html`
      <div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${
        tells}</dd></div>`)}</dl></details>`}
  </div>`;
}

// The intersection over union of two boxes.
function overlap(one, other) {
  const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const high = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  if (wide <= 0 || high <= 0) return 0;
  const area = ({ left, top, right, bottom }) => (right - left) * (bottom - top);
  return (wide * high) / (area(one) + area(other) - wide * high);
}
