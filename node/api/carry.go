package api

import (
	"errors"
	"fmt"
	"iter"
	"net/http"
	"time"

	"longear/protocol"
	"longear/store"
)

// maxDamage is how many places of damage in a carry file are told.
const maxDamage = 16

// carryOut streams the whole store, or one channel of it, as a carry file.
func (s *Server) carryOut(w http.ResponseWriter, r *http.Request) {
	all := s.cfg.Store.Newest()
	if name := r.URL.Query().Get("channel"); name != "" {
		known, err := s.cfg.Desk.rooms.named(name)
		if err != nil {
			s.answer(w, nil, err)
			return
		}
		all = both(s.cfg.Store.Talk(known.Tag), s.cfg.Store.ChannelMedia(known.Tag))
	}
	out := newStream(w, carryType)
	if err := writeCarry(out, all); err != nil {
		// The answer has begun: cutting the connection is what tells the client that the file is not whole.
		s.cfg.Log.Warn("a carry file was cut short", "err", err)
		panic(http.ErrAbortHandler)
	}
}

// both is one range after another. A file gets cut short, so photos come last.
func both(first, last iter.Seq2[store.Entry, error]) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		for e, err := range first {
			if !yield(e, err) {
				return
			}
		}
		last(yield)
	}
}

func writeCarry(out *stream, all iter.Seq2[store.Entry, error]) error {
	c := protocol.NewCarryWriter(out)
	for e, err := range all {
		if err != nil {
			return err
		}
		if e.Message.Flags&protocol.LocalOnly != 0 {
			continue // a file can go anywhere
		}
		if err := c.Write(e.Message, e.Age); err != nil {
			return err
		}
	}
	return c.Close()
}

// carryIn takes a carry file in as it comes.
func (s *Server) carryIn(w http.ResponseWriter, r *http.Request) {
	if !typed(r, carryType) {
		refuse(w, http.StatusUnsupportedMediaType, Fail(Usage, "the body must be a carry file", "Content-Type: "+carryType))
		return
	}
	rc := http.NewResponseController(w)
	report := CarryReport{Type: "carry"}
	records := protocol.ReadCarry(&steady{body: r.Body, rc: rc})
	n, err := s.cfg.Keeper.Import(r.Context(), report.watch(records))
	_ = rc.SetWriteDeadline(time.Now().Add(requestTime))
	report.Imported = n
	if _, damage := errors.AsType[*protocol.CarryError](err); damage {
		err = nil // it is told in the report
	}
	s.answer(w, report, err)
}

// watch notes the damage that passes by.
func (c *CarryReport) watch(records iter.Seq2[protocol.CarryRecord, error]) iter.Seq2[protocol.CarryRecord, error] {
	return func(yield func(protocol.CarryRecord, error) bool) {
		for rec, err := range records {
			if damage, ok := errors.AsType[*protocol.CarryError](err); ok && len(c.Damage) < maxDamage {
				c.Damage = append(c.Damage, fmt.Sprintf("byte %d: %v", damage.Offset, damage.Err))
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}
