// What the conversation looks like: bubbles from the server, bubbles drawn at once, days, times.
const body = document.body
export const words = JSON.parse(body.dataset.words)
const locale = body.dataset.locale
const list = document.getElementById('bubbles')
const talk = document.getElementById('talk')
const latest = document.getElementById('latest')

const format = (options) => { try { return new Intl.DateTimeFormat(locale, options) } catch { return new Intl.DateTimeFormat('en', options) } }
const clock = format({ hour: 'numeric', minute: '2-digit' })
const dayMonth = format({ weekday: 'long', day: 'numeric', month: 'long' })
const dayYear = format({ day: 'numeric', month: 'long', year: 'numeric' })
const full = format({ dateStyle: 'full', timeStyle: 'short' })

const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime()
const dayName = (d) => {
  const now = new Date()
  const ago = Math.round((midnight(now) - midnight(d)) / 86400000)
  if (ago === 0) return words.today
  if (ago === 1) return words.yesterday
  return (d.getFullYear() === now.getFullYear() ? dayMonth : dayYear).format(d)
}

// dress puts times into the reader's zone and a line before each day.
export function dress() {
  for (const line of list.querySelectorAll('.day')) line.remove()
  let day = ''
  for (const bubble of list.children) {
    const time = bubble.querySelector('time')
    if (!time) continue
    const at = new Date(time.dateTime)
    if (isNaN(at)) continue
    time.textContent = clock.format(at)
    time.title = full.format(at)
    const name = dayName(at)
    if (name !== day) {
      const line = document.createElement('li')
      line.className = 'day'
      line.textContent = day = name
      bubble.before(line)
    }
  }
}

export const atEnd = () => talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80
export function toEnd() {
  talk.scrollTop = talk.scrollHeight
  latest.hidden = true
}
latest.addEventListener('click', toEnd)
talk.addEventListener('scroll', () => { if (atEnd()) latest.hidden = true }, { passive: true })
// A picture that loads must not push the newest words out of sight.
list.addEventListener('load', (e) => { if (e.target.tagName === 'IMG' && e.target.getBoundingClientRect().top < innerHeight) toEnd() }, true)

const pending = () => [...list.querySelectorAll('.bubble.pending')]

// draw shows what the visitor says before the server has it.
export function draw({ key, text, choice, file }) {
  const item = document.createElement('li')
  item.className = 'bubble you pending'
  Object.assign(item.dataset, { key, text, choice, files: file ? 1 : 0 })
  const by = document.createElement('p')
  by.className = 'by'
  const who = document.createElement('span')
  who.textContent = words.you
  const time = document.createElement('time')
  time.dateTime = new Date().toISOString()
  by.append(who, ' ', time)
  item.append(by)
  if (text) {
    const said = document.createElement('div')
    said.className = 'said'
    said.dir = 'auto'
    said.textContent = text
    item.append(said)
  }
  if (file) {
    const name = document.createElement('span')
    name.className = 'file'
    name.dir = 'auto'
    name.textContent = file
    item.append(name)
  }
  const fate = document.createElement('p')
  fate.className = 'fate'
  fate.setAttribute('role', 'status')
  item.append(fate)
  list.append(item)
  closeChoices(choice)
  dress()
  toEnd()
  return item
}

// fate says how far a drawn bubble got. retry, if given, is what its button does.
export function fate(item, state, why, retry) {
  const line = item.querySelector('.fate')
  item.classList.toggle('failed', state === 'failed')
  line.textContent = state === 'failed' ? (why ? `${words.failed} ${why}` : words.failed) : words[state]
  if (!retry) return
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = words.retry
  button.addEventListener('click', retry, { once: true })
  line.append(button)
}

// receive shows a message of the stream. A drawn bubble that says the same gives way to it.
export function receive(m) {
  if (list.querySelector(`[data-seq="${Number(m.seq)}"]`)) return null
  const end = atEnd()
  const holder = document.createElement('template')
  holder.innerHTML = m.html // made by the server's own template, which escapes
  const item = holder.content.querySelector('.bubble')
  const twin = m.own && pending().find((p) => (m.choice ? p.dataset.choice === m.choice : !p.dataset.choice && p.dataset.text === (m.text || '')) && Number(p.dataset.files) === (m.files || 0))
  if (twin) twin.replaceWith(item)
  else {
    const first = pending()[0]
    if (first) first.before(item)
    else list.append(item)
  }
  if (m.own) closeChoices(m.choice)
  dress()
  if (end || twin) toEnd()
  else if (!m.own) latest.hidden = false
  return item
}

// closeChoices ends what was offered: something was said since.
export function closeChoices(taken) {
  for (const button of list.querySelectorAll('.choices .choice:not(:disabled)')) {
    button.disabled = true
    if (taken && button.value === taken) button.classList.add('taken')
  }
}

// clear forgets everything shown: the page turned out to be another visitor's.
export function clear() { list.replaceChildren() }

export const spoken = (item) => `${item.querySelector('.by span').textContent}: ${(item.querySelector('.said') || item).textContent.trim().slice(0, 300)}`
