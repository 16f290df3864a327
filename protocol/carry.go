package protocol

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"time"
)

// carryMagic begins every carry file (.ear).
const carryMagic = "longear carry 1\n"

// The length of a record: an age of at least one byte and a message, whose own bounds they are.
const (
	minRecord = 1 + MinMessage
	maxRecord = binary.MaxVarintLen64 + MaxMessage
)

// CarryRecord is a message that lay in a carry file, not opened yet.
type CarryRecord struct {
	// Wire is what claims to be a message. The reader of the file owns it.
	Wire []byte
	// Age is how long it had been travelling when it was written to the file, at most MaxLifetime.
	Age time.Duration
}

// CarryWriter writes a carry file: messages to be taken along on a stick or in a mail. The most urgent go first,
// because a file may be cut short.
type CarryWriter struct {
	w     *bufio.Writer
	sum   hash.Hash
	count uint64
	err   error
}

// NewCarryWriter begins a file. Errors of the writer below are kept for Write and Close.
func NewCarryWriter(w io.Writer) *CarryWriter {
	c := &CarryWriter{w: bufio.NewWriter(w), sum: sha256.New()}
	c.put([]byte(carryMagic))
	return c
}

// Write adds a message with its age. A negative age counts as none.
func (c *CarryWriter) Write(m *Message, age time.Duration) error {
	var record [2 * binary.MaxVarintLen64]byte
	travelled := binary.AppendUvarint(nil, uint64(max(age, 0)/time.Millisecond))
	head := binary.AppendUvarint(record[:0], uint64(len(travelled)+len(m.wire)))
	c.put(append(head, travelled...))
	c.put(m.wire)
	c.count++
	return c.err
}

// Close ends the file with the number of its messages and a checksum. It does not close the writer below.
func (c *CarryWriter) Close() error {
	c.put(binary.AppendUvarint([]byte{0}, c.count))
	c.put(c.sum.Sum(nil))
	if c.err == nil {
		c.err = c.w.Flush()
	}
	return c.err
}

func (c *CarryWriter) put(b []byte) {
	if c.err != nil {
		return
	}
	c.sum.Write(b)
	_, c.err = c.w.Write(b)
}

// CarryError is damage in a carry file. Reading goes on behind it unless it is Last.
type CarryError struct {
	// Record counts from 1; Offset is where in the file the damage was met, in bytes.
	Record int
	Offset int64
	// Last: nothing more can be read.
	Last bool
	// Err says what is wrong.
	Err error
}

// Error says where and what.
func (e *CarryError) Error() string {
	return fmt.Sprintf("carry file, record %d at byte %d: %v", e.Record, e.Offset, e.Err)
}

// Unwrap gives the cause.
func (e *CarryError) Unwrap() error { return e.Err }

// ReadCarry delivers the records of a carry file in their order, each bounded before anything is allocated for it. Every
// error is a *CarryError. Damage costs as little as its kind allows: a bad record is skipped, a file that was cut
// short delivers all before the cut. Whether the bytes are messages is for Decode to say.
func ReadCarry(r io.Reader) iter.Seq2[CarryRecord, error] {
	return func(yield func(CarryRecord, error) bool) {
		c := carryReader{r: bufio.NewReader(r), sum: sha256.New()}
		if err := c.magic(); err != nil {
			yield(CarryRecord{}, c.damage(true, err))
			return
		}
		for {
			c.record++
			rec, err := c.next()
			if err == io.EOF {
				return
			}
			if !yield(rec, err) {
				return
			}
			var damage *CarryError
			if errors.As(err, &damage) && damage.Last {
				return
			}
		}
	}
}

// carryReader counts and hashes what it reads.
type carryReader struct {
	r      *bufio.Reader
	sum    hash.Hash
	offset int64
	record int
}

func (c *carryReader) magic() error {
	var b [len(carryMagic)]byte
	if err := c.fill(b[:]); err != nil || string(b[:]) != carryMagic {
		return errors.New("this is not a carry file")
	}
	return nil
}

// next reads one record, or the trailer, after which it returns io.EOF itself.
func (c *carryReader) next() (CarryRecord, error) {
	size, err := c.uvarint()
	switch {
	case err != nil:
		return CarryRecord{}, c.damage(true, err)
	case size == 0:
		return CarryRecord{}, c.trailer()
	case size > MaxFrame:
		// Not a length that any version would write: the framing is lost.
		return CarryRecord{}, c.damage(true, fmt.Errorf("a length of %d", size))
	case size < minRecord || size > maxRecord:
		if err := c.skip(int64(size)); err != nil {
			return CarryRecord{}, c.damage(true, err)
		}
		return CarryRecord{}, c.damage(false, fmt.Errorf("a length of %d", size))
	}
	b := make([]byte, size)
	if err := c.fill(b); err != nil {
		return CarryRecord{}, c.damage(true, err)
	}
	ms, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return CarryRecord{}, c.damage(false, errors.New("a malformed age"))
	}
	age := MaxLifetime
	if ms < uint64(MaxLifetime/time.Millisecond) {
		age = time.Duration(ms) * time.Millisecond
	}
	return CarryRecord{Wire: b[n:], Age: age}, nil
}

// trailer checks the end of the file.
func (c *carryReader) trailer() error {
	count, err := c.uvarint()
	if err != nil {
		return c.damage(true, err)
	}
	want := c.sum.Sum(nil)
	var got [sha256.Size]byte
	if err := c.fill(got[:]); err != nil {
		return c.damage(true, err)
	}
	switch _, more := c.r.ReadByte(); {
	case count != uint64(c.record-1):
		return c.damage(true, fmt.Errorf("the file says it has %d records, it has %d", count, c.record-1))
	case string(want) != string(got[:]):
		return c.damage(true, errors.New("the checksum is wrong: the file was altered"))
	case more == nil:
		return c.damage(true, errors.New("something follows the end"))
	}
	return io.EOF
}

func (c *carryReader) damage(last bool, err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("the file was cut short")
	}
	return &CarryError{Record: c.record, Offset: c.offset, Last: last, Err: err}
}

// uvarint reads a length or a count in its shortest form.
func (c *carryReader) uvarint() (uint64, error) {
	var b [binary.MaxVarintLen64]byte
	for i := range b {
		if err := c.fill(b[i : i+1]); err != nil {
			return 0, err
		}
		if b[i] < 0x80 {
			v, n := binary.Uvarint(b[:i+1])
			if n <= 0 || i > 0 && b[i] == 0 {
				break
			}
			return v, nil
		}
	}
	return 0, errors.New("a malformed number")
}

func (c *carryReader) fill(b []byte) error {
	n, err := io.ReadFull(c.r, b)
	c.sum.Write(b[:n])
	c.offset += int64(n)
	return err
}

func (c *carryReader) skip(size int64) error {
	n, err := io.CopyN(c.sum, c.r, size)
	c.offset += n
	return err
}
