package reconcile_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"longear/protocol/reconcile"
)

// exampleKey returns key i of the worked example in SPEC.md: a text, one second after the one before.
func exampleKey(i byte) reconcile.Key {
	return reconcile.NewKey(1, 1_790_000_000_000+1000*uint64(i), sha256.Sum256([]byte{i}))
}

// TestWorkedExample replays the example of SPEC.md, "Reconciliation messages", byte by byte.
func TestWorkedExample(t *testing.T) {
	var keysA, keysB []reconcile.Key
	for i := range byte(21) {
		if i != 20 {
			keysA = append(keysA, exampleKey(i))
		}
		if i != 7 {
			keysB = append(keysB, exampleKey(i))
		}
	}
	setA, setB := reconcile.NewMem(keysA), reconcile.NewMem(keysB)
	root := rootOf(t, setA)
	if got, want := hex.EncodeToString(root[:]), exampleRoot; got != want {
		t.Errorf("root hash is %s, want %s", got, want)
	}
	salt := reconcile.Salt{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	a := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	b := reconcile.NewSession(reconcile.Config{Salt: salt})
	msg, err := a.Start(setA)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range exampleMessages {
		if got := hex.EncodeToString(msg); got != want {
			t.Errorf("message %d is %s, want %s", i+1, got, want)
		}
		to, set := b, setB
		if i%2 == 1 {
			to, set = a, setA
		}
		if msg, _, err = to.Receive(set, msg); err != nil {
			t.Fatal(err)
		}
	}
	if msg != nil {
		t.Errorf("one more message: %x", msg)
	}
	if got, want := hex.EncodeToString(reconcile.AppendWants(nil, a.Wants())), exampleWantsA; got != want {
		t.Errorf("the initiator wants %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(reconcile.AppendWants(nil, b.Wants())), exampleWantsB; got != want {
		t.Errorf("the other wants %s, want %s", got, want)
	}
}

const (
	exampleRoot   = "89a9ffca90a0318dbc2cba8ea7f2775dfc888c52cb09410c5a1baf1c84a6fca2"
	exampleWantsA = "1f000a101a0c450b0181299df0"
	exampleWantsB = "1f000a101a0c4508011208491a"
)

var exampleMessages = []string{
	"0000143d00bec607f0ef13c9219aef5106bb89",
	"002009101a0c4500400fc00fc09f0901b0034f5bcf837c03840781299df081a0048472b82f40c1c14e6514077ce61ee6ca8190040cdc22b22c584698df0a0a2ff16b9e72818003120276d15d3e84b786cb269a817004ab49533392d365bf162007df3004174e8160020db43a68e9e20748",
	"00bf000a101a0c4508011208491a",
}
