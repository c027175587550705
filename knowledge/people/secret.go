package people

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
)

// Secret returns the service's own secret of that name: 32 random bytes, made by whoever asks first
// and the same for every process from then on.
func (d *Directory) Secret(ctx context.Context, name string) ([]byte, error) {
	value, err := selectSecret(ctx, d.db, name)
	if errors.Is(err, ErrNotFound) {
		err = d.db.InTx(ctx, func(tx *sql.Tx) error {
			fresh := make([]byte, 32)
			rand.Read(fresh) // never fails
			return insertSecret(ctx, tx, name, fresh, d.now())
		})
		if err == nil { // ours, or that of somebody who was faster
			value, err = selectSecret(ctx, d.db, name)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", name, err)
	}
	return value, nil
}
