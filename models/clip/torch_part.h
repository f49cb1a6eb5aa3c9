#pragma once

// Inside models/clip: the part of it that needs libtorch, in a library of its own that is loaded
// when it is first used: loading libtorch takes longer than answering a query. Names no libtorch
// type.

#include <filesystem>
#include <memory>
#include <optional>

#include "lib/image/preprocess.h"
#include "models/checkpoint/checkpoint.h"
#include "models/clip/load.h"
#include "models/clip/network.h"

namespace zeroshelf {

// A model's TorchScript programs, as far as they are wanted.
struct TorchScriptPrograms {
  std::optional<std::filesystem::path> picture;
  std::optional<std::filesystem::path> text;
  Preprocessing preprocessing;
  Device device = Device::Cpu;
  unsigned threads = 0;  // 0: every core; of one call for many pictures or texts
};

// The table that the library exports as kTorchPartSymbol.
struct TorchPart {
  // The network of models/clip/forward.h. Throws Unavailable when this libtorch or this machine has
  // no such device, and Corruption naming the tensor.
  std::unique_ptr<Network> (*make_network)(std::shared_ptr<const Checkpoint> checkpoint,
                                           EncoderSide side, Precision precision, Device device);
  // Loads the programs, which are then run with all rights of this process: see
  // torchscript_network.cc.
  std::unique_ptr<Network> (*make_torchscript_network)(const TorchScriptPrograms& programs);
};

inline constexpr const char* kTorchPartSymbol = "zeroshelf_torch_part";

// Throws Unavailable when the library or libtorch cannot be loaded.
const TorchPart& torch_part();

}  // namespace zeroshelf
