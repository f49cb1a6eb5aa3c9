#pragma once

// Inside the part with libtorch: a pair of TorchScript programs as a Network.

#include <memory>

#include "models/clip/network.h"
#include "models/clip/torch_part.h"

namespace zeroshelf {

// Loads the programs. They can do what the user can, so nobody but who was told to trust them calls
// this. Their tensors are brought to the device.
//
// picture.pt: float [n, 3, size, size], normalised -> floating [n, dimension]. text.pt: int64
// [n, context length], or List[str] -> the same. Sequences of tokens are all of that length. On the
// processor n is 1 and one thread computes a call, so that a vector has the same bits in any
// company; elsewhere up to kCudaBatch.
//
// Throws Corruption for what is no TorchScript, Unavailable for a device that is not there. The
// network throws Incompatible, naming the program, when it fails or gives something else.
std::unique_ptr<Network> make_torchscript_network(const TorchScriptPrograms& programs);

}  // namespace zeroshelf
