package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// File is a photo or file as programs get to see it: its author's word, but for how much is here.
type File struct {
	Name    string `json:"name"`
	Type    string `json:"media_type"` // "" unknown
	Size    int    `json:"bytes"`
	Width   int    `json:"width"` // 0 unknown
	Height  int    `json:"height"`
	Parts   int    `json:"parts"`
	Have    int    `json:"parts_here"`
	Preview []byte `json:"preview,omitempty"` // a tiny picture: a stranger's input to whoever decodes it
}

// FilePost is a request to send a photo or file; the text of the post is its caption and may be empty. Whoever asks has looked
// at the file: the node takes bytes and decodes none.
type FilePost struct {
	Post
	Name    string `json:"name"`
	Type    string `json:"media_type"`
	Width   int    `json:"width,omitempty"`
	Height  int    `json:"height,omitempty"`
	Preview []byte `json:"preview,omitempty"`
	Data    []byte `json:"data"` // base64, at most protocol.MaxFile bytes
}

// fileType is the data of a file, whatever it is: nobody is to open it by its type.
const fileType = "application/octet-stream"

// maxFileRequest is the largest FilePost: its data in base64, and the rest.
const maxFileRequest = protocol.MaxFile/3*4 + maxRequest

// WriteFile makes the signed messages of a photo or file, the manifest last. Nothing is stored or sent yet.
func (d *Desk) WriteFile(ctx context.Context, p FilePost) ([]*protocol.Message, error) {
	switch {
	case p.To != "":
		return nil, Fail(Usage, "a file cannot go to a card", "send it to a channel whose key only the two of you hold: longear channels new NAME")
	case p.Alert:
		return nil, Fail(Usage, "a file cannot be an alert: files travel after all texts", "send the alert as a text, and the file without --alert")
	case len(p.Data) == 0:
		return nil, Fail(Usage, "the file is empty", "")
	case len(p.Data) > protocol.MaxFile:
		return nil, Fail(Usage, fmt.Sprintf("the file has %d bytes, at most %d travel (4 MiB)", len(p.Data), protocol.MaxFile), "make it smaller")
	}
	draft, err := d.draft(p.Post)
	if err != nil {
		return nil, err
	}
	room, err := d.rooms.named(p.Channel)
	if err != nil {
		return nil, err
	}
	draft.Channel = room.Tag
	m := protocol.Manifest{
		Size: len(p.Data), Type: p.Type, Name: p.Name, Width: p.Width, Height: p.Height, Preview: p.Preview, Caption: p.Text,
	}
	all, err := d.chunks(room, draft, p.Data)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		m.Chunks = append(m.Chunks, c.ID)
	}
	body, err := protocol.AppendManifest(nil, &m)
	if err != nil {
		return nil, Fail(Usage, err.Error(), "")
	}
	draft.Kind = protocol.KindManifest
	if draft.Body, err = d.sealMedia(room, body); err != nil {
		return nil, err
	}
	manifest, err := protocol.Mint(ctx, d.key, draft, p.Stamp)
	if err != nil {
		return nil, err
	}
	if room.Key == nil {
		d.rooms.remember(room)
	}
	return append(all, manifest), nil
}

// chunks cuts data up. All chunks but the last are full, so that a photo passed on by another has the same parts.
func (d *Desk) chunks(room store.KnownChannel, like protocol.Draft, data []byte) (all []*protocol.Message, err error) {
	full := protocol.MaxBody
	if room.Key != nil {
		full = protocol.MaxSealedBytes
	}
	c := protocol.Draft{
		Created: like.Created, Lifetime: like.Lifetime, Flags: like.Flags, Channel: like.Channel,
		Class: protocol.Media, Kind: protocol.KindChunk,
	}
	for len(data) > 0 {
		n := min(full, len(data))
		if c.Body, err = d.sealMedia(room, data[:n]); err != nil {
			return nil, err
		}
		m, err := protocol.Sign(d.key, c)
		if err != nil {
			return nil, err
		}
		all, data = append(all, m), data[n:]
	}
	return all, nil
}

func (d *Desk) sealMedia(room store.KnownChannel, content []byte) ([]byte, error) {
	if room.Key == nil {
		return content, nil
	}
	return room.Key.SealMedia(d.card.Author(), content)
}

// content is what the body of a message says, opened if it was sealed with a key held here.
func (d *Desk) content(m *protocol.Message) ([]byte, bool) {
	p, sealed := d.open(m)
	switch {
	case p != nil:
		return []byte(p.Text()), true
	case sealed:
		return nil, false
	}
	return m.Body, true
}

// manifest reads what a photo or file consists of.
func (d *Desk) manifest(m *protocol.Message) (*protocol.Manifest, error) {
	body, ok := d.content(m)
	if m.Kind != protocol.KindManifest || !ok {
		return nil, Fail(NotFound, "this message is no photo or file, or is sealed with a key that is not held here", "")
	}
	return protocol.ParseManifest(body)
}

// readMedia shows a manifest as the file it stands for, and a part of one as nothing that people read.
func (d *Desk) readMedia(out *Message, m *protocol.Message) {
	switch m.Kind {
	case protocol.KindChunk:
		out.Text, out.Sealed = "", false
	case protocol.KindManifest:
		f, err := d.manifest(m)
		if out.Text = ""; err != nil {
			out.Sealed = true // damaged, or not for us: it cannot be told apart
			return
		}
		out.Sealed, out.Text = false, f.Caption
		out.File = &File{Name: f.Name, Type: f.Type, Size: f.Size, Width: f.Width, Height: f.Height, Parts: len(f.Chunks), Preview: f.Preview}
	}
}

// here counts the parts of a file that are here.
func (s *Server) here(f *protocol.Manifest) (n int) {
	for _, id := range f.Chunks {
		if s.cfg.Store.Known(id) == protocol.IgnoreKnown {
			n++
		}
	}
	return n
}

// sendFile keeps a photo or file and sends it on its way: the parts first, so that whoever hears of it finds them.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request) {
	var p FilePost
	if !beginUpTo(w, r, &p, maxFileRequest) {
		return
	}
	all, err := s.cfg.Desk.WriteFile(r.Context(), p)
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTime))
	for i, m := range all[:len(all)-1] {
		if err := s.cfg.Keeper.PostOwn(r.Context(), m); err != nil {
			s.answer(w, nil, s.takeBack(r.Context(), all[:i], err))
			return
		}
	}
	shown, err := s.keep(r.Context(), all[len(all)-1])
	if err != nil {
		s.answer(w, nil, s.takeBack(r.Context(), all[:len(all)-1], err))
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusCreated)
	_ = writeLine(w, shown)
}

// takeBack lets the parts of a file go that has no place as a whole.
func (s *Server) takeBack(ctx context.Context, parts []*protocol.Message, why error) error {
	var ids []protocol.ID
	for _, m := range parts {
		ids = append(ids, m.ID)
	}
	if errors.Is(why, node.ErrFull) {
		why = Fail(StoreFull, "there is no room for this file: photos and files have half of the store, and your own are never pushed out", "wait until older ones expire, or give the store more room: --store-max")
	}
	return errors.Join(why, s.cfg.Store.Remove(context.WithoutCancel(ctx), ids, store.Removed))
}

// file puts a photo or file together. It is given only whole.
func (s *Server) file(w http.ResponseWriter, r *http.Request) {
	begin(w, r, nil)
	data, err := s.assemble(r.PathValue("id"))
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", fileType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data)
}

func (s *Server) assemble(prefix string) ([]byte, error) {
	id, err := s.find(prefix)
	if err != nil {
		return nil, err
	}
	e, err := s.get(id)
	if err != nil {
		return nil, err
	}
	m, err := s.cfg.Desk.manifest(e.Message)
	if err != nil {
		return nil, err
	}
	if missing := len(m.Chunks) - s.here(m); missing > 0 {
		return nil, Fail(NotFound, fmt.Sprintf("%d of %d parts are still missing", missing, len(m.Chunks)), "they come with the next neighbour that has them; then ask again")
	}
	damaged := Fail(Unverified, "the parts do not make the file that was announced", "")
	var data bytes.Buffer
	for _, id := range m.Chunks {
		part, err := s.get(id)
		if err != nil {
			return nil, err
		}
		body, ok := s.cfg.Desk.content(part.Message)
		if !ok || part.Message.Kind != protocol.KindChunk || data.Len()+len(body) > m.Size {
			return nil, damaged
		}
		data.Write(body)
	}
	if data.Len() != m.Size {
		return nil, damaged
	}
	return data.Bytes(), nil
}
