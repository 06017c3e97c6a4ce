package files

import (
	"embed"
	"net/http"

	"github.com/sockeye-go/socketio/examples/internal/site"
)

//go:embed page
var page embed.FS

// Page serves the page of the files.
func Page() http.Handler { return site.Page(page, "page") }
