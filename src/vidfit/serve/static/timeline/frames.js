// Exact frames: which one is on screen, and how to get another.
//
// A seek goes to the middle of the time that a frame is on screen: a seek to its timestamp shows
// the frame before as often as not. What is then on screen says requestVideoFrameCallback.
import { getWhenMade } from "../lib/api.js";
import { useEffect, useRef, useState } from "../lib/ui.js";

export class Frames {
  // `times` are seconds from the first frame, rising; `duration` is where the last one ends.
  constructor(times, duration) {
    this.times = Float64Array.from(times);
    this.duration = Math.max(duration, times.at(-1) ?? 0);
  }

  get count() {
    return this.times.length;
  }

  beginOf(frame) {
    return frame >= this.count ? this.duration : this.times[Math.max(0, frame)];
  }

  middleOf(frame) {
    const begin = this.beginOf(frame);
    const end = this.beginOf(frame + 1);
    return end > begin ? (begin + end) / 2 : begin;
  }

  // Returns the frame on screen at a time: the last that has begun.
  at(seconds) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.times[middle] <= seconds + 1e-6) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  // Returns the frame whose timestamp is nearest, as a browser rounds those to microseconds.
  nearest(seconds) {
    const before = this.at(seconds);
    const after = Math.min(this.count - 1, before + 1);
    return Math.abs(this.times[after] - seconds) < Math.abs(this.times[before] - seconds)
      ? after : before;
  }
}

// Returns the times of the frames of a clip, null while they are read, and why they are not known.
export function useFrames(id) {
  const [frames, setFrames] = useState(null);
  const [why, setWhy] = useState("");
  useEffect(() => {
    const stopper = new AbortController();
    setFrames(null);
    getWhenMade(`/v1/clips/${id}/times`, { signal: stopper.signal, seconds: 600 })
      .then((answer) => answer.json())
      .then((found) => setFrames(new Frames(found.pts_seconds, found.duration_seconds)))
      .catch((error) => error.name !== "AbortError" && setWhy(error.message));
    return () => stopper.abort();
  }, [id]);
  return { frames, why };
}

// Follows a video: { seconds, frame, isExact, seek, seekFrame }. `isExact` tells whether the frame
// was seen on screen, and not only asked for.
export function useShownFrame(video, frames, source) {
  const [shown, setShown] = useState({ seconds: 0, frame: 0, isExact: false });
  const wanted = useRef(-1);
  useEffect(() => {
    const element = video.current;
    if (!element || !frames) return undefined;
    let handle = 0;
    const onFrame = (_now, { mediaTime }) => {
      const frame = frames.nearest(mediaTime);
      if (wanted.current >= 0 && element.paused && frame !== wanted.current) {
        const off = wanted.current > frame ? 1e-3 : -1e-3; // a border by a rounding: once more
        const again = frames.middleOf(wanted.current) + off;
        wanted.current = -1;
        element.currentTime = again;
      } else {
        wanted.current = -1;
      }
      setShown({ seconds: frames.beginOf(frame), frame, isExact: true });
      handle = element.requestVideoFrameCallback(onFrame);
    };
    const onTime = () => {
      const frame = frames.at(element.currentTime);
      setShown((now) => (now.frame === frame && now.isExact ? now
        : { seconds: frames.beginOf(frame), frame, isExact: false }));
    };
    if (element.requestVideoFrameCallback) handle = element.requestVideoFrameCallback(onFrame);
    else element.addEventListener("timeupdate", onTime);
    return () => {
      element.cancelVideoFrameCallback?.(handle);
      element.removeEventListener("timeupdate", onTime);
    };
  }, [frames, source, video.current]);

  const seekFrame = (frame) => {
    if (!frames || !video.current) return;
    const to = Math.max(0, Math.min(frames.count - 1, frame));
    wanted.current = to;
    video.current.currentTime = frames.middleOf(to);
    setShown({ seconds: frames.beginOf(to), frame: to, isExact: false });
  };
  return { ...shown, seekFrame, seek: (seconds) => seekFrame(frames ? frames.at(seconds) : 0) };
}
