// Carrier embeds a longear node in a program: it keeps messages in a folder, carries them for others, writes one if it
// is given a text, and prints the channel as it grows, until it is interrupted.
//
//	go run ./examples/carrier -dir carried                     # carry and listen
//	go run ./examples/carrier -dir carried 'water at gate 4'   # write, too
//
// Two of them on one network find each other. On one machine, give each a folder of its own, -loopback, and one of them the
// address that the other prints, with -connect.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

func main() {
	var o options
	flag.StringVar(&o.dir, "dir", "carried", "folder for the key and the messages")
	flag.StringVar(&o.channel, "channel", "all", "public channel to read and write")
	flag.StringVar(&o.connect, "connect", "", "address of a peer, as it prints it")
	flag.BoolVar(&o.loopback, "loopback", false, "stay on this machine")
	flag.Parse()
	o.text = strings.Join(flag.Args(), " ")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := carry(ctx, o, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "carrier:", err)
		os.Exit(1)
	}
}

type options struct {
	dir, channel, text, connect string
	loopback                    bool
}

// carry is one node from its start to its end.
func carry(ctx context.Context, o options, out io.Writer) error {
	channel, err := protocol.PublicChannel(o.channel)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return err
	}
	// The same author at every start. The key is made the first time; only this user can read it.
	me, err := store.LoadIdentity(o.dir)
	if err != nil {
		return err
	}
	kept, err := store.Open(store.Config{Dir: filepath.Join(o.dir, "store")})
	if err != nil {
		return err
	}
	config := node.Config{Store: kept, Key: me.Author}
	if o.loopback {
		config.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
		config.Discovery = discovery.Config{LoopbackOnly: true, Off: []discovery.Rung{discovery.Beacons, discovery.MDNS}}
	}
	n, err := node.New(config)
	if err != nil {
		return errors.Join(err, kept.Close())
	}

	// Both parts end when ctx does, or when the other fails; the store is closed when nobody uses it any more.
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return n.Run(ctx) })
	parts.Go(func() error { return use(ctx, n, channel, o, out) })
	return errors.Join(parts.Wait(), kept.Close())
}

// use is what this program wants a node for.
func use(ctx context.Context, n *node.Node, channel protocol.Channel, o options, out io.Writer) error {
	select {
	case <-n.Ready():
	case <-ctx.Done():
		return nil
	}
	for _, a := range n.Addrs() {
		fmt.Fprintln(out, "listening", a)
	}
	if o.connect != "" {
		// Kept and dialled again until it answers, and whenever it is lost.
		if err := n.Connect(o.connect); err != nil {
			return err
		}
	}
	if o.text != "" {
		// When Publish returns, the message is safe on disk, whether or not anybody is near.
		m, err := n.Publish(ctx, protocol.Draft{Channel: channel, Body: []byte(o.text)})
		if err != nil {
			return err
		}
		fmt.Fprintln(out, "wrote", m.ID)
	}
	for e, err := range n.Messages(ctx, node.Query{Channel: channel, History: 20, Live: true}) {
		if err != nil {
			return err
		}
		m := e.Message
		// The body is a stranger's: %q keeps its control characters away from the terminal.
		fmt.Fprintf(out, "%s %.8s %q\n", e.Received.Format(time.TimeOnly), m.Author, m.Body)
	}
	return nil
}
