// Lists what is open. Names are set as text, never as markup.
const list = document.getElementById("libraries");
const note = document.getElementById("note");

const answer = await fetch("/v1/libraries");
if (answer.ok) {
  const { libraries, person } = await answer.json();
  for (const library of libraries) {
    const row = document.createElement("li");
    row.textContent = `${library.name}: ${library.clip_count} clips (${library.kind})`;
    list.append(row);
  }
  note.textContent = `Logged in as ${person}. What programs may ask: /openapi.json`;
} else {
  note.textContent = (await answer.json()).detail;
}
