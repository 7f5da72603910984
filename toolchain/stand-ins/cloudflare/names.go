package cloudflare

import (
	"strings"
	"unicode"
)

// snake turns the SDK's flattenCname into the API's flatten_cname.
func snake(name string) string {
	var out strings.Builder
	for _, letter := range name {
		if unicode.IsUpper(letter) {
			out.WriteByte('_')
		}
		out.WriteRune(unicode.ToLower(letter))
	}
	return out.String()
}

// camel is the inverse of snake.
func camel(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		if word != "" {
			words[i+1] = strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return strings.Join(words, "")
}

// rename spells every key within a JSON value anew.
func rename(value any, spell func(string) string) any {
	switch value := value.(type) {
	case map[string]any:
		fields := map[string]any{}
		for name, field := range value {
			fields[spell(name)] = rename(field, spell)
		}
		return fields
	case []any:
		items := make([]any, len(value))
		for i, item := range value {
			items[i] = rename(item, spell)
		}
		return items
	default:
		return value
	}
}
