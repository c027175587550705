package faqfile

import (
	"fmt"
	"slices"
	"unicode/utf8"

	"faqbot/knowledge/limits"
)

// noFollowUps is what a file says of an entry that shall have none: an empty field leaves them as they are.
const noFollowUps = "-"

// readFollowUps reads the ids of entries to suggest, and says what was left out. It is nil if the field says nothing.
func readFollowUps(cell string) (keys []string, many string) {
	if cell == noFollowUps {
		return []string{}, ""
	}
	for _, key := range splitVariants(cell) {
		if key = oneLine(key); key != "" && utf8.RuneCountInString(key) <= limits.MaxKey && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	if len(keys) > limits.MaxFollowUps {
		keys, many = keys[:limits.MaxFollowUps], fmt.Sprintf("At most %d entries can be suggested after an answer; the first were kept.", limits.MaxFollowUps)
	}
	return keys, many
}

// followUpsValue is the cell that a value of JSON stands for.
func followUpsValue(value any) string {
	if _, list := value.([]any); list {
		return jsonList(valueList(value))
	}
	return valueText(value)
}
