// Exact frames: which one is on screen, and how to get another.
//
// A seek goes to the middle of the time that a frame is on screen: a seek to its timestamp shows
// the frame before as often as not. What is then on screen says requestVideoFrameCallback. Where
// that is another frame, the seek is corrected by how far off it was: WebM and Matroska do not say
// how long a frame lasts, and a browser that guesses too long shows an earlier one. Of these files
// the browser's clock does not begin at the first frame either; what that one says is the origin.
import { getWhenMade } from "../lib/api.js";
import { useOrigin } from "../lib/playing.js";
import { useEffect, useRef, useState } from "../lib/ui.js";

const MOST_TRIES = 16;
const MOST_STEP_SECONDS = 0.25;
const LATE_MILLISECONDS = 250;

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
  const aim = useRef(null); // { frame, at, by, hasTurned, tries } while a frame is sought
  const origin = useOrigin(video, source);
  useEffect(() => {
    const element = video.current;
    if (!element || !frames || origin === null) return undefined;
    let handle = 0;
    let timer = 0;
    let seen = -1;
    const onFrame = (_now, { mediaTime }) => {
      clearTimeout(timer);
      seen = frames.nearest(mediaTime - origin);
      setShown({ seconds: frames.beginOf(seen), frame: seen, isExact: true });
      correct();
      handle = element.requestVideoFrameCallback(onFrame);
    };
    const correct = () => {
      const sought = aim.current;
      if (element.seeking) return; // it may be of the seek before: looked at again once this is over
      if (!sought || !element.paused || seen === sought.frame || sought.tries >= MOST_TRIES) {
        aim.current = null;
        return;
      }
      const off = frames.times[sought.frame] - frames.times[seen];
      // Further and further, until the frame was passed; from then on in smaller and smaller steps.
      const isPassed = off * sought.by < 0;
      sought.hasTurned ||= isPassed;
      if (isPassed) {
        sought.by /= -2;
      } else if (sought.by === 0) {
        sought.by = Math.max(-MOST_STEP_SECONDS, Math.min(MOST_STEP_SECONDS, off));
      } else if (!sought.hasTurned) {
        sought.by *= 2;
      }
      sought.at = Math.max(0, Math.min(frames.duration, sought.at + sought.by));
      sought.tries += 1;
      element.currentTime = origin + sought.at;
    };
    const onSeeked = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        if (seen < 0) return;
        setShown({ seconds: frames.beginOf(seen), frame: seen, isExact: true });
        correct();
      }, LATE_MILLISECONDS);
    };
    const onTime = () => {
      const frame = frames.at(element.currentTime);
      setShown((now) => (now.frame === frame && now.isExact ? now
        : { seconds: frames.beginOf(frame), frame, isExact: false }));
    };
    if (element.requestVideoFrameCallback) {
      handle = element.requestVideoFrameCallback(onFrame);
      element.addEventListener("seeked", onSeeked);
    } else {
      element.addEventListener("timeupdate", onTime);
    }
    if (aim.current) element.currentTime = origin + aim.current.at;
    return () => {
      clearTimeout(timer);
      element.cancelVideoFrameCallback?.(handle);
      element.removeEventListener("seeked", onSeeked);
      element.removeEventListener("timeupdate", onTime);
    };
  }, [frames, source, origin]);

  const seekFrame = (frame) => {
    if (!frames || !video.current) return;
    const to = Math.max(0, Math.min(frames.count - 1, frame));
    aim.current = { frame: to, at: frames.middleOf(to), by: 0, hasTurned: false, tries: 0 };
    if (origin !== null) video.current.currentTime = origin + aim.current.at;
    setShown({ seconds: frames.beginOf(to), frame: to, isExact: false });
  };
  return { ...shown, seekFrame, seek: (seconds) => seekFrame(frames ? frames.at(seconds) : 0) };
}
