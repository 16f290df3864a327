package story

import (
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	year = 365 * day
	// maxDuration is far from where sums of a few durations overflow.
	maxDuration = 100 * year
)

// parseNumber reads digits with at most one point in between: no sign, no exponent, no names of infinity.
func parseNumber(s string) (float64, bool) {
	if s == "" || strings.Trim(s, "0123456789.") != "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// parseUnit reads a number with a unit behind it.
func parseUnit(s, unit string) (float64, bool) {
	number, ok := strings.CutSuffix(s, unit)
	if !ok {
		return 0, false
	}
	return parseNumber(number)
}

// parseDuration reads what time.ParseDuration does, and days of 24 hours and years of 365 days: 1h30m, 3d12h, -10y.
func parseDuration(s string) (time.Duration, bool) {
	sign := time.Duration(1)
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = -1, s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	if s == "0" {
		return 0, true
	}
	var sum time.Duration
	for s != "" {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789."))
		length := digits + len(s[digits:]) - len(strings.TrimLeft(s[digits:], "nuµmshdy"))
		d, ok := parsePart(s[:length], s[digits:length])
		if sum += d; !ok || sum > maxDuration {
			return 0, false
		}
		if s = s[length:]; s == "" {
			return sign * sum, true
		}
	}
	return 0, false
}

// parsePart reads a number with its unit, up to maxDuration.
func parsePart(s, unit string) (time.Duration, bool) {
	whole := day
	switch unit {
	case "":
		return 0, false
	case "y":
		whole = year
	case "d":
	default:
		d, err := time.ParseDuration(s)
		return d, err == nil && d <= maxDuration
	}
	f, ok := parseUnit(s, unit)
	f *= float64(whole)
	return time.Duration(min(f, float64(maxDuration))), ok && f <= float64(maxDuration)
}

// parseRate reads so many a second, as in 500/s or 30/min or 2/h.
func parseRate(s string) (float64, bool) {
	number, per, _ := strings.Cut(s, "/")
	f, ok := parseNumber(number)
	switch per {
	case "s":
	case "min":
		f /= 60
	case "h":
		f /= 3600
	default:
		ok = false
	}
	return f, ok
}

// parseBandwidth reads bits a second, as in 20Mbit/s.
func parseBandwidth(s string) (int, bool) {
	number, ok := strings.CutSuffix(s, "bit/s")
	factor := 1.0
	for unit, f := range map[string]float64{"k": 1e3, "M": 1e6, "G": 1e9} {
		if n, has := strings.CutSuffix(number, unit); has {
			number, factor = n, f
			break
		}
	}
	f, isNumber := parseNumber(number)
	f *= factor
	return int(min(f, 1e12)), ok && isNumber && f >= 1 && f <= 1e12
}

// parseSize reads bytes, as in 500B or 2KiB.
func parseSize(s string) (int, bool) {
	factor := 1.0
	number, ok := strings.CutSuffix(s, "KiB")
	if ok {
		factor = 1024
	} else {
		number, ok = strings.CutSuffix(s, "B")
	}
	f, isNumber := parseNumber(number)
	f *= factor
	return int(min(f, maxSize)), ok && isNumber && f >= 1 && f <= maxSize
}
