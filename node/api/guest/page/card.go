package page

import "fmt"

// Code is a QR code: Size squares a side.
type Code struct {
	Size  int
	Black func(x, y int) bool
}

// Card is a page to print, A6: how to join the Wi-Fi and open the board, as codes and as text.
type Card struct {
	Words          *Words
	Hub            string
	SSID, Password string // SSID "": only the address
	URL            string
	Join, Open     Code // Join only with an SSID
}

// cardStyle is for paper: black on white, A6, millimetres.
const cardStyle = `@page{size:105mm 148mm;margin:0}*{box-sizing:border-box}` +
	`body{margin:0;inline-size:105mm;block-size:148mm;padding:6mm;font:10pt/1.28 system-ui,sans-serif;color:#000;background:#fff;display:flex;flex-direction:column;gap:3mm;overflow:hidden}` +
	`h1{font-size:14pt;margin:0;text-align:center}.q{display:flex;gap:4mm;justify-content:center}figure{margin:0;inline-size:44mm;text-align:center;overflow-wrap:anywhere}` +
	`svg{inline-size:40mm;block-size:40mm;margin-inline:auto;display:block}figcaption{font-size:9pt}ol{margin:0;padding-inline-start:6mm}li{margin-block-end:1.2mm}code{font-size:7.9pt}`

// Bytes is the card: one file of HTML that loads nothing.
func (c Card) Bytes() []byte {
	w := &writer{}
	w.raw("<!doctype html><html")
	w.attr("lang", c.Words.Code)
	w.attr("dir", c.Words.Dir())
	w.raw(`><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>longear · `)
	w.text(line(c.Hub))
	w.raw("</title><style>" + cardStyle + "</style><h1>longear · ")
	w.isolated(line(c.Hub))
	w.raw(`</h1><div class="q">`)
	if c.SSID != "" {
		w.raw("<figure>")
		w.code(c.Join)
		w.raw("<figcaption>1. ")
		w.text(c.Words.Say("card_join"))
		w.raw(`<br><code dir="ltr">`)
		w.text(line(c.SSID))
		w.raw("</code>")
		if c.Password != "" {
			w.raw("<br>")
			w.text(c.Words.Say("card_password"))
			w.raw(` <code dir="ltr">`)
			w.text(line(c.Password))
			w.raw("</code>")
		}
		w.raw("</figcaption></figure>")
	}
	w.raw("<figure>")
	w.code(c.Open)
	if c.SSID != "" {
		w.raw("<figcaption>2. ")
	} else {
		w.raw("<figcaption>")
	}
	w.text(c.Words.Say("card_open"))
	w.raw(`<br><code dir="ltr">`)
	w.text(c.URL)
	w.raw("</code></figcaption></figure></div><ol>")
	for _, key := range c.sentences() {
		w.raw("<li>")
		w.text(c.Words.Say(key))
		w.raw("</li>")
	}
	w.raw("</ol></html>\n")
	return w.b
}

// sentences are the keys of what the card says: with one code there is no second.
func (c Card) sentences() []string {
	if c.SSID == "" {
		return []string{"card_1_only", "card_2_only", "card_3", "card_4"}
	}
	return []string{"card_1", "card_2", "card_3", "card_4"}
}

// code draws a QR code with the light border of four squares that the standard asks for, a run of black squares at a time.
func (w *writer) code(c Code) {
	const border = 4
	side := c.Size + 2*border
	w.b = fmt.Appendf(w.b, `<svg viewBox="0 0 %d %d" shape-rendering="crispEdges" role="img" aria-label="QR"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, side, side, side, side)
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			run := 0
			for x+run < c.Size && c.Black(x+run, y) {
				run++
			}
			if run > 0 {
				w.b = fmt.Appendf(w.b, "M%d %dh%dv1h-%dz", x+border, y+border, run, run)
				x += run
			}
		}
	}
	w.raw(`"/></svg>`)
}
