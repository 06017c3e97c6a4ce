package admin

import (
	"encoding/json"
	"regexp"
	"strings"
)

// hidden stands in the place of what is not for other eyes.
const hidden = "•••"

// secretName is how the names of secrets look.
const secretName = `(?i:[^"]*(?:token|secret|passw|pwd|authori[sz]ation|cookie|api[-_]?key|session|credential|private|jwt)[^"]*|sid|pin|auth)`

var (
	secretKey = regexp.MustCompile(`^` + secretName + `$`)
	// secretField is one in the text of JSON, with its value if that is a string or a
	// number.
	secretField = regexp.MustCompile(`("` + secretName + `"\s*:\s*)("(?:[^"\\]|\\.)*"?|-?[0-9][-+.eE0-9]*)`)
	// secretInside is one whose value is an object or a list, up to where that begins.
	secretInside = regexp.MustCompile(`"` + secretName + `"\s*:\s*[\[{]`)
	// token is what is recognised as a token wherever it stands.
	token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*`)
)

// maskText hides secrets in the text of JSON, which may have been cut.
func maskText(s string) string {
	s = maskInside(s)
	s = secretField.ReplaceAllString(s, `$1"`+hidden+`"`)
	return token.ReplaceAllString(s, hidden)
}

// maskInside hides the objects and lists that are named like secrets.
func maskInside(s string) string {
	var b strings.Builder
	for {
		at := secretInside.FindStringIndex(s)
		if at == nil {
			b.WriteString(s)
			return b.String()
		}
		begin := at[1] - 1
		b.WriteString(s[:begin])
		b.WriteString(`"` + hidden + `"`)
		s = s[begin+nested(s[begin:]):]
	}
}

// nested returns how long the object or list is that s begins with; all of s, if
// it was cut.
func nested(s string) int {
	depth, text := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case text && c == '\\':
			i++
		case c == '"':
			text = !text
		case text:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(s)
}

// mask hides the secrets in a value of JSON: what is named like one, and what
// looks like a token. With all, every string and number is one.
func mask(v any, all bool) any {
	switch v := v.(type) {
	case map[string]any:
		for k, child := range v {
			v[k] = mask(child, all || secretKey.MatchString(k))
		}
	case []any:
		for i, child := range v {
			v[i] = mask(child, all)
		}
	case string:
		if all {
			if v == "" {
				return v
			}
			return hidden
		}
		return token.ReplaceAllString(v, hidden)
	case float64:
		if all {
			return hidden
		}
	}
	return v
}

// masked is mask for what is encoded.
func masked(raw json.RawMessage, all bool) any {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return mask(v, all)
}
