//go:build linux

package guests_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"longear/protocol"
	"longear/test/bench/figure"
	"longear/test/guests/visit"
)

// BenchmarkStorm lets 50 phones arrive at one hub behind a link of 20 Mbit/s, each way: what a radio gives them all together. Each
// opens the board and reads on until it has 60 kB.
func BenchmarkStorm(b *testing.B) {
	b.Run("within-5s", func(b *testing.B) { storm(b, 5*time.Second) })
	b.Run("at-once", func(b *testing.B) { storm(b, 0) })
}

func storm(b *testing.B, within time.Duration) {
	const phones = 50
	p := newPlace(b)
	p.start()
	p.fill(1000)
	if _, err := exec.LookPath("tc"); err != nil {
		b.Skip("SKIPPED: there is no tc; install iproute2")
	}
	for ns, dev := range map[string]string{p.hub: "wlan0", p.air: "ap"} {
		args := "-n " + ns + " qdisc add dev " + dev + " root tbf rate 20mbit burst 32k latency 400ms"
		if out, err := exec.Command("tc", strings.Fields(args)...).CombinedOutput(); err != nil {
			b.Skipf("SKIPPED: the kernel has no tbf: tc %s: %v %s", args, err, out)
		}
	}
	crowd := p.phone() // one machine with 50 addresses: the hub knows its guests by address
	for n := range phones {
		ip(b, "-n %s addr add 192.168.49.%d/24 dev eth0", crowd.ns, 30+n)
	}
	dial := func(ctx context.Context, d net.Dialer, network, addr string) (c net.Conn, err error) {
		err = inside(crowd.ns, func() error {
			c, err = d.DialContext(ctx, network, addr)
			return err
		})
		return c, err
	}
	for b.Loop() {
		var mu sync.Mutex
		var took []time.Duration // of each phone, from its first request to its last byte
		var bytes int64
		failed := 0
		var all sync.WaitGroup
		began := time.Now()
		for n := range phones {
			v, err := visit.New("http://"+hubAddr+":8440", netip.AddrFrom4([4]byte{192, 168, 49, byte(30 + n)}), dial)
			if err != nil {
				b.Fatal(err)
			}
			all.Go(func() {
				defer v.Close()
				pause(b, time.Duration(n)*within/phones)
				start := time.Now()
				got, err := v.Arrive(b.Context())
				for err == nil && got < 60_000 {
					var more int64
					more, err = v.Get(b.Context(), "/guest/messages?limit=40")
					got += more
				}
				mu.Lock()
				defer mu.Unlock()
				took, bytes = append(took, time.Since(start)), bytes+got
				if err != nil {
					failed++
				}
			})
		}
		all.Wait()
		whole := time.Since(began)
		slices.Sort(took)
		figure.Report(b, "loaded", float64(bytes)/phones/1000, "kB", figure.None)
		figure.Report(b, "failed", float64(failed), "n", figure.AtMost(0))
		figure.Report(b, "open-p50", took[len(took)/2].Seconds()*1000, "ms", figure.None)
		figure.Report(b, "open-p99", took[len(took)-1].Seconds()*1000, "ms", figure.AtMost(5000))
		figure.Report(b, "all-done", whole.Seconds(), "s", figure.None)
		figure.Report(b, "link-busy", float64(bytes)*8/20e6/whole.Seconds()*100, "%", figure.None)
	}
}

// fill gives the hub messages.
func (p *place) fill(messages int) {
	p.t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	channel, err := protocol.PublicChannel("all")
	if err != nil {
		p.t.Fatal(err)
	}
	path := filepath.Join(p.t.TempDir(), "backlog.ear")
	f, err := os.Create(path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	w := protocol.NewCarryWriter(f)
	for n := range messages {
		m, err := protocol.Sign(key, protocol.Draft{
			Channel: channel, Created: uint64(time.Now().UnixMilli()) - uint64(n)*1000, Body: fmt.Appendf(nil, "message %d %s", n, strings.Repeat("as people write ", 10)),
		})
		if err == nil {
			err = w.Write(m, time.Minute)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
	if out, err := p.command("carry", "in", path).CombinedOutput(); err != nil {
		p.t.Fatalf("carry in: %v %s", err, out)
	}
}
