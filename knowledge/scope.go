package knowledge

import (
	"fmt"
	"slices"
	"strings"
)

// Among is the SQL condition that a row's column affiliate is one of list: none if the list is
// empty, any with Everyone. Its parameters join args.
func Among(list []AffiliateID, args *[]any) string {
	if slices.Contains(list, Everyone) {
		return `1 = 1`
	}
	if len(list) == 0 {
		return `1 = 0`
	}
	marks := make([]string, len(list))
	for i, a := range list {
		*args = append(*args, string(a))
		marks[i] = fmt.Sprintf("$%d", len(*args))
	}
	return `affiliate IN (` + strings.Join(marks, ", ") + `)`
}
