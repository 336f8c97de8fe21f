// The clips that are this person's to label: the one shown, and the next, which is loaded already.
import { post } from "../lib/api.js";
import { complain, note } from "../lib/notices.js";
import { useEffect, useRef, useState } from "../lib/ui.js";

const LEASE_SECONDS = 120;
const COUNT = 2;

const EMPTY = { items: [], left: 0, done: 0, isReady: false, problem: null };

// Returns the state of the queue and { advance, comeBack, skip }. Leases are renewed while the page
// is looked at, and released when it is left.
export function useQueue(library, order) {
  const [state, setState] = useState(EMPTY);
  const now = useRef(EMPTY);
  const known = useRef(new Map()); // clip -> item, for what comes back
  const turn = useRef(0); // answers to what was asked before are dropped
  const set = (some) => {
    now.current = { ...now.current, ...some };
    setState(now.current);
  };

  const fetchMore = async () => {
    turn.current += 1;
    const mine = turn.current;
    try {
      const found = await post("/v1/queue",
        { library: library.id, order, count: COUNT, lease_seconds: LEASE_SECONDS });
      if (mine !== turn.current) return;
      for (const item of found.items) known.current.set(item.clip, item);
      // The clip that is looked at stays where it is, also after an undo.
      const [current] = now.current.items;
      const others = found.items.filter((item) => item.clip !== current?.clip);
      set({ items: current ? [current, ...others].slice(0, COUNT) : found.items,
        left: found.left, done: found.done, isReady: true, problem: null });
    } catch (error) {
      if (mine === turn.current) set({ isReady: true, problem: error });
    }
  };

  useEffect(() => {
    now.current = EMPTY;
    setState(EMPTY);
    fetchMore();
    const renew = setInterval(() => {
      if (document.visibilityState === "visible") fetchMore();
    }, (LEASE_SECONDS * 1000) / 2);
    const release = () => {
      const clips = now.current.items.map((item) => item.clip);
      if (clips.length === 0) return;
      fetch("/v1/queue/release", { method: "POST", keepalive: true,
        headers: { "Content-Type": "application/json" }, body: JSON.stringify({ clips }) });
    };
    addEventListener("pagehide", release);
    return () => {
      clearInterval(renew);
      removeEventListener("pagehide", release);
      turn.current += 1;
      release();
    };
  }, [library.id, order]);

  const advance = (isDone) => {
    const { items, left, done } = now.current;
    const rest = items.slice(1);
    set({ items: rest, isReady: rest.length > 0, left, done: done + (isDone ? 1 : 0) });
    return fetchMore();
  };
  return {
    ...state,
    advance,
    comeBack: (clip, why) => {
      const items = now.current.items.filter((item) => item.clip !== clip);
      const item = known.current.get(clip) ?? { clip, predicted: null, probability: null };
      set({ items: [{ ...item, why }, ...items].slice(0, COUNT) });
      return fetchMore();
    },
    skip: async (clip) => {
      try {
        await post("/v1/queue/skip", { library: library.id, clip });
        note("Skipped: it is not shown to you again.");
      } catch (error) {
        complain(error);
        return;
      }
      await advance(false);
    },
  };
}
