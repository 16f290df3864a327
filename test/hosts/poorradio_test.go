//go:build linux

package hosts_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestPoorRadio: where TCP is all that passes, and so slowly that the peer hears for half a minute what is written in a second, everything comes over
// one link.
func TestPoorRadio(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	street := w.network("10.8.0.0/24")
	a, b := w.host("a"), w.host("b")
	c := a.join(street)
	c.slow("40kbit")
	node := a.relay(append(alone("typed"), "--no-quic")...)
	var ids []string
	for i := range 12 {
		ids = append(ids, a.send(fmt.Sprint(i, strings.Repeat(" water", 5000))))
	}
	b.join(street)
	b.relay(append(alone("typed"), "--no-quic", "--connect", node.addr("/tcp/"))...)
	met(t, "typed", a, b)
	before := append(a.peers(), b.peers()...)
	start := time.Now()
	// 360 kB take 72 s of such a radio.
	eventually(t, 3*time.Minute, "all messages", func() bool { return b.status().Messages == len(ids) })
	figure(t, "poorradio/sync", time.Since(start).Seconds(), "s")
	after := append(a.peers(), b.peers()...)
	for i, p := range after {
		if p.Addr != before[i].Addr {
			t.Errorf("the connection with %s was replaced by one with %s", before[i].Addr, p.Addr)
		}
	}
	if took := after[1].Took; took != uint64(len(ids)) {
		t.Errorf("%d messages came over the link that is open, want %d", took, len(ids))
	}
}

// slow makes the interface send at a rate, as tc has it, over a queue of some seconds.
func (c *nic) slow(rate string) {
	c.h.t.Helper()
	line := fmt.Sprintf("-n %s qdisc add dev %s root tbf rate %s burst 3000 limit 20000", c.h.ns, c.name, rate)
	if out, err := exec.Command("tc", strings.Fields(line)...).CombinedOutput(); err != nil {
		c.h.t.Fatalf("tc %s: %v\n%s", line, err, out)
	}
}
