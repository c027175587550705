package network

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A Secret is a value that is never printed. Written down it is "env:NAME", "file:PATH" or the value
// itself.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return "(none)"
	}
	return "(hidden)"
}

// GoString hides the value, too.
func (s Secret) GoString() string { return s.String() }

// Resolve replaces a reference by what it refers to; a relative PATH is in dir.
func (s Secret) Resolve(dir string) (Secret, error) {
	if name, ok := strings.CutPrefix(string(s), "env:"); ok {
		value := os.Getenv(name)
		if value == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return Secret(value), nil
	}
	if path, ok := strings.CutPrefix(string(s), "file:"); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		value, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		return Secret(strings.TrimSpace(string(value))), nil
	}
	return s, nil
}

// IsReference reports whether a secret stands for another place instead of being the value itself.
func IsReference(value string) bool {
	return strings.HasPrefix(value, "env:") || strings.HasPrefix(value, "file:")
}
