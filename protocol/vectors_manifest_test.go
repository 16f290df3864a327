package protocol_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"longear/protocol"
)

// manifestParts are the parts of a manifest's body, so that each can be bent alone.
type manifestParts struct {
	size, n, ids, typeLen, mediaType, nameLen, name, width, height, previewLen, preview, caption []byte
}

// uv is a number as manifests hold it.
func uv(n uint64) []byte { return binary.AppendUvarint(nil, n) }

func photoParts() manifestParts {
	a, b := testID("a"), testID("b")
	return manifestParts{
		uv(40_000), uv(2), slices.Concat(a[:], b[:]), uv(10), []byte("image/jpeg"), uv(8), []byte("gate.jpg"), uv(1600), uv(1200), uv(4),
		[]byte{0xff, 0xd8, 0xff, 0xd9},
		[]byte("су 4-қақпада"),
	}
}

func (p *manifestParts) body() []byte {
	return slices.Concat(p.size, p.n, p.ids, p.typeLen, p.mediaType, p.nameLen, p.name, p.width, p.height, p.previewLen, p.preview, p.caption)
}

// bent is the body of a photo after a change.
func bent(change func(p *manifestParts)) []byte {
	p := photoParts()
	change(&p)
	return p.body()
}

func makeManifestVectors(t *testing.T, v *vectorFiles) {
	ids := func(n int) (ids []hexText) {
		for i := range n {
			id := testID(fmt.Sprint(i))
			ids = append(ids, id[:])
		}
		return ids
	}
	one := ids(1)
	for _, m := range []manifestVector{
		{Name: "smallest", Size: 1, Chunks: one},
		{Name: "photo", Size: 40_000, Chunks: ids(2), Type: "image/jpeg", FileName: "gate.jpg", Width: 1600, Height: 1200, Preview: []byte{0xff, 0xd8, 0xff, 0xd9}, Caption: "су 4-қақпада"},
		{Name: "one full chunk", Size: protocol.MaxBody, Chunks: one},
		{Name: "chunks of one byte each", Size: 3, Chunks: ids(3)},
		{Name: "one chunk twice", Size: 2 * protocol.MaxBody, Chunks: append(ids(1), one...)},
		{Name: "largest size", Size: protocol.MaxFile, Chunks: ids(128)},
		{Name: "most chunks", Size: protocol.MaxFile, Chunks: ids(protocol.MaxChunks)},
		{Name: "longest media type", Size: 1, Chunks: one, Type: strings.Repeat("x", protocol.MaxMediaType)},
		{Name: "media type of every character", Size: 1, Chunks: one, Type: "!\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~"},
		{Name: "longest name", Size: 1, Chunks: one, FileName: strings.Repeat("é", protocol.MaxFileName/2)},
		{Name: "name that is two dots", Size: 1, Chunks: one, FileName: ".."},
		{Name: "name with a backslash, a colon and a byte order mark", Size: 1, Chunks: one, FileName: "\ufeffc:\\a"},
		{Name: "name with letters that turn the direction", Size: 1, Chunks: one, FileName: "a\u202egpj.exe"},
		{Name: "largest sides", Size: 1, Chunks: one, Width: protocol.MaxSide, Height: protocol.MaxSide},
		{Name: "width alone", Size: 1, Chunks: one, Width: 1},
		{Name: "longest preview", Size: 1, Chunks: one, Preview: bytes.Repeat([]byte{0xff}, protocol.MaxPreview)},
		{Name: "longest caption", Size: 1, Chunks: one, Caption: strings.Repeat("x", protocol.MaxCaption)},
		{Name: "caption with control characters", Size: 1, Chunks: one, Caption: "a\x00\x1b[2J\n\ufeff"},
		{Name: "longest that is written", Size: protocol.MaxFile, Chunks: ids(181), Preview: bytes.Repeat([]byte{1}, protocol.MaxPreview), Caption: strings.Repeat("x", protocol.MaxCaption), Type: "image/webp", FileName: strings.Repeat("n", 38)},
		{Name: "longest", Size: protocol.MaxFile, Chunks: slices.Repeat([]hexText{make([]byte, 32)}, 256), Preview: bytes.Repeat([]byte{1}, protocol.MaxPreview), Caption: strings.Repeat("x", protocol.MaxCaption), Type: strings.Repeat("t", 64), FileName: strings.Repeat("n", 128), Width: 65_535, Height: 65_535},
	} {
		m.Body = encodeManifest(&m)
		v.Manifests.Valid = append(v.Manifests.Valid, m)
	}
	for name, body := range malformedManifests() {
		v.Manifests.Invalid = append(v.Manifests.Invalid, manifestVector{Name: name, Body: body})
	}
	slices.SortFunc(v.Manifests.Invalid, func(a, b manifestVector) int { return strings.Compare(a.Name, b.Name) })
}

// encodeManifest is the form of SPEC.md section 3, written apart from the code under test.
func encodeManifest(m *manifestVector) []byte {
	var ids []byte
	for _, id := range m.Chunks {
		ids = append(ids, id...)
	}
	p := manifestParts{
		uv(uint64(m.Size)), uv(uint64(len(m.Chunks))), ids, uv(uint64(len(m.Type))), []byte(m.Type), uv(uint64(len(m.FileName))), []byte(m.FileName),
		uv(uint64(m.Width)), uv(uint64(m.Height)), uv(uint64(len(m.Preview))), m.Preview, []byte(m.Caption),
	}
	return p.body()
}

// malformedManifests has one of every sort.
func malformedManifests() map[string][]byte {
	whole := photoParts()
	text := func(length *[]byte, part *[]byte, s string) { *length, *part = uv(uint64(len(s))), []byte(s) }
	named := func(s string) []byte { return bent(func(p *manifestParts) { text(&p.nameLen, &p.name, s) }) }
	typed := func(s string) []byte { return bent(func(p *manifestParts) { text(&p.typeLen, &p.mediaType, s) }) }
	out := map[string][]byte{
		"empty":                            {},
		"text":                             []byte("water at gate 4"),
		"size of 0":                        bent(func(p *manifestParts) { p.size = uv(0) }),
		"size above 4 MiB":                 bent(func(p *manifestParts) { p.size, p.n, p.ids = uv(4<<20+1), uv(256), make([]byte, 256*32) }),
		"size of 2^64 - 1":                 bent(func(p *manifestParts) { p.size = uv(1<<64 - 1) }),
		"size of eleven bytes":             bent(func(p *manifestParts) { p.size = append(bytes.Repeat([]byte{0xff}, 10), 1) }),
		"size in a longer form":            bent(func(p *manifestParts) { p.size = []byte{0xc0, 0xb8, 0x82, 0x00} }),
		"size larger than the chunks":      bent(func(p *manifestParts) { p.size = uv(2*protocol.MaxBody + 1) }),
		"size smaller than the chunks":     bent(func(p *manifestParts) { p.size = uv(1) }),
		"no chunks":                        bent(func(p *manifestParts) { p.n, p.ids = uv(0), nil }),
		"257 chunks":                       bent(func(p *manifestParts) { p.n, p.ids = uv(257), make([]byte, 257*32) }),
		"as many chunks as can be told":    bent(func(p *manifestParts) { p.n = uv(1<<64 - 1) }),
		"2^59 chunks":                      bent(func(p *manifestParts) { p.n = uv(1 << 59) }),
		"a count in a longer form":         bent(func(p *manifestParts) { p.n = []byte{0x82, 0x00} }),
		"fewer chunks than told":           slices.Concat(uv(40_000), uv(256), whole.ids),
		"a chunk ID cut":                   slices.Concat(uv(40_000), uv(2), whole.ids[:63]),
		"ends behind the chunks":           slices.Concat(uv(40_000), uv(2), whole.ids),
		"ends behind the media type":       slices.Concat(uv(40_000), uv(2), whole.ids, whole.typeLen, whole.mediaType),
		"ends behind the name":             slices.Concat(uv(40_000), uv(2), whole.ids, uv(0), uv(0)),
		"ends behind the width":            slices.Concat(uv(40_000), uv(2), whole.ids, uv(0), uv(0), uv(1)),
		"ends behind the height":           slices.Concat(uv(40_000), uv(2), whole.ids, uv(0), uv(0), uv(1), uv(1)),
		"ends within an integer":           slices.Concat(uv(40_000), uv(2), whole.ids, uv(0), uv(0), []byte{0x80}),
		"media type longer than the body":  slices.Concat(uv(40_000), uv(2), whole.ids, uv(64), []byte("image/jpeg")),
		"media type of 65 bytes":           typed(strings.Repeat("x", 65)),
		"media type with a space":          typed("text/plain; charset=utf-8"),
		"media type with a line feed":      typed("image/png\nX-Evil:1"),
		"media type that is not ASCII":     typed("image/é"),
		"media type that is not UTF-8":     typed("image/\xff"),
		"media type with DEL":              typed("image/\x7f"),
		"media type length in longer form": bent(func(p *manifestParts) { p.typeLen = []byte{0x8a, 0x00} }),
		"name of 129 bytes":                named(strings.Repeat("x", 129)),
		"name with a slash":                named("../gate.jpg"),
		"name with a zero byte":            named("a\x00b"),
		"name with a line feed":            named("a\nb"),
		"name with DEL":                    named("a\x7fb"),
		"name with a C1 control":           named("a\u0085b"),
		"name that is not UTF-8":           named("a\xffb"),
		"name that ends within a letter":   named("a\xc3"),
		"name with half a surrogate pair":  named("a\xed\xa0\x80"),
		"name with an overlong slash":      named("a\xc0\xaf"),
		"width of 65,536":                  bent(func(p *manifestParts) { p.width = uv(65_536) }),
		"height of 65,536":                 bent(func(p *manifestParts) { p.height = uv(65_536) }),
		"width in a longer form":           bent(func(p *manifestParts) { p.width = []byte{0x81, 0x00} }),
		"height in a longer form":          bent(func(p *manifestParts) { p.height = []byte{0x80, 0x00} }),
		"preview of 2,049 bytes":           bent(func(p *manifestParts) { p.previewLen, p.preview = uv(2049), make([]byte, 2049) }),
		"preview longer than the body":     bent(func(p *manifestParts) { p.previewLen, p.caption = uv(5), nil }),
		"preview length of 2^63":           bent(func(p *manifestParts) { p.previewLen = uv(1 << 63) }),
		"caption of 4,097 bytes":           bent(func(p *manifestParts) { p.caption = bytes.Repeat([]byte{'x'}, 4097) }),
		"caption that is not UTF-8":        bent(func(p *manifestParts) { p.caption = []byte("a\xff") }),
	}
	return out
}

func TestVectorsManifests(t *testing.T) {
	v := vectors(t).Manifests
	for _, v := range v.Valid {
		m, err := protocol.ParseManifest(v.Body)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		want := protocol.Manifest{
			Size: v.Size, Chunks: idsOf(v.Chunks), Type: v.Type, Name: v.FileName, Width: v.Width, Height: v.Height, Preview: slices.Clone(v.Preview), Caption: v.Caption,
		}
		m.Preview = append([]byte(nil), m.Preview...)
		want.Preview = append([]byte(nil), want.Preview...)
		if !reflect.DeepEqual(*m, want) {
			t.Errorf("%s: %+v, want %+v", v.Name, *m, want)
		}
		again, err := protocol.AppendManifest([]byte("x"), m)
		if long := len(v.Body) > protocol.MaxManifest; (err != nil) != long || !long && string(again) != "x"+string(v.Body) {
			t.Errorf("%s: written as %x, %v", v.Name, again, err)
		}
	}
	for _, v := range v.Invalid {
		if m, err := protocol.ParseManifest(v.Body); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: %+v, %v", v.Name, m, err)
		}
	}
}

// TestAppendManifestRefuses: nothing is written that no reader would take.
func TestAppendManifestRefuses(t *testing.T) {
	for name, change := range map[string]func(m *protocol.Manifest){
		"size":    func(m *protocol.Manifest) { m.Size = 0 },
		"below":   func(m *protocol.Manifest) { m.Size = -1 },
		"chunks":  func(m *protocol.Manifest) { m.Chunks = nil },
		"sum":     func(m *protocol.Manifest) { m.Size = 2 * protocol.MaxBody },
		"type":    func(m *protocol.Manifest) { m.Type = "a b" },
		"name":    func(m *protocol.Manifest) { m.Name = "a/b" },
		"text":    func(m *protocol.Manifest) { m.Name = "\xff" },
		"width":   func(m *protocol.Manifest) { m.Width = -1 },
		"height":  func(m *protocol.Manifest) { m.Height = 1 << 16 },
		"preview": func(m *protocol.Manifest) { m.Preview = make([]byte, 2049) },
		"caption": func(m *protocol.Manifest) { m.Caption = "\xff" },
	} {
		m := protocol.Manifest{Size: 9, Chunks: []protocol.ID{{}}}
		if _, err := protocol.AppendManifest(nil, &m); err != nil {
			t.Fatal(err)
		}
		change(&m)
		if b, err := protocol.AppendManifest(nil, &m); err == nil {
			t.Errorf("%s: written as %x", name, b)
		}
	}
}

// TestManifestLimitsInTheText: the numbers of the text are those of the program.
func TestManifestLimitsInTheText(t *testing.T) {
	spec := string(must(os.ReadFile("SPEC.md")))
	_, text, _ := strings.Cut(spec, "\n### Photos and files\n")
	text, _, _ = strings.Cut(text, "\n## ")
	for _, want := range []string{
		"1 to " + thousands(protocol.MaxFile) + " bytes", "| 1 to " + thousands(protocol.MaxChunks) + ";", "at most " + thousands(protocol.MaxMediaType) + " bytes, each",
		"at most " + thousands(protocol.MaxFileName) + " bytes of UTF-8 without", "at most " + thousands(protocol.MaxSide) + " pixels", "at most " + thousands(protocol.MaxPreview) + " bytes: a small",
		"at most " + thousands(protocol.MaxCaption) + " bytes of UTF-8 |", "at most " + thousands(protocol.MaxManifest) + " bytes",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q", want)
		}
	}
}

// FuzzManifest: what is read is within every limit and is written back as the same bytes, and nothing is allocated that is not there.
func FuzzManifest(f *testing.F) {
	v := vectors(f).Manifests
	for _, v := range append(v.Valid, v.Invalid...) {
		f.Add([]byte(v.Body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, err := protocol.ParseManifest(body)
		if err != nil {
			if m != nil || !errors.Is(err, protocol.ErrMalformed) {
				t.Fatalf("%+v, %v", m, err)
			}
			return
		}
		if m.Size < 1 || m.Size > 4<<20 || len(m.Chunks)*32 > len(body) || len(m.Preview) > 2048 || strings.ContainsAny(m.Name, "/\x00\n") || strings.ContainsAny(m.Type, " \r\n") {
			t.Fatalf("read %+v", m)
		}
		again, err := protocol.AppendManifest(nil, m)
		if long := len(body) > protocol.MaxManifest; (err != nil) != long || !long && !bytes.Equal(again, body) {
			t.Fatalf("%x\nis written as\n%x, %v", body, again, err)
		}
	})
}
