// Posters, asked for only where somebody rests: what flies by is never made.
import { post } from "./api.js";

export const REST_MILLISECONDS = 90;
const POLL_MILLISECONDS = 400;
const MOST_AT_ONCE = 500;

const states = new Map(); // id -> { still, proxy, why }
const watchers = new Set();
const lists = new Map(); // who looks -> ids
let looked = [];
let timer = 0;

// Returns "ready", "waiting", "failed" or "" of the stills of a clip, as far as it is known here.
export const stillOf = (id) => states.get(id)?.still ?? "";
export const whyOf = (id) => states.get(id)?.why ?? "";

export function watchPreviews(watcher) {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

// Says what is on screen now, the most wanted first; call it with every move. It asks after a rest,
// and until all are made. `who` tells lists of one page apart; an empty one looks no more.
export function look(ids, who = "") {
  if (ids.length) lists.set(who, ids);
  else lists.delete(who);
  looked = [...lists.values()].flat();
  clearTimeout(timer);
  timer = setTimeout(ask, REST_MILLISECONDS);
}

const isOpen = (id) => !["ready", "failed"].includes(stillOf(id));

async function ask() {
  const mine = looked;
  const open = mine.filter(isOpen).slice(0, MOST_AT_ONCE);
  if (open.length === 0) return;
  let isTrying = true;
  try {
    // What the server is asked for last it makes first.
    const found = (await post("/v1/previews", { clips: open.reverse() })).states;
    for (const [id, state] of Object.entries(found)) states.set(id, state);
    for (const watcher of watchers) watcher();
  } catch (error) {
    isTrying = error.status === 0 || error.status >= 429;
  }
  if (isTrying && looked === mine && mine.some(isOpen)) timer = setTimeout(ask, POLL_MILLISECONDS);
}
