package guest

import (
	"errors"
	"time"

	"longear/protocol"
	"longear/protocol/frame"
)

// errRecords is a body with more records than it may have.
var errRecords = errors.New("too many records")

// parseRecords reads records (SPEC.md sections 11 and 15.1) from all of b, at most most of them. They alias b.
func parseRecords(b []byte, most int) ([]protocol.CarryRecord, error) {
	var out []protocol.CarryRecord
	for len(b) > 0 {
		if len(out) == most {
			return nil, errRecords
		}
		age, wire, rest, err := frame.SplitRecord(b)
		if err != nil {
			return nil, err
		}
		out = append(out, protocol.CarryRecord{Wire: wire, Age: time.Duration(age) * time.Millisecond})
		b = rest
	}
	return out, nil
}
