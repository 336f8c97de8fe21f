// Requests to the server. What it refuses is thrown as a Problem, whose message is for people.

export class Problem extends Error {
  constructor(status, detail, kind = "", retrySeconds = 0) {
    super(detail);
    this.status = status;
    this.kind = kind;
    this.retrySeconds = retrySeconds;
  }
}

async function problemOf(answer) {
  let said = {};
  try {
    said = await answer.json();
  } catch {
    // a proxy in between answers without JSON
  }
  const kind = String(said.type ?? "").replace("urn:vidfit:", "");
  const detail = said.detail || said.title || `the server answered ${answer.status}`;
  return new Problem(answer.status, detail, kind, Number(answer.headers.get("retry-after")) || 0);
}

// Returns the answer itself; refuses what is not 2xx.
export async function send(method, path, { body, headers = {}, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, { method, body, headers, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "The server does not answer. Is vidfit serve still running?");
  }
  if (!answer.ok) throw await problemOf(answer);
  return answer;
}

export async function get(path, options) {
  return (await send("GET", path, options)).json();
}

async function write(method, path, value, headers = {}) {
  const answer = await send(method, path, {
    body: value === undefined ? undefined : JSON.stringify(value),
    headers: value === undefined ? headers : { "Content-Type": "application/json", ...headers },
  });
  return answer.status === 204 ? null : answer.json();
}

export const post = (path, value, headers) => write("POST", path, value, headers);
export const put = (path, value) => write("PUT", path, value);
export const remove = (path) => write("DELETE", path);

// Asks again while the server says that it is still being made (202); gives up after a minute.
export async function getWhenMade(path, { signal, seconds = 60, headers } = {}) {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await send("GET", path, { signal, headers });
    if (answer.status !== 202) return answer;
    if (performance.now() > until) throw new Problem(202, "This is still being made. Try again.");
    await pause((Number(answer.headers.get("retry-after")) || 1) * 1000, signal);
  }
}

export function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("stopped", "AbortError"));
    }, { once: true });
  });
}
