// The chat as the form describes it, while it is filled in: the real widget, on a page of its own.
const shown = document.querySelector("[data-preview]");
const form = document.querySelector("form.form");
const frame = shown.querySelector("iframe");
let last = "";
let late = 0;

async function draw() {
  const body = new URLSearchParams(new FormData(form));
  if (String(body) === last) return;
  last = String(body);
  try {
    const answer = await fetch(shown.dataset.preview, { method: "POST", body });
    // A newer look may be on its way; what cannot be saved leaves the last one.
    if (answer.ok && String(body) === last) frame.src = (await answer.json()).address;
  } catch { /* the next change tries again */ }
}

form.addEventListener("input", () => {
  clearTimeout(late);
  late = setTimeout(draw, 400);
});
draw();
