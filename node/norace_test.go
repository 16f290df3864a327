//go:build !race

package node_test

func oneProcessor() (restore func()) { return func() {} }
