// Labels that people give to the clips of a library: sent at once, and read from others every
// few seconds.
import { get, post } from "./api.js";
import { complain, note } from "./notices.js";
import { useEffect, useRef, useState } from "./ui.js";
import { counted } from "./wording.js";

const POLL_MILLISECONDS = 4000;
const MOST_AT_ONCE = 10000;

// Keeps the labels of a table as they are on the server. Returns { version, give, undo }:
// `version` changes whenever a label does.
export function useLabels(table) {
  const [version, setVersion] = useState(0);
  const since = useRef(0);
  const take = (rows) => table?.take(rows) && setVersion((one) => one + 1);

  useEffect(() => {
    if (!table) return undefined;
    let timer = 0;
    let isGone = false;
    const poll = async () => {
      try {
        if (document.visibilityState === "visible" || since.current === 0) {
          const found = await get(`/v1/labels?library=${table.library.id}&since=${since.current}`);
          if (isGone) return;
          since.current = found.seq;
          take(found.rows);
        }
      } catch (error) {
        if (error.status === 404) return; // a server without labels
        if (error.status === 401) complain(error);
      }
      if (!isGone) timer = setTimeout(poll, POLL_MILLISECONDS);
    };
    poll();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [table]);

  // `what` is { kind, label, accepted, sample }, as in POST /v1/labels. Returns once it is on disk.
  const give = async (clips, what) => {
    for (let from = 0; from < clips.length; from += MOST_AT_ONCE) {
      const sent = await post("/v1/labels", {
        library: table.library.id, clips: clips.slice(from, from + MOST_AT_ONCE), kind: "label",
        accepted: false, sample: "", ...what, label: what.label || null,
      });
      take(sent.rows);
    }
  };

  // Takes back what this person did last; returns the rows as they are now, none where there were
  // none to take back.
  const undo = async () => {
    try {
      const { rows } = await post("/v1/labels/undo", { library: table.library.id });
      take(rows);
      note(`Taken back: ${counted(rows.length, "clip")}.`);
      return rows;
    } catch (error) {
      if (error.status !== 404) throw error;
      note("There is nothing of yours to take back.");
      return [];
    }
  };
  return { version, give, undo };
}
