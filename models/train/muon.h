#pragma once

// Muon (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/): for the matrices inside a
// transformer's blocks, momentum whose singular values are all made about 1. Steps are scaled so
// that they are as large as AdamW's (Liu et al. 2025, arXiv 2502.16982), so both take one learning
// rate.

#include <ATen/ATen.h>

#include <map>
#include <string>
#include <vector>

namespace zeroshelf::train {

class Muon {
 public:
  // Matrices that require gradients, by name.
  Muon(std::map<std::string, at::Tensor> matrices, double weight_decay);

  // With the gradients that backward() left.
  void step(double learning_rate);

  // By the matrices' names; to be saved, and restored in place.
  const std::map<std::string, at::Tensor>& momenta() const { return momenta_; }

 private:
  std::map<std::string, at::Tensor> matrices_;
  std::map<std::string, at::Tensor> momenta_;
  double weight_decay_;
};

// [matrices, rows, columns], rows <= columns: the nearest matrices with orthonormal rows, about, by
// five Newton-Schulz steps.
at::Tensor orthogonalised(const at::Tensor& matrices);

}  // namespace zeroshelf::train
