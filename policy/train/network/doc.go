// Package network is what learns: tanh networks with Adam, and Gorgonia graphs that differentiate a Loss over
// minibatches. It is the only package that imports Gorgonia; roll-outs and evaluation run exported weights through
// policy/infer, which Forward spreads over the cores.
//
// A minibatch is cut into parts by its size alone, each with a graph of its own, and gradients are summed in the order
// of the parts: the weights have the same bits on any number of cores. Not here: where samples come from and what the
// loss is (the learning methods, policy/train/...).
//
// A Net, its Graphs and a Normalizer belong to one goroutine, but different parts of a Graph may run at once.
package network
