package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"

	"longear/protocol"
)

// Client asks a node. It is safe for concurrent use.
type Client struct {
	http *http.Client
	base string
}

// Dial makes a client of the node whose socket is at path (see SocketPath). An error with the code NoNode
// says that none is running.
func Dial(ctx context.Context, path string) (*Client, error) {
	probe, err := dialSocket(ctx, path)
	if err != nil {
		return nil, err
	}
	probe.Close()
	return newClient(func(ctx context.Context) (net.Conn, error) { return dialSocket(ctx, path) }), nil
}

// Direct makes a client of a handler in the same process, served on a connection that is handed over by the
// returned listener. It is how one-shot programs use the API without a node running.
func Direct() (*Client, net.Listener) {
	p := &pipe{calls: make(chan net.Conn), closed: make(chan struct{})}
	return newClient(p.dial), p
}

func newClient(dial func(context.Context) (net.Conn, error)) *Client {
	return &Client{
		base: "http://longear",
		http: &http.Client{Transport: &http.Transport{
			DialContext:        func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
			DisableCompression: true,
			Proxy:              nil,
		}},
	}
}

// Close lets go of idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status is the node in numbers.
func (c *Client) Status(ctx context.Context) (StatusReport, error) {
	return fetch[StatusReport](ctx, c, http.MethodGet, "/v1/status", nil)
}

// Peers are the connected peers.
func (c *Client) Peers(ctx context.Context) ([]PeerReport, error) {
	return list[PeerReport](ctx, c, "/v1/peers")
}

// Events are the last things that happened, the oldest first.
func (c *Client) Events(ctx context.Context) ([]EventReport, error) {
	return list[EventReport](ctx, c, "/v1/events")
}

// Live is what changes by the second. Its events are nil when none is later than seen.
func (c *Client) Live(ctx context.Context, seen uint64) (LiveReport, error) {
	return fetch[LiveReport](ctx, c, http.MethodGet, "/v1/live?seen="+strconv.FormatUint(seen, 10), nil)
}

// Room says what takes the room in the node's store.
func (c *Client) Room(ctx context.Context) (StoreReport, error) {
	return fetch[StoreReport](ctx, c, http.MethodGet, "/v1/store", nil)
}

// Page makes the node serve the operator's page on loopback, and says where.
func (c *Client) Page(ctx context.Context) (PageReport, error) {
	return fetch[PageReport](ctx, c, http.MethodPost, "/v1/page", struct{}{})
}

// Stop ends the node.
func (c *Client) Stop(ctx context.Context) error {
	_, err := fetch[Done](ctx, c, http.MethodPost, "/v1/stop", struct{}{})
	return err
}

// Channels are the channels that are known or were seen.
func (c *Client) Channels(ctx context.Context) ([]Channel, error) {
	return list[Channel](ctx, c, "/v1/channels")
}

// Post writes a message. It returns once the message is safe on the node's disk.
func (c *Client) Post(ctx context.Context, p Post) (Message, error) {
	return fetch[Message](ctx, c, http.MethodPost, "/v1/messages", p)
}

// SendFile sends a photo or file. It returns once it is safe on the node's disk.
func (c *Client) SendFile(ctx context.Context, p FilePost) (Message, error) {
	return fetch[Message](ctx, c, http.MethodPost, "/v1/files", p)
}

// File writes the data of the photo or file whose message has an ID that begins with prefix.
func (c *Client) File(ctx context.Context, prefix string, to io.Writer) (int64, error) {
	res, err := c.ask(ctx, http.MethodGet, "/v1/messages/"+url.PathEscape(prefix)+"/file", "", nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(to, io.LimitReader(res.Body, protocol.MaxFile))
	if err != nil {
		return n, fmt.Errorf("take a file out: %w", err)
	}
	return n, nil
}

// Receipt tells the author of a direct message that it was read.
func (c *Client) Receipt(ctx context.Context, id string) error {
	_, err := fetch[Done](ctx, c, http.MethodPost, "/v1/messages/"+url.PathEscape(id)+"/receipt", struct{}{})
	return err
}

// Respond answers the message whose ID begins with prefix, at least 4 characters.
func (c *Client) Respond(ctx context.Context, prefix string, r Respond) (Message, error) {
	return fetch[Message](ctx, c, http.MethodPost, "/v1/messages/"+url.PathEscape(prefix)+"/responses", r)
}

// Life tells the travel of the message whose ID begins with prefix, at least 4 characters.
func (c *Client) Life(ctx context.Context, prefix string) (LifeReport, error) {
	return fetch[LifeReport](ctx, c, http.MethodGet, "/v1/messages/"+url.PathEscape(prefix), nil)
}

// Connect makes the node dial an address.
func (c *Client) Connect(ctx context.Context, addr string) error {
	_, err := fetch[Done](ctx, c, http.MethodPost, "/v1/connect", Connect{Addr: addr})
	return err
}

// Join holds a channel's key from now on.
func (c *Client) Join(ctx context.Context, j Join) (Channel, error) {
	return fetch[Channel](ctx, c, http.MethodPost, "/v1/channels", j)
}

// Leave forgets a channel and its key.
func (c *Client) Leave(ctx context.Context, name string) error {
	_, err := fetch[Done](ctx, c, http.MethodDelete, "/v1/channels/"+url.PathEscape(name), nil)
	return err
}

// Mutes are the muted authors.
func (c *Client) Mutes(ctx context.Context) ([]Muted, error) {
	return list[Muted](ctx, c, "/v1/mutes")
}

// Mute mutes an author: a key, a card, or 4 or more characters of a key that was seen. It returns when what is to go is gone.
func (c *Client) Mute(ctx context.Context, author string, m Mute) (Muted, error) {
	return fetch[Muted](ctx, c, http.MethodPut, "/v1/mutes/"+url.PathEscape(author), m)
}

// Unmute hears an author again.
func (c *Client) Unmute(ctx context.Context, author string) error {
	_, err := fetch[Done](ctx, c, http.MethodDelete, "/v1/mutes/"+url.PathEscape(author), nil)
	return err
}

// Watch says which messages a reader wants.
type Watch struct {
	Channel string // as in Post; "" is all
	History int    // how many stored ones first; -1 is all
	Live    bool   // goes on with what arrives

	NoResponses bool // leaves responses out
}

// Messages ranges over messages, oldest first. With Live it ends when ctx does or the node goes away; the last is an
// error with the code NoNode.
func (c *Client) Messages(ctx context.Context, q Watch) iter.Seq2[Message, error] {
	values := url.Values{"channel": {q.Channel}, "history": {strconv.Itoa(q.History)}}
	if q.Live {
		values.Set("live", "1")
	}
	if q.NoResponses {
		values.Set("responses", "0")
	}
	return func(yield func(Message, error) bool) {
		for m, err := range lines[Message](ctx, c, "/v1/messages?"+values.Encode()) {
			if q.Live && errors.Is(err, errBrokenOff) {
				break
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
		if q.Live {
			if err := ctx.Err(); err != nil {
				yield(Message{}, err)
				return
			}
			yield(Message{}, Fail(NoNode, "the node went away", "start it again: longear relay"))
		}
	}
}

// CarryIn hands a carry file in.
func (c *Client) CarryIn(ctx context.Context, file io.Reader) (CarryReport, error) {
	res, err := c.ask(ctx, http.MethodPost, "/v1/carry/in", carryType, file)
	if err != nil {
		return CarryReport{}, err
	}
	defer res.Body.Close()
	return decodeAnswer[CarryReport](res.Body)
}

// CarryOut takes a carry file out: everything, or one channel. A file that the node could not finish is an error.
func (c *Client) CarryOut(ctx context.Context, channel string, to io.Writer) (int64, error) {
	res, err := c.ask(ctx, http.MethodGet, "/v1/carry/out?"+url.Values{"channel": {channel}}.Encode(), "", nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	n, err := io.Copy(to, res.Body)
	if err != nil {
		return n, fmt.Errorf("take a carry file out: %w", err)
	}
	return n, nil
}

// ask sends one request and turns answers that are errors into errors.
func (c *Client) ask(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*Error](err); ok {
			return nil, e
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, Fail(NoNode, "the node does not answer: "+errors.Unwrap(err).Error(), "longear relay")
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	e, err := decodeAnswer[*Error](res.Body)
	if err != nil || e.Type != "error" {
		return nil, Fail(Failed, "the node answered "+res.Status, "is it the same version? longear doctor")
	}
	return nil, e
}

// errBrokenOff is an answer that ended before its end.
var errBrokenOff = errors.New("the node's answer broke off")

// maxAnswer bounds one object of an answer: a message's text with every byte escaped, and its fields.
const maxAnswer = 512 << 10

func decodeAnswer[T any](r io.Reader) (T, error) {
	var v T
	if err := json.NewDecoder(io.LimitReader(r, maxAnswer)).Decode(&v); err != nil {
		return v, fmt.Errorf("read the node's answer: %w", err)
	}
	return v, nil
}

func fetch[T any](ctx context.Context, c *Client, method, path string, body any) (T, error) {
	var none T
	var reader io.Reader
	contentType := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return none, err
		}
		reader, contentType = bytes.NewReader(b), jsonType
	}
	res, err := c.ask(ctx, method, path, contentType, reader)
	if err != nil {
		return none, err
	}
	defer res.Body.Close()
	return decodeAnswer[T](res.Body)
}

// lines ranges over an answer of one object a line.
func lines[T any](ctx context.Context, c *Client, path string) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		res, err := c.ask(ctx, http.MethodGet, path, "", nil)
		if err != nil {
			yield(none, err)
			return
		}
		defer res.Body.Close()
		sc := bufio.NewScanner(res.Body)
		sc.Buffer(nil, maxAnswer)
		for sc.Scan() {
			var line struct{ Type string }
			if err := json.Unmarshal(sc.Bytes(), &line); err != nil {
				yield(none, fmt.Errorf("read the node's answer: %w", err))
				return
			}
			var v T
			var failure *Error
			if line.Type == "error" {
				err = json.Unmarshal(sc.Bytes(), &failure)
				err = errors.Join(err, failure)
			} else {
				err = json.Unmarshal(sc.Bytes(), &v)
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
		if err := sc.Err(); err != nil {
			yield(none, errors.Join(errBrokenOff, err))
		}
	}
}

func list[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	out := []T{}
	for v, err := range lines[T](ctx, c, path) {
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// pipe is a listener without a network.
type pipe struct {
	calls  chan net.Conn // unbuffered: a call waits until it is taken
	closed chan struct{}
}

func (p *pipe) dial(ctx context.Context) (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case p.calls <- far:
		return near, nil
	case <-p.closed:
	case <-ctx.Done():
	}
	near.Close()
	far.Close()
	return nil, net.ErrClosed
}

// Accept takes a call.
func (p *pipe) Accept() (net.Conn, error) {
	select {
	case c := <-p.calls:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept. It is called once, by the server.
func (p *pipe) Close() error {
	close(p.closed)
	return nil
}

// Addr names it.
func (p *pipe) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }
