//go:build english

package encoder

// NewMultilingual returns nil: this build has the English model alone.
func NewMultilingual() (*Encoder, error) { return nil, nil }
