//go:build !unix

package main

// lockFile locks nothing: systems without flock must see to it that one service runs on a file.
func lockFile(string) (unlock func() error, err error) {
	return func() error { return nil }, nil
}
