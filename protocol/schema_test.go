package protocol_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"
	"longear/protocol"
	"longear/protocol/pb"
)

// TestSchemaAgrees: the code generated from the schema reads every valid message as the strict codec does, and
// writes it as the same bytes.
func TestSchemaAgrees(t *testing.T) {
	for _, v := range vectors(t).Messages.Valid {
		var m pb.Message
		if err := proto.Unmarshal(v.Wire, &m); err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		again, err := proto.MarshalOptions{Deterministic: true}.Marshal(&m)
		if err != nil || !bytes.Equal(again, v.Wire) {
			t.Errorf("%s: the schema writes %x, %v", v.Name, again, err)
		}
		o := mustOpen(t, v.Wire)
		if m.GetVersion() != 0 || protocol.Author(m.GetAuthor()) != o.Author || m.GetCreated() != o.Created || m.GetLifetime() != o.Lifetime ||
			protocol.Channel(m.GetChannel()) != o.Channel || m.GetClass() != uint32(o.Class) || m.GetKind() != uint32(o.Kind) || m.GetFlags() != o.Flags ||
			len(m.GetParents()) != len(o.Parents) || !bytes.Equal(m.GetBody(), o.Body) || m.GetNonce() != o.Nonce || !bytes.Equal(m.GetSignature(), o.Signature()) {
			t.Errorf("%s: the schema reads %v", v.Name, &m)
		}
		for i, p := range m.GetParents() {
			if protocol.ID(p) != o.Parents[i] {
				t.Errorf("%s: parent %d differs", v.Name, i)
			}
		}
		if len(m.ProtoReflect().GetUnknown()) != 0 {
			t.Errorf("%s: fields that the schema lacks", v.Name)
		}
	}
}
