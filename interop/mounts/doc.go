// Package mounts shows the server under the routers that people use, and behind
// the proxy that they put in front of it.
package mounts
