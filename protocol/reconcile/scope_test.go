package reconcile_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol/reconcile"
)

func TestScopeView(t *testing.T) {
	scopes := map[string]reconcile.Scope{
		"everything":       {},
		"a day back":       {Floor: start},
		"in the middle":    {Floor: start + day/2, Ranks: 0b111},
		"text only":        {Ranks: 0b010},
		"recent alerts":    {Floor: start + day - 1, Ranks: 0b001},
		"no such rank":     {Ranks: 0b1000},
		"later than all":   {Floor: start + 30*day},
		"later than times": {Floor: 1<<64 - 1},
		"epoch":            {Floor: 1, Ranks: 0b101},
	}
	for name, scope := range scopes {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(4) {
				rng := rand.New(rand.NewPCG(seed, 1))
				var keys, scoped []reconcile.Key
				for range 1 << (3 * (seed + 1)) {
					k := reconcile.NewKey(uint8(rng.IntN(3)), start-2*day+rng.Uint64N(4*day), randomID(rng))
					keys = append(keys, k)
					if scope.Contains(k) {
						scoped = append(scoped, k)
					}
				}
				compareViews(t, scope.View(reconcile.NewMem(keys)), reconcile.NewMem(scoped), keys)
			}
		})
	}
}

// compareViews checks that got and want are alike in every prefix of every key.
func compareViews(t *testing.T, got, want reconcile.Nodes, keys []reconcile.Key) {
	t.Helper()
	seen := map[reconcile.Prefix]bool{}
	for _, k := range keys {
		for n := range 14 {
			p := k.Prefix(n)
			if seen[p] {
				continue
			}
			seen[p] = true
			g, gok, err := got.Node(p)
			if err != nil {
				t.Fatal(err)
			}
			w, wok, _ := want.Node(p)
			if g != w || gok != wok {
				t.Fatalf("node %v: %v, want %v", p, gok, wok)
			}
			if gk, wk := collect(t, got, p), collect(t, want, p); !slices.Equal(gk, wk) {
				t.Fatalf("keys under %v: %d, want %d", p, len(gk), len(wk))
			}
		}
	}
}

func collect(tb testing.TB, n reconcile.Nodes, p reconcile.Prefix) (keys []reconcile.Key) {
	tb.Helper()
	for k, err := range n.Keys(p) {
		if err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

func TestScopeCost(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var keys []reconcile.Key
	for range 100_000 {
		keys = append(keys, reconcile.NewKey(uint8(rng.IntN(3)), start+rng.Uint64N(7*day), randomID(rng)))
	}
	c := &counted{Nodes: reconcile.NewMem(keys)}
	view := reconcile.Scope{Floor: start + 3*day}.View(c)
	if _, ok, err := view.Node(reconcile.Prefix{}); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if c.nodes > 1+3*7 || c.keys != 0 {
		t.Errorf("the root of a view took %d node loads and %d keys", c.nodes, c.keys)
	}
	before := c.nodes
	if _, ok, _ := view.Node(reconcile.Prefix{}); !ok || c.nodes != before {
		t.Error("the root was computed twice")
	}
}

func TestScopeMeet(t *testing.T) {
	a := reconcile.Scope{Floor: 5, Ranks: 0b011}
	b := reconcile.Scope{Floor: 9}
	if got, ok := a.Meet(b); !ok || got != (reconcile.Scope{Floor: 9, Ranks: 0b011}) {
		t.Errorf("met in %v, %v", got, ok)
	}
	if _, ok := a.Meet(reconcile.Scope{Ranks: 0b100}); ok {
		t.Error("disjoint ranks meet")
	}
}

// TestScopedSync reconciles a phone that wants only what is new with a hub that has everything.
func TestScopedSync(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	scope := reconcile.Scope{Floor: start + 3*day, Ranks: 0b011}
	old := randomKeys(rng, 5000, start-5*day, 5*day)
	common := randomKeys(rng, 3000, start+4*day, day)
	a, b := newPair(append(randomKeys(rng, 50, start+4*day, day), common...), slices.Concat(old, common, randomKeys(rng, 70, start+4*day, day)), nil, nil)
	a.scope, b.scope = scope, scope
	if r := sync(t, a, b); r.moved != 120 || r.doubles != 0 {
		t.Fatalf("moved %d, doubles %d", r.moved, r.doubles)
	}
	if a.set.Len() != 3120 || b.set.Len() != 8120 {
		t.Fatalf("sets of %d and %d", a.set.Len(), b.set.Len())
	}
	if r := sync(t, a, b); r.bytes > 24 {
		t.Errorf("equal scoped sets cost %d bytes", r.bytes)
	}
}
