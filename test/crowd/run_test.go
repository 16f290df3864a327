package crowd

import (
	"testing"
	"time"
)

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
