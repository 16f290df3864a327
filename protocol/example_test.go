package protocol_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log"

	"longear/protocol"
)

// A message is signed by its author and checked by whoever gets its bytes.
func Example() {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	square, err := protocol.PublicChannel("#Square")
	if err != nil {
		log.Fatal(err)
	}
	sent, err := protocol.Sign(key, protocol.Draft{Channel: square, Class: protocol.Alert, Body: []byte("water at gate 4")})
	if err != nil {
		log.Fatal(err)
	}

	got, verdict := protocol.Open(sent.Wire())
	fmt.Printf("%v: %v %s\n", verdict, got.Class, got.Body)

	altered := bytes.Replace(sent.Wire(), []byte("gate 4"), []byte("gate 5"), 1)
	_, verdict = protocol.Open(altered)
	fmt.Println(verdict)
	// Output:
	// accept: alert water at gate 4
	// reject: signature
}

// In a private channel the body is sealed, and only the channel's key makes a Private of it.
func ExampleChannelKey() {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	channel := protocol.NewChannelKey() // Secret is what the members hand on
	body, err := channel.Seal(protocol.AuthorOf(key), "we meet at six")
	if err != nil {
		log.Fatal(err)
	}
	m, err := protocol.Sign(key, protocol.Draft{Channel: channel.Tag(), Body: body})
	if err != nil {
		log.Fatal(err)
	}

	p, err := channel.Open(m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Text(), len(m.Body))
	_, err = protocol.NewChannelKey().Open(m)
	fmt.Println(err)
	// Output:
	// we meet at six 256
	// sealed with another key
}

// A direct message needs the reader's card, and names nobody outside.
func ExampleSealDirect() {
	_, alice, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	_, bob, err := ed25519.GenerateKey(nil)
	if err != nil {
		log.Fatal(err)
	}
	bobsKey, err := protocol.NewSealKey()
	if err != nil {
		log.Fatal(err)
	}
	card, err := protocol.NewCard(bob, bobsKey.Public())
	if err != nil {
		log.Fatal(err)
	}
	m, err := protocol.SealDirect(context.Background(), alice, card, protocol.Draft{Body: []byte("bring the radio")}, 8)
	if err != nil {
		log.Fatal(err)
	}

	p, err := protocol.OpenDirect(bobsKey, m)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Text(), p.Author() == protocol.AuthorOf(alice), m.Author == protocol.AuthorOf(alice), protocol.Stamp(m.ID) >= 8)
	// Output: bring the radio true false true
}
