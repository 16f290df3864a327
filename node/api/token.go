package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Token reads the bearer token of the loopback listener from a file, and makes it on first use. A file
// that others may read is refused: it is as good as no token.
func Token(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		token := rand.Text()
		_, err := io.WriteString(f, token+"\n")
		if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
			return "", fmt.Errorf("write the API token: %w", err)
		}
		return token, nil
	}
	if !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the API token: %w", err)
	}
	return readToken(path)
}

func readToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the API token: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", Fail(Failed, "others may read the API token "+path, "delete the file: a new token is made at the next start")
	}
	b, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return "", err
	}
	token := strings.TrimSpace(string(b))
	if len(token) < 26 {
		return "", Fail(Failed, "the API token in "+path+" is cut short", "delete the file: a new token is made at the next start")
	}
	return token, nil
}
