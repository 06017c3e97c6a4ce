package engineio

import "strconv"

// packetType is the first character of a packet ("Protocol", "Packet types").
type packetType byte

const (
	packetOpen    packetType = '0'
	packetClose   packetType = '1'
	packetPing    packetType = '2'
	packetPong    packetType = '3'
	packetMessage packetType = '4'
	packetUpgrade packetType = '5'
	packetNoop    packetType = '6'
)

func (t packetType) valid() bool { return t >= packetOpen && t <= packetNoop }

// probe is what a client asks, and a server answers, on the transport that an
// upgrade tries.
const probe = "probe"

// separator stands between the packets of a polling payload.
const separator = 0x1e

// appendOpen appends the data of an open packet. The order of the members is
// the original's; some clients in the field look for substrings.
func appendOpen(dst []byte, sid string, upgrades string, o *Options) []byte {
	dst = append(dst, `{"sid":"`...)
	dst = append(dst, sid...)
	dst = append(dst, `","upgrades":[`...)
	dst = append(dst, upgrades...)
	dst = append(dst, `],"pingInterval":`...)
	dst = strconv.AppendInt(dst, o.PingInterval.Milliseconds(), 10)
	dst = append(dst, `,"pingTimeout":`...)
	dst = strconv.AppendInt(dst, o.PingTimeout.Milliseconds(), 10)
	dst = append(dst, `,"maxPayload":`...)
	dst = strconv.AppendInt(dst, o.MaxPayload, 10)
	return append(dst, '}')
}
