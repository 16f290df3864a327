package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a flag that takes 256MiB, 2GB, 500k or plain bytes. Units with an i and single letters are powers of 1024,
// as du prints them; those with a B alone are powers of 1000, as disks are sold.
type byteSize int64

var sizeUnits = map[string]int64{
	"": 1, "b": 1,
	"k": 1 << 10, "kib": 1 << 10, "kb": 1e3,
	"m": 1 << 20, "mib": 1 << 20, "mb": 1e6,
	"g": 1 << 30, "gib": 1 << 30, "gb": 1e9,
	"t": 1 << 40, "tib": 1 << 40, "tb": 1e12,
}

// Set reads the text form.
func (s *byteSize) Set(text string) error {
	text = strings.TrimSpace(text)
	at := strings.IndexFunc(text, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if at < 0 {
		at = len(text)
	}
	n, err := strconv.ParseFloat(text[:at], 64)
	unit, known := sizeUnits[strings.ToLower(strings.TrimSpace(text[at:]))]
	if err != nil || !known || n*float64(unit) > math.MaxInt64/2 {
		return fmt.Errorf("write a size like 256MiB or 2GB")
	}
	*s = byteSize(n * float64(unit))
	return nil
}

// String is the shortest exact text form.
func (s *byteSize) String() string {
	if *s == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*s), 10)
}

// Type is shown in help.
func (s *byteSize) Type() string { return "size" }

// showBytes is a size for people.
func showBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v := float64(n)
	for _, unit := range []string{"kB", "MB", "GB", "TB"} {
		v /= 1000
		if v < 999.5 || unit == "TB" {
			if v < 9.95 {
				return fmt.Sprintf("%.1f %s", v, unit)
			}
			return fmt.Sprintf("%.0f %s", v, unit)
		}
	}
	return ""
}
