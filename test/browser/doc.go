// Package browser looks at the pages that this repository writes in a real browser: Debian's Chromium, without a window, driven
// by playwright-core. Go writes the pages and reads the findings; the looking is in a program for node beside each test.
//
// It needs chromium, node and npm, and npm fetches what package-lock.json pins into .work/browser, which is no part of the
// repository. Where one of them is missing the tests skip and say which.
package browser
