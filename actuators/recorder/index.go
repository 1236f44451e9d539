package recorder

import "github.com/foxglove/mcap/go/mcap"

// index keeps where the chunks of a file lie, for its end. The MCAP library does so too, in
// four times the room; a flight of hours has a hundred thousand of them.
type index struct {
	compression mcap.CompressionFormat
	chunks      []indexed
}

// indexed is one chunk: times in ns, places and lengths in bytes.
type indexed struct {
	from, to                       uint64
	at, length, messageIndexLength uint64
	compressed, uncompressed       uint64
	messageIndexes                 [chServos]uint64 // by channel; 0: none
}

// take takes over what the library has noted.
func (x *index) take(w *mcap.Writer) {
	for _, c := range w.ChunkIndexes {
		to := indexed{
			from: c.MessageStartTime, to: c.MessageEndTime, at: c.ChunkStartOffset, length: c.ChunkLength,
			messageIndexLength: c.MessageIndexLength, compressed: c.CompressedSize, uncompressed: c.UncompressedSize,
		}
		for channel, at := range c.MessageIndexOffsets {
			to.messageIndexes[channel-1] = at
		}
		x.compression = c.Compression
		x.chunks = append(x.chunks, to)
	}
	clear(w.ChunkIndexes)
	w.ChunkIndexes = w.ChunkIndexes[:0]
}

// give hands everything back to the library, which writes it at the end.
func (x *index) give(w *mcap.Writer) {
	for _, c := range x.chunks {
		to := &mcap.ChunkIndex{
			MessageStartTime: c.from, MessageEndTime: c.to, ChunkStartOffset: c.at, ChunkLength: c.length,
			MessageIndexLength: c.messageIndexLength, Compression: x.compression, CompressedSize: c.compressed,
			UncompressedSize:    c.uncompressed,
			MessageIndexOffsets: map[uint16]uint64{},
		}
		for i, at := range c.messageIndexes {
			if at != 0 {
				to.MessageIndexOffsets[uint16(i+1)] = at
			}
		}
		w.ChunkIndexes = append(w.ChunkIndexes, to)
	}
}
