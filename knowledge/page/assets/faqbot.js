// What HTML cannot do by itself, for every page. Each part looks for its data attribute (README.md)
// and does nothing on a page without it. Everything a page is for works without this file.

const root = document.documentElement;
const lang = root.lang || undefined;
const words = JSON.parse(document.body.dataset.words); // in the reader's language

// A message for the reader, in the corner. One with a form (Undo) stays; others go after 8 s unless
// the reader is at them.
function toast(box) {
  if (typeof box === "string") {
    const said = box;
    box = make("div", "toast");
    box.append(make("p", "grow", said), closer());
  }
  document.getElementById("toasts")?.append(box);
  if (box.querySelector("form")) return;
  const away = () => (box.matches(":hover, :focus-within") ? setTimeout(away, 2000) : box.remove());
  setTimeout(away, 8000);
}

function make(tag, name, said) {
  const e = document.createElement(tag);
  e.className = name ?? "";
  if (said) e.textContent = said;
  return e;
}

function closer() {
  const b = make("button", "plain small", words.dismiss);
  b.type = "button";
  b.dataset.close = "";
  return b;
}

// Times: in the reader's zone and language; relative within a day.
const units = [[60, "second"], [3600, "minute"], [86400, "hour"]];
const full = new Intl.DateTimeFormat(lang, { dateStyle: "full", timeStyle: "short" });
const day = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "short" });
const relative = new Intl.RelativeTimeFormat(lang, { numeric: "auto", style: "short" });

function ago(seconds) {
  let size = 1;
  for (const [limit, unit] of units) {
    if (Math.abs(seconds) < limit) return relative.format(unit === "second" ? 0 : Math.trunc(seconds / size), unit);
    size = limit;
  }
  return null;
}

function tellTimes() {
  const now = Date.now();
  for (const t of document.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    say(t, ago((at - now) / 1000) ?? day.format(at));
    if (!t.title) t.title = full.format(at);
  }
  for (const o of document.querySelectorAll(".owed[data-due]")) {
    const left = (new Date(o.dataset.due) - now) / 1000;
    if (isNaN(left)) continue;
    o.classList.toggle("late", left < 0);
    o.classList.toggle("soon", left >= 0 && left <= 0.2 * (Number(o.dataset.of) || 3600));
    say(o, left < 0 ? words.late.replace("{span}", span(-left)) : span(left));
  }
}

function span(s) {
  const two = (n) => String(Math.trunc(n)).padStart(2, "0");
  if (s >= 86400) return words.days.replace("{d}", Math.trunc(s / 86400));
  return s >= 3600 ? words.hours.replace("{h}", Math.trunc(s / 3600)).replace("{m}", two((s % 3600) / 60)) : two(s / 60) + ":" + two(s % 60);
}

function say(e, said) {
  if (e.textContent !== said) e.textContent = said;
}

// Questions before what cannot be undone.
function ask(question, more, ok, danger, yes) {
  const d = make("dialog");
  const title = make("h2", "", question);
  title.id = "asked";
  d.setAttribute("aria-labelledby", "asked");
  const no = make("button", "", words.cancel);
  const go = make("button", danger ? "danger" : "primary", ok);
  no.type = go.type = "button";
  const row = make("div", "buttons");
  row.append(no, go);
  d.append(title);
  if (more) d.append(make("p", "muted", more));
  d.append(row);
  no.onclick = () => d.close();
  go.onclick = () => { d.close(); yes(); };
  d.onclick = (e) => { if (e.target === d) d.close(); };
  d.onclose = () => d.remove(); // focus returns to the button by itself
  document.body.append(d);
  d.showModal();
}

const agreed = new WeakSet();

document.addEventListener("submit", (e) => {
  const form = e.target, button = e.submitter;
  const by = button?.dataset.confirm ? button : form.dataset.confirm ? form : null;
  if (by && !agreed.delete(form)) {
    e.preventDefault();
    e.stopImmediatePropagation();
    const ok = by.dataset.confirmOk || button?.textContent.trim() || words.go_ahead;
    ask(by.dataset.confirm, by.dataset.confirmMore, ok, button?.classList.contains("danger"), () => {
      agreed.add(form);
      form.requestSubmit(button?.form === form ? button : undefined);
    });
    return;
  }
  if (form.dataset.keep) forget(form);
}, true);

// What is typed outlives a reload and a lost connection, until it is sent.
const keepKey = (form) => "keep:" + location.pathname + ":" + form.dataset.keep;
const kept = (form) => [...form.elements].filter((e) => e.name && /^(text|search|email|url|tel|number|textarea|select-one)$/.test(e.type));

// A form that the browser itself sends is forgotten once the next page is there: sending may fail.
function forget(form) {
  if (!form.matches("[hx-post], [hx-put], [hx-patch]")) sessionStorage.setItem("sent", keepKey(form));
}

function forgetSent() {
  const key = sessionStorage.getItem("sent");
  if (key && performance.getEntriesByType("navigation")[0]?.type === "navigate") sessionStorage.removeItem(key);
  sessionStorage.removeItem("sent");
}

document.addEventListener("htmx:afterRequest", (e) => {
  const form = e.detail.elt.closest?.("form[data-keep]");
  if (form && e.detail.successful) sessionStorage.removeItem(keepKey(form));
});

function restore() {
  for (const form of document.querySelectorAll("form[data-keep]:not([data-kept])")) {
    form.dataset.kept = "";
    let typed = {};
    try { typed = JSON.parse(sessionStorage.getItem(keepKey(form))) ?? {}; } catch { /* not ours */ }
    for (const e of kept(form)) {
      if (typed[e.name] !== undefined && !e.value) e.value = typed[e.name];
    }
  }
}

document.addEventListener("input", (e) => {
  const form = e.target.form;
  if (!form?.dataset.keep) return;
  try {
    sessionStorage.setItem(keepKey(form), JSON.stringify(Object.fromEntries(kept(form).map((f) => [f.name, f.value]))));
  } catch { /* full or forbidden: typing goes on */ }
});

// Small buttons.
document.addEventListener("click", async (e) => {
  const close = e.target.closest("[data-close]");
  if (close) {
    const box = close.closest(".toast, .note, dialog, details");
    if (box?.tagName === "DIALOG") box.close();
    else if (box?.tagName === "DETAILS") box.open = false;
    else box?.remove();
  }
  const copy = e.target.closest("[data-copy]");
  if (copy) {
    const from = document.getElementById(copy.dataset.copy);
    try {
      await navigator.clipboard.writeText(from.value ?? from.textContent);
      toast(words.copied);
    } catch {
      from.select?.(); // the reader can press Ctrl C
    }
  }
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(e.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (e) => {
  if (e.key !== "Escape") return;
  const menu = e.target.closest?.("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Files dropped on their zone. Elsewhere a dropped file would replace the page: nothing happens.
function zone(e) {
  return e.target.closest?.("[data-drop]");
}
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (e) => {
    if (![...(e.dataTransfer?.types ?? [])].includes("Files")) return;
    e.preventDefault();
    const at = zone(e);
    if (!at) return;
    at.classList.toggle("over", kind === "dragover");
    if (kind === "drop") {
      const input = at.querySelector("input[type=file]");
      input.files = e.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
  });
}
// Files pasted into a form go where files dropped on it would.
document.addEventListener("paste", (e) => {
  const input = e.target.form?.querySelector("[data-drop] input[type=file]");
  if (!input || !e.clipboardData?.files.length) return;
  e.preventDefault();
  input.files = e.clipboardData.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
});
document.addEventListener("change", (e) => {
  if (e.target.type === "file" && zone(e)?.dataset.drop === "send" && e.target.files.length) e.target.form?.requestSubmit();
});

// A key presses the button that names it, when nobody types.
document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.repeat || e.target.closest?.("input, textarea, select, dialog, [contenteditable]")) return;
  const button = document.querySelector(`[aria-keyshortcuts="${CSS.escape(e.key.toLowerCase())}"]`);
  if (!button) return;
  e.preventDefault();
  button.click();
});

// Offline.
function line() {
  root.classList.toggle("offline", !navigator.onLine);
}
addEventListener("online", line);
addEventListener("offline", line);

// htmx brings new parts; toasts of its own come as an event.
function look() {
  tellTimes();
  restore();
  for (const box of document.querySelectorAll("main .toast")) toast(box);
}
document.addEventListener("htmx:afterSettle", look);
document.addEventListener("toast", (e) => toast(String(e.detail?.value ?? e.detail)));
// What a page asks by itself, to stay live or every few seconds (without an event), fails in silence: it asks again.
const byItself = (e) => (e.detail.requestConfig?.triggeringEvent?.type ?? "live:").startsWith("live:");
for (const kind of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(kind, (e) => byItself(e) || toast(words.unreached));
}
document.addEventListener("htmx:responseError", (e) => byItself(e) || toast(words.failed.replace("{status}", e.detail.xhr.status)));

line();
forgetSent();
look();
setInterval(tellTimes, document.querySelector("[data-due]") ? 1000 : 30000);
