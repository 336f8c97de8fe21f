// Plays a clip: the original, and on an error the copy that every browser plays.
import { getWhenMade } from "./api.js";
import { html, useEffect, useRef, useState } from "./ui.js";

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
export const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8];
export const isMotionReduced = () => reduced.matches;

const refused = new Set(); // ids whose original this browser does not play

// Returns the address of a clip's video, what is wrong with it, and what to call on an error.
export function useSource(id) {
  const [copy, setCopy] = useState(refused.has(id) ? "made" : "");
  const [why, setWhy] = useState("");
  useEffect(() => {
    setCopy(refused.has(id) ? "made" : "");
    setWhy("");
  }, [id]);
  const onError = async (event) => {
    if (copy) {
      setWhy("This browser does not play the video, nor its copy.");
      return;
    }
    if (event?.target?.error?.code === 2) return; // the network broke off
    setCopy("asked");
    setWhy("A copy is being made that this browser plays…");
    try {
      await getWhenMade(`/v1/clips/${id}/proxy`, { seconds: 180, headers: { Range: "bytes=0-0" } });
      refused.add(id);
      setCopy("made");
      setWhy("");
    } catch (error) {
      setWhy(error.message);
    }
  };
  const source = copy === "asked" ? null : `/v1/clips/${id}/${copy ? "proxy" : "video"}`;
  return { source, why, onError };
}

// A video that repeats the span of its clip. Props go to <video>; `start` and `end` in seconds,
// `end` null for the end of the file; `onWhy` gets what keeps it from playing.
export function ClipVideo({ id, start = 0, end = null, onWhy, video = null, ...props }) {
  const { source, why, onError } = useSource(id);
  const own = useRef(null);
  const element = video ?? own;
  useEffect(() => onWhy?.(why), [why]);
  const isPart = start > 0 || end !== null;
  const stay = () => {
    const it = element.current;
    if (!it || !isPart || it.seeking) return;
    if (it.currentTime < start - 0.05 || (end !== null && it.currentTime >= end - 0.02)) {
      it.currentTime = start;
      if (!it.paused || props.loop) it.play().catch(() => {});
    }
  };
  const begin = () => {
    if (isPart && element.current) element.current.currentTime = start;
  };
  if (!source) return null;
  return html`<video ref=${element} key=${source} src=${source} playsinline muted
    disableRemotePlayback onError=${onError} onLoadedMetadata=${begin} onTimeUpdate=${stay}
    onEnded=${stay} ...${props}></video>`;
}

export function toggle(video) {
  if (!video) return;
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}
