package page_test

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/page"
)

// A spreadsheet shows what somebody wrote, and runs none of it.
func TestCSV(t *testing.T) {
	w := httptest.NewRecorder()
	page.CSV(w, "audit.csv", [][]string{{"by", "object"}, {"=1+1", `a "b", c`}, {"-2", "@x"}, {"", "x=1"}})
	require.Equal(t, "by,object\n'=1+1,\"a \"\"b\"\", c\"\n'-2,'@x\n,x=1\n", w.Body.String())
	require.Equal(t, `attachment; filename="audit.csv"`, w.Header().Get("Content-Disposition"))
	require.Equal(t, "text/csv; charset=utf-8", w.Header().Get("Content-Type"))
}
