// Package bench measures whole nodes: what a backlog, a contact, a crowd and an idle hour cost. Each benchmark prints its
// figures beside their bounds (package figure). What does not depend on the machine is asserted by tests. LONGEAR_SFHH names the
// trace of the conference (test/crowd/testdata/sfhh.txt says where it is from); without it that benchmark is skipped.
//
//	go test -run XXX -bench . -benchtime 3x ./test/bench
package bench
