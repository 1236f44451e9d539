// Package tflite reads TensorFlow Lite files and converts the convolutional
// networks in them to ONNX.
//
// It covers the operators of the BlazePose person detector and landmark
// networks (and thereby of most plain image networks exported in float or
// float16): convolution, depthwise convolution, addition, padding, pooling,
// x2 bilinear resize, depth-to-space, concatenation, reshape, sigmoid, and the
// constant-only operators DEQUANTIZE and DENSIFY, which are folded away. Any
// other operator, type or layout is refused by name. Integer quantisation is
// not supported.
//
// ONNX graphs are channel-first (NCHW); TFLite graphs are channel-last. All
// four-dimensional values are kept channel-first, weights are transposed once,
// and a transpose is emitted only where a RESHAPE makes the order visible.
//
// The reader never trusts an offset or a length: any bytes give either a Model
// or an error. Schema: tensorflow/lite/schema/schema.fbs (version 3). Values
// are read-only after Read and may be shared.
package tflite
