package browser

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium starts the browser, which ends with the test. Without
// SOCKEYE_PARTS=all the test is skipped; with it, a missing browser fails.
func chromium(t *testing.T) context.Context {
	t.Helper()
	if os.Getenv("SOCKEYE_PARTS") != "all" {
		t.Skip("needs Chromium: set SOCKEYE_PARTS=all")
	}
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium found")
	}
	// Not t.TempDir: Chromium's helpers outlive it by a moment and may still
	// write while the folder is taken away, which must not fail the test.
	profile, err := os.MkdirTemp("", "sockeye-chromium-")
	if err != nil {
		t.Fatal(err)
	}
	var started *exec.Cmd
	t.Cleanup(func() {
		if started != nil && started.Process != nil {
			_ = syscall.Kill(-started.Process.Pid, syscall.SIGKILL)
		}
		_ = os.RemoveAll(profile)
	})
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(profile),
		chromedp.ModifyCmdFunc(func(cmd *exec.Cmd) {
			// A group of its own, so that the helpers end with the test.
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
			started = cmd
		}),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.WSURLReadTimeout(60*time.Second))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	// It complains of events that are newer than it is.
	ctx, cancel = chromedp.NewContext(ctx, chromedp.WithErrorf(t.Logf))
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = chromedp.Cancel(ctx) })
	return ctx
}

// A tab is a page of the browser, with what its console complained of.
type tab struct {
	t   *testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

func openTab(t *testing.T, browser context.Context, url string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(ev any) {
		p.mu.Lock()
		defer p.mu.Unlock()
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			p.complaints = append(p.complaints, "exception: "+e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				p.complaints = append(p.complaints, fmt.Sprint("console: ", e.Args))
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				p.complaints = append(p.complaints, "log: "+e.Entry.Text+" "+e.Entry.URL)
			}
		}
	})
	// The tab lives as long as the context of the first Run.
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	p.run("open "+url, log.Enable(), runtime.Enable(), chromedp.Navigate(url))
	return p
}

func (p *tab) run(what string, actions ...chromedp.Action) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 30*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		var body string
		ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
		defer cancel()
		_ = chromedp.Run(ctx, chromedp.Evaluate(`document.body.innerText`, &body))
		p.t.Fatalf("%s: %v\nthe page shows:\n%s\nthe console: %q", what, err, body, p.said())
	}
}

// until waits for a JavaScript expression to become true.
func (p *tab) until(what, expression string) {
	p.t.Helper()
	p.run(what, chromedp.Poll(expression, nil,
		// By time: the frames of a tab in the background stand still.
		chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(25*time.Second)))
}

// eventually waits for something on this side, as long as the page may take.
func (p *tab) eventually(what string, happened func() bool) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(25 * time.Second); !happened(); {
		select {
		case <-tick.C:
		case <-end:
			p.t.Fatalf("waited in vain for %s", what)
		}
	}
}

// shows waits for a text anywhere in an element.
func (p *tab) shows(id, text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("#%s to show %q", id, text),
		fmt.Sprintf(`document.getElementById(%q)?.innerText.includes(%q)`, id, text))
}

func (p *tab) value(expression string) (s string) {
	p.t.Helper()
	p.run(expression, chromedp.Evaluate(expression, &s))
	return s
}

func (p *tab) said() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.complaints...)
}

// quiet fails if the console complained of anything but what is expected.
func (p *tab) quiet(expected ...string) {
	p.t.Helper()
complaints:
	for _, c := range p.said() {
		for _, e := range expected {
			if strings.Contains(c, e) {
				continue complaints
			}
		}
		p.t.Errorf("the console says %s", c)
	}
}
