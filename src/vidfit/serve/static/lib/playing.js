// Plays a clip: the original, and on an error the copy that every browser plays.
import { getWhenMade } from "./api.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "./ui.js";

const reduced = matchMedia("(prefers-reduced-motion: reduce)");
export const SPEEDS = [0.25, 0.5, 1, 1.5, 2, 4, 8];
const PATIENCE_MILLISECONDS = 400;
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

// Returns what the browser's clock says at the first frame; null until that was on screen. Of a
// Matroska that begins late it is not 0, and all seconds here are counted from the first frame. A
// video that is not drawn shows none, and is not waited for after `patience` milliseconds.
export function useOrigin(video, source, patience = Infinity) {
  const [origin, setOrigin] = useState(null);
  useLayoutEffect(() => { // before the browser can show the first frame
    const element = video.current;
    setOrigin(null);
    if (!element) return undefined;
    if (!element.requestVideoFrameCallback) {
      setOrigin(0);
      return undefined;
    }
    let timer = 0;
    const give = () => {
      element.cancelVideoFrameCallback(handle);
      setOrigin(0);
    };
    const wait = () => {
      timer = setTimeout(give, patience);
    };
    const handle = element.requestVideoFrameCallback((_now, { mediaTime }) => {
      clearTimeout(timer);
      element.removeEventListener("loadeddata", wait); // which may come after the first frame
      setOrigin(mediaTime);
    });
    if (patience < Infinity) element.addEventListener("loadeddata", wait);
    return () => {
      clearTimeout(timer);
      element.removeEventListener("loadeddata", wait);
      element.cancelVideoFrameCallback(handle);
    };
  }, [source]);
  return origin;
}

// A video that repeats the span of its clip. Props go to <video>; `start` and `end` in seconds,
// `end` null for the end of the file; `onWhy` gets what keeps it from playing.
export function ClipVideo({ id, start = 0, end = null, onWhy, video = null, autoplay = false, ...props }) {
  const { source, why, onError } = useSource(id);
  const own = useRef(null);
  const element = video ?? own;
  useEffect(() => onWhy?.(why), [why]);
  const isPart = start > 0 || end !== null;
  const origin = useOrigin(element, source, PATIENCE_MILLISECONDS);
  const [isThere, setIsThere] = useState(false); // at the part that is played
  useEffect(() => {
    const it = element.current;
    setIsThere(false);
    if (!it || !isPart || origin === null) return undefined;
    const begin = () => {
      setIsThere(true);
      if (autoplay) it.play().catch(() => {});
    };
    if (start === 0) {
      begin();
      return undefined;
    }
    it.addEventListener("seeked", begin, { once: true });
    it.currentTime = origin + start;
    return () => it.removeEventListener("seeked", begin);
  }, [id, source, origin, start]);
  const stay = () => {
    const it = element.current;
    if (!it || !isThere || it.seeking) return;
    const at = it.currentTime - origin;
    if (at < start - 0.05 || (end !== null && at >= end - 0.02) || it.ended) {
      it.currentTime = origin + start;
      if (!it.paused || props.loop) it.play().catch(() => {});
    }
  };
  const latest = useRef(stay);
  latest.current = stay;
  useEffect(() => { // frame by frame: the event of time comes four times a second only
    const it = element.current;
    if (!it?.requestVideoFrameCallback || !isThere) return undefined;
    let handle = 0;
    const onFrame = () => {
      latest.current();
      handle = it.requestVideoFrameCallback(onFrame);
    };
    handle = it.requestVideoFrameCallback(onFrame);
    return () => it.cancelVideoFrameCallback(handle);
  }, [isThere, source]);
  if (!source) return null;
  return html`<video ref=${element} key=${source} src=${source} playsinline muted
    disableRemotePlayback onError=${onError} onTimeUpdate=${stay} onEnded=${stay}
    autoplay=${autoplay && !isPart} ...${props}></video>`;
}

export function toggle(video) {
  if (!video) return;
  if (video.paused) video.play().catch(() => {});
  else video.pause();
}
