// The video of a clip in the queue; that of the next one is loaded, and not seen yet.
import { get } from "../lib/api.js";
import { ClipVideo, isMotionReduced } from "../lib/playing.js";
import { html, useEffect, useRef, useState } from "../lib/ui.js";

export function Stage({ clip, isShown, video }) {
  const [facts, setFacts] = useState(null);
  const [why, setWhy] = useState("");
  const own = useRef(null);
  useEffect(() => {
    get(`/v1/clips/${clip}`).then(setFacts, (error) => setWhy(error.message));
  }, [clip]);
  useEffect(() => {
    if (video) video.current = own.current;
    if (!own.current) return;
    if (isShown && !isMotionReduced()) own.current.play().catch(() => {});
    else own.current.pause();
  }, [isShown, facts, video]);
  return html`<figure class=${isShown ? "screen" : "screen next"} aria-hidden=${isShown ? null : "true"}
    inert=${!isShown}>
    ${facts && html`<${ClipVideo} id=${clip} video=${own} start=${facts.start_seconds}
      end=${facts.end_seconds} loop preload="auto" controls=${isShown}
      autoplay=${isShown && !isMotionReduced()} onWhy=${setWhy} />`}
    ${why && html`<p class="why" role="status">${why}</p>`}
    <figcaption class="soft small">${facts ? facts.name : "…"}</figcaption>
  </figure>`;
}
