// The page of a preview: the chat stands open in it, and leaves nothing behind in the browser.
const mine = 'faqbot:' + document.documentElement.dataset.account
try { localStorage.setItem(mine, JSON.stringify({ open: true })) } catch { /* it opens by a click */ }
addEventListener('pagehide', () => {
  try { for (const key of Object.keys(localStorage)) if (key.startsWith(mine)) localStorage.removeItem(key) } catch { /* nothing was kept */ }
})
