//go:build linux

package radio_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// cache is where packages are unpacked, so that they are fetched once. It is no part of the repository.
const cache = "../../bin/radio"

// shell runs a command and returns its output.
func shell(dir, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return out.String(), nil
}

// fetch gets Debian packages by apt and unpacks them, without installing them: the kernel is not this machine's.
func fetch() (string, error) {
	root, err := filepath.Abs(cache)
	if err != nil {
		return "", err
	}
	x := filepath.Join(root, "unpacked")
	if _, err := os.Stat(filepath.Join(root, "ok")); err == nil {
		return x, nil
	}
	debs := filepath.Join(root, "debs")
	for _, dir := range []string{x, debs} {
		if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(filepath.Join(dir, "partial"), 0o755)); err != nil {
			return "", err
		}
	}
	depends, err := shell(root, "apt-cache", "depends", "linux-image-amd64")
	if err != nil {
		return "", err
	}
	kernel := regexp.MustCompile(`Depends: (linux-image-\S+)`).FindStringSubmatch(depends)
	if kernel == nil {
		return "", errors.New("apt knows no linux-image-amd64")
	}
	if _, err := shell(debs, "apt-get", "-q", "download", kernel[1]); err != nil {
		return "", err
	}
	// NetworkManager comes with the libraries that this machine lacks.
	if _, err := shell(debs, "apt-get", "-q", "-y", "--download-only", "--no-install-recommends", "-o", "Dir::Cache::archives="+debs, "install", "network-manager"); err != nil {
		return "", err
	}
	all, _ := filepath.Glob(filepath.Join(debs, "*.deb"))
	for _, deb := range all {
		if _, err := shell(root, "dpkg", "-x", deb, x); err != nil {
			return "", err
		}
	}
	if _, err := shell(root, "depmod", "-b", x, kernelVersion(x)); err != nil {
		return "", err
	}
	return x, errors.Join(os.RemoveAll(debs), os.WriteFile(filepath.Join(root, "ok"), nil, 0o644))
}

func kernelVersion(x string) string {
	found, _ := filepath.Glob(filepath.Join(x, "lib/modules/*"))
	if len(found) != 1 {
		return ""
	}
	return filepath.Base(found[0])
}

// modules are those of the radios, of their ciphers and of bad links.
var modules = strings.Fields("mac80211_hwsim ctr ccm gcm cmac ecb veth sch_netem")

// programs are this machine's, as they are in the virtual one.
var programs = strings.Fields("ip iw tc wpa_supplicant dbus-daemon udhcpc")

// image packs the root file system of the virtual machine, plainly: to inflate it would take an emulated machine longer.
func image(x, out string) error {
	root, err := os.MkdirTemp("", "longear-radio-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	if err := os.Chmod(root, 0o755); err != nil {
		return err
	}
	for dir := range strings.FieldsSeq("bin sbin etc/bus.d proc sys dev run tmp modules usr/lib usr/sbin var") {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return err
		}
	}
	if err := errors.Join(
		copyModules(x, root), copyPrograms(x, root), copyManager(x, root), build(root),
		os.Symlink("../init", root+"/sbin/lease"),
		copyFile("bus.conf", root+"/etc/bus.conf"),
		copyFile("/etc/dbus-1/system.d/wpa_supplicant.conf", root+"/etc/bus.d/wpa_supplicant.conf"),
		// A user with and one without the group that may use Wi-Fi.
		os.WriteFile(root+"/etc/passwd", []byte("root:x:0:0::/:/bin/sh\nwalker:x:1000:1000::/:/bin/sh\nmessagebus:x:101:101::/:/bin/sh\n"), 0o644),
		os.WriteFile(root+"/etc/group", []byte("root:x:0:\nnetdev:x:106:\nwalker:x:1000:\nmessagebus:x:101:\n"), 0o644),
		os.WriteFile(root+"/etc/machine-id", []byte("0123456789abcdef0123456789abcdef\n"), 0o644),
	); err != nil {
		return err
	}
	_, err = shell(root, "sh", "-c", "find . | cpio -o -H newc 2>/dev/null > '"+out+"'")
	return err
}

func copyModules(x, root string) error {
	var order []string
	for _, m := range modules {
		list, err := shell(root, "modprobe", "-d", x, "-S", kernelVersion(x), "--show-depends", m)
		if err != nil {
			return err
		}
		for line := range strings.Lines(list) {
			f := strings.Fields(line)
			if len(f) < 2 || f[0] != "insmod" || slices.Contains(order, filepath.Base(f[1])) {
				continue
			}
			order = append(order, filepath.Base(f[1]))
			if err := copyFile(f[1], filepath.Join(root, "modules", filepath.Base(f[1]))); err != nil {
				return err
			}
		}
	}
	return os.WriteFile(filepath.Join(root, "modules/order"), []byte(strings.Join(order, "\n")), 0o644)
}

func copyPrograms(x, root string) error {
	for _, p := range programs {
		at, err := shell(root, "sh", "-c", "readlink -f \"$(command -v "+p+")\"")
		if err != nil {
			return err
		}
		at = strings.TrimSpace(at)
		if err := errors.Join(copyFile(at, filepath.Join(root, "sbin", p)), copyLibraries(x, root, at)); err != nil {
			return err
		}
	}
	return nil
}

var library = regexp.MustCompile(`/[^ )]+`)

// copyLibraries copies what a program is linked with, from this machine or from the unpacked packages.
func copyLibraries(x, root, program string) error {
	cmd := exec.Command("ldd", program)
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraryPath(x))
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("ldd %s: %w", program, err)
	}
	for line := range strings.Lines(string(out)) {
		from := library.FindString(line)
		if _, rest, ok := strings.Cut(line, "=> "); ok {
			from = library.FindString(rest)
		}
		if from == "" {
			continue
		}
		to := filepath.Join(root, strings.TrimPrefix(from, x))
		if _, err := os.Stat(to); err == nil {
			continue
		}
		if err := copyFile(from, to); err != nil {
			return err
		}
	}
	return nil
}

func libraryPath(x string) string {
	own, _ := filepath.Glob(x + "/usr/lib/x86_64-linux-gnu/NetworkManager/*")
	return strings.Join(append([]string{x + "/usr/lib/x86_64-linux-gnu", x + "/lib/x86_64-linux-gnu"}, own...), ":")
}

// copyManager copies NetworkManager with its Wi-Fi plugin.
func copyManager(x, root string) error {
	program := x + "/usr/sbin/NetworkManager"
	plugins, _ := filepath.Glob(x + "/usr/lib/x86_64-linux-gnu/NetworkManager/*/libnm-device-plugin-wifi.so")
	files := append(plugins, program)
	for _, f := range files {
		if err := errors.Join(copyFile(f, filepath.Join(root, strings.TrimPrefix(f, x))), copyLibraries(x, root, f)); err != nil {
			return err
		}
	}
	policy := x + "/usr/share/dbus-1/system.d/org.freedesktop.NetworkManager.conf"
	if _, err := os.Stat(policy); err != nil {
		policy = x + "/etc/dbus-1/system.d/org.freedesktop.NetworkManager.conf"
	}
	return copyFile(policy, root+"/etc/bus.d/NetworkManager.conf")
}

// build makes longear and the virtual machine's first program.
func build(root string) error {
	for out, pkg := range map[string]string{"init": "longear/test/radio/guest", "sbin/longear": "longear/cmd/longear"} {
		cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(root, out), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if said, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", pkg, err, said)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, b, info.Mode()&fs.ModePerm|0o444)
}
