package api

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"longear/protocol"
)

// letters remembers for whom this person's direct messages were, so that nobody but the reader can say that one
// was read. A direct message names nobody, not even to its author once it is sealed. The file must not tell whoever
// finds it either: it holds a keyed hash of message and reader, which only answers "was this one for that one?" to
// somebody who has the author's key and a name to try.
type letters struct {
	path string
	key  [sha256.Size]byte

	saving sync.Mutex // held while the file is written, so that the last list wins
	mu     sync.Mutex
	list   []letter // guarded by mu; oldest first, at most maxLetters; replaced, never changed
}

type letter struct {
	ID   string `json:"id"`
	Mark string `json:"mark"`
}

// maxLetters is how many are remembered: beyond it the oldest stay "carried by N" though they were read.
const maxLetters = 1024

// maxLettersFile bounds what is read: 1024 letters are under 130 kB.
const maxLettersFile = 1 << 20

func openLetters(path string, author ed25519.PrivateKey) (*letters, error) {
	mac := hmac.New(sha256.New, author.Seed())
	mac.Write([]byte("longear/1 letters\x00"))
	l := &letters{path: path}
	mac.Sum(l.key[:0])
	if path == "" {
		return l, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open letters: %w", err)
	}
	defer f.Close()
	if err := json.NewDecoder(io.LimitReader(f, maxLettersFile)).Decode(&l.list); err != nil {
		// Nothing depends on it but one word of display: start anew rather than refuse to start.
		l.list = nil
	}
	if len(l.list) > maxLetters {
		l.list = l.list[len(l.list)-maxLetters:]
	}
	return l, nil
}

func (l *letters) mark(id protocol.ID, reader protocol.Author) string {
	mac := hmac.New(sha256.New, l.key[:])
	mac.Write(id[:])
	mac.Write(reader[:])
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// wrote remembers a message and its reader.
func (l *letters) wrote(id protocol.ID, reader protocol.Author) error {
	l.saving.Lock()
	defer l.saving.Unlock()
	list := l.add(letter{ID: id.String(), Mark: l.mark(id, reader)})
	if l.path == "" {
		return nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return replaceFile(l.path, b)
}

func (l *letters) add(k letter) []letter {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.list = append(slices.Clone(l.list[max(0, len(l.list)+1-maxLetters):]), k)
	return l.list
}

// isFor reports whether a message of ours was for the reader.
func (l *letters) isFor(id protocol.ID, reader protocol.Author) bool {
	want := l.mark(id, reader)
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range l.list {
		if k.ID == id.String() {
			return subtle.ConstantTimeCompare([]byte(k.Mark), []byte(want)) == 1
		}
	}
	return false
}

// replaceFile writes a file that is whole at every moment, for its user alone.
func replaceFile(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return os.Rename(f.Name(), path)
}
