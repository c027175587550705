// The event stream, read by fetch: EventSource can send no header, and the header is how we know the visitor.
export class Stream {
  #tries = 0
  #timer = 0
  #abort = null
  #quiet = 0

  constructor({ url, headers, last, on }) {
    Object.assign(this, { url, headers, last, on })
    addEventListener('online', () => this.now())
    document.addEventListener('visibilitychange', () => { if (!document.hidden && !this.#abort) this.now() })
  }

  // now connects at once.
  now() {
    clearTimeout(this.#timer)
    if (this.#abort) this.#abort.abort()
    this.#run()
  }

  async #run() {
    const abort = this.#abort = new AbortController()
    let wait = 0
    try {
      const answer = await fetch(`${this.url}&after=${this.last()}`, { headers: this.headers(), signal: abort.signal, cache: 'no-store' })
      if (!answer.ok) {
        wait = 1000 * Number(answer.headers.get('Retry-After') || 0)
        this.on.refused(answer.status)
        throw new Error('refused')
      }
      this.on.up()
      await this.#read(answer.body.pipeThrough(new TextDecoderStream()).getReader(), abort)
    } catch { /* it is tried again below */ }
    clearTimeout(this.#quiet)
    if (this.#abort !== abort) return // another run has taken over
    this.#abort = null
    this.on.down()
    const back = Math.min(30000, 1000 * 2 ** this.#tries++)
    this.#timer = setTimeout(() => this.#run(), Math.max(wait, back * (0.5 + Math.random() / 2)))
  }

  async #read(reader, abort) {
    let rest = ''
    for (;;) {
      clearTimeout(this.#quiet)
      this.#quiet = setTimeout(() => abort.abort(), 45000) // the server's heart beats every 20 s
      const { value, done } = await reader.read()
      if (done) return
      this.#tries = 0
      const events = (rest + value).split('\n\n')
      rest = events.pop()
      for (const e of events) this.#event(e)
    }
  }

  #event(text) {
    let name = 'message'
    let data = ''
    for (const line of text.split('\n')) {
      if (line.startsWith('event: ')) name = line.slice(7)
      if (line.startsWith('data: ')) data += line.slice(6)
    }
    if (data && this.on[name]) this.on[name](JSON.parse(data))
  }
}
