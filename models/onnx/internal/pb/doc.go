// Package pb holds the messages of the ONNX model format as protobuf code. Everything in it is generated from
// onnx.proto; meaning, bounds and refusals are package onnx's, the only one that imports it.
package pb

//go:generate ../../../../.ci/protoc models/onnx/internal/pb onnx.proto
