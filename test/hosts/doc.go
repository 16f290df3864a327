// Package hosts runs the real program on made-up machines: Linux network namespaces joined by bridges, with no default route, so
// that nothing it does can leave them. Everything is in the tests; see world_test.go for the words they are written in.
//
// It needs root and iproute2. Without them every test skips and says what is missing, except where CI=true: there a
// missing piece is a failure. LONGEAR_FIGURES names a file that gets one line of JSON for each figure.
package hosts
