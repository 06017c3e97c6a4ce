package main

import (
	"errors"
	"net"
	"os"
)

// tellSystemd tells the one that has started this process how it is, by the protocol
// of sd_notify: "READY=1", "STOPPING=1". Where there is nobody to tell it does nothing.
func tellSystemd(state string) error {
	name := os.Getenv("NOTIFY_SOCKET") // with a @ first, one without a file
	if name == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return err
	}
	_, err = c.Write([]byte(state))
	return errors.Join(err, c.Close())
}
