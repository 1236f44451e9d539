package bundle

import (
	"archive/zip"
	"bytes"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mitori-robotics/mitori/models/onnx"
)

// zipOf packs members in order, so that a name can come twice.
func zipOf(t *testing.T, names []string, content ...[]byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	for i, n := range names {
		w, err := z.Create(n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func TestTwiceTheSameNameIsRefused(t *testing.T) {
	b, _ := sample(t)
	members := membersOf(t, save(t, b))
	for twice := range members {
		names, content := []string{twice}, [][]byte{[]byte("{}")}
		for n, c := range members {
			names, content = append(names, n), append(content, c)
		}
		if _, err := Decode(zipOf(t, names, content...)); err == nil || !strings.Contains(err.Error(), twice) || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s: %v", twice, err)
		}
	}
}

// A small file must not become large in memory, whether the manifest knows of the
// member or not.
func TestBombsAreRefused(t *testing.T) {
	if testing.Short() {
		t.Skip("packs half a gigabyte of zeros; leave out -short to run it")
	}
	b, _ := sample(t)
	name := save(t, b)
	zeros := make([]byte, 100<<20)
	for what, bomb := range map[string]string{
		"manifest": change(t, name, manifestFile, func([]byte) []byte { return zeros }),
		"extra":    change(t, name, "extra.bin", func([]byte) []byte { return zeros }),
		"eval":     rewrite(t, name, replace(evalFile, zeros)),
		"motion":   rewrite(t, name, replace("motion-0.npz", zeros)),
		"golden":   rewrite(t, name, replace(goldenFile, zeros)),
	} {
		data, err := os.ReadFile(bomb)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = Decode(data)
		runtime.ReadMemStats(&after)
		// A growing buffer copies itself several times on its way to the limit.
		if grown := after.TotalAlloc - before.TotalAlloc; err == nil || grown > 8*freeMemberBytes {
			t.Errorf("%s: %d KB became %d MB: %v", what, len(data)>>10, grown>>20, err)
		}
	}
	many := make([]string, 300)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	if _, err := Decode(zipOf(t, many, make([][]byte, 300)...)); err == nil || !strings.Contains(err.Error(), "300 members") {
		t.Errorf("300 members: %v", err)
	}
}

// Any change to the graph that another runtime would compute otherwise is refused,
// though it holds the same operators and the same weights.
func TestOtherWiringIsRefused(t *testing.T) {
	b, _ := sample(t)
	for what, edit := range map[string]func(m *onnx.Model){
		"two nodes exchanged":    func(m *onnx.Model) { n := m.Graph.Nodes; n[0], n[1] = n[1], n[0] },
		"the clip left out":      func(m *onnx.Model) { m.Graph.Nodes = slices.Delete(m.Graph.Nodes, 2, 3) },
		"the clip goes nowhere":  func(m *onnx.Model) { m.Graph.Nodes[3].Inputs[0] = "scaled" },
		"a layer is bypassed":    func(m *onnx.Model) { m.Graph.Nodes[4].Inputs[0] = "h0" },
		"the operands exchanged": func(m *onnx.Model) { in := m.Graph.Nodes[0].Inputs; in[0], in[1] = in[1], in[0] },
		"another domain":         func(m *onnx.Model) { m.Graph.Nodes[1].Domain = "com.example" },
		"an attribute":           func(m *onnx.Model) { m.Graph.Nodes[4].Attributes = []onnx.Attribute{{Name: "alpha", F: 2, Kind: 1}} },
		"another lower clip":     func(m *onnx.Model) { m.Graph.Initialisers[2] = onnx.FloatTensor("clip_min", nil, []float32{-1}) },
		"a second mean":          func(m *onnx.Model) { m.Graph.Initialisers = append(m.Graph.Initialisers, m.Graph.Initialisers[0]) },
		"another output":         func(m *onnx.Model) { m.Graph.Outputs[0].Name = "h1" },
		"a second output":        func(m *onnx.Model) { m.Graph.Outputs = append(m.Graph.Outputs, m.Graph.Inputs[0]) },
		"other operators":        func(m *onnx.Model) { m.Opsets[0].Version = 6 },
	} {
		m := modelOf(b.Net)
		edit(m)
		if _, err := DecodeNet(m.Marshal()); err == nil || !strings.Contains(err.Error(), "policy.onnx") {
			t.Errorf("%s: %v", what, err)
		}
	}
	m := modelOf(b.Net)
	m.ProducerName, m.Doc = "another", "with a description"
	if _, err := DecodeNet(m.Marshal()); err != nil {
		t.Errorf("the same graph from another program: %v", err)
	}
}
