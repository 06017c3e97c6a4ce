package poll

import "sync"

// readSize holds what a browser sends in one go with room to spare; a larger
// message takes several reads and is put together by the frame parser.
const readSize = 32 << 10

var readBuffers = sync.Pool{New: func() any { return new([readSize]byte) }}
