package guest

import (
	"encoding/binary"
	"errors"
	"time"

	"longear/protocol"
)

// A record is a message with its age, as carry files and MESSAGES frames hold it (SPEC.md sections 11 and 15.1): length of the rest,
// age in ms, encoding.

// errRecords is a body that is not records.
var errRecords = errors.New("not a list of records")

func appendRecord(b []byte, age time.Duration, wire []byte) []byte {
	travelled := binary.AppendUvarint(nil, uint64(max(age, 0)/time.Millisecond))
	b = binary.AppendUvarint(b, uint64(len(travelled)+len(wire)))
	return append(append(b, travelled...), wire...)
}

// parseRecords reads records from all of b, at most most of them. They alias b. An age past the longest lifetime is cut to it.
// Whether the bytes are messages is for the door to say.
func parseRecords(b []byte, most int) ([]protocol.CarryRecord, error) {
	var out []protocol.CarryRecord
	for len(b) > 0 {
		size, n := binary.Uvarint(b)
		if n <= 0 || size > uint64(len(b)-n) || len(out) == most {
			return nil, errRecords
		}
		record := b[n : n+int(size)]
		b = b[n+int(size):]
		age, n := binary.Uvarint(record)
		if n <= 0 {
			return nil, errRecords
		}
		age = min(age, maxAgeMillis)
		out = append(out, protocol.CarryRecord{Wire: record[n:], Age: time.Duration(age) * time.Millisecond})
	}
	return out, nil
}
