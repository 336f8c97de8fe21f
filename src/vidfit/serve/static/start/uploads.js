// Files that are dropped become clips of the library "uploads". What breaks off goes on later:
// a file that is chosen again is sent from where the server has it.
import { get, pause, post, send } from "../lib/api.js";
import { html, useRef, useState } from "../lib/ui.js";
import { bytes } from "../lib/wording.js";

const PART_BYTES = 4 * 2 ** 20;
const MOST_TRIES = 6;
const KEPT = "vidfit-uploads";

// Unfinished uploads of this browser: what the file is -> id of the asset.
const kept = () => JSON.parse(localStorage.getItem(KEPT) ?? "{}");
const keyOf = (file) => `${file.name}|${file.size}|${file.lastModified}`;

function keep(file, id) {
  const all = kept();
  if (id) all[keyOf(file)] = id;
  else delete all[keyOf(file)];
  localStorage.setItem(KEPT, JSON.stringify(all));
}

async function begun(file) {
  const id = kept()[keyOf(file)];
  if (id) {
    try {
      const asset = await get(`/v1/assets/${id}`);
      if (asset.state === "partial") return asset;
    } catch {
      // it was removed meanwhile
    }
  }
  const asset = await post("/v1/assets", { name: file.name, size_bytes: file.size, sha256: null });
  keep(file, asset.id);
  return asset;
}

// Sends a file in parts; after a break, asks the server what it has and goes on from there.
async function upload(file, onChange, signal) {
  let asset = await begun(file);
  let tries = 0;
  while (asset.state === "partial") {
    const from = asset.received_bytes;
    const to = Math.min(file.size, from + PART_BYTES);
    onChange({ sent: from });
    try {
      const answer = await send("PUT", `/v1/assets/${asset.id}`, {
        body: file.slice(from, to), signal,
        headers: { "Content-Range": `bytes ${from}-${to - 1}/${file.size}`,
          "Content-Type": "application/octet-stream" },
      });
      asset = await answer.json();
      tries = 0;
    } catch (error) {
      const isPassing = error.status === 0 || error.status === 429 || error.status >= 500;
      if (!isPassing || ++tries > MOST_TRIES) throw error;
      onChange({ waits: error.message });
      await pause((error.retrySeconds || 2 ** tries) * 1000, signal);
      asset = await get(`/v1/assets/${asset.id}`).catch(() => asset);
      onChange({ waits: "" });
    }
  }
  keep(file, null);
  return asset;
}

export function Uploads({ onReady }) {
  const [rows, setRows] = useState([]);
  const [isOver, setIsOver] = useState(false);
  const queue = useRef(Promise.resolve());
  const change = (key, some) => setRows((all) =>
    all.map((row) => (row.key === key ? { ...row, ...some } : row)));
  const take = (files) => {
    for (const file of files) {
      const key = `${keyOf(file)}|${performance.now()}|${Math.random()}`;
      const stopper = new AbortController();
      const row = { key, name: file.name, size: file.size, sent: 0, state: "waits", why: "",
        stopper };
      setRows((all) => [...all, row]);
      queue.current = queue.current.then(async () => {
        if (stopper.signal.aborted) return;
        change(key, { state: "is sent" });
        try {
          const asset = await upload(file, (some) => change(key, some), stopper.signal);
          change(key, { state: asset.state, why: asset.why, sent: file.size });
          if (asset.state === "ready") onReady();
        } catch (error) {
          const stopped = error.name === "AbortError";
          change(key, { state: stopped ? "stopped" : "refused", why: stopped
            ? "Choose it again to go on from where it stopped." : error.message });
        }
      });
    }
  };
  const onDrop = (event) => {
    event.preventDefault();
    setIsOver(false);
    take([...event.dataTransfer.files]);
  };
  return html`<section aria-labelledby="upload"><h2 id="upload">Upload videos</h2>
    <p class="lead">For videos that the server cannot reach. They are kept by the server, as the
      library <b>uploads</b>.</p>
    <div class=${isOver ? "card drop over" : "card drop"} onDragOver=${(event) => {
      event.preventDefault();
      setIsOver(true);
    }} onDragLeave=${() => setIsOver(false)} onDrop=${onDrop}>
      <label>Drop files here, or choose them:
        <input type="file" multiple accept="video/*,.mkv,.avi,.ts,.flv,.wmv"
          onChange=${(event) => {
            take([...event.currentTarget.files]);
            event.currentTarget.value = "";
          }} /></label>
    </div>
    <ul class="uploads">${rows.map((row) => html`<${UploadRow} key=${row.key} row=${row} />`)}</ul>
  </section>`;
}

function UploadRow({ row }) {
  const isSent = row.state === "is sent";
  const share = row.size ? row.sent / row.size : 0;
  return html`<li>
    <div class="row"><b class="upload-name">${row.name}</b>
      <span class="soft num">${bytes(row.size)}</span>
      <span role="status" class=${row.state === "refused" ? "caution" : "soft"}>${
        row.state === "partial" ? "not whole" : row.state}</span>
      ${(isSent || row.state === "waits") && html`<button type="button" class="plain"
        onClick=${() => row.stopper.abort()}>Stop</button>`}</div>
    ${isSent && html`<div class="bar" role="progressbar" aria-label=${`Upload of ${row.name}`}
      aria-valuemin="0" aria-valuemax="100" aria-valuenow=${Math.round(100 * share)}>
      <i style=${{ width: `${100 * share}%` }}></i></div>`}
    ${(row.why || row.waits) && html`<p class="small caution">${row.why || row.waits}</p>`}
  </li>`;
}
