package vault

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// ErrNoKey means that the key of the secrets is not where it should be.
var ErrNoKey = errors.New("the key of the secrets is not there")

// maxKeys is how many keys a key file may hold: the one that seals and the one that it replaced.
const maxKeys = 2

// maxKeyFile is the largest key file that is read, in bytes.
const maxKeyFile = 4 << 10

// envPrefix begins the name of an environment variable that holds the key.
const envPrefix = "env:"

// Load opens the vault whose key is at where: the path of a file, or "env:NAME", a variable. The keys are
// in base64 with white space between, the newest first. A missing key is an ErrNoKey.
func Load(where string) (*Vault, error) {
	keys, err := readKeys(where)
	if err != nil {
		return nil, err
	}
	return New(keys...)
}

// LoadOrMake is Load, but makes a missing key file, readable by its owner alone. Call it only if nothing is
// sealed yet: a new key opens nothing that an old one sealed. Of two processes that make the file at the
// same time, both load the same key.
func LoadOrMake(where string) (*Vault, error) {
	v, err := Load(where)
	if errors.Is(err, ErrNoKey) && !strings.HasPrefix(where, envPrefix) {
		if err = writeKeys(where, [][]byte{NewKey()}, os.Link); err == nil || errors.Is(err, fs.ErrExist) {
			return Load(where)
		}
	}
	return v, err
}

// AddKey puts a new key before the one in the file at where, which goes on opening what it sealed; a key
// older than that is dropped. The file is replaced as a whole.
func AddKey(where string) error {
	if strings.HasPrefix(where, envPrefix) {
		return fmt.Errorf("the key is in the environment variable %s, which only you can set: put a new key, as `openssl rand -base64 %d` makes them, and a space before the old one",
			strings.TrimPrefix(where, envPrefix), KeySize)
	}
	keys, err := readKeys(where)
	if err != nil {
		return err
	}
	return writeKeys(where, [][]byte{NewKey(), keys[0]}, os.Rename)
}

// WriteFile writes the text of a key file to a new file at path; it is an error if there is one already.
func WriteFile(path, text string) error {
	keys, err := parseKeys(path, text)
	if err != nil {
		return err
	}
	return writeKeys(path, keys, os.Link)
}

// ReadText returns the text of the key file or variable at where.
func ReadText(where string) (string, error) {
	if name, ok := strings.CutPrefix(where, envPrefix); ok {
		if text := os.Getenv(name); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("%w: the environment variable %s is not set", ErrNoKey, name)
	}
	f, err := os.Open(where)
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("%w: %s", ErrNoKey, where)
	}
	if err != nil {
		return "", fmt.Errorf("read the key of the secrets: %w", err)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return "", fmt.Errorf("read the key of the secrets: %w", err)
	}
	if len(text) > maxKeyFile {
		return "", malformed(where)
	}
	return string(text), nil
}

func readKeys(where string) ([][]byte, error) {
	text, err := ReadText(where)
	if err != nil {
		return nil, err
	}
	return parseKeys(where, text)
}

func parseKeys(where, text string) (keys [][]byte, err error) {
	for _, word := range strings.Fields(text) {
		key, err := base64.StdEncoding.DecodeString(word)
		if err != nil || len(key) != KeySize || len(keys) == maxKeys {
			return nil, malformed(where)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, malformed(where)
	}
	return keys, nil
}

func malformed(where string) error {
	return fmt.Errorf("the key in %s is malformed: it must be %d bytes in base64, as `openssl rand -base64 %d` makes them, and at most %d of them, the newest first",
		where, KeySize, KeySize, maxKeys)
}

// writeKeys writes a key file, whole or not at all: place moves the finished file to its path. os.Link
// fails where there is a file, os.Rename replaces it.
func writeKeys(path string, keys [][]byte, place func(from, to string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".faqbot-key-*") // mode 0600, whatever the umask
	if err != nil {
		return fmt.Errorf("write the key of the secrets: %w", err)
	}
	var lines strings.Builder
	for _, key := range keys {
		lines.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	}
	_, err = f.WriteString(lines.String())
	err = errors.Join(err, f.Chmod(0o600), f.Sync(), f.Close())
	if err == nil {
		err = place(f.Name(), path)
	}
	if removing := os.Remove(f.Name()); !errors.Is(removing, fs.ErrNotExist) {
		err = errors.Join(err, removing)
	}
	if err == nil {
		err = SyncFolder(filepath.Dir(path))
	}
	if err != nil {
		return fmt.Errorf("write the key of the secrets: %w", err)
	}
	return nil
}

// SyncFolder makes the names in a folder survive a power cut. Windows has no such call.
func SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
