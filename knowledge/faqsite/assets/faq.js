// Searches while one types, and says thanks in place. Without this script the page's forms do the same.
const form = document.querySelector('[data-search]')
const found = document.getElementById('found')

if (form && found) {
  const input = form.elements.q
  const before = [...found.childNodes] // what the page shows when nothing is searched for
  const pause = 150 // ms without a key
  let timer = 0
  let asked = null // the request that is under way

  const show = async () => {
    asked?.abort()
    const text = input.value.trim()
    if (!text) { found.replaceChildren(...before); return }
    asked = new AbortController()
    const address = new URL(form.action)
    address.search = new URLSearchParams({ q: text, part: '1' })
    try {
      const answer = await fetch(address, { signal: asked.signal })
      if (!answer.ok) return // the button still searches
      const part = new DOMParser().parseFromString(await answer.text(), 'text/html')
      found.replaceChildren(...part.body.childNodes)
      document.getElementById('said').textContent = found.querySelector('[data-said]')?.textContent || ''
    } catch { /* a newer request, or offline */ }
  }
  input.addEventListener('input', () => { clearTimeout(timer); timer = setTimeout(show, pause) })
}

const helped = document.querySelector('[data-helped]')
helped?.addEventListener('submit', async (e) => {
  e.preventDefault()
  try {
    const body = new URLSearchParams({ helped: e.submitter?.value || 'yes' })
    const answer = await fetch(location.pathname, { method: 'POST', body })
    if (!answer.ok) return
    helped.hidden = true
    location.hash = 'thanks'
  } catch { /* offline: the buttons stay */ }
})

addEventListener('beforeprint', () => document.querySelectorAll('main details').forEach((d) => { d.open = true }))
