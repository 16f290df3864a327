package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"longear/protocol"
)

// place stands in every extra of a test: none of it may be left.
const place = "Republic Square 43.2380 N"

// noisy is a picture that does not shrink: its left half is red, its right half noise.
func noisy(w, h int) image.Image {
	r := rand.New(rand.NewPCG(1, uint64(w)))
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{0xff, 0, 0, 0xff}
			if x >= w/2 {
				v := r.Uint32()
				c = color.RGBA{byte(v), byte(v >> 8), byte(v >> 16), 0xff}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// rawJPEG, rawPNG are pictures with nothing beside them.
func rawJPEG(w, h int) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, noisy(w, h), &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func rawPNG(w, h int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, noisy(w, h)); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// segment is one of a JPEG.
func segment(marker byte, body string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(body)+2)), body...)
}

// exif holds a place and an orientation, as little-endian cameras write it.
func exif(turn byte) string {
	return "Exif\x00\x00II\x2a\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00" + string([]byte{turn, 0, 0, 0}) + "\x00\x00\x00\x00" + place
}

// talkative is a JPEG with one of every extra.
func talkative(w, h int, turn byte) []byte {
	b := rawJPEG(w, h)
	out := bytes.Clone(b[:2])
	for _, s := range [][]byte{
		segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"), segment(0xe1, exif(turn)), segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+place),
		segment(0xe2, "ICC_PROFILE\x00\x01\x01 colours"), segment(0xe2, "MPF\x00"+place), segment(0xed, "Photoshop 3.0\x00"+place), segment(0xfe, place), segment(0xe7, place),
	} {
		out = append(out, s...)
	}
	return append(append(out, b[2:]...), "ftypmp42 a film: "+place...)
}

// pngChunk is one of a PNG.
func pngChunk(kind, body string) []byte {
	b := append(binary.BigEndian.AppendUint32(nil, uint32(len(body))), kind+body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

func riff(chunks ...string) []byte {
	var b []byte
	for i := 0; i < len(chunks); i += 2 {
		b = append(b, chunks[i]...)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(chunks[i+1]))), chunks[i+1]...)
		if len(chunks[i+1])%2 == 1 {
			b = append(b, 0)
		}
	}
	return append(append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(b)+4)), "WEBP"...), b...)
}

// TestStrip: whatever a photo says beside the picture is found, named and cut out; the picture stays as it was, bit by bit.
func TestStrip(t *testing.T) {
	plain := rawPNG(40, 30)
	withText := bytes.Join([][]byte{plain[:33], pngChunk("eXIf", exif(1)[6:]), pngChunk("iTXt", "XML:com.adobe.xmp\x00\x00\x00\x00\x00"+place), pngChunk("tEXt", "Place\x00"+place), pngChunk("tIME", "1234567"), plain[33:], []byte(place)}, nil)
	vp8x := "\x0c\x00\x00\x00\x3f\x00\x00\x3f\x00\x00"
	for name, c := range map[string]struct {
		photo, want []byte
		extras      int
		turned      int
	}{
		"plain JPEG":    {rawJPEG(40, 30), rawJPEG(40, 30), 0, 1},
		"JPEG":          {talkative(40, 30, 1), nil, 7, 1},
		"JPEG on side":  {talkative(40, 30, 6), nil, 7, 6},
		"plain PNG":     {plain, plain, 0, 1},
		"PNG":           {withText, plain, 5, 1},
		"WebP":          {append(riff("VP8X", vp8x, "VP8L", "pixels", "EXIF", exif(1)+place, "XMP ", place, "MAKR", place), place...), riff("VP8X", "\x00"+vp8x[1:], "VP8L", "pixels"), 4, 1},
		"smallest WebP": {riff("VP8L", "odd"), riff("VP8L", "odd"), 0, 1},
	} {
		p := inspect(c.photo)
		if p.problem != nil || len(p.extras) != c.extras || p.turned != c.turned || p.media == "" {
			t.Errorf("%s: %v, %d extras (%s), turned %d", name, p.problem, len(p.extras), p.list(), p.turned)
			continue
		}
		if c.want != nil && !bytes.Equal(p.clean, c.want) {
			t.Errorf("%s: stripped it has %d bytes, want %d", name, len(p.clean), len(c.want))
		}
		if bytes.Contains(p.clean, []byte("Square")) {
			t.Errorf("%s: the place is left in it", name)
		}
		again := inspect(p.clean)
		if again.problem != nil || len(again.extras) != 0 || again.turned != c.turned || !bytes.Equal(again.clean, p.clean) {
			t.Errorf("%s: stripped it still has %s, turned %d, %v", name, again.list(), again.turned, again.problem)
		}
		if strings.Contains(name, "JPEG") {
			before, _, err := image.Decode(bytes.NewReader(c.photo))
			after, _, err2 := image.Decode(bytes.NewReader(p.clean))
			if err != nil || err2 != nil || !bytes.Equal(before.(*image.YCbCr).Y, after.(*image.YCbCr).Y) {
				t.Errorf("%s: another picture after: %v, %v", name, err, err2)
			}
			if c.extras > 0 && !bytes.Contains(p.clean, []byte("ICC_PROFILE")) {
				t.Errorf("%s: its colours are gone", name)
			}
		}
	}
}

// FuzzInspect: no photo makes it fail, and what it leaves has nothing to take out.
func FuzzInspect(f *testing.F) {
	f.Add(talkative(8, 8, 6))
	f.Add(rawPNG(8, 8))
	f.Add(riff("VP8X", "\x0c\x00\x00\x00\x3f\x00\x00\x3f\x00\x00", "EXIF", "x"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := inspect(b)
		if p.media == "" || p.problem != nil {
			return
		}
		if again := inspect(p.clean); again.problem != nil || len(again.extras) != 0 {
			t.Fatalf("after: %v, %s", again.problem, again.list())
		}
		preview(p.clean, p.turned)
	})
}

func TestPreview(t *testing.T) {
	for _, c := range []struct {
		name               string
		photo              []byte
		turned, wide, high int
		red                string // which half of it as it is shown
	}{
		{"JPEG", rawJPEG(400, 200), 1, 400, 200, "left"},
		{"PNG", rawPNG(400, 200), 1, 400, 200, "left"},
		{"mirrored", rawJPEG(400, 200), 2, 400, 200, "right"},
		{"on its head", rawJPEG(400, 200), 3, 400, 200, "right"},
		{"mirrored on its head", rawJPEG(400, 200), 4, 400, 200, "left"},
		{"mirrored on its side", rawJPEG(400, 200), 5, 200, 400, "top"},
		{"on its left side", rawJPEG(400, 200), 6, 200, 400, "top"},
		{"mirrored on its other side", rawJPEG(400, 200), 7, 200, 400, "bottom"},
		{"on its right side", rawJPEG(400, 200), 8, 200, 400, "bottom"},
		{"tiny", rawPNG(2, 1), 1, 2, 1, ""},
		{"long", rawPNG(3000, 2), 1, 3000, 2, ""},
	} {
		tiny, w, h := preview(c.photo, c.turned)
		if w != c.wide || h != c.high || len(tiny) == 0 || len(tiny) > protocol.MaxPreview {
			t.Errorf("%s: %dx%d, a preview of %d bytes", c.name, w, h, len(tiny))
			continue
		}
		img, err := jpeg.Decode(bytes.NewReader(tiny))
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		if b.Dx() > previewSide || b.Dy() > previewSide || (b.Dx() > b.Dy()) != (w > h) {
			t.Errorf("%s: a preview of %v", c.name, b)
		}
		if got := redHalf(img); c.red != "" && got != c.red {
			t.Errorf("%s: red is %s, want %s", c.name, got, c.red)
		}
	}
	for name, b := range map[string][]byte{"WebP": riff("VP8L", "x"), "broken": rawJPEG(40, 40)[:300], "none": nil} {
		if tiny, w, _ := preview(b, 1); tiny != nil {
			t.Errorf("%s: %d bytes, width %d", name, len(tiny), w)
		}
	}
}

// redHalf says which half of a picture is red.
func redHalf(img image.Image) (half string) {
	b := img.Bounds()
	sum := map[string]int{}
	for y := range b.Dy() {
		for x := range b.Dx() {
			if r, g, _, _ := img.At(x, y).RGBA(); r < 0xc000 || g > 0x4000 {
				continue
			}
			if sum["left"]++; x >= b.Dx()/2 {
				sum["left"]--
				sum["right"]++
			}
			if sum["top"]++; y >= b.Dy()/2 {
				sum["top"]--
				sum["bottom"]++
			}
		}
	}
	for h, n := range sum {
		if half == "" || n > sum[half] {
			half = h
		}
	}
	return half
}

func TestPlainName(t *testing.T) {
	for in, want := range map[string]string{
		"gate 4.jpg": "gate 4.jpg", "": "", "..": "", ".bashrc": "bashrc", "a/b\\c:d.jpg": "a_b_c_d.jpg", "a\u202egpj.exe": "agpj.exe", "a\x1b[2J\n": "a[2J",
		"\xff\xfe": "", strings.Repeat("é", 100) + ".jpeg": strings.Repeat("é", 61) + ".jpeg", "қала.png": "қала.png", " . ": "", "con.jpg ": "con.jpg",
	} {
		if got := plainName(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

// scriptPhoto makes a photo: photo jpeg|exif|turned|png WIDTH FILE
func scriptPhoto(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: photo jpeg|exif|turned|png WIDTH FILE")
	}
	width := 0
	for _, c := range args[1] {
		width = 10*width + int(c-'0')
	}
	make := map[string]func() []byte{
		"jpeg":   func() []byte { return rawJPEG(width, width*3/4) },
		"exif":   func() []byte { return talkative(width, width*3/4, 1) },
		"turned": func() []byte { return talkative(width, width*3/4, 6) },
		"png":    func() []byte { return rawPNG(width, width*3/4) },
	}[args[0]]
	if make == nil {
		ts.Fatalf("no photo of the sort %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), make(), 0o600))
}
