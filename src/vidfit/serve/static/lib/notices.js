// What a page has to say: notes that go away by themselves, and problems that stay until closed.
import { html, useEffect, useState } from "./ui.js";

const NOTE_MILLISECONDS = 6000;
let shown = [];
let next = 1;
const watchers = new Set();

function changeTo(notices) {
  shown = notices;
  for (const watcher of watchers) watcher(shown);
}

export function dismiss(id) {
  changeTo(shown.filter((notice) => notice.id !== id));
}

// `action` is a word and what is done when it is clicked, such as { word: "Undo", act }.
export function note(text, action = null) {
  const id = next++;
  changeTo([...shown.filter((notice) => notice.bad).slice(-2), { id, text, action, bad: false }]);
  setTimeout(() => dismiss(id), NOTE_MILLISECONDS);
}

export function complain(error) {
  if (error?.name === "AbortError") return;
  const text = error?.message || String(error);
  if (error?.status === undefined && error instanceof Error) console.error(error);
  changeTo([...shown.filter((notice) => notice.text !== text).slice(-2),
    { id: next++, text, action: null, bad: true }]);
}

// Runs what may be refused, and says so where it is; returns undefined then.
export async function tried(work) {
  try {
    return await work();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

export function Notices() {
  const [notices, setNotices] = useState(shown);
  useEffect(() => {
    watchers.add(setNotices);
    return () => watchers.delete(setNotices);
  }, []);
  const of = (bad) => notices.filter((notice) => notice.bad === bad).map((notice) => html`
    <div class=${bad ? "notice bad" : "notice"} key=${notice.id}>
      <span>${notice.text}</span>
      ${notice.action && html`<button type="button" onClick=${() => {
        dismiss(notice.id);
        notice.action.act();
      }}>${notice.action.word}</button>`}
      ${bad && html`<button type="button" onClick=${() => dismiss(notice.id)}>Close</button>`}
    </div>`);
  return html`<div class="notices">
    <div role="status">${of(false)}</div><div role="alert">${of(true)}</div></div>`;
}
