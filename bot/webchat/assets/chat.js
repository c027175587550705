// The page in the frame. Without this script its forms work by themselves; with it nothing reloads.
import { atEnd, clear, closeChoices, draw, dress, fate, receive, spoken, toEnd, words } from './render.js'
import { Live, parse } from './live.js'

const $ = (id) => document.getElementById(id)
const { account, path, locale } = document.body.dataset
const given = document.body.dataset.visitor
const hash = new URLSearchParams(location.hash.slice(1))

// Storage may be closed to frames; then the page remembers as long as it is open.
const shelf = (name) => {
  let spare = new Map()
  const store = () => { try { return window[name] } catch { return null } }
  const key = (k) => `faqbot:${account}:${k}`
  return {
    get: (k) => { try { return store().getItem(key(k)) } catch { return spare.get(k) ?? null } },
    set: (k, v) => { try { store().setItem(key(k), v) } catch { spare.set(k, v) } },
    drop: (k) => { try { store().removeItem(key(k)) } catch { spare.delete(k) } },
  }
}
const local = shelf('localStorage')
const tab = shelf('sessionStorage')

// ---- the site around us

const parentOrigin = hash.get('origin') || ''
const allowed = (origin) => origin === location.origin || JSON.parse(document.body.dataset.origins).some((o) => {
  const [scheme, host] = o.split('://')
  return o === origin || (host.startsWith('*.') && origin.startsWith(scheme + '://') && origin.endsWith(host.slice(1)))
})
const embedded = parent !== window && allowed(parentOrigin)
const tell = (message) => { if (embedded) parent.postMessage({ faqbot: message }, parentOrigin) }
let open = !embedded || hash.get('open') === '1'

if (embedded) {
  $('close').hidden = false
  $('close').addEventListener('click', () => tell({ close: true }))
  addEventListener('message', (e) => {
    if (e.source !== parent || e.origin !== parentOrigin || !e.data || !e.data.faqbot) return
    open = e.data.faqbot.open === true
    if (open) { seen(); toEnd() }
    if (open && e.data.faqbot.focus) $('text').focus({ preventScroll: true })
  })
}
addEventListener('keydown', (e) => { if (e.key === 'Escape' && !e.isComposing) tell({ close: true }) })
if (/^#[0-9a-f]{3,6}$/i.test(hash.get('color') || '')) {
  document.documentElement.style.setProperty('--accent', hash.get('color'))
  document.documentElement.style.setProperty('--on-accent', hash.get('on') === '#111' ? '#111' : '#fff')
}

// ---- who we are

let token = local.get('visitor') || given
const nameOf = (t) => t.split('.')[0]
const headers = () => ({ Authorization: `Visitor ${token}`, Accept: 'application/json' })
async function whoAmI() {
  if (hash.get('user')) {
    try {
      const form = new URLSearchParams({ user: hash.get('user'), signed_at: hash.get('signed_at') || '', signature: hash.get('signature') || '' })
      const answer = await fetch(`${path}/session`, { method: 'POST', body: form, headers: { Accept: 'application/json' } })
      const { visitor = '', untimed = false } = answer.ok ? await answer.json() : {}
      if (untimed) console.warn('faqbot: data-signature without data-signed-at is good for ever. Sign the user and the time.')
      if (visitor) { become(visitor); return }
    } catch { /* offline: they are anonymous until the next load */ }
  }
  if (nameOf(token) === nameOf(given)) { token = given; local.set('visitor', given) } // the server's may be fresher
  else become(token)
}
// become is for a visitor other than the one the server drew the page for.
function become(other) {
  token = other
  if (token === given) return
  clear()
  last = 0
  $('suggested')?.removeAttribute('hidden')
}

// ---- what was read

let last = Number(document.body.dataset.last) || 0
let news = new Map() // what others said, by sequence number, while nobody looked
function seen() {
  if (!open || document.hidden) return
  news.clear()
  local.set('read', String(Math.max(last, Number(local.get('read')) || 0)))
  tell({ unread: 0 })
}
document.addEventListener('visibilitychange', seen)
function unseen(seq) {
  if (open && !document.hidden) { seen(); return }
  if (seq <= (Number(local.get('read')) || 0)) return
  news.set(seq, true)
  tell({ unread: news.size })
}

// ---- the stream

const live = []
let speaking = 0
function announce(item) { // several at once are read as one
  live.push(spoken(item))
  clearTimeout(speaking)
  speaking = setTimeout(() => { $('live').textContent = live.splice(0).slice(-3).join('. ') }, 400)
}

let typingOff = 0
function typing(on) {
  const end = atEnd()
  clearTimeout(typingOff)
  $('typing').hidden = !on
  if (on) typingOff = setTimeout(() => typing(false), 15000)
  if (on && end) toEnd()
}

let bar = 0
function down() {
  if (bar) return
  bar = setTimeout(() => { // a moment's break is nobody's business
    $('offline').textContent = navigator.onLine ? words.reconnecting : words.offline
    $('offline').hidden = false
  }, navigator.onLine ? 2500 : 0)
}
addEventListener('offline', down)

const fetchEvents = (more, signal) => fetch(`${path}/events?locale=${encodeURIComponent(locale)}&after=${last}${more}`, { headers: headers(), signal, cache: 'no-store' })
function up() {
  clearTimeout(bar)
  bar = 0
  $('offline').hidden = true
  resend()
}
function refused(status) {
  if (status !== 401) return
  local.drop('visitor') // our key has changed, or somebody tampered: begin as the page knows us
  if (nameOf(token) === nameOf(given)) { location.reload(); return }
  token = given
  local.set('visitor', given)
  last = 0
  clear()
}
async function poll() {
  const answer = await fetchEvents('&once=1', AbortSignal.timeout(15000))
  if (!answer.ok) { refused(answer.status); throw new Error('refused') }
  for (const e of (await answer.text()).split('\n\n')) {
    const [name, data] = parse(e)
    if (data) events[name]?.(JSON.parse(data))
  }
  up()
}
const events = {
  typing: () => typing(true),
  message: (m) => {
    if (m.seq <= last) return
    last = m.seq
    tell({ begun: true })
    hideSuggestions()
    $('ways')?.removeAttribute('hidden')
    const item = receive(m)
    if (!item) return
    if (m.own) { seen(); return }
    typing(false)
    announce(item)
    unseen(m.seq)
  },
  state: (s) => {
    if (s.visitor && nameOf(s.visitor) === nameOf(token)) {
      token = s.visitor
      local.set('visitor', token)
    }
    $('ask').hidden = s.person
    $('subtitle').textContent = s.person ? words.subtitle_person : words.subtitle
    const end = atEnd()
    const emailed = local.get('emailed') === nameOf(token).slice(-16)
    $('email').hidden = !s.email || emailed
    $('emailed').hidden = !s.email || !emailed
    if (end) toEnd()
  },
}
// Tabs of one visitor share a stream.
const follow = () => new Live({
  name: `faqbot:${account}:${locale}:${nameOf(token)}`,
  open: (_, signal) => fetchEvents('', signal),
  event: (name, data) => events[name]?.(JSON.parse(data)),
  poll, up, down, refused,
})

// ---- saying something

const problem = (text) => { $('problem').textContent = text; $('problem').hidden = !text }
const hideSuggestions = () => { if ($('suggested')) $('suggested').hidden = true }
const newKey = () => [...crypto.getRandomValues(new Uint8Array(15))].map((n) => n.toString(36).padStart(2, '0')).join('')

const waiting = new Map() // by key, what failed for want of a line
function say({ text = '', choice = '', file = null, label = '' }) {
  const message = { key: newKey(), text, choice, file }
  message.item = draw({ key: message.key, text: text || label, choice, file: file && file.name })
  hideSuggestions()
  post(message)
}

async function post(m) {
  waiting.delete(m.key)
  fate(m.item, 'sending')
  const form = new FormData()
  for (const [k, v] of Object.entries({ key: m.key, text: m.text, choice: m.choice, locale })) form.set(k, v)
  if (m.file) form.set('file', m.file)
  const again = () => post(m)
  try {
    const answer = await fetch(`${path}/messages`, { method: 'POST', body: form, headers: headers(), signal: m.file ? undefined : AbortSignal.timeout(15000) })
    if (answer.ok) { fate(m.item, 'sent'); tell({ begun: true }); return }
    const { error = '', wait = 0 } = await answer.json().catch(() => ({}))
    fate(m.item, 'failed', error, answer.status < 500 && answer.status !== 429 && answer.status !== 401 ? null : again)
    if (wait) setTimeout(() => { if (m.item.isConnected && m.item.classList.contains('failed')) again() }, wait * 1000)
  } catch {
    fate(m.item, 'failed', '', again)
    waiting.set(m.key, m) // the same key: it is said once, however often it is sent
  }
}
function resend() { for (const m of [...waiting.values()]) if (m.item.isConnected) post(m) }

const text = $('text')
const grow = () => { if (!CSS.supports('field-sizing', 'content')) { text.style.height = 'auto'; text.style.height = Math.min(text.scrollHeight, 140) + 'px' } }
const file = $('file')
function picked() {
  const name = file && file.files[0] ? file.files[0].name : ''
  $('picked').hidden = !name
  $('picked-name').textContent = name
}
function pick(f) {
  if (!file || !f) return
  const box = new DataTransfer()
  box.items.add(f)
  file.files = box.files
  picked()
  text.focus()
}
$('composer').addEventListener('submit', (e) => {
  e.preventDefault()
  const words_ = text.value.trim()
  const chosen = file && file.files[0]
  if (!words_ && !chosen) { text.focus(); return }
  problem('')
  say({ text: words_, file: chosen || null })
  text.value = ''
  tab.drop('draft')
  if (file) { file.value = ''; picked() }
  grow()
  text.focus()
})
text.addEventListener('keydown', (e) => {
  if (e.key !== 'Enter' || e.shiftKey || e.isComposing || e.keyCode === 229) return
  e.preventDefault()
  $('composer').requestSubmit()
})
text.addEventListener('input', () => { tab.set('draft', text.value); grow() })
text.addEventListener('paste', (e) => { if (e.clipboardData.files[0]) { e.preventDefault(); pick(e.clipboardData.files[0]) } })
document.addEventListener('dragover', (e) => e.preventDefault())
document.addEventListener('drop', (e) => { e.preventDefault(); pick(e.dataTransfer.files[0]) })
if (file) file.addEventListener('change', picked)
$('unpick').addEventListener('click', () => { file.value = ''; picked(); text.focus() })

document.addEventListener('submit', (e) => {
  if (!e.target.matches('.say')) return
  e.preventDefault()
  const b = e.submitter
  if (!b) return
  if (b.name === 'choice') { closeChoices(b.value); say({ choice: b.value, label: b.getAttribute('aria-label') || b.textContent }) }
  else say({ text: b.value })
  text.focus({ preventScroll: true })
})
$('email').addEventListener('submit', async (e) => {
  e.preventDefault()
  const form = new URLSearchParams({ email: $('address').value, locale })
  let error = words.err_broken
  try {
    const answer = await fetch(`${path}/email`, { method: 'POST', body: form, headers: headers() })
    error = answer.ok ? '' : (await answer.json()).error
  } catch { error = navigator.onLine ? words.err_broken : words.offline }
  problem(error)
  if (error) return
  local.set('emailed', nameOf(token).slice(-16))
  $('email').hidden = true
  $('emailed').hidden = false
  text.focus()
})
$('correct').hidden = false
$('correct').addEventListener('click', () => {
  local.drop('emailed')
  $('emailed').hidden = true
  $('email').hidden = false
  $('address').select()
})

// A link elsewhere works once and not for long: it stands in the button's place for that time.
$('ways')?.addEventListener('submit', async (e) => {
  e.preventDefault()
  const b = e.submitter
  let error = words.err_way, url = ''
  try {
    const answer = await fetch(`${path}/continue`, { method: 'POST', body: new URLSearchParams({ to: b.value, locale }), headers: headers() })
    ;({ url = '', error = '' } = await answer.json())
  } catch { error = navigator.onLine ? words.err_way : words.offline }
  problem(error)
  if (error) return
  const a = Object.assign(document.createElement('a'), { className: 'choice', href: url, target: '_blank', rel: 'noopener noreferrer', textContent: `${words.way_open} ${b.textContent}` })
  b.replaceWith(a)
  $('ways-note').hidden = false
  a.focus()
  setTimeout(() => { a.replaceWith(b); $('ways-note').hidden = true }, 14 * 60 * 1000)
})

// ---- begin

document.documentElement.classList.add('live')
dress()
if (!text.value) text.value = tab.get('draft') || ''
grow()
toEnd()
whoAmI().then(() => {
  if (last && nameOf(token) === nameOf(given)) tell({ begun: true })
  for (const b of document.querySelectorAll('.bubble:not(.you)')) unseen(Number(b.dataset.seq))
  tell({ ready: true })
  follow()
  if (!embedded) seen()
})
