package web_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"longear/protocol/reconcile"
)

// setup is what one end of a link begins with.
type setup struct {
	keys, refused []reconcile.Key
	salt          reconcile.Salt
	initiator     bool
	scope         reconcile.Scope
}

// said is what an end makes of a message.
type said struct {
	reply     []byte // nil: none is due
	done      bool
	wants     []byte // as they are sent
	left      bool
	equal     bool
	malformed bool
}

// end is one end of a link, in either language.
type end interface {
	start() []byte
	receive(msg []byte) said
	serve(wants []byte) []reconcile.Key
	gain(keys []reconcile.Key)
	finish(quiet bool)
	keys() []reconcile.Key
}

type goEnd struct {
	t       *testing.T
	setup   setup
	set     *reconcile.Mem
	session *reconcile.Session
}

func newGoEnd(t *testing.T, s setup) end {
	c := reconcile.Config{Salt: s.salt, Initiator: s.initiator}
	if len(s.refused) > 0 {
		c.Refused = reconcile.NewMem(s.refused).Keys
	}
	return &goEnd{t: t, setup: s, set: reconcile.NewMem(s.keys), session: reconcile.NewSession(c)}
}

func (e *goEnd) view() reconcile.Nodes { return e.setup.scope.View(e.set) }

func (e *goEnd) start() []byte {
	msg, err := e.session.Start(e.view())
	if err != nil {
		e.t.Fatal(err)
	}
	return msg
}

func (e *goEnd) receive(msg []byte) said {
	reply, done, err := e.session.Receive(e.view(), msg)
	if errors.Is(err, reconcile.ErrMessage) || errors.Is(err, reconcile.ErrPrefix) {
		return said{malformed: true}
	}
	if err != nil {
		e.t.Fatal(err)
	}
	return said{reply: reply, done: done, wants: reconcile.AppendWants(nil, e.session.Wants()), left: e.session.Incomplete(), equal: e.session.Equal()}
}

func (e *goEnd) serve(b []byte) (keys []reconcile.Key) {
	wants, err := reconcile.ParseWants(b)
	if err != nil {
		e.t.Fatal(err)
	}
	for _, w := range wants {
		found := e.view().Keys(w.Prefix)
		if !w.Whole {
			found = reconcile.Match(e.view(), e.setup.salt, w.Prefix, w.Short)
		}
		for k, err := range found {
			if err != nil {
				e.t.Fatal(err)
			}
			keys = append(keys, k)
		}
	}
	return keys
}

func (e *goEnd) gain(keys []reconcile.Key) {
	if err := e.set.Apply(keys, nil); err != nil {
		e.t.Fatal(err)
	}
}

func (e *goEnd) finish(quiet bool) { e.session.End(quiet) }

func (e *goEnd) keys() (keys []reconcile.Key) {
	for k := range e.set.Keys(reconcile.Prefix{}) {
		keys = append(keys, k)
	}
	return keys
}

type scriptEnd struct{ p *peer }

func newScriptEnd(p *peer, s setup) end {
	r := request{Op: "link", List: keyTexts(s.keys), Salt: hex.EncodeToString(s.salt[:]), Initiator: s.initiator}
	r.Scope = scope{Floor: s.scope.Floor, Ranks: s.scope.Ranks}
	for _, k := range keyTexts(s.refused) {
		r.Drafts = append(r.Drafts, told{Body: k})
	}
	p.ask(r)
	return scriptEnd{p}
}

func (e scriptEnd) start() []byte { return unhex(e.p.t, e.p.ask(request{Op: "start"}).Text) }

func (e scriptEnd) receive(msg []byte) said {
	a := e.p.ask(request{Op: "receive", Text: hex.EncodeToString(msg)})
	s := said{done: a.Done, wants: unhex(e.p.t, a.Wants), left: a.Incomplete, equal: a.Equal, malformed: a.Malformed}
	if a.Due {
		s.reply = unhex(e.p.t, a.Text)
	}
	return s
}

func (e scriptEnd) serve(wants []byte) []reconcile.Key {
	a := e.p.ask(request{Op: "serve", Text: hex.EncodeToString(wants)})
	if a.Malformed {
		e.p.t.Fatalf("the TypeScript does not serve %x", wants)
	}
	return parseKeys(e.p.t, a.List)
}

func (e scriptEnd) gain(keys []reconcile.Key) { e.p.ask(request{Op: "gain", List: keyTexts(keys)}) }
func (e scriptEnd) finish(quiet bool)         { e.p.ask(request{Op: "end", Quiet: quiet}) }
func (e scriptEnd) keys() []reconcile.Key     { return parseKeys(e.p.t, e.p.ask(request{Op: "keys"}).List) }

func keyTexts(keys []reconcile.Key) []string {
	texts := make([]string, len(keys))
	for i, k := range keys {
		texts[i] = hex.EncodeToString(k[:])
	}
	return texts
}

func parseKeys(t *testing.T, texts []string) []reconcile.Key {
	t.Helper()
	keys := make([]reconcile.Key, len(texts))
	for i, s := range texts {
		k, err := reconcile.ParseKey(unhex(t, s))
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = k
	}
	return keys
}

// course is all that two ends said to each other until nothing moved any more.
type course struct {
	lines  []string // every message, want and verdict, in order
	bytes  int      // of messages and wants
	rounds int
	moved  int
	a, b   []reconcile.Key // what they have in the end
}

const maxRounds = 30

// run has two ends reconcile and pull until two rounds move nothing and leave nothing out: in the second, what was settled is not named.
func run(t *testing.T, a, b end, refusedA, refusedB map[reconcile.Key]bool) (c course) {
	t.Helper()
	still := 0
	for still < 2 {
		if c.rounds++; c.rounds > maxRounds {
			t.Fatalf("no end after %d rounds", maxRounds)
		}
		wantsA, wantsB := talk(t, a, b, &c)
		moved := pull(a, b, wantsA, refusedA) + pull(b, a, wantsB, refusedB)
		c.moved += moved
		a.finish(moved == 0)
		b.finish(moved == 0)
		if still++; moved > 0 || strings.Contains(c.lines[len(c.lines)-1], " left true ") {
			still = 0
		}
	}
	c.a, c.b = a.keys(), b.keys()
	return c
}

// talk runs one round and returns what each side wants.
func talk(t *testing.T, a, b end, c *course) (wantsA, wantsB [][]byte) {
	t.Helper()
	msg := a.start()
	for to, other, n := b, a, 0; msg != nil; to, other, n = other, to, n+1 {
		s := to.receive(msg)
		c.lines = append(c.lines, fmt.Sprintf("%x done %v wants %x left %v equal %v malformed %v", msg, s.done, s.wants, s.left, s.equal, s.malformed))
		c.bytes += len(msg) + len(s.wants)
		if n%2 == 0 {
			wantsB = append(wantsB, s.wants)
		} else {
			wantsA = append(wantsA, s.wants)
		}
		if s.malformed {
			t.Fatalf("message %d of a round is taken for malformed: %x", n, msg)
		}
		msg = s.reply
	}
	return wantsA, wantsB
}

func pull(to, from end, wants [][]byte, refused map[reconcile.Key]bool) int {
	var take []reconcile.Key
	for _, w := range wants {
		for _, k := range from.serve(w) {
			if !refused[k] {
				take = append(take, k)
			}
		}
	}
	if len(take) > 0 {
		to.gain(take)
	}
	return len(take)
}

func (c course) compare(t *testing.T, who string, want course) {
	t.Helper()
	for i, line := range c.lines {
		if i == len(want.lines) || line != want.lines[i] {
			was := "nothing"
			if i < len(want.lines) {
				was = want.lines[i]
			}
			t.Fatalf("%s: message %d is\n%.400s\nbetween two in Go\n%.400s", who, i, line, was)
		}
	}
	if len(c.lines) != len(want.lines) || c.bytes != want.bytes || c.rounds != want.rounds || c.moved != want.moved {
		t.Fatalf("%s: %d messages of %d bytes in %d rounds move %d, between two in Go %d of %d in %d move %d",
			who, len(c.lines), c.bytes, c.rounds, c.moved, len(want.lines), want.bytes, want.rounds, want.moved)
	}
	if !slices.Equal(c.a, want.a) || !slices.Equal(c.b, want.b) {
		t.Fatalf("%s: other keys in the end", who)
	}
}

const (
	day   = 24 * 3600 * 1000
	start = 1_790_000_000_000
)

// someKeys returns n keys of random rank, some of them crowded into one second so that long prefixes are shared.
func someKeys(rng *rand.Rand, n int, span uint64) []reconcile.Key {
	keys := make([]reconcile.Key, n)
	for i := range keys {
		at := start + rng.Uint64N(span)
		if rng.IntN(4) == 0 {
			at = start + span - 1 - rng.Uint64N(1000)
		}
		keys[i] = reconcile.NewKey([]uint8{0, 1, 1, 1, 2}[rng.IntN(5)], at, reconcile.ID(randomBytes(rng, 32)))
	}
	return keys
}

// TestReconcile: between any two ends, in whichever language, the same messages go back and forth, byte for byte, until both
// have the same.
func TestReconcile(t *testing.T) {
	p, q := newPeer(t), newPeer(t)
	for _, c := range []struct {
		name         string
		times        int
		common, a, b int // at most so many keys
		refused      int // of the other's keys, that each side does not take
		span         uint64
		scope        reconcile.Scope
	}{
		{name: "small", times: 60, common: 40, a: 20, b: 20, span: day},
		{name: "one empty", times: 10, a: 3000, span: day},
		{name: "the other empty", times: 10, b: 3000, span: day},
		{name: "disjoint", times: 5, a: 2000, b: 2000, span: day},
		{name: "few differences", times: 15, common: 5000, a: 20, b: 20, span: 14 * day},
		{name: "many differences", times: 5, common: 3000, a: 1000, b: 1000, span: 14 * day},
		{name: "one second", times: 8, common: 2000, a: 50, b: 50, span: 1000},
		{name: "refused", times: 20, common: 600, a: 60, b: 60, refused: 20, span: day},
		{name: "all refused", times: 5, common: 300, a: 400, b: 400, refused: 400, span: day},
		{name: "one empty, which refuses some", times: 10, b: 1500, refused: 40, span: day},
		{name: "the other empty, which refuses some", times: 10, a: 1500, refused: 40, span: day},
		{name: "a scope", times: 10, common: 2000, a: 100, b: 100, span: 14 * day, scope: reconcile.Scope{Floor: start + 7*day, Ranks: 0b011}},
		{name: "more than a message holds is refused", times: 2, common: 3000, a: 16_000, b: 16_000, refused: 16_000, span: 14 * day},
		{name: "more than a message holds", times: 1, a: 20_000, b: 20_000, span: 14 * day},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() {
				c.times = (c.times + 9) / 10
			}
			p.t, q.t = t, t
			var total course
			for seed := range uint64(c.times) {
				rng := rand.New(rand.NewPCG(seed, uint64(c.common+c.a)))
				upTo := func(n int) int { return n - rng.IntN(1+n/2) }
				common := someKeys(rng, upTo(c.common), c.span)
				onlyA, onlyB := someKeys(rng, upTo(c.a), c.span), someKeys(rng, upTo(c.b), c.span)
				a := setup{keys: slices.Concat(common, onlyA), salt: reconcile.Salt(randomBytes(rng, 16)), initiator: true, scope: c.scope}
				b := setup{keys: slices.Concat(onlyB, common), salt: a.salt, scope: c.scope}
				a.refused, b.refused = onlyB[:min(len(onlyB), c.refused)], onlyA[:min(len(onlyA), c.refused)]
				notA, notB := setOf(a.refused), setOf(b.refused)

				want := run(t, newGoEnd(t, a), newGoEnd(t, b), notA, notB)
				if c.refused == 0 && c.scope == (reconcile.Scope{}) && !slices.Equal(want.a, want.b) {
					t.Fatalf("seed %d: two ends in Go are not equal", seed)
				}
				run(t, newGoEnd(t, a), newScriptEnd(p, b), notA, notB).compare(t, fmt.Sprintf("seed %d, Go begins", seed), want)
				run(t, newScriptEnd(p, a), newGoEnd(t, b), notA, notB).compare(t, fmt.Sprintf("seed %d, TypeScript begins", seed), want)
				run(t, newScriptEnd(p, a), newScriptEnd(q, b), notA, notB).compare(t, fmt.Sprintf("seed %d, both TypeScript", seed), want)
				total.bytes, total.rounds, total.moved = total.bytes+want.bytes, total.rounds+want.rounds, total.moved+want.moved
				total.lines = append(total.lines, want.lines...)
			}
			full := slices.ContainsFunc(total.lines, func(l string) bool { return strings.Contains(l, " left true ") })
			if full != strings.HasPrefix(c.name, "more ") {
				t.Errorf("something was left out: %v", full)
			}
			t.Logf("%d pairs of sets: %d messages, %d bytes with wants, %d rounds, %d keys moved, four times the same", c.times, len(total.lines), total.bytes, total.rounds, total.moved)
		})
	}
}

func setOf(keys []reconcile.Key) map[reconcile.Key]bool {
	m := make(map[reconcile.Key]bool)
	for _, k := range keys {
		m[k] = true
	}
	return m
}

// TestHostileMessages: a reconciliation message that was changed on its way is malformed for both or for neither, and if it is
// not, both answer and want the same.
func TestHostileMessages(t *testing.T) {
	p := newPeer(t)
	rng := rand.New(rand.NewPCG(7, 7))
	n := 1500
	if testing.Short() {
		n = 150
	}
	bad := 0
	for i := range n {
		common := someKeys(rng, rng.IntN(300), day)
		a := setup{keys: slices.Concat(common, someKeys(rng, rng.IntN(60), day)), salt: reconcile.Salt(randomBytes(rng, 16)), initiator: true}
		b := setup{keys: slices.Concat(common, someKeys(rng, rng.IntN(60), day)), salt: a.salt}
		// The other side is in Go; the victim is in both languages, at a step drawn at random.
		victim, other := b, newGoEnd(t, a)
		msg := other.start()
		if i%2 == 1 {
			victim, other = a, newGoEnd(t, b)
		}
		inGo, inScript := newGoEnd(t, victim), newScriptEnd(p, victim)
		if i%2 == 1 {
			inScript.start()
			msg = other.receive(inGo.start()).reply
		}
		for step := range 10 {
			if msg == nil {
				break
			}
			hostile := step == i/2%3
			if hostile {
				msg = mutate(rng, msg)
			}
			one, two := inGo.receive(msg), inScript.receive(msg)
			if one.malformed != two.malformed || one.done != two.done || !bytes.Equal(one.wants, two.wants) || !bytes.Equal(one.reply, two.reply) || (one.reply == nil) != (two.reply == nil) {
				t.Fatalf("case %d, message %x: Go says\n%+v, TypeScript says\n%+v", i, msg, one, two)
			}
			if one.malformed {
				bad++
			}
			if hostile || one.reply == nil {
				break
			}
			msg = other.receive(one.reply).reply
		}
	}
	t.Logf("%d messages changed, %d malformed", n, bad)
	if bad < n/10 || bad > n*9/10 {
		t.Errorf("%d of %d are malformed: the changes are too small or too large", bad, n)
	}
}
