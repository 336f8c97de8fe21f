// The player with its lanes, and the keys that edit spans.
import { asked } from "../lib/address.js";
import { LabelButtons } from "../lib/giving.js";
import { note } from "../lib/notices.js";
import { SPEEDS, toggle, useSource } from "../lib/playing.js";
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { clock } from "../lib/wording.js";
import { useFrames, useShownFrame } from "./frames.js";
import { HELP, useEditorKeys } from "./keys.js";
import { Lanes } from "./lanes.js";
import { segmentsOf } from "./segments.js";
import { useSpans } from "./spans.js";

export function Editor({ facts, timelines, listed, classes: known, readOnly }) {
  const id = facts.id;
  const video = useRef(null);
  const { source, why, onError } = useSource(id);
  const { frames, why: noFrames } = useFrames(id);
  const shown = useShownFrame(video, frames, source);
  const store = useSpans(id);
  const [chosen, setChosen] = useState(null);
  const [holding, setHolding] = useState(null); // { label, key, from, frame } while a key is held
  const [threshold, setThreshold] = useState(0.5);
  const [job, setJob] = useState("");
  const [zoom, setZoom] = useState(1);
  const [speed, setSpeed] = useState(1);
  const timeline = timelines.find((one) => one.job === job) ?? timelines[0];
  const classes = useMemo(() => [...new Set([...known, ...(timeline?.classes ?? []),
    ...store.spans.map((span) => span.label)])], [known, timeline, store.spans]);
  const hasWindows = timeline?.windows?.length > 0;
  const segments = useMemo(() => (hasWindows
    ? segmentsOf(timeline.windows, timeline.classes, threshold)
    : (timeline?.segments ?? []).filter((one) => one.label)), [timeline, threshold]);
  const to = frames?.duration || video.current?.duration || 1;
  // The span that keys act on: the one chosen, or else the one that the playhead is in.
  const span = store.spans.find((one) => one.id === chosen?.id)
    ?? store.spans.find((one) => one.start_seconds <= shown.seconds && shown.seconds < one.end_seconds);
  const canEdit = store.canWrite && !readOnly && frames !== null;

  useEffect(() => {
    if (video.current) video.current.playbackRate = speed;
  }, [speed, source]);
  useEffect(() => {
    const at = Number(asked("at")) || facts.start_seconds;
    if (frames && at > 0) shown.seek(at);
  }, [frames]);

  const add = async (label, first, last) => {
    const made = await store.add({ label, start_frame: first, end_frame: last + 1,
      start_seconds: frames.beginOf(first), end_seconds: frames.beginOf(last + 1) });
    if (made) setChosen(made);
  };
  const edits = {
    moveStart: () => {
      if (!span) return undefined;
      if (shown.seconds >= span.end_seconds) return note("The span ends before this frame.");
      return store.change(span,
        { start_seconds: frames.beginOf(shown.frame), start_frame: shown.frame });
    },
    moveEnd: () => {
      if (!span) return undefined;
      const end = frames.beginOf(shown.frame + 1);
      if (end <= span.start_seconds) return note("The span begins after this frame.");
      return store.change(span, { end_seconds: end, end_frame: shown.frame + 1 });
    },
    relabel: (label) => span && store.change(span, { label }),
    drop: () => span && store.drop(span),
    undo: store.undo,
    hold: (label, key) => setHolding({ label, key, from: shown.seconds, frame: shown.frame }),
    letGo: () => {
      setHolding(null);
      if (holding && shown.frame > holding.frame) return add(holding.label, holding.frame, shown.frame);
      return span ? edits.relabel(holding.label) : undefined;
    },
    accept: () => chosen && !chosen.id
      && add(chosen.label, frames.at(chosen.start_seconds), frames.at(chosen.end_seconds - 1e-4)),
    mark: (label) => add(label, shown.frame, Math.min(frames.count - 1, frames.at(shown.seconds + 1))),
  };
  const choose = (item) => {
    setChosen(item);
    shown.seek(item.start_seconds);
  };
  const step = (by) => {
    const all = [...store.spans, ...segments, ...listed].sort((a, b) => a.start_seconds - b.start_seconds);
    const next = by > 0 ? all.find((one) => one.start_seconds > shown.seconds + 1e-6)
      : all.findLast((one) => one.start_seconds < shown.seconds - 1e-6);
    if (next) choose(next);
  };
  useEditorKeys({ video, shown, classes, edits: canEdit ? edits : null, holding, speed, setSpeed,
    step, letGoOfChosen: () => setChosen(null) });

  const lanes = [];
  if (timeline) {
    lanes.push({ name: timeline.name, items: segments, tells: "What the model says" });
  }
  if (listed.length) lanes.push({ name: "listed", items: listed, tells: "What the list says" });
  lanes.push({ name: "corrected", items: store.spans, tells: "What people say", isOurs: true });
  return html`<h1 class="clip-title">${facts.name}</h1>
    <div class="player">
      ${source && html`<video ref=${video} key=${source} src=${source} muted playsinline
        preload="auto" onError=${onError} onClick=${() => toggle(video.current)}></video>`}
      ${(why || noFrames) && html`<p class="warning" role="status">${why || noFrames}</p>`}
    </div>
    <${Transport} video=${video} shown=${shown} frames=${frames} to=${to} speed=${speed}
      setSpeed=${setSpeed} source=${source} />
    <div class="row settings">
      ${timelines.length > 1 && html`<label class="inline">Answers of <select
        onChange=${(event) => setJob(event.currentTarget.value)}>${timelines.map((one) => html`
        <option value=${one.job} key=${one.job}>${one.name}</option>`)}</select></label>`}
      ${hasWindows && html`<label class="inline">Threshold <input type="range" min="0" max="1"
        step="0.01" value=${threshold}
        onInput=${(event) => setThreshold(Number(event.currentTarget.value))} />
        <output class="num">${threshold.toFixed(2)}</output></label>`}
      <label class="inline">Zoom <input type="range" min="0" max="6" step="0.25"
        value=${Math.log2(zoom)} onInput=${(event) =>
          setZoom(2 ** Number(event.currentTarget.value))} /></label>
    </div>
    <${Lanes} from=${0} to=${to} zoom=${zoom} lanes=${lanes} classes=${classes} at=${shown.seconds}
      chosen=${span && (!chosen || chosen.id) ? span : chosen} holding=${holding}
      onSeek=${shown.seek} onChoose=${choose} curves=${hasWindows
        ? { windows: timeline.windows, modelClasses: timeline.classes, threshold } : null} />
    <${Chosen} span=${span} chosen=${chosen} classes=${classes} edits=${canEdit ? edits : null} />
    ${!store.canWrite && html`<p class="warning">This server keeps no spans.</p>`}
    <details class="keys"><summary>Keys</summary><dl>${HELP.map(([keys, tells]) => html`
      <div key=${keys}><dt>${keys.split(" ").map((key) => html`<kbd>${key}</kbd> `)}</dt><dd>${
        tells}</dd></div>`)}</dl></details>`;
}

function Transport({ video, shown, frames, to, speed, setSpeed, source }) {
  const [isPlaying, setIsPlaying] = useState(false);
  useEffect(() => {
    const element = video.current;
    if (!element) return undefined;
    const look = () => setIsPlaying(!element.paused);
    for (const name of ["play", "pause", "ended"]) element.addEventListener(name, look);
    return () => {
      for (const name of ["play", "pause", "ended"]) element.removeEventListener(name, look);
    };
  }, [source]);
  return html`<div class="row transport">
    <button type="button" onClick=${() => shown.seekFrame(shown.frame - 1)}
      ><kbd>,</kbd>−1<span class="sr"> frame</span></button>
    <button type="button" class="primary play" onClick=${() => toggle(video.current)}>${
      isPlaying ? "Pause" : "Play"}</button>
    <button type="button" onClick=${() => shown.seekFrame(shown.frame + 1)}
      >+1<span class="sr"> frame</span><kbd>.</kbd></button>
    <span class="num n"><b>${clock(shown.seconds, 3)}</b> <span class="soft">of ${clock(to, 1)}</span></span>
    ${frames && html`<span class="num soft n" title=${shown.isExact
      ? "as seen on screen" : "asked for"}>frame ${shown.frame.toLocaleString("en")} of ${
      frames.count.toLocaleString("en")}</span>`}
    <label class="inline">Speed <select onChange=${(event) =>
      setSpeed(Number(event.currentTarget.value))}>${SPEEDS.map((one) => html`<option value=${one}
      key=${one} selected=${one === speed}>${one} ×</option>`)}</select></label>
  </div>`;
}

function Chosen({ span, chosen, classes, edits }) {
  if (!edits) return null;
  const isModels = chosen && !chosen.id;
  const it = isModels ? chosen : span;
  return html`<section class="card chosen-span" aria-label="Chosen span">
    ${it ? html`<p class="row"><b>${it.label}</b>
      <span class="num">${clock(it.start_seconds, 3)} to ${clock(it.end_seconds, 3)}</span>
      ${it.person && html`<span class="soft small">by ${it.person}</span>`}
      ${isModels && html`<button type="button" class="primary" onClick=${edits.accept}
        ><kbd>Enter</kbd>Take over as a label</button>`}
      ${!isModels && html`<button type="button" onClick=${edits.moveStart}><kbd>[</kbd>Starts here</button>
      <button type="button" onClick=${edits.moveEnd}><kbd>]</kbd>Ends here</button>
      <button type="button" onClick=${edits.drop}><kbd>Del</kbd>Remove</button>`}
      <button type="button" onClick=${edits.undo}><kbd>U</kbd>Undo</button></p>`
    : html`<p class="soft">No span here. Hold the key of a class while the video plays: what goes by
      meanwhile gets that label. Or give a label to the second from here:</p>`}
    ${!isModels && html`<${LabelButtons} classes=${classes} kind="one" canClear=${false}
      canBeUnsure=${false} marked=${it ? [it.label] : []}
      onGive=${({ label }) => (span ? edits.relabel(label) : edits.mark(label))} />`}
  </section>`;
}
