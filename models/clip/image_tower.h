#pragma once

// Inside models/clip: pictures -> vectors, by whatever network the checkpoint has.

#include <cstddef>
#include <memory>
#include <span>

#include "lib/image/image.h"
#include "models/checkpoint/checkpoint.h"
#include "models/clip/workspace.h"

namespace zeroshelf {

// Threads: const calls may run together, each with a workspace of its own.
class ImageTower {
 public:
  virtual ~ImageTower() = default;

  // Pictures that are best encoded in one call.
  virtual size_t batch() const = 0;
  // Square pictures of the model's size. out: [images, dimension], not normalised. A picture's
  // vector does not depend on the others.
  virtual void encode(std::span<const Image> images, Workspace& space, float* out) const = 0;
};

// All throw Corruption naming the tensor. The checkpoint and the kernels outlive the tower.
// threads: that read and pack the weights.
std::unique_ptr<ImageTower> make_image_tower(const Checkpoint& checkpoint, const Kernels& kernels,
                                             unsigned threads);
std::unique_ptr<ImageTower> make_resnet_tower(const Checkpoint& checkpoint, const Kernels& kernels);

}  // namespace zeroshelf
