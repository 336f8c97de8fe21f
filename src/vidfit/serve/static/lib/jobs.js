// What jobs do, for all tabs at once.
//
// A browser opens six connections to a host over HTTP/1.1, and a stream of events holds one for as
// long as it lasts. So one tab leads: it holds a lock, reads the streams and tells the others over
// a channel. Where there are no locks (plain HTTP to another machine), each visible tab reads for
// itself and a hidden one closes its streams.
import { get } from "./api.js";
import { useEffect, useState } from "./ui.js";

const MOST_STREAMS = 2;
const POLL_MILLISECONDS = 3000;
const KEPT_NOTES = 200;
const REPLAY_SECONDS = 1;
const RUNNING = new Set(["waiting", "running"]);

export const isUnderWay = (job) => RUNNING.has(job.state);

let jobs = new Map(); // id -> job, with its `notes` and `pace`
let problem = null;
let leads = false;
let begun = false;
let streams = new Map(); // id -> EventSource
let channel = null;
let timer = 0;
const watchers = new Set();

function tell() {
  const list = [...jobs.values()].sort((one, other) => other.at - one.at);
  for (const watcher of watchers) watcher({ jobs: list, problem });
}

function take(found) {
  const next = new Map();
  for (const job of found) {
    const before = jobs.get(job.id);
    const streamed = before && streams.has(job.id) && before.state === job.state;
    next.set(job.id, { ...job, ...(streamed ? progressOf(before) : {}),
      notes: before?.notes ?? [], pace: before?.pace ?? null });
  }
  jobs = next;
}

const progressOf = ({ stage, done, total }) => ({ stage, done, total });

// The pace of a stage is counted from its first event, as decoding and learning differ; but a stream
// begins with all that was told before it was opened, which says nothing of time.
function apply(id, event, isReplay = false) {
  const job = jobs.get(id);
  if (!job) return;
  const now = performance.now() / 1000;
  if (event.event === "stage") {
    Object.assign(job, { stage: event.stage, done: 0, total: event.total ?? 0 });
    job.pace = { from: now, done: 0, left: NaN };
  } else if (event.event === "advance") {
    if (isReplay || !job.pace) job.pace = { from: now, done: event.done, left: NaN };
    Object.assign(job, { done: event.done, total: event.total ?? job.total });
    const made = job.done - job.pace.done;
    if (made > 0) job.pace.left = ((job.total - job.done) * (now - job.pace.from)) / made;
  } else if (event.event === "note") {
    job.notes = [...job.notes, event.text].slice(-KEPT_NOTES);
  } else if (event.event === "state") {
    job.state = event.state;
  }
  jobs.set(id, { ...job });
}

async function refresh() {
  clearTimeout(timer);
  if (!leads) return;
  try {
    take((await get("/v1/jobs")).jobs);
    problem = null;
  } catch (error) {
    problem = error;
  }
  followRunning();
  share({ jobs: [...jobs.values()] });
  tell();
  timer = setTimeout(refresh, POLL_MILLISECONDS);
}

function followRunning() {
  const running = [...jobs.values()].filter((job) => job.state === "running").slice(0, MOST_STREAMS);
  const wanted = new Set(running.map((job) => job.id));
  for (const [id, stream] of streams) {
    if (!wanted.has(id)) {
      stream.close();
      streams.delete(id);
    }
  }
  for (const { id } of running) {
    if (streams.has(id)) continue;
    const stream = new EventSource(`/v1/jobs/${id}/events`);
    const opened = performance.now() / 1000;
    stream.onmessage = (message) => {
      const event = JSON.parse(message.data);
      const isReplay = performance.now() / 1000 - opened < REPLAY_SECONDS;
      apply(id, event, isReplay);
      share({ job: id, event, isReplay });
      tell();
      if (event.event === "state" && !RUNNING.has(event.state)) refresh();
    };
    stream.onerror = () => {
      if (stream.readyState !== EventSource.CLOSED) return; // it tries again by itself
      streams.delete(id);
    };
    streams.set(id, stream);
  }
}

function share(message) {
  channel?.postMessage(message);
}

function hear({ data }) {
  if (data.ask && leads) refresh();
  if (leads) return;
  if (data.jobs) jobs = new Map(data.jobs.map((job) => [job.id, job]));
  if (data.job) apply(data.job, data.event, data.isReplay);
  tell();
}

function lead() {
  leads = true;
  refresh();
}

function stopLeading() {
  leads = false;
  clearTimeout(timer);
  for (const stream of streams.values()) stream.close();
  streams = new Map();
}

function begin() {
  begun = true;
  if (navigator.locks && window.BroadcastChannel) {
    channel = new BroadcastChannel("vidfit-jobs");
    channel.onmessage = hear;
    navigator.locks.request("vidfit-jobs", () => {
      lead();
      return new Promise(() => {}); // held until the tab is closed
    });
    share({ ask: true });
    return;
  }
  const look = () => (document.visibilityState === "visible" ? lead() : stopLeading());
  document.addEventListener("visibilitychange", look);
  look();
}

// Asks for the list again, after something was started or stopped here.
export function askForJobs() {
  if (leads) refresh();
  else share({ ask: true });
}

// Returns all jobs, the newest first, as they are now.
export function useJobs() {
  const [state, setState] = useState({ jobs: [...jobs.values()], problem });
  useEffect(() => {
    watchers.add(setState);
    if (!begun) begin();
    return () => watchers.delete(setState);
  }, []);
  return state;
}
