//go:build linux

package hosts_test

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"longear/protocol"
)

// readInventory reads a carry file: the SHA-256 of each message's bytes, by ID. Every signature is verified.
func readInventory(path string) (map[string][32]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := make(map[string][32]byte)
	for r, err := range protocol.ReadCarry(f) {
		if err != nil {
			return nil, err
		}
		m, verdict := protocol.Open(r.Wire)
		if verdict != protocol.Accept {
			return nil, fmt.Errorf("message %d: %v", len(all)+1, verdict)
		}
		all[m.ID.String()] = sha256.Sum256(r.Wire)
	}
	return all, nil
}

// sameInventory checks that two stores hold the same bytes.
func sameInventory(t *testing.T, x *host, atX map[string][32]byte, y *host, atY map[string][32]byte) {
	t.Helper()
	if maps.Equal(atX, atY) {
		return
	}
	ids := slices.Sorted(maps.Keys(atX))
	t.Errorf("%s has %d messages, %s has %d; %d are missing at %s, bytes differ in %d", x.name, len(atX), y.name, len(atY),
		len(lost(ids, atY)), y.name, len(differing(ids, atX, atY)))
}

func differing(ids []string, atX, atY map[string][32]byte) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		y, ok := atY[id]
		return !ok || y == atX[id]
	})
}
