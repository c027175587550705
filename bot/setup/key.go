package setup

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"faqbot/bot"
)

// ErrNoKey means that the key of the secrets is not where it should be.
var ErrNoKey = errors.New("the key of the accounts' secrets is not there")

// OpenVault opens the vault whose key is at where: "env:NAME", a variable that holds it, or the path of
// a file. fresh has a missing file made, readable by us alone; with secrets in the database already, a
// new key would be of no use. A missing one is else an ErrNoKey.
func OpenVault(where string, fresh bool) (*bot.Vault, error) {
	text, err := readKey(where)
	if errors.Is(err, ErrNoKey) && fresh && !strings.HasPrefix(where, "env:") {
		if err = makeKey(where); err == nil {
			text, err = readKey(where)
		}
	}
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil || len(key) != bot.VaultKeySize {
		return nil, fmt.Errorf("the key in %s is malformed: it must be %d bytes in base64, as `openssl rand -base64 %d` makes them", where, bot.VaultKeySize, bot.VaultKeySize)
	}
	return bot.NewVault(key)
}

func readKey(where string) (string, error) {
	if name, ok := strings.CutPrefix(where, "env:"); ok {
		if text := os.Getenv(name); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("%w: the environment variable %s is not set", ErrNoKey, name)
	}
	text, err := os.ReadFile(where)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNoKey, where)
	}
	if err != nil {
		return "", fmt.Errorf("read the key of the accounts' secrets: %w", err)
	}
	return string(text), nil
}

// makeKey writes a new key, whole or not at all, unless somebody else just did.
func makeKey(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".faqbot-key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("make the key of the accounts' secrets: %w", err)
	}
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(bot.NewVaultKey()) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Link(f.Name(), path)
	}
	if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err = errors.Join(err, os.Remove(f.Name())); err != nil {
		return fmt.Errorf("make the key of the accounts' secrets: %w", err)
	}
	return nil
}
