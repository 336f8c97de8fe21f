// Preact with templates: what every page is written with.
import { h } from "../vendor/preact.js";
import htm from "../vendor/htm.js";

export { h, render, Fragment } from "../vendor/preact.js";
export {
  useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "../vendor/hooks.js";

export const html = htm.bind(h);
