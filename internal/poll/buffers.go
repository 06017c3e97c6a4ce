package poll

import "sync"

// readSize holds what a browser sends in one go with room to spare, 64 KiB of
// binary data too; a larger message takes several reads and is put together by
// the frame parser. A buffer belongs to a read, not to a connection.
const readSize = 72 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}
