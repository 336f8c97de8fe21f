// A colour for each class, the same in every picture; names and lines tell classes apart, too.
const TURN = 0.61803398875; // of the circle of hues: neighbours in number are far apart

// Returns hue, saturation and lightness, as vidfit/tasks/segment/colours.py has them.
function hsl(place) {
  const light = [62, 45, 78][place % 3];
  const strength = [62, 75, 50][place % 3];
  return [360 * ((0.58 + place * TURN) % 1), strength, light];
}

export function colourOf(label, classes) {
  const place = classes.indexOf(label);
  if (place < 0) return "hsl(0 0% 60%)";
  const [hue, strength, light] = hsl(place);
  return `hsl(${hue.toFixed(0)} ${strength}% ${light}%)`;
}

// Returns red, green and blue, 0 to 255.
export function rgbOf(place) {
  const [hue, strength, light] = hsl(place);
  const s = strength / 100;
  const l = light / 100;
  const part = (n) => {
    const k = (n + hue / 30) % 12;
    return Math.round(255 * (l - s * Math.min(l, 1 - l) * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return [part(0), part(8), part(4)];
}
