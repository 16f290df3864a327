package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// A photo often says more than it shows: where it was taken, when, and with which device. What says so is found and cut out
// by the container's own structure, without decoding the picture: what remains is the same picture, byte for byte.

// picture is a photo taken apart.
type picture struct {
	media   string // its media type; "" for what is no photo
	extras  []extra
	clean   []byte // the photo without its extras
	turned  int    // orientation by Exif, 1 to 8; 1 is upright
	problem error  // the structure is broken: nothing can be said about extras
}

// extra is something beside the picture.
type extra struct {
	what string
	size int
}

// inspect takes a photo apart. Anything but JPEG, PNG and WebP is no photo.
func inspect(b []byte) picture {
	p := picture{turned: 1}
	switch {
	case bytes.HasPrefix(b, []byte{0xff, 0xd8, 0xff}):
		p.media = "image/jpeg"
		p.problem = p.jpeg(b)
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		p.media = "image/png"
		p.problem = p.png(b)
	case len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == "WEBP":
		p.media = "image/webp"
		p.problem = p.webp(b)
	}
	return p
}

func (p *picture) drop(what string, b []byte) { p.extras = append(p.extras, extra{what, len(b)}) }

// list says what was found, for people.
func (p *picture) list() string {
	var out []string
	for _, e := range p.extras {
		if !slices.Contains(out, e.what) {
			out = append(out, e.what)
		}
	}
	return strings.Join(out, ", ")
}

// jpeg walks the segments up to the end of the picture. What makers put behind it (a film, a second photo with its own Exif) goes too.
func (p *picture) jpeg(b []byte) error {
	out := bytes.NewBuffer(make([]byte, 0, len(b)))
	out.Write(b[:2])
	at := 2
	for {
		for at+1 < len(b) && b[at] == 0xff && b[at+1] == 0xff { // fill bytes
			at++
		}
		if at+4 > len(b) && !bytes.HasPrefix(b[min(at, len(b)):], []byte{0xff, 0xd9}) || b[at] != 0xff {
			return fmt.Errorf("the JPEG is cut or broken at byte %d", at)
		}
		marker := b[at+1]
		if marker == 0xd9 {
			out.Write(b[at : at+2])
			if rest := b[at+2:]; len(rest) > 0 {
				p.drop("data behind the picture", rest)
			}
			p.clean = out.Bytes()
			return nil
		}
		end := at + 2 + int(binary.BigEndian.Uint16(b[at+2:]))
		if end > len(b) || end < at+4 {
			return fmt.Errorf("the JPEG is cut or broken at byte %d", at)
		}
		segment := b[at:end]
		if what := p.jpegExtra(marker, segment[4:]); what == "" {
			out.Write(segment)
		} else if p.drop(what, segment); what == exifName && p.turned != 1 {
			out.Write(bareTurn(p.turned))
		}
		if at = end; marker == 0xda {
			n := scanLength(b[at:])
			out.Write(b[at : at+n])
			at += n
		}
	}
}

const exifName = "Exif (place, time, device)"

// jpegExtra names what a segment says beside the picture, or "" if the picture needs it.
func (p *picture) jpegExtra(marker byte, b []byte) string {
	switch {
	case marker == 0xe1 && bytes.HasPrefix(b, []byte("Exif\x00\x00")):
		if turn := exifTurn(b[6:]); turn != 0 {
			p.turned = turn
		}
		if bytes.Equal(b, bareTurn(p.turned)[4:]) {
			return "" // the orientation alone: what strip leaves
		}
		return exifName
	case marker == 0xe1:
		return "XMP"
	case marker == 0xed:
		return "IPTC"
	case marker == 0xfe:
		return "a comment"
	case marker == 0xe2 && !bytes.HasPrefix(b, []byte("ICC_PROFILE\x00")), marker >= 0xe3 && marker <= 0xef && marker != 0xee:
		return "data of the maker"
	}
	return ""
}

// scanLength is how many bytes of coded picture follow: up to a marker that is neither a stuffed byte nor a restart.
func scanLength(b []byte) int {
	for i := 0; i+1 < len(b); i++ {
		if b[i] == 0xff && b[i+1] != 0 && (b[i+1] < 0xd0 || b[i+1] > 0xd7) && b[i+1] != 0xff {
			return i
		}
	}
	return len(b)
}

// bareTurn is an Exif segment with nothing but an orientation, so that what lay on its side does not after strip.
func bareTurn(turn int) []byte {
	b := append([]byte{0xff, 0xe1, 0, 34}, "Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"...)
	b[29] = byte(turn)
	return b
}

// exifTurn finds the orientation in the first directory of Exif, 0 if it has none.
func exifTurn(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(tiff) < 10 {
		return 0
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0
	}
	count := int(order.Uint16(tiff[at:]))
	for entry := tiff[at+2:]; count > 0 && len(entry) >= 12; entry, count = entry[12:], count-1 {
		if order.Uint16(entry) == 0x0112 {
			if v := int(order.Uint16(entry[8:])); v >= 1 && v <= 8 {
				return v
			}
		}
	}
	return 0
}

// png walks the chunks up to the end of the picture.
func (p *picture) png(b []byte) error {
	out := bytes.NewBuffer(make([]byte, 0, len(b)))
	out.Write(b[:8])
	for kind, at := "", 8; kind != "IEND"; {
		if at+12 > len(b) || int64(binary.BigEndian.Uint32(b[at:])) > int64(len(b)-at-12) {
			return fmt.Errorf("the PNG is cut or broken at byte %d", at)
		}
		end := at + 12 + int(binary.BigEndian.Uint32(b[at:]))
		chunk := b[at:end]
		at, kind = end, string(chunk[4:8])
		switch kind {
		case "eXIf":
			p.drop(exifName, chunk)
		case "tEXt", "zTXt", "iTXt":
			p.drop("text (XMP among it, if there is any)", chunk)
		case "tIME":
			p.drop("the time of its making", chunk)
		default:
			out.Write(chunk)
		}
		if rest := b[end:]; kind == "IEND" && len(rest) > 0 {
			p.drop("data behind the picture", rest)
		}
	}
	p.clean = out.Bytes()
	return nil
}

// webp walks the chunks of a RIFF file. Its head says which of them there are.
func (p *picture) webp(b []byte) error {
	whole := int64(binary.LittleEndian.Uint32(b[4:])) + 8
	if whole > int64(len(b)) {
		return fmt.Errorf("the WebP is cut: %d of %d bytes are there", len(b), whole)
	}
	if rest := b[whole:]; len(rest) > 0 {
		p.drop("data behind the picture", rest)
	}
	out := bytes.NewBuffer(make([]byte, 0, len(b)))
	out.Write(b[:12])
	for rest := b[12:whole]; len(rest) > 0; {
		if len(rest) < 8 || int64(binary.LittleEndian.Uint32(rest[4:]))+8 > int64(len(rest)) {
			return fmt.Errorf("the WebP is broken at byte %d", whole-int64(len(rest)))
		}
		size := 8 + int(binary.LittleEndian.Uint32(rest[4:]))
		chunk := rest[:min(size+size%2, len(rest))]
		rest = rest[len(chunk):]
		switch string(chunk[:4]) {
		case "EXIF":
			p.drop(exifName, chunk)
		case "XMP ":
			p.drop("XMP", chunk)
		case "VP8X":
			chunk = bytes.Clone(chunk)
			if len(chunk) > 8 {
				chunk[8] &^= 0x08 | 0x04 // neither Exif nor XMP
			}
			out.Write(chunk)
		case "ICCP", "ANIM", "ANMF", "ALPH", "VP8 ", "VP8L":
			out.Write(chunk)
		default:
			p.drop("data of the maker", chunk)
		}
	}
	p.clean = out.Bytes()
	binary.LittleEndian.PutUint32(p.clean[4:], uint32(len(p.clean)-8))
	return nil
}
