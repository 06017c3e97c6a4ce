package admin

import (
	"encoding/json"
	"regexp"
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
	// token is what is recognised as a token wherever it stands.
	token = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.?[A-Za-z0-9_-]*`)
)

// maskText hides secrets in the text of JSON, which may have been cut.
func maskText(s string) string {
	s = secretField.ReplaceAllString(s, `$1"`+hidden+`"`)
	return token.ReplaceAllString(s, hidden)
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
