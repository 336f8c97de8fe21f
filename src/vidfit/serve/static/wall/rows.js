// Where rows of tiles are: plain arithmetic, with nothing of the page in it.
//
// Browsers hold no element higher than some 16.7 million pixels. Above that the content is made
// that high and its scroll position is scaled: a jump goes by the share of the height, while a
// small step moves by its own pixels, so that a wheel goes as far as it does anywhere.

export const MOST_PIXELS = 16_000_000;
export const GAP = 14;
const CAPTION_PIXELS = 52;
const LEAST_TILE = 208;
const LEAST_NARROW_TILE = 150;

// Returns columns, tile width, poster height and row height for a width in pixels.
export function shapeOf(width) {
  const least = width < 520 ? LEAST_NARROW_TILE : LEAST_TILE;
  const columns = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const tile = Math.floor((width - GAP * (columns - 1)) / columns);
  const poster = Math.round((tile * 9) / 16);
  return { columns, tile, poster, row: poster + CAPTION_PIXELS + GAP };
}

export class Heights {
  constructor(rows, rowPixels, viewPixels) {
    this.rows = rows;
    this.row = rowPixels;
    this.view = viewPixels;
    this.total = rows * rowPixels;
    this.content = Math.min(this.total, MOST_PIXELS);
    const reach = Math.max(1, this.content - viewPixels);
    this.scale = this.total > this.content ? (this.total - viewPixels) / reach : 1;
  }

  get most() {
    return Math.max(0, this.total - this.view);
  }

  // Returns the position in all rows after the scroll position went from one to another.
  moved(top, from, to) {
    if (this.scale === 1 || Math.abs(to - from) > this.view) return this.atScroll(to);
    return Math.max(0, Math.min(this.most, top + to - from));
  }

  atScroll(scroll) {
    return Math.max(0, Math.min(this.most, scroll * this.scale));
  }

  scrollFor(top) {
    return top / this.scale;
  }

  // Returns the first row on screen, and the one after the last, with some to spare.
  seen(top, spare = 2) {
    const first = Math.max(0, Math.floor(top / this.row) - spare);
    return [first, Math.min(this.rows, Math.ceil((top + this.view) / this.row) + spare)];
  }

  // Returns the position at which a row is on screen whole, as near as can be.
  showing(place, top) {
    const begin = place * this.row;
    if (begin < top) return begin;
    return Math.max(top, Math.min(this.most, begin + this.row - this.view));
  }
}
