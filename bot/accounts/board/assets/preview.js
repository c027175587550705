// The chat as the form describes it, while it is filled in.
const shown = document.querySelector("[data-preview]");
const form = document.querySelector("form.form");

// Whether black or white words stand out more on a colour: as the widget decides it.
function wordsOn(color) {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = parseInt(color.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#111" : "#fff";
}

function draw() {
  const value = (name) => form.elements[name]?.value.trim() ?? "";
  const change = form.elements.change?.value ?? "";
  shown.querySelector(".bar b").textContent = value("name") || value("id") || change;
  shown.querySelector(".hello").textContent = value("welcome") || shown.dataset.greeting;
  const questions = value("suggested").split("\n").filter((line) => line.trim()).slice(0, 5);
  shown.querySelector("ul").replaceChildren(...questions.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
  shown.querySelector(".launch").dataset.at = value("position");
  if (/^#[0-9a-f]{6}$/i.test(value("color"))) {
    shown.style.setProperty("--chat-color", value("color"));
    shown.style.setProperty("--chat-on", wordsOn(value("color")));
  }
}

form.addEventListener("input", draw);
draw();
