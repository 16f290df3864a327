package crowd

import (
	"runtime/debug"
	"testing"
	"time"
)

// TestMemoryOfAnother: a run does not report the memory that something before it in the process took.
func TestMemoryOfAnother(t *testing.T) {
	if touch(400<<20) == 0 {
		t.Fatal("nothing was touched")
	}
	debug.FreeOSMemory()
	r, err := Run(t, tell(t, "nodes 2", `publish n0 "water"`, "expect all within 10s"), Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Failed) > 0 || r.Memory != 0 {
		t.Errorf("two nodes took %d bytes; %v", r.Memory, r.Failed)
	}
}

// touch has so many bytes resident for a moment. It is a function of its own, so that nothing of it stays on the stack.
//
//go:noinline
func touch(bytes int) (n int) {
	ballast := make([]byte, bytes)
	for i := 0; i < len(ballast); i += 4096 {
		ballast[i] = 1
		n += int(ballast[i])
	}
	return n
}

// TestQuietIsFilmed: in hours in which nothing happens there are moments all the same, at which the run can be ended and is filmed.
func TestQuietIsFilmed(t *testing.T) {
	r, err := Run(t, tell(t, "nodes 2", `publish n0 "water"`, "expect all within 10s", "advance 20h"), Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	const every = 20 * time.Hour / mostFrames
	frames := r.Replay.Frames
	for i := 1; i < len(frames); i++ {
		if gap := frames[i].At - frames[i-1].At; gap > every+time.Second {
			t.Fatalf("nothing is filmed from %v on for %v, want %v", frames[i-1].At, gap, every)
		}
	}
	if len(frames) < mostFrames {
		t.Errorf("%d frames, want %d", len(frames), mostFrames)
	}
}
