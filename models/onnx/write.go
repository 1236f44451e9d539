package onnx

import (
	"google.golang.org/protobuf/proto"

	"github.com/mitori-robotics/mitori/models/onnx/internal/pb"
)

// Marshal encodes the model as ONNX protobuf bytes, fields in ascending order.
// Zero scalars and empty names are left out; it does not check the graph, see
// Check.
func (m *Model) Marshal() []byte {
	p := &pb.ModelProto{
		IrVersion: optInt(m.IRVersion), ProducerName: optString(m.ProducerName), ProducerVersion: optString(m.ProducerVersion),
		Domain: optString(m.Domain), ModelVersion: optInt(m.ModelVersion), DocString: optString(m.Doc), Graph: m.Graph.proto(),
	}
	for _, o := range m.Opsets {
		p.OpsetImport = append(p.OpsetImport, &pb.OperatorSetIdProto{Domain: optString(o.Domain), Version: optInt(o.Version)})
	}
	for _, x := range m.Metadata {
		p.MetadataProps = append(p.MetadataProps, &pb.StringStringEntryProto{Key: optString(x.Key), Value: optString(x.Value)})
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(p)
	if err != nil { // proto2 without required fields: nothing can be missing or malformed
		panic("onnx: Marshal: " + err.Error())
	}
	return b
}

// proto refers to the data of tensors, it does not copy it.
func (g *Graph) proto() *pb.GraphProto {
	p := &pb.GraphProto{Name: optString(g.Name)}
	for i := range g.Nodes {
		p.Node = append(p.Node, g.Nodes[i].proto())
	}
	for i := range g.Initialisers {
		p.Initializer = append(p.Initializer, g.Initialisers[i].proto())
	}
	for _, v := range g.Inputs {
		p.Input = append(p.Input, v.proto())
	}
	for _, v := range g.Outputs {
		p.Output = append(p.Output, v.proto())
	}
	return p
}

// proto writes empty names of inputs too: they mark omitted optional ones.
func (n *Node) proto() *pb.NodeProto {
	p := &pb.NodeProto{
		Input: n.Inputs, Output: n.Outputs, Name: optString(n.Name), OpType: optString(n.OpType), Domain: optString(n.Domain),
	}
	for i := range n.Attributes {
		p.Attribute = append(p.Attribute, n.Attributes[i].proto())
	}
	return p
}

// proto writes the value that Kind names, also where it is zero.
func (a *Attribute) proto() *pb.AttributeProto {
	p := &pb.AttributeProto{Name: optString(a.Name)}
	if a.Kind != 0 {
		p.Type = pb.AttributeProto_AttributeType(a.Kind).Enum()
	}
	switch a.Kind {
	case KindFloat:
		p.F = proto.Float32(a.F)
	case KindInt:
		p.I = proto.Int64(a.I)
	case KindString:
		p.S = []byte(a.S)
	case KindTensor:
		if a.T != nil {
			p.T = a.T.proto()
		}
	case KindFloats:
		p.Floats = a.Floats
	case KindInts:
		p.Ints = a.Ints
	case KindStrings:
		for _, s := range a.Strings {
			p.Strings = append(p.Strings, []byte(s))
		}
	}
	return p
}

func (t *Tensor) proto() *pb.TensorProto {
	p := &pb.TensorProto{Dims: t.Dims, Name: optString(t.Name), RawData: t.Raw}
	if t.Type != 0 {
		p.DataType = proto.Int32(int32(t.Type))
	}
	if p.RawData == nil {
		p.RawData = []byte{} // readers want the field, even for no elements
	}
	return p
}

func (v ValueInfo) proto() *pb.ValueInfoProto {
	t := &pb.TypeProto_Tensor{Shape: &pb.TensorShapeProto{}}
	if v.Type != 0 {
		t.ElemType = proto.Int32(int32(v.Type))
	}
	for _, d := range v.Shape {
		dim := &pb.TensorShapeProto_Dimension{}
		if d.Param != "" {
			dim.Value = &pb.TensorShapeProto_Dimension_DimParam{DimParam: d.Param}
		} else {
			dim.Value = &pb.TensorShapeProto_Dimension_DimValue{DimValue: d.Size}
		}
		t.Shape.Dim = append(t.Shape.Dim, dim)
	}
	return &pb.ValueInfoProto{Name: optString(v.Name), Type: &pb.TypeProto{Value: &pb.TypeProto_TensorType{TensorType: t}}}
}

func optInt(v int64) *int64 {
	if v == 0 {
		return nil
	}
	return &v
}

func optString(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
