package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxSocketPath is the longest path that is bound as it is. The kernel's limit is 107 bytes on Linux and 103 on
// the BSDs and macOS; the name it is first bound under is never longer than the final one.
const maxSocketPath = 100

// pointer is the file that names the real socket when the wanted path was too long.
const pointer = "socket"

// SocketPath is where a node that wants its socket at path really has it: path itself, or a
// short path under the runtime folder when that one is too long for the kernel. The answer of a node
// that runs already counts before the environment's.
func SocketPath(path string) (string, error) {
	if len(path) <= maxSocketPath {
		return path, nil
	}
	if at, err := readPointer(path); err == nil {
		return at, nil
	}
	return shortPath(path)
}

func shortPath(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(abs))
	name := "longear-" + hex.EncodeToString(sum[:8]) + ".sock"
	for _, dir := range []string{os.Getenv("XDG_RUNTIME_DIR"), filepath.Join(os.TempDir(), "longear-"+strconv.Itoa(os.Getuid()))} {
		if at := filepath.Join(dir, name); dir != "" && len(at) <= maxSocketPath {
			return at, nil
		}
	}
	return "", Fail(Failed, fmt.Sprintf("the socket path %s is too long", path), "choose a shorter folder with --home or --socket")
}

func readPointer(path string) (string, error) {
	f, err := os.Open(filepath.Join(filepath.Dir(path), pointer))
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	at := strings.TrimSpace(string(b))
	if !filepath.IsAbs(at) || len(at) > maxSocketPath {
		return "", fmt.Errorf("%s does not name a socket", f.Name())
	}
	return at, nil
}

// ListenSocket opens the Unix socket of a node, for its user alone: mode 0600 in a folder of mode 0700.
// What a node that was killed has left behind is removed; a node that answers is an error.
func ListenSocket(path string) (net.Listener, error) {
	at, err := SocketPath(path)
	if err != nil {
		return nil, err
	}
	if err := privateDir(filepath.Dir(at), at != path); err != nil {
		return nil, err
	}
	if err := clearStale(at); err != nil {
		return nil, err
	}
	l, err := bindPrivate(at)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", at, err)
	}
	if at != path {
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), pointer), []byte(at+"\n"), 0o600); err != nil {
			l.Close()
			return nil, fmt.Errorf("record the socket's path: %w", err)
		}
	}
	return l, nil
}

// privateDir makes the socket's folder, or checks the one that is there. Where others can make folders (shared), it must
// be our own: theirs could hold a socket of theirs tomorrow.
func privateDir(dir string, shared bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the socket's folder: %w", err)
	}
	info, err := os.Lstat(dir)
	if err == nil && !shared {
		info, err = os.Stat(dir) // a home may be a link
	}
	if err != nil {
		return err
	}
	if !info.IsDir() || shared && !isOurs(info) {
		return Fail(Failed, dir+" is not a folder of this user", "choose a shorter or another folder with --home or --socket")
	}
	if info.Mode().Perm()&0o022 != 0 {
		return Fail(Failed, "others may write to "+dir, "chmod go-w "+dir+", or choose another folder with --home or --socket")
	}
	return nil
}

func clearStale(at string) error {
	info, err := os.Lstat(at)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != os.ModeSocket {
		return Fail(Failed, fmt.Sprintf("%s is there and is not a socket", at), "move it away, or choose another place with --socket")
	}
	if c, err := net.DialTimeout("unix", at, time.Second); err == nil {
		c.Close()
		return Fail(StoreFull, "a node is running here already", "use it (longear status), or give this one its own folder with --home")
	}
	return os.Remove(at)
}

// bindPrivate binds inside a folder that only we can enter and moves the socket to its place when its mode is set:
// between bind and chmod a socket would be open to whoever the umask allows.
func bindPrivate(at string) (net.Listener, error) {
	dir, err := os.MkdirTemp(filepath.Dir(at), ".s")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	first := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: first, Net: "unix"})
	if err != nil {
		return nil, err
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(first, 0o600), os.Rename(first, at)); err != nil {
		l.Close()
		return nil, err
	}
	return &socket{UnixListener: l, at: at}, nil
}

// socket is a listener that knows the path it was moved to.
type socket struct {
	*net.UnixListener
	at string
}

// Addr is where clients find it.
func (s *socket) Addr() net.Addr { return &net.UnixAddr{Name: s.at, Net: "unix"} }

// Close stops listening and removes the path.
func (s *socket) Close() error {
	err := s.UnixListener.Close()
	if gone := os.Remove(s.at); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// dialSocket connects to a node's socket, or says that there is none.
func dialSocket(ctx context.Context, path string) (net.Conn, error) {
	at, err := SocketPath(path)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", at)
	switch {
	case err == nil:
		return c, nil
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, Fail(NoNode, "no node is running", "longear relay")
	case errors.Is(err, os.ErrPermission):
		return nil, Fail(Failed, "the node's socket "+at+" belongs to another user", "run as that user")
	}
	return nil, err
}
