// The frame of every page: who is logged in, which library is shown, and where one can go.
import { addressOf, asked } from "./address.js";
import { get } from "./api.js";
import { Notices, complain } from "./notices.js";
import { html, render } from "./ui.js";

const PLACES = [
  { path: "/wall", word: "Clips" },
  { path: "/boxes", word: "Frames", fits: (library) => library.frames !== "" },
  { path: "/label", word: "Label", fits: (library) => library.frames === "" },
  { path: "/report", word: "Report", fits: (library) => library.documents.includes("report") },
  { path: "/search", word: "Search", fits: (library) => library.searchable },
  { path: "/compare", word: "Compare" },
  { path: "/models", word: "Models", isGlobal: true },
];

// Shows a page: `Body` gets the libraries, the one that the address names, and the session.
//
// `title` is that of the tab; `full` makes the page as wide as the window; `of` is "library" where
// the page needs one.
export async function show(Body, { title, full = false, of = "" }) {
  const root = document.getElementById("page");
  document.title = `${title} · vidfit`;
  addEventListener("unhandledrejection", (event) => complain(event.reason));
  let found;
  try {
    found = await get("/v1/libraries");
  } catch (error) {
    render(html`<main><h1>${error.status === 401 ? "Not logged in" : "No answer"}</h1>
      <p role="alert">${error.message}</p></main>`, root);
    return;
  }
  const { libraries, person, read_only: readOnly } = found;
  const library = libraryAsked(libraries, of);
  if (library) document.title = `${title} · ${library.name} · vidfit`;
  const body = of && !library
    ? html`<h1>No such library</h1><p>The address names none that is open.
        <a href="/">See which are.</a></p>`
    : html`<${Body} libraries=${libraries} library=${library} person=${person}
        readOnly=${readOnly} />`;
  render(html`
    <a class="skip" href="#main">To the content</a>
    <${Top} libraries=${libraries} library=${library} person=${person} readOnly=${readOnly}
      full=${full} />
    <main id="main" class=${full ? "full" : ""} tabindex="-1">${body}</main>
    <${Notices} />`, root);
}

function libraryAsked(libraries, of) {
  const id = asked("library") || asked("second") || (of ? libraries[0]?.id : "");
  return libraries.find((one) => one.id === id) ?? null;
}

function Top({ libraries, library, person, readOnly, full }) {
  const here = location.pathname;
  const places = PLACES.filter((place) => place.isGlobal || (library && isFit(place, library)));
  const leadTo = (id) => {
    const other = libraries.find((one) => one.id === id);
    const stays = PLACES.some((place) => place.path === here && isFit(place, other));
    location.assign(addressOf(stays ? here : "/wall", placeOf(here, id)));
  };
  return html`<header class=${full ? "top full" : "top"}><div>
    <a class="brand" href="/" aria-current=${here === "/" ? "page" : null}>vidfit</a>
    ${library && html`<select class="library" aria-label="Library" value=${library.id}
      onChange=${(event) => leadTo(event.currentTarget.value)}>
      ${libraries.map((one) => html`<option value=${one.id} key=${one.id}
        selected=${one.id === library.id}>${one.name} (${one.kind})</option>`)}</select>`}
    <nav aria-label="Pages">${places.map((place) => html`
      <a href=${addressOf(place.path, placeOf(place.path, library?.id))} key=${place.path}
        aria-current=${place.path === here ? "page" : null}>${place.word}</a>`)}</nav>
    <span class="person">${person}${readOnly ? " · read only" : ""}</span>
  </div></header>`;
}

const isFit = (place, library) => !place.fits || place.fits(library);
const placeOf = (path, id) => (path === "/compare" ? { second: id } : { library: id });
