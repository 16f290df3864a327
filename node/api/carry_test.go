package api_test

import (
	"bytes"
	"testing"

	"longear/node/api"
)

func TestCarryDamaged(t *testing.T) {
	a := newPlace(t)
	for _, text := range []string{"one", "two", "three"} {
		a.post(api.Post{Channel: "#all", Text: text})
	}
	a.post(api.Post{Channel: "#all", Text: "not for files", Local: true})
	var file bytes.Buffer
	_, err := a.client.CarryOut(t.Context(), "", &file)
	must(t, err)
	whole := file.Bytes()
	for _, tc := range []struct {
		name               string
		file               []byte
		fresh, damaged, no int
	}{
		{"whole", whole, 3, 0, 0},
		{"cut short", whole[:len(whole)-60], 2, 1, 0},
		{"not a carry file", []byte("PK\x03\x04 something else entirely"), 0, 1, 0},
		{"empty", nil, 0, 1, 0},
		{"a flipped bit in a message", flip(whole, len(whole)/2), 2, 1, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newPlace(t)
			r, err := b.client.CarryIn(t.Context(), bytes.NewReader(tc.file))
			must(t, err)
			if r.New != tc.fresh || r.Damaged != tc.damaged || r.Refused != tc.no || len(r.Damage) != tc.damaged {
				t.Errorf("%+v", r)
			}
		})
	}
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}
