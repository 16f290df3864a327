// Chat is two longear nodes in one program that talk to each other over loopback.
//
//	go run ./examples/chat
//
// It shows the whole life of a node: open a store, make the node, run it, connect, publish, listen, stop. Nothing in it
// leaves this machine.
package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"golang.org/x/sync/errgroup"

	"longear/node"
	"longear/node/discovery"
	"longear/protocol"
	"longear/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := chat(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// script is what is said, in turn.
var script = []string{
	"is there water anywhere?",
	"at gate 4, since noon",
	"rahmet! is the road open?",
	"go round by the bridge",
}

// chat runs two nodes until the last line of the script has been heard.
func chat(ctx context.Context, out io.Writer) (err error) {
	channel, err := protocol.PublicChannel("water")
	if err != nil {
		return err
	}
	aru, err := newPerson("aru")
	if err != nil {
		return err
	}
	bota, err := newPerson("bota")
	if err != nil {
		return errors.Join(err, aru.store.Close())
	}

	ctx, stop := context.WithCancel(ctx)
	people, ctx := errgroup.WithContext(ctx)
	people.Go(func() error { return aru.node.Run(ctx) })
	people.Go(func() error { return bota.node.Run(ctx) })
	err = talk(ctx, aru, bota, channel, out)
	stop() // ends both runs; only then may the stores be closed
	return errors.Join(err, people.Wait(), aru.store.Close(), bota.store.Close())
}

// person is somebody with a node.
type person struct {
	name  string
	store *store.Store
	node  *node.Node
}

func newPerson(name string) (person, error) {
	// A message is signed by its author. A program that people use keeps the key: see examples/carrier.
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return person{}, err
	}
	kept, err := store.Open(store.Config{}) // in memory
	if err != nil {
		return person{}, err
	}
	n, err := node.New(node.Config{
		Store: kept,
		Key:   key,
		// A port of the system's choice, so that the example runs beside a real node. Without these two lines a
		// node listens everywhere and finds its neighbours by itself.
		Listen:    []string{"/ip4/127.0.0.1/tcp/0"},
		Discovery: discovery.Config{LoopbackOnly: true, Off: []discovery.Rung{discovery.Beacons, discovery.MDNS}},
	})
	if err != nil {
		return person{}, errors.Join(err, kept.Close())
	}
	return person{name, kept, n}, nil
}

// talk lets two people say the lines of the script in turn, each line once the one before it has been heard.
func talk(ctx context.Context, a, b person, channel protocol.Channel, out io.Writer) error {
	for _, p := range []person{a, b} {
		select {
		case <-p.node.Ready():
		case <-ctx.Done(): // the caller knows why
			return nil
		}
	}
	if err := a.node.Connect(b.node.Addrs()[0].String()); err != nil {
		return err
	}
	var last []protocol.ID // what a line answers
	for _, line := range script {
		said, err := a.node.Publish(ctx, protocol.Draft{Channel: channel, Parents: last, Body: []byte(line)})
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%4s says:  %s\n", a.name, line)
		heard, err := b.hear(ctx, channel, said.ID)
		if err != nil || heard == nil {
			return err
		}
		fmt.Fprintf(out, "%4s heard: %s\n", b.name, heard.Body)
		last = []protocol.ID{heard.ID}
		a, b = b, a
	}
	return nil
}

// hear waits for a message. It returns nil if ctx ends first.
func (p person) hear(ctx context.Context, channel protocol.Channel, id protocol.ID) (*protocol.Message, error) {
	// What is already here comes first, then what arrives: nothing in between is missed.
	for e, err := range p.node.Messages(ctx, node.Query{Channel: channel, History: -1, Live: true}) {
		if err != nil {
			return nil, err
		}
		if e.Message.ID == id {
			return e.Message, nil
		}
	}
	return nil, nil
}
