package protocol_test

import (
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"longear/protocol"
)

var update = flag.Bool("update", false, "write testdata/vectors anew; only after a deliberate change of the format")

// The vector files, as SPEC.md section 18 describes them.
type (
	messageVector struct {
		Name      string    `json:"name"`
		Seed      hexBytes  `json:"seed"`
		Author    hexBytes  `json:"author"`
		Created   uint64    `json:"created"`
		Lifetime  uint32    `json:"lifetime"`
		Channel   hexBytes  `json:"channel"`
		Class     uint8     `json:"class"`
		Kind      uint16    `json:"kind"`
		Flags     uint32    `json:"flags"`
		Parents   []hexText `json:"parents"`
		Body      hexBytes  `json:"body"`
		Nonce     uint64    `json:"nonce,string"`
		Wire      hexBytes  `json:"wire"`
		ID        string    `json:"id"`
		Signature hexBytes  `json:"signature"`
	}
	verdictVector struct {
		Name    string   `json:"name"`
		Wire    hexBytes `json:"wire"`
		Verdict string   `json:"verdict"`
	}
	nameVector struct {
		Input hexText `json:"input"`
		Name  string  `json:"name,omitempty"`
		Tag   string  `json:"tag,omitempty"`
	}
	keyVector struct {
		Name       string   `json:"name,omitempty"`
		Passphrase string   `json:"passphrase,omitempty"`
		Secret     string   `json:"secret"`
		Tag        string   `json:"tag"`
		SealKey    hexBytes `json:"sealkey"`
	}
	sealVector struct {
		Name   string   `json:"name"`
		Secret string   `json:"secret"`
		Author hexBytes `json:"author"`
		Nonce  hexBytes `json:"nonce"`
		Text   hexBytes `json:"text"`
		Body   hexBytes `json:"body"`
		Wire   hexBytes `json:"wire"`
	}
	openVector struct {
		Name    string    `json:"name"`
		Secret  string    `json:"secret,omitempty"` // channel key
		Key     hexBytes  `json:"key,omitempty"`    // seal key
		Wire    hexBytes  `json:"wire"`
		Error   string    `json:"error,omitempty"` // "other key" or "malformed"
		Author  string    `json:"author,omitempty"`
		Created uint64    `json:"created,omitempty"`
		Kind    uint16    `json:"kind,omitempty"`
		Parents []hexText `json:"parents,omitempty"`
		Text    hexBytes  `json:"text,omitempty"`
	}
	cardVector struct {
		Name    string   `json:"name"`
		Card    string   `json:"card"`
		Author  hexBytes `json:"author,omitempty"`
		Sealing hexBytes `json:"sealing,omitempty"`
	}
	answerVector struct {
		Name    string   `json:"name"`
		Body    hexBytes `json:"body"`
		Answer  string   `json:"answer,omitempty"`
		Options []int    `json:"options,omitempty"`
		Text    string   `json:"text,omitempty"`
	}
	pollVector struct {
		Name     string   `json:"name"`
		Body     hexBytes `json:"body"`
		Most     uint8    `json:"most,omitempty"`
		Options  []string `json:"options,omitempty"`
		Question string   `json:"question,omitempty"`
	}
	stampVector struct {
		ID   hexBytes `json:"id"`
		Bits int      `json:"bits"`
	}
	manifestVector struct {
		Name     string    `json:"name"`
		Body     hexBytes  `json:"body"`
		Size     int       `json:"size,omitempty"`
		Chunks   []hexText `json:"chunks,omitempty"`
		Type     string    `json:"type,omitempty"`
		FileName string    `json:"filename,omitempty"`
		Width    int       `json:"width,omitempty"`
		Height   int       `json:"height,omitempty"`
		Preview  hexBytes  `json:"preview,omitempty"`
		Caption  string    `json:"caption,omitempty"`
	}
	carryVector struct {
		Name   string       `json:"name"`
		File   hexBytes     `json:"file"`
		Events []carryEvent `json:"events"`
	}
	carryEvent struct {
		Wire   hexBytes `json:"wire,omitempty"`
		Age    int64    `json:"age"`
		Damage string   `json:"damage,omitempty"` // "skipped" or "stopped"
	}
	vectorFiles struct {
		Messages struct {
			Valid   []messageVector `json:"valid"`
			Invalid []verdictVector `json:"invalid"`
		}
		Ed25519 struct {
			Vectors []verdictVector `json:"vectors"`
		}
		Channels struct {
			Names       []nameVector `json:"names"`
			Refused     []nameVector `json:"refused"`
			Keys        []keyVector  `json:"keys"`
			Passphrases []keyVector  `json:"passphrases"`
		}
		Sealed struct {
			Seal []sealVector `json:"seal"`
			Open []openVector `json:"open"`
		}
		Direct struct {
			Open []openVector `json:"open"`
		}
		Cards struct {
			Valid   []cardVector `json:"valid"`
			Invalid []cardVector `json:"invalid"`
		}
		Responses struct {
			Valid     []answerVector `json:"valid"`
			Malformed []answerVector `json:"malformed"`
		}
		Polls struct {
			Valid     []pollVector `json:"valid"`
			Malformed []pollVector `json:"malformed"`
		}
		Stamps struct {
			Stamps []stampVector   `json:"stamps"`
			Minted []messageVector `json:"minted"`
		}
		Manifests struct {
			Valid   []manifestVector `json:"valid"`
			Invalid []manifestVector `json:"invalid"`
		}
		Carry struct {
			Files []carryVector `json:"files"`
		}
	}
)

// each visits every file with the part of v that it holds.
func (v *vectorFiles) each(f func(name string, part any)) {
	f("messages", &v.Messages)
	f("ed25519", &v.Ed25519)
	f("channels", &v.Channels)
	f("sealed", &v.Sealed)
	f("direct", &v.Direct)
	f("cards", &v.Cards)
	f("responses", &v.Responses)
	f("polls", &v.Polls)
	f("stamps", &v.Stamps)
	f("manifests", &v.Manifests)
	f("carry", &v.Carry)
}

func vectorPath(name string) string { return filepath.Join("testdata", "vectors", name+".json") }

// vectors reads the committed files.
func vectors(t testing.TB) *vectorFiles {
	t.Helper()
	v := new(vectorFiles)
	v.each(func(name string, part any) {
		b, err := os.ReadFile(vectorPath(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	})
	return v
}

// TestVectorsAreReproducible makes every vector again from its seeds and compares the files byte by byte; with -update it
// writes them. A difference means that the format, or the program that says it implements it, has changed.
func TestVectorsAreReproducible(t *testing.T) {
	v := makeVectors(t)
	v.each(func(name string, part any) {
		b, err := json.MarshalIndent(part, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		b = append(b, '\n')
		if *update {
			if err := os.WriteFile(vectorPath(name), b, 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		old, err := os.ReadFile(vectorPath(name))
		if err != nil {
			t.Fatal(err)
		}
		if string(old) != string(b) {
			t.Errorf("%s differs from what the program makes now", vectorPath(name))
		}
	})
}

// hexBytes is bytes as lower-case hex, in which a long run of one byte is (xx*count).
type hexBytes []byte

var hexRun = regexp.MustCompile(`\(([0-9a-f]{2})\*([0-9]{1,6})\)`)

// minRun is the shortest run that is worth abbreviating.
const minRun = 256

func (h hexBytes) MarshalText() ([]byte, error) {
	var b strings.Builder
	for i := 0; i < len(h); {
		j := i
		for j < len(h) && h[j] == h[i] {
			j++
		}
		if j-i >= minRun {
			fmt.Fprintf(&b, "(%02x*%d)", h[i], j-i)
		} else {
			b.WriteString(hex.EncodeToString(h[i:j]))
		}
		i = j
	}
	return []byte(b.String()), nil
}

func (h *hexBytes) UnmarshalText(text []byte) error {
	expanded := hexRun.ReplaceAllStringFunc(string(text), func(run string) string {
		m := hexRun.FindStringSubmatch(run)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
	b, err := hex.DecodeString(expanded)
	*h = b
	return err
}

// hexText is hexBytes for members of lists and for channel names, whose bytes may not be UTF-8.
type hexText = hexBytes

func idsOf(parents []hexText) []protocol.ID {
	var ids []protocol.ID
	for _, p := range parents {
		ids = append(ids, protocol.ID(p))
	}
	return ids
}

func hexesOf(ids []protocol.ID) []hexText {
	hexes := make([]hexText, 0, len(ids))
	for _, id := range ids {
		hexes = append(hexes, id[:])
	}
	return hexes
}
