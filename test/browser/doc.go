// Package browser looks at the pages that this repository writes in a real browser: Debian's Chromium, without a window, driven
// by playwright-core. Go writes the pages and reads the findings; the looking is in a program for node beside each test.
//
// walk_test.go has a phone with the whole page walk between real hubs, each in a network namespace of its own with the address of all hubs; that
// needs root and ip.
//
// phones_test.go has several phones do all that the page offers at a real hub, and hostile_test.go shows them what corpus_test.go makes up; they
// need the same, and tc.
//
// It needs chromium, node and npm, and npm fetches what package-lock.json pins into .work/browser, which is no part of the
// repository. Where one of them is missing the tests skip and say which.
package browser
