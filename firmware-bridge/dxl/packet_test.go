package dxl

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

func TestCRC(t *testing.T) {
	if got := CRC(0, []byte("123456789")); got != 0xFEE8 {
		t.Errorf("check value %04X, want FEE8", got)
	}
	// The table against the definition, bit by bit.
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		p := make([]byte, rng.IntN(40))
		var want uint16
		for i := range p {
			p[i] = byte(rng.Uint32())
			want ^= uint16(p[i]) << 8
			for range 8 {
				top := want & 0x8000
				want <<= 1
				if top != 0 {
					want ^= 0x8005
				}
			}
		}
		if got := CRC(0, p); got != want {
			t.Fatalf("CRC(%X) = %04X, want %04X", p, got, want)
		}
	}
}

func TestVectors(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			wire := unhex(t, v.wire)
			if got := Append(nil, &v.want); !bytes.Equal(got, wire) {
				t.Errorf("encoded % X\nwant    % X", got, wire)
			}
			d := NewDecoder(256)
			d.Feed(wire)
			var p Packet
			if ev := d.Next(&p); ev != Got {
				t.Fatalf("decoding gives event %d, want Got", ev)
			}
			if !equal(&p, &v.want) {
				t.Errorf("decoded %+v\nwant    %+v", p, v.want)
			}
		})
	}
}

func equal(a, b *Packet) bool {
	return a.ID == b.ID && a.Instruction == b.Instruction && a.Error == b.Error && bytes.Equal(a.Params, b.Params)
}

// TestDecoderChunks feeds all vectors, with noise between them, in every chunk size.
func TestDecoderChunks(t *testing.T) {
	var stream []byte
	noise := []byte{0x00, 0xFF, 0xFF, 0xFF, 0xFD, 0xFD, 0x00, 0xFF, 0xFF, 0xFD}
	for _, v := range vectors() {
		stream = append(append(stream, noise...), unhex(t, v.wire)...)
	}
	for chunk := 1; chunk < 60; chunk++ {
		d := NewDecoder(128)
		next := 0
		for at := 0; at < len(stream); {
			at += d.Feed(stream[at:min(at+chunk, len(stream))])
			var p Packet
			for ev := d.Next(&p); ev != NeedMore; ev = d.Next(&p) {
				if ev != Got {
					continue
				}
				if want := vectors()[next].want; !equal(&p, &want) {
					t.Fatalf("chunk %d: packet %d is %+v, want %+v", chunk, next, p, want)
				}
				next++
			}
		}
		if next != len(vectors()) {
			t.Fatalf("chunk %d: %d packets of %d", chunk, next, len(vectors()))
		}
	}
}

// TestDecoderDamage flips each bit of a packet and puts a good one behind it: the good
// one must always be found, and the damaged one never be believed.
func TestDecoderDamage(t *testing.T) {
	good := unhex(t, vectors()[3].wire)
	want := vectors()[3].want
	for _, v := range vectors() {
		wire := unhex(t, v.wire)
		for bit := range len(wire) * 8 {
			damaged := append([]byte(nil), wire...)
			damaged[bit/8] ^= 1 << (bit % 8)
			d := NewDecoder(512)
			d.Feed(damaged)
			d.Feed(good)
			d.Feed(make([]byte, 256)) // enough to complete any longer length a flip declared
			var p Packet
			got := 0
			for ev := d.Next(&p); ev != NeedMore; ev = d.Next(&p) {
				if ev != Got {
					continue
				}
				if got++; !equal(&p, &want) {
					t.Fatalf("%s, bit %d flipped: believed %+v", v.name, bit, p)
				}
			}
			if got != 1 {
				t.Fatalf("%s, bit %d flipped: found the good packet %d times, want 1", v.name, bit, got)
			}
		}
	}
}

func TestMalformed(t *testing.T) {
	// FF FF FD inside a packet, unstuffed, with a checksum that holds.
	raw := seal([]byte{0xFF, 0xFF, 0xFD, 0, 1, 0, 0, byte(InstWrite), 0xFF, 0xFF, 0xFD, 1}, 0)
	short := seal([]byte{0xFF, 0xFF, 0xFD, 0, 1, 0, 0, byte(InstStatus)}, 0)
	nobody := seal([]byte{0xFF, 0xFF, 0xFD, 0, 0xFD, 0, 0, byte(InstPing)}, 0) // 253 is no id
	for _, b := range [][]byte{raw, short, nobody} {
		d := NewDecoder(64)
		d.Feed(b)
		var p Packet
		if ev := d.Next(&p); ev != Malformed {
			t.Errorf("% X: event %d, want Malformed", b, ev)
		}
	}
}

func TestDecodeFast(t *testing.T) {
	wire := unhex(t, fastStatusWire)
	ids := []ID{3, 7, 4}
	want := []byte{0xA6, 0, 0, 0, 0x1F, 8, 0, 0, 0xFF, 3, 0, 0}
	rebuilt := AppendFastHeader(nil, 3*8)
	for i, id := range ids {
		rebuilt = AppendFastBlock(rebuilt, 0, id, 0, want[4*i:4*i+4])
	}
	if !bytes.Equal(rebuilt, wire) {
		t.Fatalf("encoded % X\nwant    % X", rebuilt, wire)
	}
	echo := unhex(t, "FF FF FD 00 FE 0A 00 8A 84 00 04 00 03 07 04 20 F2")
	for cut := range len(wire) + 1 {
		data, errs := make([]byte, 12), make([]byte, 3)
		n, _ := DecodeFast(append(append([]byte(nil), echo...), wire[:cut]...), ids, 4, data, errs)
		if complete := max(0, (cut-8)/8); n != complete {
			t.Errorf("cut to %d bytes: %d devices, want %d", cut, n, complete)
		}
		if !bytes.Equal(data[:4*n], want[:4*n]) {
			t.Errorf("cut to %d bytes: data % X", cut, data)
		}
	}
	if n, _ := DecodeFast(wire, []ID{3, 4, 7}, 4, make([]byte, 12), make([]byte, 3)); n != 1 {
		t.Errorf("answers in another order than asked: %d devices believed, want 1", n)
	}
	// Any flipped bit spoils its own block and all behind it, never one before it.
	for bit := 8 * 8; bit < len(wire)*8; bit++ {
		damaged := append([]byte(nil), wire...)
		damaged[bit/8] ^= 1 << (bit % 8)
		data, errs := make([]byte, 12), make([]byte, 3)
		if n, _ := DecodeFast(damaged, ids, 4, data, errs); n != (bit/8-8)/8 {
			t.Errorf("bit %d flipped: %d devices, want %d", bit, n, (bit/8-8)/8)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, v := range vectors() {
		f.Add(unhex(f, v.wire), 7)
	}
	f.Fuzz(func(t *testing.T, data []byte, chunk int) {
		chunk = max(1, min(chunk, 64))
		d := NewDecoder(256)
		var p Packet
		for at := 0; at < len(data); {
			n := d.Feed(data[at:min(at+chunk, len(data))])
			if n == 0 {
				t.Fatal("decoder is stuck: no space after NeedMore")
			}
			at += n
			for ev := d.Next(&p); ev != NeedMore; ev = d.Next(&p) {
				if ev != Got {
					continue
				}
				// What decodes re-encodes to bytes that were in the stream.
				if wire := Append(nil, &p); !bytes.Contains(data, wire) {
					t.Fatalf("%+v encodes to % X, which was never received", p, wire)
				}
			}
		}
	})
}

func FuzzDecodeFast(f *testing.F) {
	f.Add(unhex(f, fastStatusWire))
	f.Fuzz(func(t *testing.T, raw []byte) {
		data, errs := make([]byte, 12), make([]byte, 3)
		n, found := DecodeFast(raw, []ID{3, 7, 4}, 4, data, errs)
		if n > 0 && !found || n > 3 {
			t.Fatalf("n %d, found %v", n, found)
		}
	})
}

func TestCodecAllocatesNothing(t *testing.T) {
	d := NewDecoder(512)
	buf := make([]byte, 0, 512)
	vs := vectors()
	var p Packet
	if n := testing.AllocsPerRun(100, func() {
		for i := range vs {
			buf = Append(buf[:0], &vs[i].want)
			d.Feed(buf)
			if d.Next(&p) != Got {
				t.Fatal("not decoded")
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations per run, want 0", n)
	}
}
