package hotspot

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/sync/errgroup"
)

// Every name is the hub's. That is how a phone that looks for the internet finds the sign-in page instead, and why nothing
// here asks anybody else: there is nobody to ask.

const (
	// nameTime is how long an answer is good: a phone that goes home must not look for a bank at the hub.
	nameTime = 10 // seconds
	// maxQuery is the longest question that is read: a name has at most 255 bytes.
	maxQuery = 1024

	maxNameConns = 32
	nameConnTime = 5 * time.Second
)

// quiet is the one name that has no address: by it Firefox asks whether it may ask a resolver of its own, past the network's, and this is
// the answer that says no.
const quiet = "use-application-dns.net."

// resolve answers a question, nil if it is none. An answer is at most 16 bytes longer than its question: nobody gains by having it sent
// to somebody else.
func resolve(query []byte) []byte {
	var p dnsmessage.Parser
	head, err := p.Start(query)
	if err != nil || head.Response {
		return nil
	}
	reply := dnsmessage.Header{ID: head.ID, Response: true, OpCode: head.OpCode, RecursionDesired: head.RecursionDesired, RecursionAvailable: true}
	q, err := p.Question()
	if err != nil {
		return headOnly(reply, dnsmessage.RCodeFormatError)
	}
	if _, err := p.Question(); !errors.Is(err, dnsmessage.ErrSectionDone) {
		return headOnly(reply, dnsmessage.RCodeFormatError) // one each, as everybody does
	}
	if head.OpCode != 0 {
		return headOnly(reply, dnsmessage.RCodeNotImplemented)
	}
	if q.Class != dnsmessage.ClassINET {
		return headOnly(reply, dnsmessage.RCodeRefused)
	}
	b := dnsmessage.NewBuilder(make([]byte, 0, len(query)+16), reply)
	b.EnableCompression()
	if b.StartQuestions() != nil || b.Question(q) != nil {
		return nil
	}
	// Other types, AAAA and HTTPS among them, exist and are empty: with an error a phone would not take the address either.
	if q.Type == dnsmessage.TypeA && !strings.EqualFold(q.Name.String(), quiet) {
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: nameTime}
		if b.StartAnswers() != nil || b.AResource(h, dnsmessage.AResource{A: Addr().As4()}) != nil {
			return nil
		}
	}
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

// headOnly is an answer that is only a code.
func headOnly(h dnsmessage.Header, code dnsmessage.RCode) []byte {
	h.RCode = code
	b := dnsmessage.NewBuilder(nil, h)
	out, err := b.Finish()
	if err != nil {
		return nil
	}
	return out
}

// serveDNS answers until ctx ends. Who is not of this network is not answered, whatever way their packet took.
func serveDNS(ctx context.Context, conn *net.UDPConn) error {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	buf := make([]byte, maxQuery)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) && ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read questions for names: %w", err)
		}
		if !inNetwork(from.Addr().Unmap()) {
			continue
		}
		if out := resolve(buf[:n]); out != nil {
			_, _ = conn.WriteToUDPAddrPort(out, from) // lost like any datagram
		}
	}
}

// serveDNSOverTCP answers until ctx ends.
func serveDNSOverTCP(ctx context.Context, l net.Listener) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxNameConns + 1)
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	g.Go(func() error {
		for {
			c, err := l.Accept()
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				return fmt.Errorf("wait for questions for names: %w", err)
			}
			// More at once than a crowd needs, UDP being there: closed unanswered.
			if !g.TryGo(func() error { nameConn(ctx, c); return nil }) {
				c.Close()
			}
		}
	})
	return g.Wait()
}

// nameConn answers the questions of one connection, all within the time for it.
func nameConn(ctx context.Context, c net.Conn) {
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	defer c.Close()
	if c.SetDeadline(time.Now().Add(nameConnTime)) != nil {
		return
	}
	buf := make([]byte, maxQuery)
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(size[:]))
		if n > len(buf) {
			return
		}
		if _, err := io.ReadFull(c, buf[:n]); err != nil {
			return
		}
		out := resolve(buf[:n])
		if out == nil {
			return
		}
		if _, err := c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...)); err != nil {
			return
		}
	}
}
