// Shots of an index: those that look or move like a clip, and those that say some words.
import { addressOf, useAddress } from "../lib/address.js";
import { getWhenMade } from "../lib/api.js";
import { ClipCards } from "../lib/cards.js";
import { show } from "../lib/frame.js";
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { clock, counted, fileName } from "../lib/wording.js";

const COUNT = 60;
const AT_FIRST = 24;
const SLOW_MILLISECONDS = 2000;
const SLOW = "Looking: what is not in the index is seen by its model first, which takes a moment to load…";
const PATIENCE_SECONDS = 180; // of a video that is not in the index, and is looked at first

const WAYS = [
  ["look", "Looks alike", "The same recording, the same place, what looks alike; not the same action elsewhere."],
  ["motion", "Moves alike", "What moves alike, whoever and wherever it is; not the same place."],
];

const WAYS_OF_WORDS = [
  ["words", "Said", "What is said, by the subtitles beside the videos; rare words count more."],
  ["look", "Seen", "What is seen, by a model that knows words."],
];

function SearchPage({ libraries, library }) {
  const [asked, change] = useAddress();
  const others = libraries.filter((one) => one.searchable);
  if (!library.searchable) return html`<${None} libraries=${others} library=${library} />`;
  return html`<${Search} key=${library.id} library=${library} asked=${asked} change=${change} />`;
}

function Search({ library, asked, change }) {
  const { clip, start, end, text } = asked;
  const ways = clip ? WAYS : WAYS_OF_WORDS;
  const by = ways.some(([name]) => name === asked.by) ? asked.by : ways[0][0];
  const [found, setFound] = useState(null);
  const [problem, setProblem] = useState(null);
  const [isLooking, setIsLooking] = useState("");
  const turn = useRef(0);
  useEffect(() => {
    turn.current += 1;
    const mine = turn.current;
    const query = clip ? { clip, start, end, by } : text ? { text, by } : {};
    const keep = (set) => (value) => {
      if (turn.current !== mine) return;
      clearTimeout(timer);
      setIsLooking("");
      set(value);
    };
    setIsLooking("Looking…");
    const timer = setTimeout(() => turn.current === mine && setIsLooking(SLOW), SLOW_MILLISECONDS);
    setProblem(null);
    const stopper = new AbortController();
    getWhenMade(addressOf(`/v1/libraries/${library.id}/shots`, { ...query, count: COUNT }),
      { signal: stopper.signal, seconds: PATIENCE_SECONDS })
      .then((answer) => answer.json()).then(keep(setFound), keep(setProblem));
    return () => {
      clearTimeout(timer);
      stopper.abort();
    };
  }, [clip, start, end, text, by]);
  const table = useMemo(() => (found ? tableOf(library, found.shots) : null), [found]);
  const ofAsked = useMemo(() => (found?.asked ? tableOf(library, [found.asked]) : null), [found]);
  const like = ({ video, start_seconds: from, end_seconds: to }) => {
    change({ clip: video, start: from, end: to, text: "", by: clip ? by : "" });
    scrollTo({ top: 0 });
  };
  const again = () => change({ clip: "", start: "", end: "", text: "", by: "" });
  const isAsked = Boolean(clip || text);
  const Acts = ({ table: { shots }, i }) => html`<span class="shot-acts">
    <button type="button" class="plain" onClick=${() => like(shots[i])}>More like this<span class="sr">: ${
      nameOf(shots[i])}</span></button>
    <a href=${openedAt(library, shots[i])}>Open<span class="sr"> ${nameOf(shots[i])}</span></a></span>`;

  const ask = html`<div class=${ofAsked ? "ask" : "ask alone"}>
    <h1>${titleOf(found, { clip, text })}</h1>
    ${(clip || (text && found?.knows_words)) && html`<div class="row ways" role="group"
      aria-label=${clip ? "How it is like that" : "Where the words are"}>${ways.map(
      ([name, word]) => html`<button type="button" key=${name} class=${name === by ? "chosen" : ""}
        aria-pressed=${String(name === by)} onClick=${() => change({ by: name })}>${word}</button>`)}</div>
      <p class="soft small">${ways.find(([name]) => name === by)[2]}</p>`}
    ${(found?.has_words || found?.knows_words) && html`<${Words} text=${text ?? ""} onAsk=${(words) =>
      change({ text: words, clip: "", start: "", end: "",
        by: found.has_words && !(text && by === "look") ? "" : "look" })} isSeen=${found.knows_words} />`}
    ${isAsked && html`<p><button type="button" class="plain" onClick=${again}>Begin again</button></p>`}
    ${!isAsked && found && html`<p class="soft">${counted(found.shot_count, "shot")} of ${counted(found.video_count,
      "video")}. Choose one below${found.has_words || found.knows_words ? ", or search by words" : ""}; or open a clip
      ${" "}on its wall and choose “Shots like this”.</p>`}
    ${found?.unreachable_count > 0 && html`<p class="warning">${counted(found.unreachable_count, "video")} of
      the index cannot be shown: give the folder they lie in when you start <span class="code">vidfit
      serve</span>.</p>`}
  </div>`;
  return html`${ofAsked ? html`<div class="asked-for"><div>
      <${ClipCards} key=${found.asked.clip} table=${ofAsked} places=${[0]} said=${Asked}
        hrefOf=${() => openedAt(library, found.asked)} /></div>${ask}</div>` : ask}
    ${problem && html`<p class="warning" role="alert">${problem.message}</p>`}
    <p class="soft small" role="status">${isLooking || (!problem && table && isAsked
      ? (table.ids.length ? `${counted(table.ids.length, "shot")}, the ${
        by === "words" ? "best" : "nearest"} first` : "Nothing was found.") : "")}</p>
    ${!problem && table?.ids.length > 0 && html`<section aria-label="Shots">
      <${ClipCards} key=${`${clip} ${start} ${text} ${by}`} table=${table} places=${table.places} said=${Said}
        acts=${Acts} atFirst=${AT_FIRST} hrefOf=${(i) => openedAt(library, table.shots[i])} /></section>`}`;
}

function titleOf(found, { clip, text }) {
  if (text) return html`${found?.by === "look" ? "Shots of" : "Shots that say"} “${text}”`;
  if (!clip) return "Find shots";
  return found?.asked ? html`Shots like <span class="aside">${nameOf(found.asked)}</span>` : "Shots like a clip";
}

function Words({ text, isSeen, onAsk }) {
  const word = isSeen ? "Words" : "Words that are said";
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const send = (event) => {
    event.preventDefault();
    if (typed.trim()) onAsk(typed.trim());
  };
  return html`<form class="row words" role="search" onSubmit=${send}>
    <input type="search" aria-label=${word} placeholder=${word} value=${typed}
      maxlength="500" onInput=${(event) => setTyped(event.currentTarget.value)} />
    <button>Search</button></form>`;
}

const spanOf = (shot) => `${clock(shot.start_seconds, 1)} to ${clock(shot.end_seconds, 1)}`;
const nameOf = (shot) => `${fileName(shot.name)}, ${spanOf(shot)}`;
const openedAt = (library, shot) => addressOf("/timeline",
  { library: library.id, clip: shot.video, at: shot.start_seconds || "" });

// Shots as the columns that cards are made of.
function tableOf(library, shots) {
  return { library, shots, ids: shots.map((one) => one.clip), places: shots.map((_, i) => i),
    start: shots.map((one) => one.start_seconds), end: shots.map((one) => one.end_seconds) };
}

function Said({ table, i }) {
  const shot = table.shots[i];
  return html`<span class="card-said"><span class="shot-head"><b title=${shot.name}>${fileName(shot.name)}</b>
    ${shot.score !== null && html`<span class="soft num" title="How like it is; more is nearer">${
      shot.score.toFixed(2)}</span>`}</span>
    <span class="soft num">${spanOf(shot)}</span>
    ${shot.text && html`<q class="said-there">${shot.text}</q>`}</span>`;
}

const Asked = ({ table, i }) => html`<span class="card-said"><b title=${table.shots[i].name}>${
  fileName(table.shots[i].name)}</b><span class="soft num">${spanOf(table.shots[i])}</span></span>`;

function None({ libraries, library }) {
  return html`<h1>No index here</h1><p class="lead">${library.name} has no index of shots. Make one by
    ${" "}<span class="code">vidfit search FOLDER QUERY</span>, and name its output, which is
    ${" "}<span class="code">runs/FOLDER</span>, when you start <span class="code">vidfit serve</span>.</p>
    ${libraries.length > 0 && html`<ul>${libraries.map((one) => html`<li key=${one.id}><a
      href=${addressOf("/search", { library: one.id })}>${one.name}</a></li>`)}</ul>`}`;
}

show(SearchPage, { title: "Search", of: "library" });
