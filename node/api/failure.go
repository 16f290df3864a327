package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// Code says what kind of failure an Error is. The command line's exit codes are these numbers.
type Code int

// The codes. Anything unknown is a failure.
const (
	Failed     Code = 1 // something went wrong
	Usage      Code = 2 // the request makes no sense
	NoNode     Code = 3 // no node is running
	NotFound   Code = 4
	Uncarried  Code = 5 // stored here, nobody reached yet
	Unverified Code = 6 // a signature, a checksum or a seal is wrong
	StoreFull  Code = 7 // the store is locked or full
	Doctor     Code = 8 // doctor found a problem
)

// Error is a failure as every program and person gets to see it: what went wrong and how to mend it.
type Error struct {
	Type string `json:"type"` // always "error"
	Code Code   `json:"code"`
	What string `json:"error"`
	Fix  string `json:"fix,omitempty"`
}

// Fail makes an Error.
func Fail(code Code, what, fix string) *Error {
	return &Error{Type: "error", Code: code, What: what, Fix: fix}
}

// Error is what went wrong; the fix is shown beside it, not in it.
func (e *Error) Error() string { return e.What }

// status is the nearest HTTP status. Clients go by the code in the body.
func (c Code) status() int {
	switch c {
	case Usage:
		return http.StatusBadRequest
	case NoNode:
		return http.StatusServiceUnavailable
	case NotFound:
		return http.StatusNotFound
	case Unverified:
		return http.StatusUnprocessableEntity
	case StoreFull:
		return http.StatusInsufficientStorage
	}
	return http.StatusInternalServerError
}

// asError turns any error into one that can be shown.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return Fail(Failed, err.Error(), "")
}

// refuse answers with an error under a given HTTP status.
func refuse(w http.ResponseWriter, status int, e *Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	writeLine(w, e)
}

// writeLine writes one JSON object and a line end. HTML escapes are off: the text is for programs.
func writeLine(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
