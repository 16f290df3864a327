package supplicant

// For tests.
var (
	Entries    = entries
	ReadRecord = readRecord
	Fields     = fields
	GroupOf    = groupOf
	Colons     = colons
)

// Query and Response are the bytes of an advertised answer.
func (e entry) Query() []byte    { return e.query }
func (e entry) Response() []byte { return e.response }

// ReadAbilities reads the attributes of one message about a radio.
func ReadAbilities(attrs []byte) Abilities {
	var a Abilities
	a.read(attrs)
	return a
}
