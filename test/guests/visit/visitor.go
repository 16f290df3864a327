// Package visit is a phone at a hub as a program: it asks what the page asks, in the page's order, writes with a key of its own and
// follows what arrives. Others in it behave badly. Tests and benchmarks put many around one hub.
package visit

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"longear/protocol"
)

// Dial opens a connection as a net.Dialer does. A rig's goes into a namespace.
type Dial func(ctx context.Context, d net.Dialer, network, addr string) (net.Conn, error)

// Visitor is one phone: a key and a source address of its own. Its methods may be called at once.
type Visitor struct {
	hub  string // http://ADDRESS:PORT
	from netip.Addr
	dial Dial
	key  ed25519.PrivateKey
	http *http.Client
}

// New makes a phone that comes from an address. A nil dial is the plain one.
func New(hub string, from netip.Addr, dial Dial) (*Visitor, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	if dial == nil {
		dial = func(ctx context.Context, d net.Dialer, network, addr string) (net.Conn, error) {
			return d.DialContext(ctx, network, addr)
		}
	}
	v := &Visitor{hub: hub, from: from, dial: dial, key: key}
	// A browser has six connections to a server.
	v.http = &http.Client{Transport: &http.Transport{DialContext: v.connect, MaxConnsPerHost: 6, MaxIdleConnsPerHost: 6, DisableCompression: true}}
	return v, nil
}

// Close lets go of idle connections.
func (v *Visitor) Close() { v.http.CloseIdleConnections() }

func (v *Visitor) connect(ctx context.Context, network, addr string) (net.Conn, error) {
	return v.dial(ctx, net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(v.from, 0))}, network, addr)
}

// Get asks for one thing and returns how many bytes came.
func (v *Visitor) Get(ctx context.Context, path string) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.hub+path, nil)
	if err != nil {
		return 0, err
	}
	res, err := v.http.Do(r)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", path, res.Status)
	}
	return n, err
}

// Arrive asks for what a page asks for when it is opened, and returns how many bytes came.
func (v *Visitor) Arrive(ctx context.Context) (all int64, err error) {
	for _, path := range []string{"/", "/guest/state", "/guest/channels", "/guest/messages?limit=50"} {
		n, err := v.Get(ctx, path)
		if all += n; err != nil {
			return all, err
		}
	}
	return all, nil
}

// Post writes a message to #all and returns its ID. An error: it was not kept.
func (v *Visitor) Post(ctx context.Context, text string) (string, error) {
	id, body, err := v.record(text)
	if err != nil {
		return "", err
	}
	var posted struct{ Records []struct{ Word string } }
	if err := v.send(ctx, bytes.NewReader(body), &posted); err != nil {
		return "", err
	}
	if len(posted.Records) != 1 || posted.Records[0].Word != "kept" {
		return "", fmt.Errorf("posted: %+v", posted.Records)
	}
	return id, nil
}

// record is a signed message as it is posted.
func (v *Visitor) record(text string) (id string, body []byte, err error) {
	channel, err := protocol.PublicChannel("all")
	if err != nil {
		return "", nil, err
	}
	m, err := protocol.Sign(v.key, protocol.Draft{Channel: channel, Created: uint64(time.Now().UnixMilli()), Body: []byte(text)})
	if err != nil {
		return "", nil, err
	}
	body = binary.AppendUvarint(nil, uint64(1+len(m.Wire())))
	return m.ID.String(), append(append(body, 0), m.Wire()...), nil
}

// send posts records and reads what became of them.
func (v *Visitor) send(ctx context.Context, body io.Reader, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, v.hub+"/guest/messages", body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/vnd.longear.records")
	res, err := v.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		_, _ = io.Copy(io.Discard, res.Body)
		return errors.New(res.Status)
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// Follow reads the stream of what arrives until ctx or the stream ends, and tells of each message when it has come. pause is how long the
// reader rests after each line: a slow phone. Ready, if not nil, is called when the stream is open.
func (v *Visitor) Follow(ctx context.Context, pause time.Duration, ready func(), seen func(id string)) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, v.hub+"/guest/events", nil)
	if err != nil {
		return err
	}
	res, err := v.http.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return errors.New(res.Status)
	}
	lines := bufio.NewReaderSize(res.Body, 4<<10)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		switch {
		case ready != nil && strings.HasPrefix(line, "event: hello"):
			ready()
		case strings.HasPrefix(line, `data: {"id":"`):
			id, _, _ := strings.Cut(strings.TrimPrefix(line, `data: {"id":"`), `"`)
			seen(id)
		}
		if rest(ctx, pause) != nil {
			return ctx.Err()
		}
	}
}

// rest waits, or not.
func rest(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
