package store

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"longear/protocol"
)

// identityFile holds the keys of the person. It lies outside the database: it must survive whatever happens to that.
const identityFile = "identity.json"

// Identity is who the person at this node is: the key that signs and the key that opens direct messages.
type Identity struct {
	Author ed25519.PrivateKey
	Seal   *protocol.SealKey
}

// savedIdentity is the file.
type savedIdentity struct {
	Version int    `json:"version"`
	Seed    []byte `json:"author_seed"`
	Seal    []byte `json:"seal_key"`
}

const identityVersion = 1

// NewIdentity makes fresh keys.
func NewIdentity() (Identity, error) {
	_, author, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("new identity: %w", err)
	}
	seal, err := protocol.NewSealKey()
	if err != nil {
		return Identity{}, fmt.Errorf("new identity: %w", err)
	}
	return Identity{author, seal}, nil
}

// LoadIdentity reads the identity kept in a folder, and makes one if there is none. See [ErrExposed], [ErrDamaged].
func LoadIdentity(dir string) (Identity, error) {
	path := filepath.Join(dir, identityFile)
	b, err := readPrivate(path)
	if errors.Is(err, os.ErrNotExist) {
		return createIdentity(path)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("load identity: %w", err)
	}
	id, err := ParseIdentity(b)
	if err != nil {
		return Identity{}, fmt.Errorf("load identity: %s: %w: restore it from a backup, or move it away to start as somebody new", path, err)
	}
	return id, nil
}

func createIdentity(path string) (Identity, error) {
	id, err := NewIdentity()
	if err != nil {
		return Identity{}, err
	}
	b, err := id.Encode()
	if err == nil {
		err = writePrivate(path, b)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("save identity: %w", err)
	}
	return id, nil
}

// SaveIdentity puts an identity into a folder. One that is there already is kept beside it, and its new path returned; empty if there
// was none.
func SaveIdentity(dir string, id Identity) (aside string, err error) {
	b, err := id.Encode()
	if err != nil {
		return "", fmt.Errorf("save identity: %w", err)
	}
	path := filepath.Join(dir, identityFile)
	if _, err := os.Lstat(path); err == nil {
		if aside, err = moveAside(path); err != nil {
			return "", fmt.Errorf("save identity: %w", err)
		}
	}
	if err := writePrivate(path, b); err != nil {
		return aside, fmt.Errorf("save identity: %w", err)
	}
	return aside, nil
}

// moveAside gives a file the first free name beside it.
func moveAside(path string) (string, error) {
	for n := 1; ; n++ {
		aside := fmt.Sprintf("%s.old-%d", path, n)
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			return aside, os.Rename(path, aside)
		}
	}
}

// Encode is the identity as it is kept in its file and in backups. It is the person's whole secret.
func (id Identity) Encode() ([]byte, error) {
	if len(id.Author) != ed25519.PrivateKeySize || id.Seal == nil {
		return nil, errors.New("the identity lacks a key")
	}
	seal, err := id.Seal.Bytes()
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(savedIdentity{identityVersion, id.Author.Seed(), seal}, "", "  ")
}

// ParseIdentity reads what Encode wrote; [ErrDamaged] for anything else.
func ParseIdentity(b []byte) (Identity, error) {
	var f savedIdentity
	if err := json.Unmarshal(b, &f); err != nil {
		return Identity{}, ErrDamaged
	}
	if f.Version > identityVersion {
		return Identity{}, errors.New("a later version of longear wrote it")
	}
	if f.Version != identityVersion || len(f.Seed) != ed25519.SeedSize {
		return Identity{}, ErrDamaged
	}
	seal, err := protocol.ParseSealKey(f.Seal)
	if err != nil {
		return Identity{}, ErrDamaged
	}
	return Identity{ed25519.NewKeyFromSeed(f.Seed), seal}, nil
}

// String is the author, so that printing an identity by mistake gives nothing away.
func (id Identity) String() string { return protocol.AuthorOf(id.Author).String() }

// GoString is the author.
func (id Identity) GoString() string { return id.String() }
