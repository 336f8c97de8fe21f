// One frame as it is on the server, and its changes: each is on disk before it counts.
import { addressOf } from "../lib/address.js";
import { get, getWhenMade, post, put, remove } from "../lib/api.js";
import { complain, note } from "../lib/notices.js";
import { useEffect, useRef, useState } from "../lib/ui.js";

const REST_MILLISECONDS = 500;

const pathOf = ({ clip, frame }) => `/v1/clips/${clip}/frames/${frame}`;
export const pictureOf = (place) => `${pathOf(place)}/picture`;
const bodyOf = ({ label, left, top, right, bottom, ignored = false }) =>
  ({ label, left, top, right, bottom, ignored });

// Returns { facts, draft, state, ... } of a frame: `draft` is a box that is being moved and not yet
// sent, `state` is "", "saving" or "saved".
export function useFrame(library, place, onChange) {
  const [facts, setFacts] = useState(null);
  const [draft, setDraft] = useState(null);
  const [state, setState] = useState("");
  const held = useRef(null); // the lease of this frame, once it is ours
  const waiting = useRef(null); // { box, timer } that is sent after a rest
  const chain = useRef(Promise.resolve()); // changes go one after another
  const key = place ? `${place.clip}/${place.frame}` : "";
  const here = useRef(key);
  here.current = key;

  const read = () => get(addressOf(pathOf(place), { library: library.id }))
    .then((found) => here.current === key && setFacts(found), complain);
  useEffect(() => {
    if (!place) return undefined;
    setFacts(null);
    setState("");
    read();
    return () => {
      flush();
      const lease = held.current;
      held.current = null;
      if (lease) chain.current.then(() => post("/v1/queue/release", { clips: [lease] })).catch(() => {});
    };
  }, [key]);

  const did = (work) => {
    const of = key;
    setState("saving");
    chain.current = chain.current.then(async () => {
      try {
        const found = await work();
        held.current ??= found.lease;
        onChange(found);
        if (here.current === of) {
          setFacts(found);
          setState("saved");
        }
        return found;
      } catch (error) {
        if (here.current === of) setState("");
        complain(error);
        if (here.current === of) read();
        return undefined;
      } finally {
        if (!waiting.current && here.current === of) setDraft(null);
      }
    });
    return chain.current;
  };
  const at = (path) => `${pathOf(place)}/${path}`;
  const send = (box) => did(() => put(at(`boxes/${box.id}`),
    { library: library.id, box: bodyOf(box) }));
  const flush = () => {
    if (!waiting.current) return undefined;
    const { box, timer, send: sent } = waiting.current;
    clearTimeout(timer);
    waiting.current = null;
    return sent(box);
  };
  return {
    facts: facts && `${facts.clip}/${facts.frame}` === key ? facts : null,
    draft,
    state,
    // Leases the frame before it is changed; returns whether it is ours.
    begin: async () => {
      if (held.current) return true;
      try {
        const found = await post(at("lease"), { library: library.id });
        if (found.holder) {
          note(`${found.holder} is at this frame.`);
          setFacts(found);
          return false;
        }
        held.current = found.lease;
        return true;
      } catch (error) {
        complain(error);
        return false;
      }
    },
    // Shows a box as it is being moved; it is sent when it rests, or at once when `isOver`.
    move: (box, isOver = false) => {
      setDraft(box);
      if (waiting.current) clearTimeout(waiting.current.timer);
      waiting.current = { box, send, timer: setTimeout(flush, isOver ? 0 : REST_MILLISECONDS) };
    },
    drop: () => {
      if (waiting.current) clearTimeout(waiting.current.timer);
      waiting.current = null;
      setDraft(null);
    },
    add: (boxes) => did(() => post(at("boxes"), { library: library.id, boxes: boxes.map(bodyOf) })),
    remove: (box) => did(() => remove(addressOf(at(`boxes/${box.id}`), { library: library.id }))),
    undo: async () => {
      await flush();
      return did(() => post(at("undo"), { library: library.id }));
    },
    flush,
  };
}

// Returns the address of the picture once it is made, and why there is none.
export function usePicture(place) {
  const [made, setMade] = useState({ key: "", why: "" });
  const key = place ? pictureOf(place) : "";
  useEffect(() => {
    if (!key) return undefined;
    const stopper = new AbortController();
    getWhenMade(key, { signal: stopper.signal }).then(() => setMade({ key, why: "" }),
      (error) => error.name !== "AbortError" && setMade({ key, why: error.message }));
    return () => stopper.abort();
  }, [key]);
  return made.key === key && !made.why ? { source: key, why: "" }
    : { source: "", why: made.key === key ? made.why : "" };
}

// Has the pictures of frames made that may be looked at next.
export function useAhead(places) {
  const key = places.map(pictureOf).join();
  useEffect(() => {
    const stopper = new AbortController();
    const timer = setTimeout(() => places.forEach((one) =>
      getWhenMade(pictureOf(one), { signal: stopper.signal }).catch(() => {})), 300);
    return () => {
      clearTimeout(timer);
      stopper.abort();
    };
  }, [key]);
}
