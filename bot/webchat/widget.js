/* The launcher that a site embeds: one button, one frame from our origin. It reads nothing of the site. */
(() => {
  'use strict'
  // A tag manager may run this without a script element of its own, or leave out its data- attributes: then the address
  // says it, …/chat/shop/widget.js.
  const me = document.currentScript || document.querySelector('script[src*="/chat/"][src*="/widget.js"], script[src*="/chat/widget.js"]')
  if (!me || window.faqbot) return
  const address = new URL(me.src)
  const look = __LOOK__
  const option = (name) => me.dataset[name] || address.searchParams.get(name) || look[name] || ''
  const account = option('account')
  const home = address.origin
  if (!account) { console.error('faqbot: which account? Write data-account="…" into the script tag, or ?account=… after widget.js.'); return }
  const all = __WORDS__
  const locale = option('locale') || document.documentElement.lang || navigator.language || 'en'
  const base = locale.toLowerCase().split('-')[0]
  const words = all[Object.keys(all).find((l) => l.toLowerCase().split('-')[0] === base) || 'en']
  const rtl = /^(ar|he|iw|fa|ur)$/.test(base)
  const accent = /^#([0-9a-f]{3}|[0-9a-f]{6})$/i.test(option('color')) ? option('color') : ''
  const side = /^(left|right)$/.test(option('position')) ? option('position') : 'inset-inline-end'
  const memory = 'faqbot:' + account
  const recall = () => { try { return JSON.parse(localStorage.getItem(memory)) || {} } catch { return {} } }
  let state = recall()
  const keep = (change) => {
    state = { ...state, ...change }
    try { localStorage.setItem(memory, JSON.stringify(state)) } catch { /* the site's storage is closed: nothing is remembered */ }
  }

  // Whether black or white words stand out more on the accent.
  const onAccent = (color) => {
    const hex = color.length === 4 ? color.replace(/[0-9a-f]/gi, '$&$&') : color
    const [r, g, b] = [1, 3, 5].map((i) => {
      const c = parseInt(hex.slice(i, i + 2), 16) / 255
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
    })
    return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? '#111' : '#fff'
  }

  const css = `
:host{all:initial}
.launch,.panel{position:fixed;z-index:2147483000;inset-block-end:20px;${side}:20px}
.launch{box-sizing:border-box;inline-size:56px;block-size:56px;border:0;border-radius:50%;padding:0;cursor:pointer;background:var(--accent,#0f766e);color:var(--on,#fff);box-shadow:0 4px 16px rgb(0 0 0/.24);display:grid;place-items:center;transition:transform .12s}
.launch:hover{transform:scale(1.04)}
button:focus-visible{outline:2px solid var(--accent,#0f766e);outline-offset:2px}
.launch:focus-visible{box-shadow:0 0 0 2px #fff,0 4px 16px rgb(0 0 0/.24)}
.leave{position:absolute;inset-block-start:8px;inset-inline-end:8px;inline-size:44px;block-size:44px;border:0;border-radius:8px;padding:9px;cursor:pointer;background:Canvas;color:CanvasText}
.failed{position:absolute;inset:0;background:Canvas;color:CanvasText;font:16px/1.5 system-ui,sans-serif;margin:0;padding:64px 24px 24px}
.failed a{color:LinkText}
svg{inline-size:26px;block-size:26px;fill:none;stroke:currentColor;stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-inline-size:22px;block-size:22px;box-sizing:border-box;padding:0 6px;border-radius:11px;background:#b42318;color:#fff;font:600 12px/22px system-ui,sans-serif;text-align:center}
.panel{inset-block-end:88px;inline-size:380px;block-size:min(600px,calc(100dvh - 108px));border-radius:12px;overflow:hidden;box-shadow:0 12px 40px rgb(0 0 0/.28);background:Canvas;color-scheme:light dark}
iframe{display:block;border:0;inline-size:100%;block-size:100%;color-scheme:normal}
[hidden]{display:none!important}
@media (max-width:479.98px){.panel{inset:0;inline-size:auto;block-size:auto;border-radius:0}.panel:not([hidden])~.launch{display:none}}
@media (prefers-reduced-motion:reduce){.launch{transition:none}}
@media print{:host{display:none}}`

  const make = (name, set) => Object.assign(document.createElement(name), set)
  const drawing = (d) => {
    const space = 'http://www.w3.org/2000/svg'
    const svg = document.createElementNS(space, 'svg')
    svg.setAttribute('viewBox', '0 0 24 24')
    svg.setAttribute('aria-hidden', 'true')
    svg.append(document.createElementNS(space, 'path'))
    svg.firstChild.setAttribute('d', d)
    return svg
  }
  const bubble = drawing('M21 12a8.5 8.5 0 0 1-12.6 7.4L3.5 21l1.5-4.6A8.5 8.5 0 1 1 21 12z')
  const cross = drawing('M6 6l12 12M18 6L6 18')

  const host = document.createElement('faqbot-chat')
  host.lang = locale
  host.dir = rtl ? 'rtl' : 'ltr'
  if (accent) {
    host.style.setProperty('--accent', accent)
    host.style.setProperty('--on', onAccent(accent))
  }
  const root = host.attachShadow({ mode: 'closed' })
  const sheet = new CSSStyleSheet() // a constructed sheet needs no leave of the site's policy
  sheet.replaceSync(css)
  root.adoptedStyleSheets = [sheet]
  const panel = make('div', { className: 'panel', id: 'panel', hidden: true })
  const button = make('button', { type: 'button', className: 'launch' })
  // Until the frame shows a way to close it, and where it never comes, this is the way.
  const leave = make('button', { type: 'button', className: 'leave', ariaLabel: words.close })
  leave.append(drawing('M6 6l12 12M18 6L6 18'))
  const failed = make('p', { className: 'failed', hidden: true, role: 'alert' })
  failed.append(words.not_shown + ' ', make('a', { href: `${home}/chat/${encodeURIComponent(account)}`, target: '_blank', rel: 'noopener', textContent: words.not_shown_open }), '.')
  panel.append(failed, leave)
  const badge = make('span', { className: 'badge', hidden: true })
  button.append(bubble, badge)
  button.setAttribute('aria-controls', 'panel')
  root.append(panel, button)

  let frame = null
  let ready = false
  let open = false
  let unread = 0
  const tell = (message) => { if (ready) frame.contentWindow.postMessage({ faqbot: message }, home) }

  const load = () => {
    if (frame) return
    const here = new URLSearchParams({ origin: location.origin })
    const { user, signature, signedAt } = me.dataset
    if (user && signature) {
      here.set('user', user)
      here.set('signature', signature)
      if (signedAt) here.set('signed_at', signedAt)
    }
    if (accent) { here.set('color', accent); here.set('on', onAccent(accent)) }
    if (open) here.set('open', '1')
    frame = make('iframe', { title: words.conversation, allow: '', referrerPolicy: 'strict-origin-when-cross-origin' })
    // What follows the # reaches our script and no server, so a proof is in no log.
    frame.src = `${home}/chat/${encodeURIComponent(account)}?locale=${encodeURIComponent(locale)}#${here}`
    panel.prepend(frame)
    wait()
  }

  const patience = 5000
  let late = 0
  const wait = () => { // for the frame to be ready
    ready = false
    leave.hidden = false
    clearTimeout(late)
    late = setTimeout(() => {
      failed.hidden = false
      console.error(`faqbot: the chat "${account}" does not open on ${location.origin}. If the frame was refused, add "${location.origin}" to the account's origins; else look whether ${home}/chat/${encodeURIComponent(account)} can be reached.`)
    }, patience)
  }

  const narrow = matchMedia('(max-width:479.98px)')
  let scrolled = null
  const still = () => { // under a chat that fills the screen the site must not scroll
    const style = document.documentElement.style
    if (open && narrow.matches && scrolled === null) { scrolled = style.overflow; style.overflow = 'hidden' }
    else if ((!open || !narrow.matches) && scrolled !== null) { style.overflow = scrolled; scrolled = null }
  }
  narrow.addEventListener('change', still)

  const draw = () => {
    panel.hidden = !open
    button.setAttribute('aria-expanded', String(open))
    button.setAttribute('aria-label', open ? words.close : unread ? `${words.launch} (${unread} ${words.unread})` : words.launch)
    button.replaceChildren(open ? cross : bubble, badge)
    badge.hidden = open || !unread
    badge.textContent = unread > 99 ? '99+' : String(unread)
    still()
  }
  const show = (want, focus) => {
    if (open === want) return
    open = want
    keep({ open })
    if (open) { load(); unread = 0 }
    draw()
    tell({ open, focus })
    if (open && focus) frame.focus()
    if (!open && focus) button.focus()
  }

  button.addEventListener('click', () => show(!open, true))
  leave.addEventListener('click', () => show(false, true))
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape' && open) show(false, true) })
  addEventListener('message', (e) => {
    if (!frame || e.origin !== home || e.source !== frame.contentWindow || !e.data || !e.data.faqbot) return
    const m = e.data.faqbot
    if (m.ready) { ready = true; clearTimeout(late); leave.hidden = failed.hidden = true; tell({ open, focus: open && root.activeElement === frame }) }
    if (m.close) show(false, true)
    if (m.begun) keep({ begun: true })
    if (Number.isInteger(m.unread) && m.unread >= 0) { unread = m.unread; draw() }
  })

  // Some sites replace the body, or all that is in it, when their visitors go on to another page. What is put back into
  // the page loads its frame anew.
  const stay = new MutationObserver(() => { if (!host.isConnected && document.body) attach() })
  const attach = () => {
    document.body.append(host)
    stay.disconnect()
    for (const part of [document.documentElement, document.body]) stay.observe(part, { childList: true })
    if (frame) wait()
    still()
  }
  const begin = () => {
    attach()
    draw()
    if (state.open && !narrow.matches) show(true, false) // on a phone it would hide the page that was asked for
    else if (state.begun) load() // so that the badge knows
  }
  if (document.body) begin()
  else document.addEventListener('DOMContentLoaded', begin)
  window.faqbot = Object.freeze({ open: () => show(true, true), close: () => show(false, true) })
})()
