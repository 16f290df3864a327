package guest

import (
	"net/http"

	"longear/node/api/guest/page"
	"longear/protocol"
)

// Posted is the answer to POST /guest/messages: what became of each record, in their order.
type Posted struct {
	Type    string         `json:"type"` // always "posted"
	Records []PostedRecord `json:"records"`
}

// PostedRecord is what became of one record.
type PostedRecord struct {
	ID      string `json:"id,omitempty"` // absent when the bytes are no message
	Verdict string `json:"verdict"`      // as SPEC.md section 5 writes it
	Word    string `json:"word"`         // key of the page's catalogue
	Say     string `json:"say"`          // in the language of the request
	Again   bool   `json:"again"`        // worth another try later
}

// wordOf is a verdict for people: a key of the catalogue.
func wordOf(v protocol.Verdict) (word string, again bool) {
	switch v {
	case protocol.Accept:
		return "kept", false
	case protocol.IgnoreKnown:
		return "known", false
	case protocol.IgnoreDead:
		return "dead", false
	case protocol.IgnoreExpired:
		return "expired", false
	case protocol.IgnoreMuted:
		return "muted", false
	case protocol.IgnoreBudget:
		return "later", true
	case protocol.IgnoreFull:
		return "full", true
	case protocol.IgnoreStore:
		return "failed", true
	}
	return "refused", false
}

// post brings records through the door.
func (s *Server) post(w http.ResponseWriter, r *http.Request, v *visitor) {
	body, leave, ok := s.take(w, r, v, recordsType)
	if !ok {
		return
	}
	defer leave()
	records, err := parseRecords(body, maxPostRecords)
	if err != nil || len(records) == 0 {
		refuse(w, http.StatusBadRequest, "the body is not 1 to 64 records", "each is: length, age in ms, message; see GUEST.md")
		return
	}
	verdicts, err := s.offer(r, v, records)
	if err != nil {
		s.cfg.Log.Warn("a guest's messages were not kept", "err", err)
	}
	words := s.wordsFor(r)
	out := Posted{Type: "posted"}
	for i, verdict := range verdicts {
		out.Records = append(out.Records, posted(words, records[i].Wire, verdict))
	}
	answer(w, http.StatusOK, out)
}

// offer brings what a guest posts to the node, as far as the guest's budget goes.
func (s *Server) offer(r *http.Request, v *visitor, records []protocol.CarryRecord) ([]protocol.Verdict, error) {
	n := s.visitors.post(v, len(records))
	verdicts, err := s.cfg.Door.OfferFrom(r.Context(), v.name, records[:n], false)
	s.blame(v, verdicts)
	for range records[n:] {
		verdicts = append(verdicts, protocol.IgnoreBudget)
	}
	return verdicts, err
}

// blame charges a guest for what no honest page sends, and reports whether there was any.
func (s *Server) blame(v *visitor, verdicts []protocol.Verdict) bool {
	forged := 0
	for _, verdict := range verdicts {
		if verdict.Rejected() {
			forged++
		}
	}
	s.visitors.charge(v, forged*forgedCost)
	return forged > 0
}

func posted(words *page.Words, wire []byte, verdict protocol.Verdict) PostedRecord {
	word, again := wordOf(verdict)
	out := PostedRecord{Verdict: verdict.String(), Word: word, Say: words.Say(word), Again: again}
	if u, v := protocol.Decode(wire); v == protocol.Accept {
		out.ID = u.ID().String()
	}
	return out
}

// wordsFor is the language of a request: ?lang=, or what the browser prefers.
func (s *Server) wordsFor(r *http.Request) *page.Words {
	return s.cfg.Catalog.Choose(r.URL.Query().Get("lang"), r.Header.Get("Accept-Language"))
}
