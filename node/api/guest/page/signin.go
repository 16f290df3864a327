package page

// SignIn is the page that a phone's sign-in window opens. Those windows have had no storage, no new tabs and sometimes
// no script, so it is static: what this is, one button, the newest messages.
type SignIn struct {
	Words   *Words
	Catalog *Catalog
	Hub     string
	URL     string // of the board, to be opened in a real browser
	Token   string // of the button
	Through bool   // the button was pressed
	Items   []Item // the newest few
}

// Bytes is the page.
func (s SignIn) Bytes() []byte {
	w := s.Words.head(s.Hub)
	w.raw("<header><h1>longear · ")
	w.isolated(line(s.Hub))
	w.raw("</h1><p>")
	w.text(s.Words.Say("welcome"))
	w.raw("</p></header><main>")
	key := "before"
	if s.Through {
		key = "through"
	}
	w.raw(`<p class="n" role="status">`)
	w.text(s.Words.Say(key))
	w.raw(` <code dir="ltr">`)
	w.text(s.URL)
	w.raw("</code></p>")
	if !s.Through {
		w.raw(`<form method="post" action="/signin"><input type="hidden" name="token"`)
		w.attr("value", s.Token)
		w.raw(`><input type="hidden" name="lang"`)
		w.attr("value", s.Words.Code)
		w.raw("><button>")
		w.text(s.Words.Say("continue"))
		w.raw("</button></form>")
	}
	w.raw("<p>")
	w.text(s.Words.Say("stay"))
	w.raw("</p><p><a")
	w.attr("href", s.URL)
	w.raw(">")
	w.text(s.Words.Say("read_here"))
	w.raw("</a></p>")
	tail := &writer{}
	s.Words.languages(tail, s.Catalog, func(code string) string { return "/signin?lang=" + code })
	tail.raw("</main></html>")
	for _, item := range s.Items {
		part := &writer{}
		s.Words.item(part, item)
		if len(w.b)+len(part.b)+len(tail.b) > pageBudget {
			break
		}
		w.b = append(w.b, part.b...)
	}
	w.b = append(w.b, tail.b...)
	return w.b
}
