// One event stream for all tabs of a browser. HTTP/1.1 lets a browser hold six connections to a host,
// so a stream in each tab would leave the seventh without a page. The tabs elect one that is in view
// (a Web Lock): it reads the stream and passes events on to the others by a BroadcastChannel. Where the
// stream cannot be had, every tab in view polls. Tabs out of view hold no stream and poll rarely.

const pollEvery = 5000; // ms, while there is no stream
const hiddenEvery = 30000; // ms, out of view
const quietFor = 45000; // ms; the server's heart beats every 20 s

export class Live {
  #abort = null; // ends this tab's wait for the lead, or its lead
  #again = null; // ends the present stream, for one with other topics
  #seen = 0; // when the stream last gave a sign of life, in this tab or in the leading one
  #polled = 0;
  #topics = new Map(); // of the other tabs, by tab
  #tab = Math.random().toString(36).slice(2);

  // name: tabs of one name share a stream. open(topics, signal): fetches the stream. event(name, data):
  // something came. poll(): look at once without a stream. up(), down(), refused(status): how it goes.
  constructor({ name, topic = "", open, event, poll, up = () => {}, down = () => {}, refused = () => {} }) {
    Object.assign(this, { name, topic, open, event, poll, up, down, refused });
    try {
      this.channel = new BroadcastChannel(name);
      this.channel.onmessage = (e) => this.#hear(e.data);
    } catch { this.channel = null; } // a frame whose storage is closed has a stream of its own
    document.addEventListener("visibilitychange", () => this.#look());
    addEventListener("online", () => { this.#poll(); this.#restart(); });
    addEventListener("pagehide", () => { this.#say({ bye: this.#tab }); this.#stop(); });
    addEventListener("pageshow", (e) => { if (e.persisted) this.#look(); });
    setInterval(() => this.#tick(), pollEvery);
    this.#say({ hello: this.#tab, topic });
    if (!document.hidden) this.#compete();
  }

  #say(message) { this.channel?.postMessage(message); }

  #hear(m) {
    if (m.who) this.#say({ hello: this.#tab, topic: this.topic });
    if (m.bye) this.#topics.delete(m.bye);
    if (m.hello) {
      const known = [...this.#topics.values(), this.topic].includes(m.topic);
      this.#topics.set(m.hello, m.topic);
      if (!known) this.#restart();
    }
    if (m.alive) this.#alive();
    if (m.dead) { this.#seen = 0; this.#poll(); }
    if (m.event) { this.#alive(); this.#tell(m.event, m.data); }
  }

  #alive() {
    this.#seen = Date.now();
    this.up();
  }

  #tell(name, data) {
    if (!document.hidden) this.event(name, data); // out of view it is polled for
  }

  #look() {
    if (document.hidden) { this.#stop(); return; }
    this.#poll();
    this.#compete();
  }

  #stop() {
    this.#abort?.abort();
    this.#abort = null;
  }

  #restart() { this.#again?.abort("topics"); }

  async #poll() {
    this.#polled = Date.now();
    try { await this.poll(); } catch { this.down(); }
  }

  #tick() {
    const now = Date.now();
    if (document.hidden ? now - this.#polled >= hiddenEvery : now - this.#seen >= quietFor) this.#poll();
  }

  #compete() {
    if (this.#abort) return;
    const abort = this.#abort = new AbortController();
    const lead = () => this.#lead(abort.signal);
    if (!this.channel || !navigator.locks) { lead(); return; }
    navigator.locks.request(this.name, { signal: abort.signal }, lead).catch((e) => { if (e.name !== "AbortError") lead(); });
  }

  // lead keeps a stream open until signal.
  async #lead(signal) {
    this.#topics.clear();
    this.#say({ who: true });
    await pause(50, signal); // for the others to say what they show
    for (let tries = 0; !signal.aborted;) {
      const again = this.#again = new AbortController();
      const stop = () => again.abort();
      signal.addEventListener("abort", stop, { once: true });
      let wait = 0;
      try {
        const answer = await this.open([...new Set([this.topic, ...this.#topics.values()])].filter(Boolean), again.signal);
        if (!answer.ok) {
          wait = 1000 * Number(answer.headers.get("Retry-After") || 0);
          this.refused(answer.status);
          throw new Error("refused");
        }
        await this.#read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), again, () => { tries = 0; });
      } catch { /* it is tried again below */ }
      signal.removeEventListener("abort", stop);
      if (signal.aborted) return;
      if (again.signal.reason === "topics") continue;
      this.#seen = 0;
      this.down();
      this.#say({ dead: true });
      this.#poll();
      await pause(Math.max(wait, Math.min(30000, 1000 * 2 ** tries++) * (0.5 + Math.random() / 2)), signal);
    }
  }

  async #read(reader, again, heard) {
    let rest = "", quiet = 0;
    try {
      for (;;) {
        clearTimeout(quiet);
        quiet = setTimeout(() => again.abort("quiet"), quietFor);
        const { value, done } = await reader.read();
        if (done) return;
        heard();
        this.#alive();
        this.#say({ alive: true });
        const events = (rest + value).split("\n\n");
        rest = events.pop();
        for (const e of events) this.#event(e);
      }
    } finally { clearTimeout(quiet); }
  }

  #event(text) {
    const [name, data] = parse(text);
    if (!data) return;
    this.#say({ event: name, data });
    this.#tell(name, data);
  }
}

// parse reads one event of a stream.
export function parse(text) {
  let name = "message", data = "";
  for (const line of text.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    if (line.startsWith("data: ")) data += line.slice(6);
  }
  return [name, data];
}

const pause = (ms, signal) => new Promise((done) => {
  const timer = setTimeout(done, ms);
  signal.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

// A page of ours says where its stream is and what it shows: <div data-live="/desk/events" data-topic="ticket=…">.
const root = document.querySelector("[data-live]");
if (root) {
  const tell = (name) => window.htmx?.trigger(document.body, "live:" + name);
  const topic = root.dataset.topic || "";
  new Live({
    name: root.dataset.live,
    topic,
    open: (topics, signal) => fetch(root.dataset.live + "?" + topics.join("&"), { signal, cache: "no-store" }),
    event: (name, data) => { if (name === "changed" || data === topic) tell(name); },
    poll: () => { tell("changed"); tell("here"); },
  });
}
