package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/mitori-robotics/mitori/models/onnx/internal/pb"
)

// ErrSyntax marks bytes that are not an ONNX model at all (as opposed to a
// model that uses a feature this package does not hold).
var ErrSyntax = errors.New("onnx: not an ONNX model")

// maxDepth bounds messages within messages; a graph without sub-graphs has seven.
const maxDepth = 32

// Unmarshal decodes an ONNX file. Unknown fields (documentation, shapes of
// inner values, annotations) are skipped; sub-graphs, sparse and external
// tensors are errors, because dropping them would change the model.
func Unmarshal(b []byte) (*Model, error) {
	p := &pb.ModelProto{}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxDepth}).Unmarshal(b, p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	if err := misfit(p.ProtoReflect()); err != nil {
		return nil, err
	}
	if p.Graph == nil {
		return nil, fmt.Errorf("%w: no graph in %d bytes", ErrSyntax, len(b))
	}
	if len(p.TrainingInfo) > 0 || len(p.Functions) > 0 {
		return nil, fmt.Errorf("onnx: model: training info and local functions are not supported")
	}
	m := &Model{
		IRVersion: p.GetIrVersion(), ProducerName: p.GetProducerName(), ProducerVersion: p.GetProducerVersion(),
		Domain: p.GetDomain(), ModelVersion: p.GetModelVersion(), Doc: p.GetDocString(),
	}
	for _, o := range p.OpsetImport {
		m.Opsets = append(m.Opsets, Opset{Domain: o.GetDomain(), Version: o.GetVersion()})
	}
	for _, x := range p.MetadataProps {
		m.Metadata = append(m.Metadata, Property{Key: x.GetKey(), Value: x.GetValue()})
	}
	return m, m.Graph.read(p.Graph)
}

// misfit finds a field that is known by its number and was yet put aside as unknown: one of another wire type, or an
// enumeration's value that this schema does not have. Protobuf would go on as if it were not there.
func misfit(m protoreflect.Message) (err error) {
	for b := m.GetUnknown(); len(b) > 0; {
		number, _, n := protowire.ConsumeField(b)
		if f := m.Descriptor().Fields().ByNumber(number); f != nil || n < 0 {
			return fmt.Errorf("%w: field %d of %s has a wrong type or value", ErrSyntax, number, m.Descriptor().Name())
		}
		b = b[n:]
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.Message() == nil:
		case f.IsList():
			for i := 0; i < v.List().Len() && err == nil; i++ {
				err = misfit(v.List().Get(i).Message())
			}
		default:
			err = misfit(v.Message())
		}
		return err == nil
	})
	return err
}

func (g *Graph) read(p *pb.GraphProto) error {
	g.Name = p.GetName()
	if len(p.SparseInitializer) > 0 {
		return fmt.Errorf("onnx: graph: sparse initialisers are not supported")
	}
	for _, x := range p.Node {
		n := Node{Name: x.GetName(), OpType: x.GetOpType(), Domain: x.GetDomain(), Inputs: x.Input, Outputs: x.Output}
		for _, a := range x.Attribute {
			attribute, err := readAttribute(a)
			if err != nil {
				return err
			}
			n.Attributes = append(n.Attributes, attribute)
		}
		g.Nodes = append(g.Nodes, n)
	}
	for _, x := range p.Initializer {
		t, err := readTensor(x)
		if err != nil {
			return err
		}
		g.Initialisers = append(g.Initialisers, t)
	}
	for _, x := range p.Input {
		g.Inputs = append(g.Inputs, readValueInfo(x))
	}
	for _, x := range p.Output {
		g.Outputs = append(g.Outputs, readValueInfo(x))
	}
	return nil
}

func readAttribute(p *pb.AttributeProto) (Attribute, error) {
	a := Attribute{
		Name: p.GetName(), Kind: AttributeKind(p.GetType()),
		F: p.GetF(), I: p.GetI(), S: string(p.S), Floats: p.Floats, Ints: p.Ints,
	}
	if p.G != nil || p.Tp != nil || p.SparseTensor != nil || p.RefAttrName != nil ||
		len(p.Tensors)+len(p.Graphs)+len(p.TypeProtos)+len(p.SparseTensors) > 0 {
		return a, fmt.Errorf("onnx: attribute %q: sub-graphs, tensor lists and references are not supported", a.Name)
	}
	for _, s := range p.Strings {
		a.Strings = append(a.Strings, string(s))
	}
	if p.T != nil {
		t, err := readTensor(p.T)
		if err != nil {
			return a, err
		}
		a.T = &t
	}
	return a, nil
}

func readValueInfo(p *pb.ValueInfoProto) ValueInfo {
	t := p.GetType().GetTensorType()
	v := ValueInfo{Name: p.GetName(), Type: DataType(t.GetElemType())}
	for _, d := range t.GetShape().GetDim() {
		v.Shape = append(v.Shape, Dim{Size: d.GetDimValue(), Param: d.GetDimParam()})
	}
	return v
}

// readTensor brings typed data fields into Raw.
func readTensor(p *pb.TensorProto) (Tensor, error) {
	t := Tensor{Name: p.GetName(), Type: DataType(p.GetDataType()), Dims: p.Dims}
	if p.Segment != nil || len(p.StringData)+len(p.DoubleData)+len(p.Uint64Data)+len(p.ExternalData) > 0 {
		return t, fmt.Errorf("onnx: tensor %q: segmented, string, double-list or external data is not supported", t.Name)
	}
	if p.GetDataLocation() != pb.TensorProto_DEFAULT {
		return t, fmt.Errorf("onnx: tensor %q: data outside the file is not supported", t.Name)
	}
	switch {
	case p.RawData != nil:
		t.Raw = p.RawData
	case p.FloatData != nil && t.Type == Float32:
		t.Raw = FloatTensor("", []int64{int64(len(p.FloatData))}, p.FloatData).Raw
	case p.Int64Data != nil && t.Type == Int64:
		t.Raw = Int64Tensor("", []int64{int64(len(p.Int64Data))}, p.Int64Data).Raw
	case p.Int32Data != nil && t.Type == Int32:
		for _, x := range p.Int32Data {
			t.Raw = binary.LittleEndian.AppendUint32(t.Raw, uint32(x))
		}
	case p.FloatData != nil || p.Int64Data != nil || p.Int32Data != nil:
		return t, fmt.Errorf("onnx: tensor %q: typed data does not match its type %v", t.Name, t.Type)
	}
	return t, t.check()
}
