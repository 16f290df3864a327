package store_test

import (
	"runtime"
	"testing"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
	"longear/test/bench/figure"
)

// counted counts the reads of a view.
type counted struct {
	*store.View
	reads int
}

func (c *counted) Node(p reconcile.Prefix) (reconcile.Node, bool, error) {
	c.reads++
	return c.View.Node(p)
}

// meet runs one round between two stores and returns bytes, messages and node reads of both.
func meet(t testing.TB, a, b *store.Store, salt reconcile.Salt) (bytes, steps, reads int) {
	t.Helper()
	sa := reconcile.NewSession(reconcile.Config{Salt: salt, Initiator: true})
	sb := reconcile.NewSession(reconcile.Config{Salt: salt})
	err := a.View(func(va *store.View) error {
		return b.View(func(vb *store.View) error {
			na, nb := &counted{View: va}, &counted{View: vb}
			msg, err := sa.Start(na)
			for to, toNodes, other, otherNodes := sb, nb, sa, na; err == nil && msg != nil; to, toNodes, other, otherNodes = other, otherNodes, to, toNodes {
				bytes += len(msg)
				steps++
				msg, _, err = to.Receive(toNodes, msg)
				for _, w := range to.Wants() {
					bytes += len(reconcile.AppendWant(nil, w))
				}
			}
			reads = na.reads + nb.reads
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return bytes, steps, reads
}

// BenchmarkReconcile compares two stores on disk that hold the same messages but for 1,000 recent ones, half on each side; then the same two
// when they are equal. With -long they hold a million.
func BenchmarkReconcile(b *testing.B) {
	n := 50_000
	if *long {
		n = 1_000_000
	}
	stores := [2]*store.Store{}
	for i := range stores {
		stores[i] = open(b, store.Config{Dir: b.TempDir(), Profile: store.Hub})
		defer shut(b, stores[i])
		fill(b, stores[i], newFeed(b, false), n)
	}
	b.Run("equal", func(b *testing.B) { benchMeet(b, stores) })
	f := newFeed(b, false)
	f.n = uint64(n - n/100)
	var items []store.Item
	for i := range uint64(1000) {
		m := forge(b, f.tmpl, start+(uint64(n)-1-i*uint64(n)/100_000)*gap, 1<<40+i)
		items = append(items, store.Item{Message: m})
	}
	put(b, stores[0], items[:500]...)
	put(b, stores[1], items[500:]...)
	b.Run("1000-recent", func(b *testing.B) { benchMeet(b, stores) })
	for i := range stores {
		put(b, stores[i], items...)
	}
	b.Run("equal-again", func(b *testing.B) { benchMeet(b, stores) })
}

func benchMeet(b *testing.B, stores [2]*store.Store) {
	var salt reconcile.Salt
	bytes, steps, reads := meet(b, stores[0], stores[1], salt) // folds what is pending, before the clock runs
	runtime.GC()
	from := figure.CPU()
	rounds := 0
	for b.Loop() {
		salt[0]++
		rounds++
		bytes, steps, reads = meet(b, stores[0], stores[1], salt)
	}
	b.ReportMetric(float64((figure.CPU()-from).Microseconds())/1000/float64(rounds), "cpu-ms/both")
	b.ReportMetric(float64(bytes), "bytes")
	b.ReportMetric(float64(steps), "messages")
	b.ReportMetric(float64(reads), "node-reads")
}

// TestReconcileStores lets two stores find exactly what each lacks.
func TestReconcileStores(t *testing.T) {
	a, b := open(t, store.Config{}), open(t, store.Config{})
	defer shut(t, a)
	defer shut(t, b)
	tmpl := template(t, protocol.Text, 200)
	for i := range uint64(600) {
		it := store.Item{Message: forge(t, tmpl, start+i*gap, i)}
		if i%10 != 1 {
			put(t, a, it)
		}
		if i%10 != 2 {
			put(t, b, it)
		}
	}
	var salt reconcile.Salt
	if bytes, _, _ := meet(t, a, b, salt); bytes < 120*4 {
		t.Errorf("120 differences in %d bytes", bytes)
	}
	for i := range uint64(600) {
		it := store.Item{Message: forge(t, tmpl, start+i*gap, i)}
		put(t, a, it)
		put(t, b, it)
	}
	if bytes, steps, reads := meet(t, a, b, salt); bytes > 100 || steps > 2 || reads > 10 {
		t.Errorf("equal stores: %d bytes, %d messages, %d reads", bytes, steps, reads)
	}
}
