package node

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"longear/protocol"
	"longear/protocol/frame"
	"longear/protocol/reconcile"
	"longear/store"
)

// Bounds of answering.
const (
	// answerMost is how many bytes of messages answer one pull, before the puller has to ask on.
	answerMost = 4 << 20
	// answersOpen is how many pulls of one peer wait for their answers. An honest peer has pullsOpen and claimsOpen.
	answersOpen = 8
	// pageBytes is how much is read from the store and written at a time, at most: the transaction is over before the
	// network is touched. A link begins with pageFirst and goes on with what it takes in pageTime, but pageLeast: an alert waits behind a page,
	// and whoever pulls waits leaseStale for one before it asks others for the same, over the same air.
	pageBytes = 64 << 10
	pageFirst = 8 << 10
	pageLeast = 2 << 10
	pageTime  = time.Second
	// pageWork is how much is read from the store for one page, in keys (store.View.Work): a want may be the work of thousands and bring nothing. 512
	// wants of an honest peer (pullWants) are named under prefixes of about a hundred keys each.
	pageWork = 1 << 16
)

// answer is a pull of the peer's that is being served.
type answer struct {
	frame.Request
	at    int // the want under way; below lies in it
	bytes int
	told  frame.End // the last key that was looked at, where the puller may go on
}

// onPull takes a request. It is served in turn with those under way: an alert should not wait for a backlog.
func (l *link) onPull(b []byte) error {
	req, err := frame.ParseRequest(b)
	if err != nil {
		return err
	}
	if len(l.jobs) >= answersOpen {
		return fmt.Errorf("%w: more than %d open pulls", frame.ErrFrame, answersOpen)
	}
	l.moved = true
	l.jobs = append(l.jobs, &answer{Request: req})
	return nil
}

// page is what one look into the store gives for an answer.
type page struct {
	records []byte
	own     []protocol.ID // of them, what was written on this node
	all     []protocol.ID // their IDs, while carriers are counted
	count   int
	late    int // of count, how many gossip has had its time for
	more    bool
}

// answerPage sends the next page of one of the open answers, in turn.
func (l *link) answerPage(ctx context.Context) error {
	l.urgent()
	job := l.jobs[0]
	l.jobs = append(l.jobs[:0], l.jobs[1:]...)
	media := job.media()
	// It grows as needed: most answers while messages spread are a message or two.
	p := page{records: binary.AppendUvarint(make([]byte, 0, 1<<10), job.Number)}
	head := len(p.records)
	err := l.look(func(v *store.View) error { return l.fill(&p, job, v) })
	if err != nil {
		return fmt.Errorf("answer a pull: %w", err)
	}
	var out []byte
	if len(p.records) > head {
		out = frame.Append(make([]byte, 0, len(p.records)+64), frame.Messages, p.records)
		job.bytes += len(p.records)
	}
	if media && p.count > 0 {
		l.media.served = time.Now()
	}
	done := frame.End{Number: job.Number, More: p.more, At: job.told.At, Below: job.told.Below}
	if p.more && job.bytes < l.sliceOf(job) {
		l.jobs = append(l.jobs, job)
	} else {
		out = frame.Append(out, frame.Done, done.Append(nil))
	}
	if err := l.send(out); err != nil {
		return err
	}
	l.gave.Add(uint64(p.count))
	l.late.Add(uint64(p.late))
	l.n.counts.gave.Add(uint64(p.count))
	l.n.carriers.served(l.token(), p.all)
	if len(p.own) > 0 {
		return l.n.store.Took(ctx, l.token(), p.own)
	}
	return nil
}

// send writes a page, and sets the size of the next by how long that took.
func (l *link) send(out []byte) error {
	began := time.Now()
	if err := l.flush(out); err != nil {
		return err
	}
	switch took := time.Since(began); {
	case took > pageTime:
		l.page = max(pageLeast, int(time.Duration(len(out))*pageTime/took))
	case len(out) >= l.page && 2*took < pageTime:
		l.page = min(2*l.page, pageBytes)
	}
	return nil
}

// fill reads a page and moves the answer's place behind it.
func (l *link) fill(p *page, job *answer, v *store.View) error {
	for first := job.at; job.at < len(job.Wants); job.at++ {
		if p.more = job.at > first && v.Work() >= pageWork; p.more {
			return nil
		}
		full := l.page
		if job.media() {
			full = min(full, mediaPage)
		}
		for e, err := range v.Asked(l.salt, job.Wants[job.at], job.Below) {
			if err != nil {
				return err
			}
			// What was found by name has been the work already.
			if p.more = len(p.records) >= full || job.Wants[job.at].Whole && v.Work() >= pageWork; p.more {
				return nil
			}
			job.Below = e.Key()
			job.told = frame.End{At: job.at, Below: job.Below}
			if e.Message.Flags&protocol.LocalOnly != 0 && !l.local {
				continue
			}
			p.records = frame.AppendRecord(p.records, uint64(max(e.Age.Milliseconds(), 0)), e.Message.Wire())
			p.count++
			if e.Age >= freshAge {
				p.late++
			}
			if l.n.carriers.some.Load() {
				p.all = append(p.all, e.Message.ID)
			}
			if e.Own {
				p.own = append(p.own, e.Message.ID)
			}
		}
		// A full page ends here and not before the first record of the next want: where it ends is told by a key that was looked at.
		if p.more = len(p.records) >= full && job.at+1 < len(job.Wants); p.more {
			return nil
		}
		job.Below = reconcile.Key{}
	}
	return nil
}
