package ws

import "encoding/binary"

// mask applies key to b, which begins pos bytes into the payload, and undoes it
// as well ("5.3 Client-to-Server Masking"). It takes eight bytes at a time.
func mask(b []byte, key [4]byte, pos int) {
	var word [8]byte
	for i := range word {
		word[i] = key[(pos+i)&3]
	}
	w := binary.LittleEndian.Uint64(word[:])
	for len(b) >= 32 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^w)
		binary.LittleEndian.PutUint64(b[8:], binary.LittleEndian.Uint64(b[8:])^w)
		binary.LittleEndian.PutUint64(b[16:], binary.LittleEndian.Uint64(b[16:])^w)
		binary.LittleEndian.PutUint64(b[24:], binary.LittleEndian.Uint64(b[24:])^w)
		b = b[32:]
	}
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^w)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= word[i]
	}
}
