// The wall itself: of 100,000 clips only the rows on screen are in the page.
import { REST_MILLISECONDS, look, stillOf, watchPreviews } from "../lib/previews.js";
import {
  html, useCallback, useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState,
} from "../lib/ui.js";
import { GAP, Heights, shapeOf } from "./rows.js";
import { Tile } from "./tile.js";

const HOVER_MILLISECONDS = 60;

// `shown` are places in `table`; `version` changes with what tiles say of them. `active` is a place
// in `shown`; `selected` is a set of places in `table`. `onPoint` gets clicks.
export function Grid({ table, shown, version, active, selected, onKey, onPoint, onReady }) {
  const scroller = useRef(null);
  const size = useSize(scroller);
  const [hovered, setHovered] = useState(-1);
  const [, redraw] = useReducer((count) => count + 1, 0);
  const at = useRef({ top: 0, scroll: 0 }).current;
  const seenPosters = useRef(new Set()).current; // posters that may be asked for
  const cache = useRef(new Map());
  const shape = useMemo(() => shapeOf(Math.max(1, size.width)), [size.width]);
  const heights = useMemo(
    () => new Heights(Math.ceil(shown.length / shape.columns), shape.row, size.height),
    [shown, shape, size.height],
  );

  const goTo = useCallback((top) => {
    at.top = Math.max(0, Math.min(heights.most, top));
    at.scroll = Math.round(heights.scrollFor(at.top));
    if (scroller.current) scroller.current.scrollTop = at.scroll;
    redraw();
  }, [heights]);

  // What is shown changed: begin at its top, but stay where only labels did.
  useLayoutEffect(() => goTo(active >= 0 ? heights.showing(rowOf(active), 0) : 0), [shown]);
  useLayoutEffect(() => goTo(Math.min(at.top, heights.most)), [heights]);
  useLayoutEffect(() => {
    if (active >= 0) goTo(heights.showing(rowOf(active), at.top));
  }, [active]);
  const rowOf = (place) => Math.floor(place / shape.columns);

  const [first, last] = heights.seen(at.top);
  const [firstWhole] = heights.seen(at.top, 0);
  const idsOf = (from, to) => Array.from(
    shown.subarray(from * shape.columns, to * shape.columns), (i) => table.ids[i]);
  const visible = [...idsOf(firstWhole, last), ...idsOf(first, firstWhole)];
  const key = visible.length ? `${visible[0]} ${visible.at(-1)} ${visible.length}` : "";
  useEffect(() => {
    const reveal = () => {
      const before = seenPosters.size;
      for (const id of visible) if (stillOf(id) === "ready") seenPosters.add(id);
      if (seenPosters.size !== before) redraw();
    };
    const rest = setTimeout(reveal, REST_MILLISECONDS);
    const unwatch = watchPreviews(() => {
      for (const id of visible) if (stillOf(id) === "ready") seenPosters.add(id);
      redraw();
    });
    look(visible);
    return () => {
      clearTimeout(rest);
      unwatch();
    };
  }, [key]);

  const settle = useRef(0);
  const onScroll = () => {
    const to = scroller.current.scrollTop;
    if (to === at.scroll) return;
    const before = heights.seen(at.top).join();
    at.top = heights.moved(at.top, at.scroll, to);
    at.scroll = to;
    setHovered(-1);
    // Rows that stay where they are in the content are drawn anew when others come into sight.
    if (heights.scale !== 1 || heights.seen(at.top).join() !== before) redraw();
    clearTimeout(settle.current);
    if (heights.scale !== 1) settle.current = setTimeout(() => goTo(at.top), 400);
  };
  const hover = usePointed(setHovered);
  const columnsAreKnown = size.width > 0;
  useEffect(() => onReady(shape.columns, Math.max(1, Math.floor(size.height / shape.row))),
    [shape, size.height]);

  const rows = [];
  const kept = new Map();
  for (let row = first; columnsAreKnown && row < last; row += 1) {
    const sign = signOf(row);
    const before = cache.current.get(row);
    const drawn = before?.sign === sign ? before : { sign, node: drawRow(row) };
    kept.set(row, drawn);
    rows.push(html`<div class="wall-row" key=${row} role="presentation" style=${{
      transform: `translateY(${at.scroll + row * heights.row - at.top}px)`, gap: `${GAP}px`,
    }}>${drawn.node}</div>`);
  }
  cache.current = kept;

  // What a row shows, in few letters: it is drawn again only when that changes.
  function signOf(row) {
    const parts = [version, shape.tile, shown.length];
    for (let place = row * shape.columns; place < (row + 1) * shape.columns; place += 1) {
      if (place >= shown.length) break;
      const i = shown[place];
      parts.push(i, seenPosters.has(table.ids[i]) ? 1 : stillOf(table.ids[i]),
        selected.has(i) ? 1 : 0, place === active ? 1 : 0, place === hovered ? 1 : 0);
    }
    return parts.join();
  }

  function drawRow(row) {
    const tiles = [];
    for (let place = row * shape.columns; place < (row + 1) * shape.columns; place += 1) {
      if (place >= shown.length) break;
      const i = shown[place];
      tiles.push(html`<${Tile} key=${i} table=${table} i=${i} place=${place} count=${shown.length}
        shape=${shape} isShown=${seenPosters.has(table.ids[i])} isSelected=${selected.has(i)}
        isActive=${place === active} isHovered=${place === hovered} />`);
    }
    return tiles;
  }

  const point = (event) => {
    const tile = event.target.closest?.("[data-place]");
    if (tile) onPoint(Number(tile.dataset.place), event);
  };
  return html`<div class="wall-scroll" ref=${scroller} onScroll=${onScroll} tabindex="0"
    role="listbox" aria-multiselectable="true" aria-label="Clips" onKeyDown=${onKey}
    aria-activedescendant=${active >= 0 ? `tile-${active}` : null} onClick=${point}
    onPointerOver=${hover.over} onPointerLeave=${hover.leave}>
    <div class="wall-content" role="presentation" style=${{ height: `${heights.content}px` }}
      >${rows}</div></div>`;
}

function useSize(element) {
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const measure = () => {
      const style = getComputedStyle(element.current);
      const beside = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
      setSize({ width: element.current.clientWidth - beside, height: element.current.clientHeight });
    };
    measure();
    const watcher = new ResizeObserver(measure);
    watcher.observe(element.current);
    return () => watcher.disconnect();
  }, []);
  return size;
}

// Which tile a mouse rests on; fingers scroll, and have none.
function usePointed(setHovered) {
  const timer = useRef(0);
  return {
    over: (event) => {
      if (event.pointerType === "touch") return;
      const tile = event.target.closest("[data-place]");
      clearTimeout(timer.current);
      timer.current = setTimeout(
        () => setHovered(tile ? Number(tile.dataset.place) : -1), HOVER_MILLISECONDS,
      );
    },
    leave: () => {
      clearTimeout(timer.current);
      setHovered(-1);
    },
  };
}
