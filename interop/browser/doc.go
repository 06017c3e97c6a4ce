// Package browser drives the demo in a real Chromium. It is a module of its own
// so that nobody else needs what drives the browser.
package browser
