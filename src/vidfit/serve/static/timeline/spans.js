// Spans that people gave to a video, and what takes changes back. Each change is on disk before it
// is shown.
import { get, post, put, remove } from "../lib/api.js";
import { complain, note, tried } from "../lib/notices.js";
import { useEffect, useRef, useState } from "../lib/ui.js";

const byTime = (one, other) => one.start_seconds - other.start_seconds
  || one.end_seconds - other.end_seconds;

export function useSpans(clip) {
  const [spans, setSpans] = useState([]);
  const [canWrite, setCanWrite] = useState(true);
  const changed = useRef([]); // ids of spans in the order in which they were changed here
  useEffect(() => {
    changed.current = [];
    get(`/v1/clips/${clip}/spans`).then(
      (found) => setSpans(found.spans.filter((span) => !span.removed).sort(byTime)),
      (error) => (error.status === 404 ? setCanWrite(false) : complain(error)),
    );
  }, [clip]);

  const take = (span) => setSpans((all) => {
    const others = all.filter((one) => one.id !== span.id);
    return (span.removed ? others : [...others, span]).sort(byTime);
  });
  const did = (work) => tried(async () => {
    const span = await work();
    changed.current.push(span.id);
    take(span);
    return span;
  });
  const bodyOf = ({ start_seconds, end_seconds, label, start_frame = null, end_frame = null }) =>
    ({ start_seconds, end_seconds, label, start_frame, end_frame });
  return {
    spans,
    canWrite,
    add: (span) => did(() => post(`/v1/clips/${clip}/spans`, bodyOf(span))),
    change: (span, some) => did(() => put(`/v1/spans/${span.id}`, bodyOf({ ...span, ...some }))),
    drop: (span) => did(() => remove(`/v1/spans/${span.id}`)),
    undo: () => tried(async () => {
      const id = changed.current.at(-1);
      if (!id) return note("There is nothing to take back on this page.");
      const span = await post(`/v1/spans/${id}/undo`);
      changed.current.pop();
      return take(span);
    }),
  };
}
