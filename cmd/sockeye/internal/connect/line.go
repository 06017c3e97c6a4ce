package connect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxFile is the largest file that @file sends.
const maxFile = 64 << 20

// A line is a command as it is typed: a word, and what comes behind it.
type line struct {
	command string
	rest    string
}

func parseLine(text string) line {
	text = strings.TrimSpace(text)
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return line{text[:i], strings.TrimSpace(text[i:])}
	}
	return line{text, ""}
}

// name takes the name of an event from the beginning of text: one word, or more
// in quotes.
func name(text string) (string, string, error) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if text == "" {
		return "", "", errors.New("an event needs a name")
	}
	if text[0] == '"' || text[0] == '\'' {
		v, rest, err := value(text)
		if err != nil {
			return "", "", err
		}
		return v.(string), rest, nil
	}
	word, rest := cutWord(text)
	return word, rest, nil
}

// values reads arguments: JSON values; words without quotes, which are strings;
// words in single quotes; and @file, which is the file's bytes.
func values(text string) ([]any, error) {
	var list []any
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if text == "" {
			return list, nil
		}
		v, rest, err := value(text)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		text = rest
	}
}

func value(text string) (v any, rest string, err error) {
	switch text[0] {
	case '{', '[', '"':
		return jsonValue(text)
	case '\'':
		end := strings.IndexByte(text[1:], '\'')
		if end < 0 {
			return nil, "", errors.New("a single quote is not closed")
		}
		return text[1 : 1+end], text[2+end:], apart(text[2+end:])
	case '@':
		path, rest := cutWord(text[1:])
		if strings.HasPrefix(text[1:], `"`) || strings.HasPrefix(text[1:], "'") {
			quoted, after, err := value(text[1:])
			if err != nil {
				return nil, "", err
			}
			path, rest = quoted.(string), after
		}
		b, err := readFile(path)
		return b, rest, err
	}
	word, rest := cutWord(text)
	if strings.HasPrefix(word, `\@`) {
		return word[1:], rest, nil
	}
	if v, ok := scalar(word); ok {
		return v, rest, nil
	}
	return word, rest, nil
}

func cutWord(text string) (word, rest string) {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}

func apart(rest string) error {
	if r, _ := utf8.DecodeRuneInString(rest); rest != "" && !unicode.IsSpace(r) {
		return fmt.Errorf("a space is missing before %q", first(rest))
	}
	return nil
}

func first(s string) string {
	if len(s) > 20 {
		return s[:20] + "…"
	}
	return s
}

func jsonValue(text string) (any, string, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, "", fmt.Errorf("%s is not complete: a quote or a bracket is missing", first(text))
		}
		return nil, "", fmt.Errorf("%s is no JSON (%v): names and strings in it need double quotes", first(text), err)
	}
	rest := text[dec.InputOffset():]
	return numbers(v), rest, apart(rest)
}

// scalar reads a word that is a JSON number, true, false or null.
func scalar(word string) (any, bool) {
	dec := json.NewDecoder(strings.NewReader(word))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil || dec.InputOffset() != int64(len(word)) {
		return nil, false
	}
	return numbers(v), true
}

// numbers makes integers of the numbers that are, so that a large id is sent as
// it was typed.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String() // larger than any number: it goes as text
		}
		return f
	case []any:
		for i := range v {
			v[i] = numbers(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = numbers(v[k])
		}
	}
	return v
}

func readFile(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New(`@ needs the name of a file; the text "@" is written \@`)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	n, err := b.ReadFrom(io.LimitReader(f, maxFile+1))
	if err == nil && n > maxFile {
		err = fmt.Errorf("%s has more than %d MB", path, maxFile>>20)
	}
	return b.Bytes(), err
}
