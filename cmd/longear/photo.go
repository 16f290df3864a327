package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"longear/node/api"
	"longear/protocol"
)

// fileFlags are the flags of send that are about a photo or file.
type fileFlags struct {
	path        string
	strip, keep bool
}

// attach reads a photo or file for a post.
func (a *app) attach(f fileFlags, p api.Post) (api.FilePost, error) {
	out := api.FilePost{Post: p, Name: plainName(filepath.Base(f.path))}
	if f.strip && f.keep {
		return out, api.Fail(api.Usage, "--strip and --keep-exif are opposites", "leave one out")
	}
	data, err := readSmall(f.path)
	if err != nil {
		return out, err
	}
	photo := inspect(data)
	if photo.media == "" {
		out.Data, out.Type = data, sniff(data)
		return out, nil
	}
	if data, err = a.cleared(f, photo, data); err != nil {
		return out, err
	}
	out.Data, out.Type = data, photo.media
	out.Preview, out.Width, out.Height = preview(data, photo.turned)
	return out, nil
}

// cleared is the photo as it may leave: as the person decided about what it says beside the picture.
func (a *app) cleared(f fileFlags, photo picture, data []byte) ([]byte, error) {
	switch {
	case f.keep:
		return data, nil
	case photo.problem != nil:
		return nil, api.Fail(api.Usage, fmt.Sprintf("%s: %v: what it says beside the picture cannot be found", f.path, photo.problem), "send another copy, or this one as it is with --keep-exif")
	case len(photo.extras) == 0:
		return data, nil
	case !f.strip:
		return nil, api.Fail(api.Usage, fmt.Sprintf("%s holds more than the picture: %s", f.path, photo.list()),
			"--strip takes it out and leaves the picture as it is; --keep-exif sends it along for everybody to read")
	}
	size := 0
	for _, e := range photo.extras {
		size += e.size
	}
	note := ""
	if photo.turned != 1 {
		note = "; that it lies on its side is kept"
		if photo.media != "image/jpeg" {
			note = ""
		}
	}
	a.say("taken out: %s (%s)%s", photo.list(), showBytes(int64(size)), note)
	return photo.clean, nil
}

// readSmall reads a file that can travel.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, api.Fail(api.NotFound, "there is no "+path, "")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, api.Fail(api.Usage, path+" is a folder", "name a file")
	}
	data, err := io.ReadAll(io.LimitReader(f, protocol.MaxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", path, err)
	case len(data) == 0:
		return nil, api.Fail(api.Usage, path+" is empty", "")
	case len(data) > protocol.MaxFile:
		return nil, api.Fail(api.Usage, fmt.Sprintf("%s has more than 4 MiB (%d bytes), the most that travels", path, protocol.MaxFile), "make it smaller: a photo of 1600 pixels has some 300 kB")
	}
	return data, nil
}

// sniff is the media type of a file by how it begins, "" if that says nothing.
func sniff(data []byte) string {
	media, _, _ := strings.Cut(http.DetectContentType(data), ";")
	if media == "application/octet-stream" {
		return ""
	}
	return media
}

// plainName is a file's name fit to stand in a manifest, and to be a name on any system: no folder, no drive, nothing hidden, no character that a
// terminal acts on. It may be empty.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case strings.ContainsRune(`/\:*?"<>|`, r):
			return '_'
		case hostile(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, " .")
	for len(name) > protocol.MaxFileName {
		// The end says what it is, so the middle goes.
		end := filepath.Ext(name)
		if len(end) > 16 {
			end = ""
		}
		stem := strings.TrimSuffix(name, end)
		_, last := utf8.DecodeLastRuneInString(stem)
		name = stem[:len(stem)-last] + end
	}
	return name
}

// fileLine is what is shown of a photo or file.
func fileLine(f *api.File) string {
	name, media := safeText(f.Name), safeText(f.Type)
	if name == "" {
		name = "no name"
	}
	what := "file"
	if strings.HasPrefix(f.Type, "image/") {
		what = "photo"
	}
	if media != "" {
		media = ", " + media
	}
	here := "all here"
	if f.Have < f.Parts {
		here = fmt.Sprintf("%d of %d parts here", f.Have, f.Parts)
	}
	return fmt.Sprintf("[%s %s%s, %s, %s]", what, name, media, showBytes(int64(f.Size)), here)
}
