// What is seen of a clip under the pointer.
import { ClipVideo, isMotionReduced } from "./playing.js";
import { html, useEffect, useRef, useState } from "./ui.js";

const STRIP_FRAMES = 10;

// Under the pointer: ten frames, the one that the pointer is at, and the video once it plays.
export function Preview({ id, shape, start, end }) {
  const [frame, setFrame] = useState(-1);
  const [strip, setStrip] = useState(null);
  const [isPlaying, setIsPlaying] = useState(false);
  const [why, setWhy] = useState("");
  const box = useRef(null);
  useEffect(() => {
    const picture = new Image();
    picture.onload = () => setStrip({ url: picture.src,
      aspect: picture.naturalWidth / STRIP_FRAMES / picture.naturalHeight });
    picture.src = `/v1/clips/${id}/strip`;
    return () => {
      picture.onload = null;
    };
  }, [id]);
  useEffect(() => {
    const tile = box.current.parentElement;
    const move = (event) => {
      const edges = tile.getBoundingClientRect();
      const share = (event.clientX - edges.left) / edges.width;
      setFrame(Math.max(0, Math.min(STRIP_FRAMES - 1, Math.floor(share * STRIP_FRAMES))));
    };
    tile.addEventListener("pointermove", move);
    return () => tile.removeEventListener("pointermove", move);
  }, []);
  return html`<div class="preview" ref=${box}>
    ${!isMotionReduced() && html`<${ClipVideo} id=${id} start=${start} end=${end} loop autoplay
      preload="auto" tabindex="-1" aria-hidden="true" class=${isPlaying ? "playing" : ""}
      onPlaying=${() => setIsPlaying(true)} onWhy=${setWhy} />`}
    ${strip && frame >= 0 && !isPlaying && html`<div class="strip"
      style=${stripStyle(strip, frame, shape)}></div>`}
    ${why && html`<span class="why">${why}</span>`}
    ${strip && frame >= 0 && !isPlaying && html`<i class="at"
      style=${{ left: `${frame * 10}%` }}></i>`}
  </div>`;
}

function stripStyle({ url, aspect }, frame, { tile, poster }) {
  const width = Math.min(tile, poster * aspect);
  return {
    backgroundImage: `url("${url}")`, backgroundSize: `${100 * STRIP_FRAMES}% 100%`,
    backgroundPosition: `${(100 * frame) / (STRIP_FRAMES - 1)}% 0`,
    width: `${width}px`, height: `${width / aspect}px`,
  };
}
