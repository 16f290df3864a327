package api_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"longear/node/api"
)

func TestSocketIsPrivate(t *testing.T) {
	path := filepath.Join(shortDir(t), "new", "longear.sock")
	l, err := api.ListenSocket(path)
	must(t, err)
	defer l.Close()
	for name, want := range map[string]os.FileMode{path: os.ModeSocket | 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		info, err := os.Lstat(name)
		must(t, err)
		if info.Mode() != want {
			t.Errorf("%s has mode %v, want %v", name, info.Mode(), want)
		}
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	must(t, err)
	if len(entries) != 1 {
		t.Errorf("%d files beside the socket, want none", len(entries)-1)
	}
}

func TestSocketGoesAway(t *testing.T) {
	path := filepath.Join(shortDir(t), "longear.sock")
	l, err := api.ListenSocket(path)
	must(t, err)
	must(t, l.Close())
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after Close: %v", err)
	}
	if _, err := api.Dial(t.Context(), path); codeOf(err) != api.NoNode {
		t.Errorf("dial: %v", err)
	}
}

// TestStaleSocket: a node that was killed leaves its socket behind.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(shortDir(t), "longear.sock")
	dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	must(t, err)
	dead.SetUnlinkOnClose(false)
	must(t, dead.Close())
	if _, err := api.Dial(t.Context(), path); codeOf(err) != api.NoNode {
		t.Errorf("dial: %v", err)
	}
	l, err := api.ListenSocket(path)
	must(t, err)
	must(t, l.Close())
}

func TestSocketRefusals(t *testing.T) {
	t.Run("a node is there", func(t *testing.T) {
		path := filepath.Join(shortDir(t), "longear.sock")
		l, err := api.ListenSocket(path)
		must(t, err)
		defer l.Close()
		if _, err := api.ListenSocket(path); codeOf(err) != api.StoreFull {
			t.Errorf("a second node: %v", err)
		}
	})
	t.Run("a file is there", func(t *testing.T) {
		path := filepath.Join(shortDir(t), "longear.sock")
		must(t, os.WriteFile(path, []byte("precious"), 0o600))
		if _, err := api.ListenSocket(path); err == nil {
			t.Error("the file was replaced")
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
			t.Errorf("the file: %q, %v", b, err)
		}
	})
	t.Run("a folder for all", func(t *testing.T) {
		dir := shortDir(t)
		must(t, os.Chmod(dir, 0o777))
		if _, err := api.ListenSocket(filepath.Join(dir, "longear.sock")); err == nil {
			t.Error("listens where others can put a socket of theirs")
		}
	})
}

// TestLongSocketPath: the kernel takes at most about 107 bytes; a node in a deep folder must work all the same.
func TestLongSocketPath(t *testing.T) {
	run := shortDir(t)
	t.Setenv("XDG_RUNTIME_DIR", run)
	deep := filepath.Join(shortDir(t), strings.Repeat("deep/", 30))
	must(t, os.MkdirAll(deep, 0o700))
	path := filepath.Join(deep, "longear.sock")
	l, err := api.ListenSocket(path)
	must(t, err)
	at := l.Addr().String()
	if len(at) > 100 || filepath.Dir(at) != run {
		t.Errorf("it listens at %s", at)
	}
	if b, err := os.ReadFile(filepath.Join(deep, "socket")); err != nil || strings.TrimSpace(string(b)) != at {
		t.Errorf("recorded %q, %v", b, err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	// A client with another environment finds it by the record.
	t.Setenv("XDG_RUNTIME_DIR", "/nonexistent")
	c, err := api.Dial(t.Context(), path)
	must(t, err)
	c.Close()
	must(t, l.Close())
	if _, err := api.Dial(t.Context(), path); codeOf(err) != api.NoNode {
		t.Errorf("dial after close: %v", err)
	}
}
