package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"longear/node"
	"longear/protocol"
	"longear/store"
)

// Said is what a message says beside its text, and what is said to it.
type Said struct {
	Damaged bool    `json:"damaged,omitempty"` // the body is not in the form of its kind
	Poll    *Poll   `json:"poll,omitempty"`    // of a poll, whose text is the question
	Answer  *Answer `json:"answer,omitempty"`  // of a response
	// Tally is what keys answer to this message, or of a response to its target; absent when nobody has.
	Tally *Tally `json:"tally,omitempty"`
}

// Poll is what a poll offers.
type Poll struct {
	Options []string `json:"options"`
	Most    int      `json:"most"` // how many of them one key may choose
}

// Answer is what a key answers to a message.
type Answer struct {
	Answer  string   `json:"answer"`            // "withdraw", "confirm", "contradict", "sign", "vote" or "react"
	Options []int    `json:"options,omitempty"` // of a vote: 0 is the first
	Text    string   `json:"text,omitempty"`    // of a reaction
	Target  string   `json:"target,omitempty"`  // what is answered
	Of      string   `json:"of,omitempty"`      // the beginning of the target's text, if that can be read here
	Chosen  []string `json:"chosen,omitempty"`  // of a vote that fits its poll: the texts of the options
}

// Tally counts the answers to a message that are kept here: one of each key, the latest. Keys are counted, not people.
type Tally struct {
	node.Tally
	Mine *Answer `json:"mine,omitempty"` // what the key of this node answers
}

// Respond is a request to answer a message.
type Respond struct {
	Answer  string `json:"answer"`            // as in Answer
	Options []int  `json:"options,omitempty"` // of a vote: 0 is the first
	Text    string `json:"text,omitempty"`    // of a reaction
}

// showAnswer is an answer without its target.
func showAnswer(a protocol.Answer) *Answer {
	out := &Answer{Answer: a.Kind.String(), Text: a.Text}
	for _, o := range a.Options {
		out.Options = append(out.Options, int(o))
	}
	return out
}

// explain shows the body of a message as its kind has it.
func explain(out *Message, kind protocol.Kind, body []byte) {
	switch kind {
	case protocol.Response:
		if a, ok := protocol.ParseAnswer(body); ok && len(out.Parents) == 1 {
			out.Answer = showAnswer(a)
			out.Answer.Target = out.Parents[0]
			return
		}
	case protocol.KindPoll:
		if p, ok := protocol.ParsePoll(body); ok {
			out.Text, out.Poll = p.Question, &Poll{Options: p.Options, Most: int(p.Most)}
			return
		}
	default:
		out.Text = strings.ToValidUTF8(string(body), "\uFFFD")
		return
	}
	out.Damaged = true
}

// opener reads bodies of a channel whose key is held; nil for one that is public, or that this node knows nothing of.
func (d *Desk) opener(tag protocol.Channel) node.Opener {
	room, known := d.rooms.ring.At(tag)
	if !known || room.Key == nil {
		return nil
	}
	return func(m *protocol.Message) ([]byte, bool) {
		p, err := room.Key.Open(m)
		if err != nil {
			return nil, false
		}
		return []byte(p.Text()), true
	}
}

// answerable reports whether answers to a message are counted: responses to responses, letters and kinds that nobody knows have none.
func answerable(m *protocol.Message) bool {
	switch m.Kind {
	case protocol.Post, protocol.KindPetition, protocol.KindPoll, protocol.KindManifest:
		return m.Channel != protocol.DirectChannel()
	}
	return false
}

// addAnswers completes a shown message with what is said to it, or with what it answers.
func (s *Server) addAnswers(ctx context.Context, m *protocol.Message, out *Message) {
	if out.Sealed || out.Damaged {
		return
	}
	if out.Answer == nil {
		out.Tally = s.tally(ctx, m)
		return
	}
	target, ok := m.Answers()
	if !ok {
		return
	}
	e, err := s.cfg.Store.Get(target)
	if err != nil || e.Message.Channel != m.Channel || !answerable(e.Message) {
		return // not here, and its answers may be; or nothing that is answered
	}
	shown := s.cfg.Desk.Read(e)
	if s.hides(e.Message) {
		return // whoever answers a muted author is heard, and what the author said is not
	}
	out.Answer.Of = beginning(shown.Text)
	if p := shown.Poll; p != nil {
		out.Answer.Chosen = chosen(out.Answer.Options, p)
	}
	out.Tally = s.tally(ctx, e.Message)
}

// chosen are the texts of the options of a vote; nil if it does not fit.
func chosen(options []int, p *Poll) (texts []string) {
	if len(options) > p.Most {
		return nil
	}
	for _, o := range options {
		if o >= len(p.Options) {
			return nil
		}
		texts = append(texts, p.Options[o])
	}
	return texts
}

// maxBeginning is how much of a target is shown with an answer to it, in characters.
const maxBeginning = 60

func beginning(text string) string {
	if utf8.RuneCountInString(text) <= maxBeginning {
		return text
	}
	return string([]rune(text)[:maxBeginning]) + "…"
}

// tally counts what is answered to a message; nil if nothing is. A failure to count is no reason not to show a message.
func (s *Server) tally(ctx context.Context, m *protocol.Message) *Tally {
	if !answerable(m) {
		return nil
	}
	open := s.cfg.Desk.opener(m.Channel)
	sum, err := s.tallies.Of(ctx, m, open)
	if err != nil {
		s.cfg.Log.Warn("answers could not be counted", "id", m.ID, "err", err)
		return nil
	}
	if sum.Empty() {
		return nil
	}
	out := &Tally{Tally: sum}
	out.Mine = s.mine(m, open)
	return out
}

// mine is what the key of this node answers to a message, if that counts; nil for nothing, and for what was taken back.
func (s *Server) mine(m *protocol.Message, open node.Opener) *Answer {
	mine, err := s.cfg.Store.AnswerBy(m.ID, m.Channel, s.cfg.Desk.card.Author())
	if err != nil {
		return nil
	}
	a, ok := s.tallies.Read(mine, open)
	p := node.PollOf(m, open)
	sum := protocol.NewTally(m.Kind, p)
	if !ok || a.Kind == protocol.Withdraw || !sum.Fits(a) {
		return nil
	}
	out := showAnswer(a)
	for _, o := range a.Options {
		out.Chosen = append(out.Chosen, p.Options[o])
	}
	return out
}

func (s *Server) respond(w http.ResponseWriter, r *http.Request) {
	var a Respond
	if !begin(w, r, &a) {
		return
	}
	shown, err := s.answerTo(r.Context(), strings.ToLower(r.PathValue("id")), a)
	if err != nil {
		s.answer(w, nil, err)
		return
	}
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusCreated)
	_ = writeLine(w, shown)
}

// answerTo keeps and sends an answer of this person's to the message whose ID begins as given.
func (s *Server) answerTo(ctx context.Context, prefix string, r Respond) (Message, error) {
	id, err := s.find(prefix)
	if err != nil {
		return Message{}, err
	}
	target, err := s.get(id)
	if err != nil {
		return Message{}, err
	}
	before := uint64(0)
	mine, err := s.cfg.Store.AnswerBy(id, target.Message.Channel, s.cfg.Desk.card.Author())
	switch {
	case err == nil:
		before = mine.Created
	case !errors.Is(err, store.ErrNotFound):
		return Message{}, err
	}
	m, err := s.cfg.Desk.respond(ctx, target, r, before)
	if err != nil {
		return Message{}, err
	}
	s.tallies.Forget(id)
	return s.keep(ctx, m)
}

// respond makes the response to a message. before is the creation time of the one that it replaces: a clock that has gone back must not
// make the new answer the older one.
func (d *Desk) respond(ctx context.Context, target store.Entry, r Respond, before uint64) (*protocol.Message, error) {
	m := target.Message
	shown := d.Read(target)
	a, err := answerOf(r)
	if err == nil {
		err = fitting(a, m, shown)
	}
	if err != nil {
		return nil, err
	}
	draft := protocol.Draft{
		Created: d.wallMillis(), Lifetime: m.Lifetime, Channel: m.Channel, Kind: protocol.Response,
		Flags: m.Flags & protocol.LocalOnly, Parents: []protocol.ID{m.ID},
	}
	if before > 0 {
		draft.Created = max(draft.Created, before+1)
	}
	if draft.Body, err = protocol.AppendAnswer(nil, a); err != nil {
		return nil, Fail(Usage, err.Error(), "")
	}
	if room, known := d.rooms.ring.At(m.Channel); known && room.Key != nil {
		if draft.Body, err = room.Key.Seal(d.card.Author(), string(draft.Body)); err != nil {
			return nil, err
		}
	}
	return protocol.Mint(ctx, d.key, draft, 0)
}

// answerOf reads a request.
func answerOf(r Respond) (protocol.Answer, error) {
	for k := range protocol.React + 1 {
		if k.String() != r.Answer {
			continue
		}
		a := protocol.Answer{Kind: k, Text: r.Text}
		for _, o := range r.Options {
			if o < 0 || o >= protocol.MaxOptions {
				return a, Fail(Usage, fmt.Sprintf("no poll has an option number %d", o+1), fmt.Sprintf("1 to %d", protocol.MaxOptions))
			}
			a.Options = append(a.Options, uint8(o))
		}
		if _, err := protocol.AppendAnswer(nil, a); err != nil {
			return a, Fail(Usage, err.Error(), "")
		}
		return a, nil
	}
	return protocol.Answer{}, Fail(Usage, fmt.Sprintf("%q is no answer", r.Answer), "confirm, contradict, sign, vote, react or withdraw")
}

// fitting refuses an answer that nobody would count.
func fitting(a protocol.Answer, m *protocol.Message, shown Message) error {
	short := m.ID.Short()
	switch {
	case m.Channel == protocol.DirectChannel():
		return Fail(Usage, short+" is a letter", "answer it with longear send @CARD")
	case shown.Sealed:
		return Fail(Usage, short+" is sealed with a key that is not held here", "join its channel first: longear channels join")
	case shown.Answer != nil:
		return Fail(Usage, short+" is an answer itself", "answer what it answers: "+shown.Answer.Target[:8])
	case shown.Damaged || !answerable(m):
		return Fail(Usage, fmt.Sprintf("%s is a %v that cannot be answered", short, m.Kind), "")
	case a.Kind == protocol.CoSign && m.Kind != protocol.KindPetition:
		return Fail(Usage, fmt.Sprintf("%s is a %v: only a petition is signed", short, m.Kind), "longear respond "+short+" confirm says that you see it too")
	case a.Kind != protocol.Vote:
		return nil
	case shown.Poll == nil:
		return Fail(Usage, fmt.Sprintf("%s is a %v: only a poll is voted in", short, m.Kind), "longear respond "+short+" confirm says that you see it too")
	case len(a.Options) > shown.Poll.Most:
		return Fail(Usage, fmt.Sprintf("%d options, and the poll allows %d", len(a.Options), shown.Poll.Most), optionsOf(shown.Poll))
	case int(a.Options[len(a.Options)-1]) >= len(shown.Poll.Options):
		return Fail(Usage, fmt.Sprintf("the poll has no option %d", a.Options[len(a.Options)-1]+1), optionsOf(shown.Poll))
	}
	return nil
}

// optionsOf lists what can be chosen, numbered as people count.
func optionsOf(p *Poll) string {
	var b strings.Builder
	b.WriteString("choose from")
	for i, o := range p.Options {
		b.WriteString(" " + strconv.Itoa(i+1) + ": " + beginning(o) + ";")
	}
	return strings.TrimSuffix(b.String(), ";")
}
