package guest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"longear/protocol"
)

// Writing without script.
//
// A message is signed by its author, and without script a phone cannot sign. So a form has no author of the guest's: whatever signed it
// would be a key of the hub's, and nobody could tell one guest's words from another's, nor from the operator's if it were the
// operator's key. The choice here: off unless the operator turns it on (Config.Forms). Then what comes by form is signed with a key
// made at start, that signs nothing else and is never written to disk, and its text begins with the words of markOf, which every
// reader everywhere sees. Nothing that a form wrote can pass for a person's word, and a seized hub does not hold the key.
//
// Signing under the operator's own key was not chosen: strangers' words under a person's pseudonym put that person at risk. Signing
// with a key for each guest was not chosen either: it would look like a person, and the hub would be that person.

// markOf begins every message that was written by form. It is the same in all languages, so that pages can know it.
func markOf(hub string) string { return "[guest without script at hub " + hub + "] " }

// formChannel is the name of the channel that a form on a page writes to: a public one that is shown by name, or #all.
func (s *Server) formChannel(q query) (string, bool) {
	if s.form == nil {
		return "", false
	}
	if !q.one {
		return "all", true
	}
	name, ok := s.names[q.channel]
	return name, ok
}

// token proves that a form was made here, for this guest, within the last hour or two. It stands in for Origin, which pages without
// referrer send as null and old sign-in windows not at all.
func (s *Server) token(v *visitor) string {
	return s.tokenAt(v, s.cfg.Now().Unix()/int64(tokenLife.Seconds()))
}

func (s *Server) tokenAt(v *visitor, hour int64) string {
	mac := hmac.New(sha256.New, s.secret[:])
	mac.Write([]byte(v.name + " " + strconv.FormatInt(hour, 10)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:16])
}

func (s *Server) tokenRight(v *visitor, token string) bool {
	hour := s.cfg.Now().Unix() / int64(tokenLife.Seconds())
	for _, h := range []int64{hour, hour - 1} {
		if hmac.Equal([]byte(token), []byte(s.tokenAt(v, h))) {
			return true
		}
	}
	return false
}

// readForm takes a form in, if its token is right.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request, v *visitor) (form url.Values, fresh, ok bool) {
	body, leave, ok := s.take(w, r, v, formType)
	if !ok {
		return nil, false, false
	}
	defer leave()
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuse(w, http.StatusBadRequest, "the form cannot be read", "")
		return nil, false, false
	}
	return form, s.tokenRight(v, form.Get("token")), true
}

// postForm writes what came by form, and leads back to the board with what became of it.
func (s *Server) postForm(w http.ResponseWriter, r *http.Request, v *visitor) {
	if s.form == nil {
		refuse(w, http.StatusForbidden, "this hub takes no messages by form", "open / in a browser with script")
		return
	}
	form, fresh, ok := s.readForm(w, r, v)
	if !ok {
		return
	}
	back := url.Values{}
	if lang := s.cfg.Catalog.Choose(form.Get("lang"), ""); lang.Code == form.Get("lang") {
		back.Set("lang", lang.Code)
	}
	notice := "stale_form"
	if fresh {
		var tag protocol.Channel
		if tag, notice = s.write(r, v, form.Get("channel"), form.Get("text")); s.names[tag] != "" {
			back.Set("channel", tag.String())
		}
	}
	back.Set("notice", notice)
	w.Header().Set("Location", "/?"+back.Encode())
	w.WriteHeader(http.StatusSeeOther)
}

// write signs a guest's text with the key of forms and returns its channel and what to say.
func (s *Server) write(r *http.Request, v *visitor, channel, text string) (protocol.Channel, string) {
	text = strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
	tag, err := protocol.PublicChannel(channel)
	switch {
	case err != nil || s.names[tag] == "" && channel != "all":
		return tag, "refused"
	case text == "":
		return tag, "empty_text"
	case utf8.RuneCountInString(text) > maxFormRunes:
		return tag, "too_long"
	case !readable([]byte(text)):
		return tag, "refused"
	}
	m, err := protocol.Sign(s.form, protocol.Draft{
		Created: uint64(max(s.cfg.Now().UnixMilli(), 0)), Channel: tag, Body: []byte(markOf(s.cfg.Hub) + text),
	})
	if err != nil {
		s.cfg.Log.Warn("a form could not be signed", "err", err)
		return tag, "failed"
	}
	verdicts, err := s.offer(r, v, []protocol.CarryRecord{{Wire: m.Wire()}})
	if err != nil {
		s.cfg.Log.Warn("a form's message was not kept", "err", err)
	}
	word, _ := wordOf(verdicts[0])
	return tag, word
}
