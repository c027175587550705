package knowledge

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAmong(t *testing.T) {
	args := []any{"before"}
	require.Equal(t, `1 = 0`, Among(nil, &args), "no affiliate named means none")
	require.Equal(t, `1 = 1`, Among([]AffiliateID{"a", Everyone}, &args))
	require.Len(t, args, 1, "Postgres refuses parameters that nothing uses")
	require.Equal(t, `affiliate IN ($2, $3)`, Among([]AffiliateID{"a", "b"}, &args))
	require.Equal(t, []any{"before", "a", "b"}, args)
}
