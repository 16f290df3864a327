package node

import (
	"slices"
	"sync/atomic"
	"time"

	"longear/protocol"
	"longear/protocol/reconcile"
	"longear/store"
)

// Photos travel when nothing else wants to. A link pulls media only while it pulls nothing else, one request at a time, and answers come in
// slices after which the puller has the word: that much, and no more, is on the air before a text. Rounds go on meanwhile, over
// alerts and texts alone.
const (
	// rankMedia is the rank of photos and files.
	rankMedia = 2
	// mediaPage is how much media goes into one frame: a chunk.
	mediaPage = 32 << 10
	// mediaSlice is how much media answers a pull before the puller has to ask on; mediaSliceTalk, while somebody talks here. A full chunk
	// takes a quarter of a second of 1 Mbit/s.
	mediaSlice     = 256 << 10
	mediaSliceTalk = mediaPage
	// mediaShorts is how many chunks one pull asks for by name, so that other links find parts that nobody is pulling.
	mediaShorts = 8
	// talkLife is how long after a fresh text or alert media still makes way.
	talkLife = 30 * time.Second
	// mediaServed is how long after the last chunk the peer is taken to come for the next.
	mediaServed = time.Second
)

// mediaQueue is what a link has to do with media. The loop owns it.
type mediaQueue struct {
	wants  []reconcile.Want // not asked for yet, the newest first
	held   *pull            // an answer that goes on as soon as media may; its wants are on lease
	sent   time.Time        // when the last request went out
	free   time.Time        // before it none goes out
	timer  *time.Timer      // fires at free; nil until it was needed
	served time.Time        // when a chunk was last given to the peer
}

// ring is when the link may have to go on with media. Nil, which never comes, when nothing waits for the time.
func (q *mediaQueue) ring() <-chan time.Time {
	if q.timer == nil {
		return nil
	}
	return q.timer.C
}

// want adds what a round found. What was known to lack under the same prefixes is told anew by it.
func (q *mediaQueue) want(found []reconcile.Want) {
	fresh := make(map[reconcile.Prefix]struct{}, len(found))
	for _, w := range found {
		fresh[w.Prefix] = struct{}{}
	}
	for _, w := range q.wants {
		if _, again := fresh[w.Prefix]; !again {
			found = append(found, w)
		}
	}
	q.wants, _ = reconcile.Keep(found, wantsMost, shortsMost) // when these are pulled a round tells the others
}

func isMedia(w reconcile.Want) bool { return w.Prefix.Len() > 0 && w.Prefix.At(0) >= rankMedia }

// sortWants takes what a round found apart.
func (l *link) sortWants(found []reconcile.Want) {
	var media []reconcile.Want
	for _, w := range found {
		l.moved = true
		for _, part := range byRank(w) {
			switch {
			case !isMedia(part):
				l.wants = append(l.wants, part)
			default:
				media = append(media, part)
			}
		}
	}
	l.media.want(media)
}

// byRank splits a want of all ranks. Two small sets are compared by one list, whose short IDs do not tell what is a photo: each rank
// is asked for all of them, and gives those that it has.
func byRank(w reconcile.Want) []reconcile.Want {
	if w.Whole || w.Prefix.Len() > 0 {
		return w.ByRank()
	}
	var out []reconcile.Want
	for rank := range uint8(rankMedia + 1) {
		out = append(out, reconcile.Want{Prefix: w.Prefix.Child(rank), Short: w.Short})
	}
	return out
}

// mediaMoves reports whether chunks are under way on this link in either direction: then rounds leave media out, which would only
// list again what comes anyway.
func (l *link) mediaMoves() bool {
	if len(l.media.wants) > 0 || l.media.held != nil || time.Since(l.media.served) < mediaServed {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, p := range l.pulls {
		if p.media {
			return true
		}
	}
	return false
}

// pumpMedia opens the next request for media, if nothing else is under way on this link, and returns out with its frame.
func (l *link) pumpMedia(out []byte) []byte {
	q := &l.media
	if len(l.wants) > 0 || q.held == nil && len(q.wants) == 0 {
		return out
	}
	l.mu.Lock()
	busy := len(l.pulls) > 0
	l.mu.Unlock()
	if busy {
		return out
	}
	if wait := time.Until(q.free); wait > 0 {
		if q.timer == nil {
			q.timer = time.NewTimer(wait)
		} else {
			q.timer.Reset(wait)
		}
		return out
	}
	p := q.held
	if q.held = nil; p == nil {
		p = l.nextMedia()
	}
	if len(p.Wants) == 0 {
		return out
	}
	q.sent = time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.request(out, p)
}

// nextMedia takes the next wants off the queue. What another link is pulling stays in it until that link has let it go: chunks take long,
// and if it fails the round that showed them is past.
func (l *link) nextMedia() *pull {
	p := &pull{media: true}
	shorts, began := 0, l.spent
	var later []reconcile.Want
	for i, w := range l.media.wants {
		if l.spent-began >= pageWork {
			later = slices.Concat(l.media.wants[i:], later) // what was not looked at comes first the next time
			break
		}
		if shorts >= mediaShorts {
			later = append(later, l.media.wants[i:]...)
			break
		}
		if !l.lacks(&w) {
			continue
		}
		if !l.n.leases.take(l, w.Prefix) {
			later = append(later, w)
			continue
		}
		p.Wants = append(p.Wants, w)
		if shorts += len(w.Short); w.Whole {
			shorts = mediaShorts
		}
	}
	l.media.wants = later
	return p
}

// lacks takes out of a want what has come since the round that showed it, and reports whether anything is left. A node that has nothing
// wants everything as one. If it has something when the turn of media comes, it waits for the round after, in which each chunk has a name:
// all media would be on lease to one link.
func (l *link) lacks(w *reconcile.Want) bool {
	if w.Whole {
		empty := l.n.store.Stats().Messages == 0
		l.again = l.again || !empty
		return empty
	}
	here := make(map[reconcile.ShortID]struct{})
	err := l.look(func(v *store.View) error {
		for k, err := range reconcile.Match(v, l.salt, w.Prefix, w.Short) {
			if err != nil {
				return err
			}
			here[l.salt.Short(k.ID())] = struct{}{}
		}
		return nil
	})
	if err != nil {
		l.again = true // a round tells what is missing
		return false
	}
	var left []reconcile.ShortID // grows with what is left: it may wait for long
	for _, s := range w.Short {
		if _, has := here[s]; !has {
			left = append(left, s)
		}
	}
	w.Short = left
	return len(left) > 0
}

// mediaDone plans what comes after an answer with media: at once or, while somebody talks, after a pause as long as the answer took. Of that
// time a part was its way here and back, so media has the link less than half of the time, and most texts meet no chunk under way.
func (l *link) mediaDone(p *pull) {
	if l.n.talk.alive() {
		l.media.free = time.Now().Add(time.Since(l.media.sent))
	}
	if p.bytes > 0 && l.media.held == nil && len(l.media.wants) == 0 {
		l.again = true // what was posted meanwhile, and what this peer did not have after all
	}
}

// sliceOf is how much of an answer goes out before the puller has to ask on.
func (l *link) sliceOf(job *answer) int {
	switch {
	case !job.media():
		return answerMost
	case l.n.talk.alive():
		return mediaSliceTalk
	}
	return mediaSlice
}

func (a *answer) media() bool { return a.at < len(a.Wants) && isMedia(a.Wants[a.at]) }

// urgent moves the first answer without media to the front: a text does not wait for a photo.
func (l *link) urgent() {
	for i, job := range l.jobs {
		if !job.media() {
			copy(l.jobs[1:i+1], l.jobs[:i])
			l.jobs[0] = job
			return
		}
	}
}

// isChunk reports whether bytes that were accepted are a part of a photo.
func isChunk(wire []byte) bool {
	u, v := protocol.Decode(wire)
	if v != protocol.Accept {
		return false
	}
	_, d := u.Claims()
	return d.Kind == protocol.KindChunk
}

// talk is when people were last heard: messages that they read and write now, not those that a backlog brings.
type talk struct{ at atomic.Int64 } // unix ns

func (t *talk) alive() bool { return time.Since(time.Unix(0, t.at.Load())) < talkLife }

// heard notes that somebody talks: a message that people read came in fresh.
func (n *Node) heard(m *protocol.Message, age time.Duration) {
	if m.Class != protocol.Media && m.Kind != protocol.KindManifest && age < freshAge {
		n.talk.at.Store(time.Now().UnixNano())
	}
}
