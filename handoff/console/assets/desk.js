// The desk's keyboard, and what keeps its place while parts of the page are fetched anew. All of it
// is a convenience: every action is a link or a button in the page.

const $ = (selector) => document.querySelector(selector);
const talk = $(".talk");
const words = JSON.parse(document.body.dataset.words); // in the reader's language

// Where somebody reads is where they stay: at the end if they were there, else as they were.
let end = true, folds = new Set();
const atEnd = () => !talk || talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
const toEnd = () => talk?.scrollTo({ top: talk.scrollHeight });

document.addEventListener("htmx:beforeSwap", () => {
  end = atEnd();
  folds = new Set([...document.querySelectorAll("details[id]")].filter((d) => d.open).map((d) => d.id));
});
document.addEventListener("htmx:afterSettle", () => {
  for (const id of folds) {
    const d = document.getElementById(id);
    if (d) d.open = true;
  }
  if (end) toEnd();
  title();
});

// Pictures come after the words around them.
talk?.addEventListener("load", () => { if (end) toEnd(); }, true);
talk?.addEventListener("scroll", () => { end = atEnd(); }, { passive: true });

// The tab says how many wait.
const titled = document.title;
function title() {
  const n = $("#rows")?.dataset.waiting;
  document.title = n && n !== "0" ? "(" + n + ") " + titled : titled;
}

// What was done is said once, not at every reload.
const here = new URL(location.href);
if (here.searchParams.has("done")) {
  here.searchParams.delete("done");
  here.searchParams.delete("undo");
  history.replaceState(null, "", here);
}

// The pane beside the conversation opens without a new page, so that nothing typed is in danger.
const grid = $(".grid");
document.addEventListener("click", (e) => {
  const pane = e.target.closest('a[href*="pane=about"], .about .back');
  if (!pane || !grid || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  grid.dataset.at = grid.dataset.at === "about" ? "talk" : "about";
  (grid.dataset.at === "about" ? $(".about .back") : $(".to-about"))?.focus();
});

// A template shows what it will read like while it is filled in.
const preview = $("[data-template]");
preview?.closest("form").addEventListener("input", () => {
  let text = preview.dataset.template;
  for (const field of document.querySelectorAll("[data-fills]")) {
    if (field.value.trim()) text = text.replaceAll("{{" + field.dataset.fills + "}}", field.value.trim());
  }
  preview.textContent = text;
});

// Files travel while the reply is still being written: each shows how far it is, and can be taken back.
const form = $("form[data-files]");
const chooser = form?.querySelector("input[type=file]");
let travelling = 0;
if (chooser) {
  form.classList.add("live"); // without this module the browser's own control is there
  chooser.addEventListener("change", () => {
    for (const f of chooser.files) stage(f);
    chooser.value = "";
  });
  form.addEventListener("submit", (e) => {
    if (!travelling) return;
    e.preventDefault();
    e.stopImmediatePropagation();
    $("#heard").textContent = words.file_under_way;
  }, true);
}

function element(tag, className, said) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (said) e.textContent = said;
  return e;
}

function stage(f) {
  const row = element("li"), name = element("span", "", f.name), bar = element("progress"), remove = element("button", "plain small", words.remove);
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", words.file_progress.replace("{name}", () => f.name));
  remove.type = "button";
  remove.setAttribute("aria-label", words.remove_file.replace("{name}", () => f.name));
  row.append(name, bar, remove);
  $("#staged").append(row);
  if (/^image\/(png|jpeg|gif|webp)$/.test(f.type) && f.size < 4e6) {
    const reader = new FileReader(), picture = element("img");
    picture.alt = "";
    reader.onload = () => { picture.src = reader.result; row.prepend(picture); };
    reader.readAsDataURL(f);
  }
  const call = new XMLHttpRequest(), data = new FormData();
  data.append("file", f);
  const end = (wrong) => {
    travelling--;
    bar.remove();
    if (wrong) name.replaceChildren(element("span", "wrong", wrong));
  };
  travelling++;
  call.open("POST", form.dataset.files);
  call.upload.onprogress = (e) => { if (e.lengthComputable) bar.value = e.loaded / e.total; };
  call.onload = () => {
    let answer = {};
    try { answer = JSON.parse(call.responseText); } catch { /* a page that says what is wrong */ }
    if (call.status !== 200) return end(answer.error || words.file_refused.replace("{name}", () => f.name));
    const kept = element("input");
    kept.type = "hidden";
    kept.name = "kept";
    kept.value = answer.token;
    name.textContent = answer.words;
    row.append(kept);
    end();
  };
  call.onerror = () => end(words.file_lost.replace("{name}", () => f.name));
  call.onabort = () => end();
  remove.onclick = () => { call.abort(); row.remove(); chooser.focus(); };
  call.send(data);
}

// Keys, only when nobody types.
const typing = (e) => e.target.closest?.("input, textarea, select, dialog, [contenteditable]");

function step(by) {
  const rows = [...document.querySelectorAll("#rows a.row")];
  if (!rows.length) return;
  const now = rows.indexOf(document.activeElement);
  const from = now >= 0 ? now : rows.findIndex((r) => r.hasAttribute("aria-current"));
  rows[Math.min(Math.max(from + by, 0), rows.length - 1)].focus();
}

function note() {
  const box = $("#note");
  if (!box) return;
  box.open = true;
  $("#note-words").focus();
}

// What ends a ticket asks in the page, with the button at hand. Its link leads to a page that asks the same.
document.addEventListener("click", (e) => {
  const link = e.target.closest("a[data-dialog]"), box = link && document.getElementById(link.dataset.dialog);
  if (!box || e.ctrlKey || e.metaKey) return;
  e.preventDefault();
  box.showModal();
});

// After g a letter leads to a list. Any other key ends it.
let going = false;
function go(key) {
  going = false;
  const link = $('#queues [data-key="' + CSS.escape(key) + '"]');
  link?.click();
  return !!link;
}

function snooze() {
  const box = $("#snooze");
  if (!box) return;
  box.open = true;
  box.querySelector("button").focus();
}

const keys = {
  j: () => step(1),
  k: () => step(-1),
  r: () => $("#words")?.focus(),
  n: note,
  z: snooze,
  a: () => $("[data-take] button")?.click(),
  e: () => $("[data-close-ticket]")?.click(),
  b: () => $("[data-hand-back]")?.click(),
  u: () => $(".toast form button")?.click(),
  g: () => { going = true; },
  "/": () => $("#find")?.focus(),
  "?": () => $("#keys")?.showModal(),
};

document.addEventListener("keydown", (e) => {
  if (e.isComposing) return;
  const box = e.target.closest?.("textarea");
  if (box && e.key === "Enter" && (e.ctrlKey || e.metaKey)) {
    e.preventDefault();
    box.form.requestSubmit(e.shiftKey ? box.form.querySelector('[name="then"]') : null);
    return;
  }
  if (e.key === "Escape" && e.target.closest?.(".talk textarea, #find")) {
    e.target.blur();
    return;
  }
  if (typing(e) || e.ctrlKey || e.metaKey || e.altKey) return;
  if (going && go(e.key)) e.preventDefault();
  if (e.defaultPrevented || !keys[e.key]) return;
  e.preventDefault();
  keys[e.key]();
});

for (const b of document.querySelectorAll("[data-keys]")) {
  b.hidden = false;
  b.addEventListener("click", keys["?"]);
}

title();
$("#queues [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
if ($(".bubble.new")) $(".bubble.new").scrollIntoView({ block: "center" });
else toEnd();
// Whoever opened a ticket writes next. On a phone the keyboard would cover what was said.
if (matchMedia("(width >= 600px)").matches && !document.querySelector("[autofocus]:not(dialog *)")) $("#words")?.focus({ preventScroll: true });
