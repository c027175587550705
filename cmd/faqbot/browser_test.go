package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"faqbot/knowledge/sqldb/sqldbtest"
	"faqbot/knowledge/waittest"
)

// axe is axe-core 4.14.1 (MPL-2.0), which finds what keeps people out of a page.
//
//go:embed testdata/axe.min.js
var axe string

// A browserDemo is a running demo and a browser to look at it with.
type browserDemo struct {
	t       *testing.T
	address string
	data    string
	process *exec.Cmd
	log     *syncBuffer
	browser context.Context
}

// newBrowser starts a browser that ends with the test.
func newBrowser(t *testing.T) context.Context {
	t.Helper()
	if testing.Short() {
		t.Skip("no browser with -short")
	}
	binary := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil && binary == "" {
			binary = path
		}
	}
	if binary == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("no Chromium: in CI the pages are tested in a real browser")
		}
		t.Skip("no Chromium: `make test` installs it, or says how")
	}
	profile := t.TempDir()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(binary), chromedp.NoSandbox, chromedp.UserDataDir(profile), chromedp.WSURLReadTimeout(waittest.Hang),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // it complains of events it does not know
	require.NoError(t, chromedp.Run(browser))
	t.Cleanup(func() {
		end()
		stop()
		// The browser's helpers write to the last.
		require.Eventually(t, func() bool { return os.RemoveAll(profile) == nil }, waittest.Hang, 50*time.Millisecond)
	})
	return browser
}

func newBrowserDemo(t *testing.T) *browserDemo {
	t.Helper()
	d := &browserDemo{t: t, data: filepath.Join(t.TempDir(), "demo.db"), log: &syncBuffer{}, browser: newBrowser(t)}
	sqldbtest.Copy(t, d.data, schemas()...)
	d.start("127.0.0.1:0")
	t.Cleanup(func() {
		d.stop()
		if t.Failed() {
			t.Log(d.log.String())
		}
	})
	return d
}

var demoAddress = regexp.MustCompile(`The demo is at\s+http://(\S+)`)

func (d *browserDemo) start(listen string) {
	d.t.Helper()
	d.log = &syncBuffer{}
	d.process = exec.Command("faqbot", "demo", "--listen", listen, "--data", d.data)
	d.process.Stdout, d.process.Stderr = d.log, d.log
	require.NoError(d.t, d.process.Start())
	require.Eventually(d.t, func() bool {
		m := demoAddress.FindStringSubmatch(d.log.String())
		if m != nil {
			d.address = m[1]
		}
		return m != nil
	}, waittest.Hang, 10*time.Millisecond, "the demo does not start")
}

func (d *browserDemo) stop() {
	if d.process == nil {
		return
	}
	_ = d.process.Process.Signal(syscall.SIGTERM)
	if err := d.process.Wait(); err != nil {
		d.t.Errorf("the demo did not stop in order: %v", err)
	}
	d.process = nil
}

// A tab is one page of one person: each has cookies of their own.
type tab struct {
	d       *browserDemo
	ctx     context.Context
	cookies cdp.BrowserContextID
	frame   bool // scripts run in the page's frame, the chat
}

func (d *browserDemo) tab(width, height int64) *tab {
	d.t.Helper()
	// Chromium wants a window for the first page of a new context; chromedp asks for none.
	executor := cdp.WithExecutor(d.browser, chromedp.FromContext(d.browser).Browser)
	cookies, err := target.CreateBrowserContext().Do(executor)
	require.NoError(d.t, err)
	return d.window(cookies, width, height)
}

// do runs actions with a limit, so that a page that never comes fails the test and not the hour.
func (b *tab) do(actions ...chromedp.Action) {
	b.d.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, waittest.Hang)
	defer cancel()
	require.NoError(b.d.t, chromedp.Run(ctx, actions...))
}

func (b *tab) open(path string) {
	b.d.t.Helper()
	b.do(chromedp.Navigate("http://" + b.d.address + path))
}

// js evaluates an expression, in the chat's frame if the tab looks at that.
func (b *tab) js(expression string, result any) error {
	return b.jsWithin(waittest.Hang, expression, result)
}

// glance is how long until waits for one value: Chromium never gives that of a frame that went meanwhile.
const glance = 10 * time.Second

func (b *tab) jsWithin(limit time.Duration, expression string, result any) error {
	ctx, cancel := context.WithTimeout(b.ctx, limit)
	defer cancel()
	return chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) error {
		call := runtime.Evaluate(expression).WithAwaitPromise(true).WithReturnByValue(true)
		if b.frame {
			tree, err := page.GetFrameTree().Do(ctx)
			if err != nil {
				return err
			}
			if len(tree.ChildFrames) == 0 {
				return fmt.Errorf("the page has no frame")
			}
			for len(tree.ChildFrames) > 0 { // a preview's stands in another
				tree = tree.ChildFrames[0]
			}
			world, err := page.CreateIsolatedWorld(tree.Frame.ID).Do(ctx)
			if err != nil {
				return err
			}
			call = call.WithContextID(world)
		}
		value, exception, err := call.Do(ctx)
		if err != nil {
			return err
		}
		if exception != nil {
			return exception
		}
		if result == nil || value.Value == nil {
			return nil
		}
		return json.Unmarshal(value.Value, result)
	}))
}

// until waits until an expression is true in the page.
func (b *tab) until(expression string) {
	b.d.t.Helper()
	for began := time.Now(); ; {
		var ok bool
		if b.jsWithin(glance, "!!("+expression+")", &ok) == nil && ok {
			return
		}
		if time.Since(began) > waittest.Hang {
			var shown string
			_ = b.js("location.href + '\\n' + document.body.innerText", &shown)
			b.d.t.Fatalf("never true: %s\nthe page shows: %s", expression, shown)
		}
	}
}

// says waits until the page shows words.
func (b *tab) says(words string) {
	b.d.t.Helper()
	b.until("document.body && document.body.innerText.includes(" + quoted(words) + ")")
}

func quoted(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

// click clicks the first element that shows words, of those that selector finds.
func (b *tab) click(selector, words string) {
	b.d.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll(%s)].find(e => e.innerText.includes(%s) && e.offsetParent)`, quoted(selector), quoted(words))
	b.until(find)
	require.NoError(b.d.t, b.js(find+`.click()`, nil))
}

// fill types into a field.
func (b *tab) fill(selector, words string) {
	b.d.t.Helper()
	b.until(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e?.focus(); e?.select?.(); return e })()`, quoted(selector)))
	b.do(input.InsertText(words))
}

// chatReady is whether the chat's script runs: before, Enter is only a new line.
const chatReady = `document.documentElement.classList.contains('live')`

// ask writes in the chat as a person does, and waits for words of the answer.
func (b *tab) ask(question, answer string) {
	b.d.t.Helper()
	b.until(chatReady)
	b.fill("#text", question)
	b.do(chromedp.KeyEvent("\r"))
	b.until(fmt.Sprintf(`document.querySelector('#bubbles').innerText.includes(%s)`, quoted(answer)))
}

// still waits until nothing on the page moves or fades any more: what is half faded in has neither
// its colours nor its place yet.
func (b *tab) still() {
	b.d.t.Helper()
	b.until(`document.getAnimations().every(a => a.playState === 'finished' || a.effect.getTiming().iterations === Infinity)`)
}

// accessible fails the test if axe finds anything serious on the page.
func (b *tab) accessible(what string) {
	b.d.t.Helper()
	b.still()
	var found []string
	require.NoError(b.d.t, b.js(axe+`; axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => v.impact === 'serious' || v.impact === 'critical')
		.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))`, &found), what)
	require.Empty(b.d.t, found, what)
}

// awkwardXLSX is a workbook as people make them: a title above the table, headers of their own, rows
// that lack something. It has all of the demo's entries, so that none is retired.
func awkwardXLSX(t *testing.T, dir string) string {
	t.Helper()
	f := excelize.NewFile()
	set := func(row int, cells ...string) {
		for i, c := range cells {
			at, err := excelize.CoordinatesToCellName(i+1, row)
			require.NoError(t, err)
			require.NoError(t, f.SetCellValue("Sheet1", at, c))
		}
	}
	set(1, "Our FAQ, spring edition")
	set(3, "Key", "Question", "Reply", "Category", "Also asked")
	row := 4
	for line := range strings.Lines(string(demoFAQ)) {
		var e struct {
			ID, Question, Answer, Topic string
			Variants                    []string
		}
		require.NoError(t, json.Unmarshal([]byte(line), &e))
		if e.ID == "payout-minimum" {
			e.Answer = "10 euros since spring."
		}
		set(row, e.ID, e.Question, e.Answer, e.Topic, strings.Join(e.Variants, "|"))
		row++
	}
	set(row, "lunch", "Do you invite partners to lunch?", "", "account")
	set(row+1, "cats", "", "Yes, they may walk over the keyboard.", "account")
	path := filepath.Join(dir, "awkward.xlsx")
	require.NoError(t, f.SaveAs(path))
	require.NoError(t, f.Close())
	return path
}

// A newcomer's way through the demo, in a real browser: ask, reach a person, be answered, upload,
// publish, roll back; and nothing on any page keeps anybody out.
func TestDemoInABrowser(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)

	customer := d.tab(1440, 900)
	customer.open("/")
	customer.says("Try faqbot")
	customer.accessible("start page")
	customer.keepShot("start")
	require.NoError(t, customer.js("faqbot.open()", nil))
	customer.frame = true
	customer.ask("when will my money arrive", "On the 15th of each month")
	customer.keepPicture("widget", 760, 630)
	customer.ask("how long do your cookies work", "within 30 days of the click")
	customer.ask("may I send your link in my newsletter", "In newsletters to people who have subscribed")
	customer.ask("what is the weather on mars today", "another way")
	customer.ask("is it snowing on jupiter", "talk to a person")
	customer.ask("who won the football final", "passing you to a person")

	agent := d.tab(1440, 900)
	agent.open("/")
	agent.click("button", "Sign in as an agent")
	agent.says("football final")
	agent.accessible("desk")
	agent.keepShot("desk")
	agent.click("a.row", "football")
	agent.says("weather on mars")
	agent.accessible("ticket")
	agent.fill("#words", "The reds won, two to one.")
	agent.keepShot("ticket")
	agent.keepPicture("desk", 1120, 630)
	agent.click("#reply button", "Send the reply")
	agent.says("The reds won, two to one.")
	customer.until(`document.querySelector('#bubbles').innerText.includes('The reds won, two to one.')`)

	// The widget goes on after a reload and after a restart of the server; the desk hears at once.
	customer.frame = false
	customer.do(chromedp.Reload())
	customer.frame = true
	customer.until(`document.querySelector('#bubbles').innerText.includes('The reds won')`)
	customer.ask("thank you so much", "thank you so much")
	agent.says("thank you so much")
	agent.do(chromedp.Reload())
	agent.says("thank you so much")
	address := d.address
	d.stop()
	d.start(address)
	customer.ask("are you still there", "are you still there")
	agent.says("are you still there")
	agent.click("a[data-close-ticket]", "Close")
	agent.says("Keep it open")
	agent.accessible("closing")
	agent.open("/desk/conversations")
	agent.says("are you still there")
	agent.accessible("conversations")
	agent.keepShot("conversations")

	affiliate := d.tab(1440, 900)
	affiliate.open("/")
	affiliate.click("button", "Sign in as an affiliate")
	affiliate.says("Upload a file")
	affiliate.accessible("upload")
	affiliate.keepShot("upload")
	affiliate.do(chromedp.SetUploadFiles(`input[type=file]`, []string{awkwardXLSX(t, t.TempDir())}))
	affiliate.click("button", "Check the file")
	affiliate.says("Fix these rows")
	affiliate.accessible("preview")
	affiliate.keepShot("preview")
	affiliate.mend("answer", "Every first Friday, at the harbour.")
	affiliate.mend("question", "May cats use the program?")
	affiliate.until(`!document.querySelector('#problems')`)
	affiliate.click(".bar button", "Publish")
	affiliate.click("dialog button", "Publish")
	affiliate.says("Published 3 changes to harbour-lane")

	visitor := d.tab(390, 844)
	visitor.open("/chat/demo")
	visitor.askUntil("what is the minimum payout?", "10 euros since spring")
	visitor.ask("do you invite partners to lunch", "Every first Friday")
	visitor.accessible("chat")
	visitor.keepShot("chat")

	affiliate.open("/partners/harbour-lane/entries")
	affiliate.accessible("entries")
	affiliate.keepShot("entries")
	affiliate.open("/partners/harbour-lane/try")
	affiliate.accessible("try it")
	affiliate.open("/partners/harbour-lane/history")
	affiliate.accessible("history")
	affiliate.keepShot("history")
	affiliate.open("/partners/harbour-lane/history/1")
	affiliate.accessible("roll back")
	affiliate.click("main button", "Roll back")
	affiliate.until(`document.querySelector('dialog[open]') || location.search.includes('done=3')`)
	_ = affiliate.js(`[...document.querySelectorAll('dialog[open] button')].find(e => e.innerText.includes('Roll back'))?.click()`, nil)
	affiliate.until(`location.search.includes('done=3')`)
	later := d.tab(390, 844) // who has not heard the answer before
	later.open("/chat/demo")
	later.askUntil("minimum payout", "25 euros")

	admin := d.tab(1440, 900)
	admin.open("/")
	admin.click("button", "Sign in as an admin")
	admin.until(`location.pathname === '/people' && document.readyState === 'complete'`) // the words are on the page before, too
	admin.accessible("people")
	admin.keepShot("people")
	admin.click("main a", "ann")
	admin.until(`location.pathname.startsWith('/people/') && document.readyState === 'complete'`)
	admin.accessible("a person")
	for _, path := range []string{"/people/keys", "/people/audit", "/account", "/partners", "/nowhere"} {
		admin.open(path)
		admin.accessible(path)
	}
	admin.keepShot("missing")
	d.tab(390, 844).accessibleAt("/sign-in")
}

func (b *tab) accessibleAt(path string) {
	b.d.t.Helper()
	b.open(path)
	b.accessible(path)
	b.keepShot(strings.Trim(strings.ReplaceAll(path, "/", "-"), "-"))
}

// mend fills the first empty field of a problem by its label and has the file checked again.
func (b *tab) mend(label, words string) {
	b.d.t.Helper()
	find := fmt.Sprintf(`[...document.querySelectorAll('#problems .field')].find(f => f.innerText.toLowerCase().includes(%s) && f.querySelector('input,textarea').value.trim() === '')`, quoted(label))
	b.until(find)
	require.NoError(b.d.t, b.js(find+`.querySelector('input,textarea').focus()`, nil))
	b.do(input.InsertText(words))
	require.NoError(b.d.t, b.js(`(() => { const e = document.activeElement; [...e.form.querySelectorAll('button')].find(x => e.closest('section').contains(x)).click() })()`, nil))
	b.says(words)
}

// reloading opens a page again and again until an expression is true in it.
func (b *tab) reloading(path, expression string) {
	b.d.t.Helper()
	for began := time.Now(); time.Since(began) < waittest.Hang; {
		var ok bool
		b.open(path)
		if b.js("!!("+expression+")", &ok) == nil && ok {
			return
		}
	}
	b.until(expression)
}

// Without JavaScript: upload, publish, take, reply and close.
func TestDemoWithoutJavaScript(t *testing.T) {
	t.Parallel()
	d := newBrowserDemo(t)
	visitor := d.tab(390, 844)
	visitor.do(emulation.SetScriptExecutionDisabled(true))
	visitor.open("/chat/demo")
	visitor.do(chromedp.SendKeys("#text", "I want to talk to a person"), chromedp.Click(".composer button.send"))
	visitor.do(chromedp.WaitVisible("#bubbles li"))

	agent := d.tab(1440, 900)
	agent.do(emulation.SetScriptExecutionDisabled(true))
	agent.open("/")
	agent.do(chromedp.Click(`//button[contains(., "Sign in as an agent")]`, chromedp.BySearch), chromedp.WaitVisible(".grid"))
	agent.reloading("/desk", `document.querySelector('a.row')`)
	agent.do(chromedp.Click("a.row"), chromedp.WaitVisible("#words"))
	agent.do(chromedp.Click("form[data-take] button"))
	agent.says("Yours")
	agent.do(chromedp.SendKeys("#words", "Here I am."), chromedp.Click(`//form[@id="reply"]//button[contains(., "Send the reply")]`, chromedp.BySearch))
	agent.says("Here I am.")
	visitor.reloading("/chat/demo", `document.body.innerText.includes("Here I am.")`)
	agent.do(chromedp.Click("a[data-close-ticket]"), chromedp.WaitVisible(".confirm"), chromedp.Click(".confirm button.primary"))
	agent.says("losed")

	affiliate := d.tab(1440, 900)
	affiliate.do(emulation.SetScriptExecutionDisabled(true))
	affiliate.open("/")
	affiliate.do(chromedp.Click(`//button[contains(., "Sign in as an affiliate")]`, chromedp.BySearch), chromedp.WaitVisible(`input[type=file]`))
	affiliate.do(chromedp.SetUploadFiles(`input[type=file]`, []string{awkwardXLSX(t, t.TempDir())}), chromedp.Click(`//button[contains(., "Check the file")]`, chromedp.BySearch))
	affiliate.says("Fix these rows")
	affiliate.do(chromedp.Click(`//div[contains(@class, "bar")]//button[contains(., "Publish")]`, chromedp.BySearch))
	affiliate.says("Published 1 change to harbour-lane")
}
