package doctor

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf16"
)

// separator stands between the packets of a payload in revision 4.
const separator = "\x1e"

// packets takes the body of a poll apart. What is no payload has none.
func packets(rev int, body string) []string {
	if rev >= 4 {
		if body == "" {
			return nil
		}
		return strings.Split(body, separator)
	}
	var list []string
	for body != "" {
		digits, rest, found := strings.Cut(body, ":")
		n, err := strconv.Atoi(digits)
		if !found || err != nil || n <= 0 {
			return list
		}
		size := prefixOf(rest, n)
		if size < 0 {
			return list
		}
		list = append(list, rest[:size])
		body = rest[size:]
	}
	return list
}

// prefixOf returns the bytes of the first n UTF-16 units of s, by which revision 3
// counts; -1 if there are fewer.
func prefixOf(s string, n int) int {
	for i, r := range s {
		if n <= 0 {
			return i
		}
		n -= max(utf16.RuneLen(r), 1)
	}
	if n == 0 {
		return len(s)
	}
	return -1
}

func payload(rev int, list ...string) string {
	if rev >= 4 {
		return strings.Join(list, separator)
	}
	var b strings.Builder
	for _, packet := range list {
		b.WriteString(strconv.Itoa(len(utf16.Encode([]rune(packet)))) + ":" + packet)
	}
	return b.String()
}

func readHandshake(packet string) (*handshake, error) {
	text, found := strings.CutPrefix(packet, "0")
	if !found {
		return nil, errors.New("it is no open packet")
	}
	h := new(handshake)
	if err := json.Unmarshal([]byte(text), h); err != nil {
		return nil, err
	}
	if h.SID == "" {
		return nil, errors.New("it has no sid")
	}
	return h, nil
}

// start is the beginning of an answer, for people.
func start(body string) string {
	body = strings.Join(strings.Fields(body), " ")
	if len(body) > 100 {
		return strings.ToValidUTF8(body[:100], "") + "…"
	}
	return body
}
