package console

import (
	"archive/zip"
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/knowledge/media"
)

// A lead takes all there is of a customer along, then erases them; nobody else may, and others stay.
func TestForgetCustomer(t *testing.T) {
	o := open(t)
	require.NoError(t, o.db.Migrate(t.Context(), media.Schema()))
	ana := o.ticket("acme", "ana")
	o.ticket("acme", "bert")
	at := "/desk/conversations/" + string(ana.Conversation)
	require.Equal(t, http.StatusForbidden, o.get("ann", at+"/forget").status)
	require.Equal(t, http.StatusForbidden, o.get("ann", at+"/export").status)
	require.Equal(t, http.StatusForbidden, o.do("ann", http.MethodPost, at+"/forget", nil).status)
	require.NotContains(t, o.get("ann", at).page.text(), "Data of this customer")

	require.Contains(t, o.get("lea", at).page.text(), "Data of this customer")
	ask := o.get("lea", at+"/forget")
	export := o.get("lea", ask.page.one(t, "a[download]").attr["href"])
	require.Equal(t, http.StatusOK, export.status)
	z, err := zip.NewReader(bytes.NewReader([]byte(export.body)), int64(len(export.body)))
	require.NoError(t, err)
	f, err := z.Open("customer.json")
	require.NoError(t, err)
	text, err := io.ReadAll(f)
	require.NoError(t, err)
	require.Contains(t, string(text), "/human")
	require.NotContains(t, string(text), "bert")

	done := o.submit("lea", ask, ".confirm form")
	require.Equal(t, http.StatusSeeOther, done.status, done.body)
	require.Contains(t, o.get("lea", done.location).page.text(), "The customer is erased.")
	require.Equal(t, http.StatusNotFound, o.get("lea", at).status)
	require.Equal(t, http.StatusNotFound, o.get("lea", "/desk/tickets/"+string(ana.ID)).status)
	require.Equal(t, []string{"bert"}, o.get("lea", "/desk").page.words("#rows .who"))
	require.Len(t, o.audit, 2)
}
