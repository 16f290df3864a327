package reconcile_test

import (
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"longear/protocol/reconcile"
)

// converge syncs until both sides have the same keys, or fails after rounds. It returns the sum of the rounds.
func converge(tb testing.TB, a, b *side, rounds int) round {
	tb.Helper()
	var sum round
	for n := 1; ; n++ {
		r := sync(tb, a, b)
		sum.bytes, sum.wants, sum.steps = sum.bytes+r.bytes, sum.wants+r.wants, sum.steps+r.steps
		sum.moved, sum.doubles = sum.moved+r.moved, sum.doubles+r.doubles
		if slices.Equal(collect(tb, a.set, reconcile.Prefix{}), collect(tb, b.set, reconcile.Prefix{})) {
			return sum
		}
		if n == rounds {
			tb.Fatalf("not equal after %d rounds: %d and %d keys, last round %+v", n, a.set.Len(), b.set.Len(), r)
		}
		if !r.left {
			tb.Fatalf("round %d left sets unequal without saying so: %+v", n, r)
		}
	}
}

func TestSyncConverges(t *testing.T) {
	for name, makeKey := range keyMakers {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(60) {
				rng := rand.New(rand.NewPCG(seed, 9))
				some := func() (keys []reconcile.Key) {
					if rng.IntN(5) == 0 {
						return nil
					}
					for range rng.IntN(1 << rng.IntN(12)) {
						keys = append(keys, makeKey(rng))
					}
					return keys
				}
				common := some()
				a, b := newPair(append(some(), common...), append(some(), common...), nil, nil)
				rounds := 1
				if name == "shared prefixes" {
					rounds = 3 // a comb of ground IDs is deeper than a round is long
				}
				r := converge(t, a, b, rounds)
				if r.doubles != 0 {
					t.Fatalf("seed %d: %d keys went to a side that had them", seed, r.doubles)
				}
				if r = sync(t, a, b); r.bytes > 24 || r.steps != 2 || r.moved != 0 {
					t.Fatalf("seed %d: equal sets cost %+v", seed, r)
				}
			}
		})
	}
}

// TestSyncFarApart reconciles what cannot be told in one message: it takes several rounds, newest first.
func TestSyncFarApart(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	common := randomKeys(rng, 20_000, start, day)
	keysA := append(randomKeys(rng, 20_000, start, day), common...)
	keysB := append(randomKeys(rng, 20_000, start, day), common...)
	a, b := newPair(keysA, keysB, nil, nil)
	r := sync(t, a, b)
	if !r.left || r.moved == 0 {
		t.Fatalf("the first round: %+v", r)
	}
	newest := reconcile.NewKey(1, start+day-day/100, reconcile.ID{})
	for _, keys := range [][]reconcile.Key{keysA, keysB} {
		for _, k := range keys {
			if k.Compare(newest) > 0 && !(has(a.set, k) && has(b.set, k)) {
				t.Fatalf("the first round moved %d keys, but not the new %v", r.moved, k)
			}
		}
	}
	r = converge(t, a, b, 40)
	t.Logf("%+v", r)
	if a.set.Len() != 60_000 {
		t.Errorf("%d keys in the end", a.set.Len())
	}
}

// TestUrgentFirst: what fits in a round is the most urgent.
func TestUrgentFirst(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	a, b := newPair(nil, nil, nil, nil)
	for _, s := range []*side{a, b} {
		var keys []reconcile.Key
		for i := range 60_000 {
			keys = append(keys, reconcile.NewKey(uint8(min(2, i%40)), start+rng.Uint64N(day), randomID(rng)))
		}
		s.set = reconcile.NewMem(keys)
	}
	r := talk(t, a, b)
	if !r.left {
		t.Fatal("everything fit")
	}
	pulled := map[uint8]int{}
	for _, k := range pull(t, a, b, &r) {
		pulled[k.Rank()]++
	}
	if pulled[0] < 1450 || pulled[1] < 1450 {
		t.Errorf("pulled %v of 1500 alerts and 1500 texts", pulled)
	}
}

// TestSettles: two sides that refuse what the other keeps come to rest at one small exchange a round.
func TestSettles(t *testing.T) {
	for name, size := range map[string]int{"few": 3, "hundreds": 300, "more than a message holds": 20_000} {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 5))
			common := randomKeys(rng, 5000, start, day)
			onlyA, onlyB := randomKeys(rng, size, start, day), randomKeys(rng, size/2, start, day)
			a, b := newPair(append(slices.Clone(common), onlyA...), append(slices.Clone(common), onlyB...), onlyB, onlyA)
			rounds, cost := 0, 0
			for ; rounds < 60; rounds++ {
				r := sync(t, a, b)
				if r.moved != 0 || r.wants != 0 {
					t.Fatalf("round %d moved %d refused keys, wanted %d bytes", rounds, r.moved, r.wants)
				}
				if cost = r.bytes; cost <= 64 {
					break
				}
			}
			t.Logf("settled after %d rounds at %d bytes", rounds, cost)
			if cost > 64 {
				t.Fatalf("still %d bytes a round", cost)
			}
			// Something new is found, and what is settled elsewhere stays cheap.
			fresh := randomKeys(rng, 1, start+day, 1000)
			if err := a.set.Apply(fresh, nil); err != nil {
				t.Fatal(err)
			}
			r := sync(t, a, b)
			if !has(b.set, fresh[0]) {
				t.Fatal("a new key is hidden by what is settled")
			}
			t.Logf("a new key: %d bytes", r.bytes)
			// A new salt forgets.
			a.setSalt(reconcile.Salt{9})
			b.setSalt(reconcile.Salt{9})
			if r := sync(t, a, b); r.bytes <= 64 {
				t.Errorf("a new salt compared only %d bytes", r.bytes)
			}
		})
	}
}

// TestSettledDoesNotHide: refused keys fill round after round, and are settled in part while rounds are cut short. Whatever is not
// refused is found all the same by the time that the sides have come to rest.
func TestSettledDoesNotHide(t *testing.T) {
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 6))
		refused := randomKeys(rng, 60_000, start+day/2, day/2)
		common := randomKeys(rng, 20_000, start, day)
		onlyA := slices.Concat(randomKeys(rng, 20, start, day/2), randomKeys(rng, 20, start+day/2, day/2))
		onlyB := randomKeys(rng, 20, start, day)
		a, b := newPair(slices.Concat(common, onlyA, refused[:40_000]), slices.Concat(common, onlyB, refused[40_000:]), refused[40_000:], refused[:40_000])
		cut, rounds := 0, 0
		for ; ; rounds++ {
			r := sync(t, a, b)
			if r.bytes <= 64 {
				break
			}
			if r.left && r.moved == 0 {
				cut++
			}
			if rounds == 60 {
				t.Fatalf("no rest: %+v", r)
			}
		}
		for _, k := range onlyA {
			if !has(b.set, k) {
				t.Fatalf("seed %d: %v is hidden", seed, k)
			}
		}
		for _, k := range onlyB {
			if !has(a.set, k) {
				t.Fatalf("seed %d: %v is hidden", seed, k)
			}
		}
		t.Logf("at rest after %d rounds, %d of them quiet but cut short", rounds, cut)
	}
}

// TestForgedSums makes sets that an XOR, or a sum modulo 2^256, of IDs cannot tell from others, as somebody who chooses IDs
// freely can. All lie in one millisecond.
func TestForgedSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	key := func(id reconcile.ID) reconcile.Key { return reconcile.NewKey(1, start, id) }
	sum := func(ids []reconcile.ID) *big.Int {
		s := new(big.Int)
		for _, id := range ids {
			s.Add(s, new(big.Int).SetBytes(id[:]))
		}
		return s.Mod(s, new(big.Int).Lsh(big.NewInt(1), 256))
	}
	toID := func(n *big.Int) (id reconcile.ID) {
		n.Mod(n, new(big.Int).Lsh(big.NewInt(1), 256)).FillBytes(id[:])
		return id
	}
	// Two IDs moved apart by the same distance keep sum and number.
	a1, b1 := randomID(rng), randomID(rng)
	shift := big.NewInt(int64(rng.Uint32()) + 1)
	a2 := toID(new(big.Int).Add(new(big.Int).SetBytes(a1[:]), shift))
	b2 := toID(new(big.Int).Sub(new(big.Int).SetBytes(b1[:]), shift))
	if sum([]reconcile.ID{a1, b1}).Cmp(sum([]reconcile.ID{a2, b2})) != 0 {
		t.Fatal("the forged sums differ")
	}
	zero := xorToZero(rng)
	var x reconcile.ID
	for _, id := range zero {
		for i := range x {
			x[i] ^= id[i]
		}
	}
	if len(zero) < 2 || x != (reconcile.ID{}) {
		t.Fatal("the forged XOR is not zero")
	}
	var zeroKeys []reconcile.Key
	for _, id := range zero {
		zeroKeys = append(zeroKeys, key(id))
	}
	common := randomKeys(rng, 1000, start, 1)
	tables := map[string][2][]reconcile.Key{
		"equal sums":             {{key(a1), key(b1)}, {key(a2), key(b2)}},
		"a set whose XOR is 0":   {zeroKeys, nil},
		"two halves, XOR equal":  {zeroKeys[:len(zero)/2], zeroKeys[len(zero)/2:]},
		"sum 0 modulo 2^256":     {{key(a1), key(toID(new(big.Int).Neg(new(big.Int).SetBytes(a1[:]))))}, nil},
		"same keys, other order": {{key(a1), key(b1)}, {key(b1), key(a1)}},
	}
	for name, sets := range tables {
		t.Run(name, func(t *testing.T) {
			a, b := newPair(append(slices.Clone(common), sets[0]...), append(slices.Clone(common), sets[1]...), nil, nil)
			if r := converge(t, a, b, 1); r.doubles != 0 {
				t.Errorf("%d keys went to a side that had them", r.doubles)
			}
		})
	}
}

// xorToZero returns IDs whose XOR is zero, out of 257 random ones: more vectors than dimensions over GF(2).
func xorToZero(rng *rand.Rand) (out []reconcile.ID) {
	ids := make([]reconcile.ID, 257)
	type row struct {
		v    *big.Int // a combination of IDs
		uses *big.Int // of which
	}
	pivots := map[int]row{}
	for i := range ids {
		ids[i] = randomID(rng)
		r := row{new(big.Int).SetBytes(ids[i][:]), new(big.Int).SetBit(new(big.Int), i, 1)}
		for r.v.Sign() != 0 {
			p, ok := pivots[r.v.BitLen()]
			if !ok {
				pivots[r.v.BitLen()] = r
				break
			}
			r.v.Xor(r.v, p.v)
			r.uses.Xor(r.uses, p.uses)
		}
		if r.v.Sign() == 0 {
			for j := range ids {
				if r.uses.Bit(j) == 1 {
					out = append(out, ids[j])
				}
			}
			return out
		}
	}
	return nil
}

// TestSetChangesMidRound: keys come and go on both sides between any two messages.
func TestSetChangesMidRound(t *testing.T) {
	for seed := range uint64(30) {
		rng := rand.New(rand.NewPCG(seed, 8))
		keysA, keysB := twoSets(rng, 3000, 400, seed%2 == 0)
		a, b := newPair(keysA, keysB, nil, nil)
		msg, err := a.session.Start(a.view())
		if err != nil {
			t.Fatal(err)
		}
		from, to := a, b
		for msg != nil {
			add := randomKeys(rng, 20, start, day)
			del := keysA[seed*7 : seed*7+20]
			if err := to.set.Apply(add, del); err != nil {
				t.Fatal(err)
			}
			if msg, _, err = to.session.Receive(to.view(), msg); err != nil {
				t.Fatal(err)
			}
			to.wants = append(to.wants, to.session.Wants()...)
			from, to = to, from
		}
		var r round
		for _, s := range []*side{a, b} {
			other := a
			if s == a {
				other = b
			}
			if err := s.set.Apply(pull(t, s, other, &r), nil); err != nil {
				t.Fatal(err)
			}
			s.session.End(false)
		}
		converge(t, a, b, 1)
	}
}

func TestMatch(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	keys := randomKeys(rng, 9000, start, day)
	set := reconcile.NewMem(keys)
	salt := reconcile.Salt{5}
	p := keys[0].Prefix(9)
	under := collect(t, set, p)
	shorts := []reconcile.ShortID{salt.Short(under[3].ID()), 12345, salt.Short(under[1].ID()), salt.Short(under[1].ID())}
	var got []reconcile.Key
	for k, err := range reconcile.Match(set, salt, p, shorts) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, k)
	}
	if want := []reconcile.Key{under[1], under[3]}; !slices.Equal(got, want) {
		t.Errorf("matched %v, want %v", got, want)
	}
	for _, err := range reconcile.Match(set, salt, reconcile.Prefix{}, shorts) {
		if err != reconcile.ErrBroad {
			t.Errorf("error is %v", err)
		}
	}
	for k, err := range reconcile.Match(set, salt, p, nil) {
		t.Errorf("nothing matched %v, %v", k, err)
	}
}
