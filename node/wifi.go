package node

import (
	"net/netip"
	"sync"
	"time"

	"longear/node/discovery"
	"longear/protocol/reconcile"
	"longear/store"
)

// digestEvery is how old the digest may be that strangers are told: reading it folds what has come in since.
const digestEvery = 5 * time.Second

// digester knows the store's digest as of a moment ago.
type digester struct {
	mu  sync.Mutex // guards the fields below
	at  time.Time
	sum [8]byte
}

// digest is the beginning of the root of the store's trie: equal stores have equal ones.
func (n *Node) digest() [8]byte {
	d := &n.digester
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	if !d.at.IsZero() && now.Sub(d.at) < digestEvery {
		return d.sum
	}
	d.at = now
	err := n.store.View(func(v *store.View) error {
		sum, err := reconcile.Root(v)
		if sum == (reconcile.Hash{}) {
			sum[0] = 1 // nothing is not what is not told
		}
		copy(d.sum[:], sum[:])
		return err
	})
	if err != nil {
		d.sum = [8]byte{}
	}
	return d.sum
}

// abandon closes the links whose own end was an address that is gone: nothing says so on them for half a minute.
func (n *Node) abandon(own netip.Addr) {
	for _, c := range n.host.Network().Conns() {
		if discovery.LocalAddr(c.LocalMultiaddr()) == own {
			_ = c.Close() // it is dead already
		}
	}
}
