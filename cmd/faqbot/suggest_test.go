package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"faqbot/bot"
	"faqbot/knowledge"
	"faqbot/knowledge/sqldb/sqldbtest"
)

// A visitor is offered questions in their language, one of each topic first, and as many where there are no topics.
func TestSuggestedQuestions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "faq.csv"), []byte(`id,language,topic,question,answer
a,en,,When am I paid?,Monthly.
b,en,,How do I join?,With the form.
c,en,,Where is my link?,In the menu.
d,en,,What is a cookie?,A file.
e,es,pagos,¿Cuándo cobro?,Cada mes.
f,es,pagos,¿Cuánto cobro?,Según el plan.
g,es,cuenta,¿Cómo me uno?,Con el formulario.
`), 0o600))
	g, _ := openGallery(t, sqldbtest.SQLite(t), "", dir, "")
	suggest := func(locale string) []string {
		return g.service.suggest(t.Context(), bot.Account{Affiliates: []knowledge.AffiliateID{"shop"}}, locale)
	}
	require.Equal(t, []string{"When am I paid?", "How do I join?", "Where is my link?"}, suggest("en-GB"))
	require.Equal(t, []string{"¿Cuándo cobro?", "¿Cómo me uno?", "¿Cuánto cobro?"}, suggest("es"))
	require.Len(t, suggest("de"), 3, "better in another language than none")
}
