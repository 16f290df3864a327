package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of a manifest, SPEC.md section 3: what is beyond them is malformed for every reader, except MaxManifest, which
// binds writers alone.
const (
	// MaxFile is the largest photo or file in bytes.
	MaxFile = 4 << 20
	// MaxChunks is the most chunks a file is cut into.
	MaxChunks = 256
	// MaxMediaType, MaxFileName, MaxPreview and MaxCaption bound the parts of a manifest in bytes.
	MaxMediaType = 64
	MaxFileName  = 128
	MaxPreview   = 2048
	MaxCaption   = 4096
	// MaxSide is the largest width or height in pixels.
	MaxSide = 65_535
	// MaxManifest is the largest manifest that is written: it is class text and comes before every photo.
	MaxManifest = 12_000
)

// Manifest is the body of a message of KindManifest: what a photo or file consists of. Everything in it is its author's claim,
// even the size, until the chunks are here: whoever shows it treats type, name and caption as text of a stranger.
type Manifest struct {
	// Size is how many bytes the bodies of all chunks have together.
	Size int
	// Chunks are the messages whose bodies, in this order, are the data. They may be of any author, and one may stand here twice.
	Chunks []ID
	// Type is the media type without parameters, such as image/jpeg; empty is unknown.
	Type string
	// Name is the file's name without a folder; empty is none.
	Name string
	// Width and Height are in pixels; 0 is unknown.
	Width, Height int
	// Preview is a tiny JPEG, PNG or WebP; empty is none. It aliases the body that was parsed.
	Preview []byte
	// Caption is the text that goes with it.
	Caption string
}

// ErrMalformed says that a body has not the form of its kind. The message is valid all the same and is carried.
var ErrMalformed = errors.New("malformed body")

// AppendManifest appends the body that says m, or returns an error if a part is beyond its limit.
func AppendManifest(b []byte, m *Manifest) ([]byte, error) {
	if reason := m.breach(); reason != "" {
		return nil, fmt.Errorf("write manifest: %s", reason)
	}
	start := len(b)
	b = binary.AppendUvarint(b, uint64(m.Size))
	b = binary.AppendUvarint(b, uint64(len(m.Chunks)))
	for i := range m.Chunks {
		b = append(b, m.Chunks[i][:]...)
	}
	b = append(append(b, byte(len(m.Type))), m.Type...)
	b = append(binary.AppendUvarint(b, uint64(len(m.Name))), m.Name...)
	b = binary.AppendUvarint(b, uint64(m.Width))
	b = binary.AppendUvarint(b, uint64(m.Height))
	b = append(binary.AppendUvarint(b, uint64(len(m.Preview))), m.Preview...)
	b = append(b, m.Caption...)
	if n := len(b) - start; n > MaxManifest {
		return nil, fmt.Errorf("write manifest: it has %d bytes, at most %d are written", n, MaxManifest)
	}
	return b, nil
}

// ParseManifest reads the body of a manifest, opened if it was sealed. The error wraps ErrMalformed.
func ParseManifest(body []byte) (*Manifest, error) {
	r := bodyReader{rest: body}
	m := new(Manifest)
	m.Size = r.uint(MaxFile)
	// The count is bounded by the limit, and by what is there, before anything is allocated for it.
	chunks := r.take(32 * r.uint(MaxChunks))
	m.Chunks = make([]ID, len(chunks)/32)
	for i := range m.Chunks {
		m.Chunks[i] = ID(chunks[32*i:])
	}
	m.Type = string(r.take(r.uint(MaxMediaType)))
	m.Name = string(r.take(r.uint(MaxFileName)))
	m.Width = r.uint(MaxSide)
	m.Height = r.uint(MaxSide)
	m.Preview = r.take(r.uint(MaxPreview))
	m.Caption = string(r.rest)
	if r.bad {
		return nil, fmt.Errorf("manifest: %w", ErrMalformed)
	}
	if reason := m.breach(); reason != "" {
		return nil, fmt.Errorf("manifest: %w: %s", ErrMalformed, reason)
	}
	return m, nil
}

// breach is what forbids a manifest to say this, or empty. Writers and readers ask the same.
func (m *Manifest) breach() string {
	switch n := len(m.Chunks); {
	case m.Size < 1 || m.Size > MaxFile:
		return fmt.Sprintf("a size of %d bytes, not 1 to %d", m.Size, MaxFile)
	case n < 1 || n > MaxChunks:
		return fmt.Sprintf("%d chunks, not 1 to %d", n, MaxChunks)
	case m.Size < n || m.Size > n*MaxBody:
		return fmt.Sprintf("%d chunks cannot have %d bytes", n, m.Size)
	case len(m.Type) > MaxMediaType || strings.ContainsFunc(m.Type, notGraphic):
		return "a media type that is too long or not ASCII"
	case len(m.Name) > MaxFileName || !utf8.ValidString(m.Name) || strings.ContainsFunc(m.Name, notInName):
		return "a name that is too long, not UTF-8, or has a slash or a control character"
	case m.Width < 0 || m.Width > MaxSide || m.Height < 0 || m.Height > MaxSide:
		return fmt.Sprintf("a side beyond %d pixels", MaxSide)
	case len(m.Preview) > MaxPreview:
		return fmt.Sprintf("a preview of %d bytes, at most %d", len(m.Preview), MaxPreview)
	case len(m.Caption) > MaxCaption || !utf8.ValidString(m.Caption):
		return "a caption that is too long or not UTF-8"
	}
	return ""
}

// notGraphic is true of what a media type may not hold: it goes into headers of HTTP, so neither space nor control character.
func notGraphic(r rune) bool { return r < '!' || r > '~' }

func notInName(r rune) bool { return r == '/' || unicode.IsControl(r) }

// bodyReader takes parts off the front of a body and turns bad at the first that is not canonical.
type bodyReader struct {
	rest []byte
	bad  bool
}

// uint takes an integer of at most limit, in its shortest form.
func (r *bodyReader) uint(limit uint64) int {
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || n > 1 && r.rest[n-1] == 0 || v > limit {
		r.bad = true
		r.rest = nil
		return 0
	}
	r.rest = r.rest[n:]
	return int(v)
}

// take takes n bytes.
func (r *bodyReader) take(n int) []byte {
	if n > len(r.rest) {
		r.bad = true
		r.rest = nil
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}
