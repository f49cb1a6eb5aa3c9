// Tested by tests/clip/checkpoint_test.cc.

#include "models/checkpoint/checkpoint.h"

#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/vectors/vector_rows.h"
#include "models/checkpoint/shapes.h"
#include "models/checkpoint/strict_json.h"
#include "models/checkpoint/tensor_names.h"
#include "models/checkpoint/torch_archive.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxIndexBytes = 64 << 20;

// Adds a file's tensors. The file lives as long as the checkpoint.
template <class File>
void take_file(Checkpoint& checkpoint, const fs::path& path) {
  const auto file = std::make_shared<File>(path);
  for (const auto& [name, view] : file->tensors()) {
    if (!checkpoint.tensors.emplace(name, view).second) {
      throw Error(ErrorCode::Corruption, path.string(),
                  fmt::format("damaged: tensor {} is in another file too", name),
                  "fetch the files again");
    }
  }
  checkpoint.owners.push_back(file);
  checkpoint.weight_files.push_back(path);
}

[[noreturn]] void fail_index(const fs::path& index, const std::string& cause) {
  throw Error(ErrorCode::Corruption, index.string(), "damaged: " + cause, "fetch the files again");
}

// Tensor -> the name of its file in the index's folder.
std::map<std::string, std::string> read_index(const fs::path& index) {
  const nlohmann::json json =
      parse_strict_json(read_file(index, kMaxIndexBytes), index.string());
  if (!json.contains("weight_map") || !json["weight_map"].is_object())
    fail_index(index, "no usable \"weight_map\"");
  std::map<std::string, std::string> files;
  for (const auto& [tensor, file] : json["weight_map"].items()) {
    const std::string name = file.is_string() ? file.get<std::string>() : "";
    if (name.empty() || name.find('/') != std::string::npos || name == "." || name == "..")
      fail_index(index, fmt::format("tensor {} is in no file of the folder", tensor));
    files.emplace(tensor, name);
  }
  return files;
}

// Several files, and an index that says which tensor is in which.
template <class File>
void take_shards(Checkpoint& checkpoint, const fs::path& index) {
  const std::map<std::string, std::string> listed = read_index(index);
  std::set<std::string> files;
  for (const auto& [tensor, file] : listed) files.insert(file);
  for (const std::string& name : files) take_file<File>(checkpoint, index.parent_path() / name);
  for (const auto& [tensor, file] : listed) {
    if (!checkpoint.tensors.contains(tensor))
      fail_index(index, fmt::format("tensor {} is not in its file", tensor));
  }
  if (checkpoint.tensors.size() != listed.size())
    fail_index(index, "its files have tensors that it does not list");
}

// The first of the forms in which weights are published that is there; without one, the best is
// named as missing.
void take_weights(Checkpoint& checkpoint, const std::string& safetensors, const std::string& bin) {
  const auto take = [&](const std::string& name, auto take_it) {
    checkpoint.weights = checkpoint.folder / name;
    if (!fs::exists(checkpoint.weights)) return false;
    take_it(checkpoint, checkpoint.weights);
    return true;
  };
  if (take(safetensors, take_file<Safetensors>) ||
      take(safetensors + ".index.json", take_shards<Safetensors>) ||
      take(bin, take_file<TorchArchive>) || take(bin + ".index.json", take_shards<TorchArchive>)) {
    return;
  }
  throw Error(ErrorCode::NotFound, (checkpoint.folder / safetensors).string(),
              fmt::format("no such file, and no {} either", bin), "fetch the weights");
}

Checkpoint open_m_clip(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.folder = folder;
  checkpoint.config = read_m_clip_config(folder);
  take_weights(checkpoint, "model.safetensors", "pytorch_model.bin");
  complete_m_clip(checkpoint.tensors, checkpoint.weights.string(), checkpoint.config);
  return checkpoint;
}

Checkpoint open_hugging_face(const fs::path& folder) {
  if (is_m_clip(folder)) return open_m_clip(folder);
  Checkpoint checkpoint;
  checkpoint.folder = folder;
  checkpoint.names = TensorNames::HuggingFace;
  checkpoint.config = read_hugging_face_config(folder);
  take_weights(checkpoint, "model.safetensors", "pytorch_model.bin");
  return checkpoint;
}

Checkpoint open_open_clip(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.folder = folder;
  checkpoint.config = read_open_clip_config(folder);
  take_weights(checkpoint, "open_clip_model.safetensors", "open_clip_pytorch_model.bin");
  return checkpoint;
}

// OpenAI's archives are modules whose classes say what they compute; the tensors alone do not.
void read_activation(const std::map<std::string, std::string>& classes, const fs::path& file,
                     ClipConfig& config) {
  if (classes.empty()) {
    throw Error(ErrorCode::Incompatible, file.string(),
                "tensors without the module that says what to compute with them",
                "OpenAI's archives have it; for other weights name a folder with a configuration");
  }
  const auto activation_of = [&](const char* name) {
    const auto found = classes.find(name);
    return found != classes.end() && found->second == "GELU" ? Activation::Gelu
                                                             : Activation::QuickGelu;
  };
  config.image.activation = activation_of("visual.transformer.resblocks.0.mlp.gelu");
  config.text.activation = activation_of("transformer.resblocks.0.mlp.gelu");
}

Checkpoint open_openai(const fs::path& file) {
  Checkpoint checkpoint;
  checkpoint.weights = file;
  checkpoint.folder = file.parent_path();
  take_file<TorchArchive>(checkpoint, file);
  checkpoint.config = openai_config(checkpoint.tensors, file.string());
  const auto archive = std::static_pointer_cast<TorchArchive>(checkpoint.owners.front());
  read_activation(archive->module_classes(), file, checkpoint.config);
  return checkpoint;
}

// In files of these models, and in no computation.
bool is_known_to_be_unused(const std::string& name) {
  constexpr std::string_view kPlaces = ".position_ids";  // of old files of transformers
  constexpr std::string_view kBatches = ".num_batches_tracked";  // of training
  constexpr std::string_view kPooler = "transformer.pooler.dense.";  // of Multilingual-CLIP
  return name.ends_with(kPlaces) || name.ends_with(kBatches) || name.starts_with(kPooler) || name == "attn_mask" || name == "text.attn_mask" ||
         name == "input_resolution" || name == "context_length" || name == "vocab_size";
}

// A tensor that nobody reads may be the one that changes the answer.
void expect_no_more_tensors(const Checkpoint& checkpoint) {
  const std::set<std::string> known =
      tensor_names(checkpoint.config, checkpoint.names, checkpoint.text_prefix);
  for (const auto& [name, view] : checkpoint.tensors) {
    if (!known.contains(name) && name != "logit_scale" &&
        !(name == "logit_bias" && checkpoint.config.is_sigmoid) && !is_known_to_be_unused(name)) {
      throw Error(ErrorCode::Incompatible, checkpoint.weights.string(),
                  fmt::format("the tensor {} is not known, and might change the model's answers",
                              name),
                  "take another checkpoint: docs/models.md says which are read");
    }
  }
}

Checkpoint open_by_content(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::exists(path / "open_clip_config.json")) return open_open_clip(path);
    if (fs::exists(path / "config.json")) return open_hugging_face(path);
    throw Error(ErrorCode::NotFound, path.string(), "no CLIP checkpoint in this folder",
                "it should hold config.json and model.safetensors (Hugging Face), or "
                "open_clip_config.json and "
                "open_clip_model.safetensors (OpenCLIP); any other model goes in as docs/models.md "
                "says, \"Any other model\"");
  }
  const std::string name = path.filename().string();
  if (name == "open_clip_model.safetensors" || name == "open_clip_pytorch_model.bin")
    return open_open_clip(path.parent_path());
  if (name == "model.safetensors" || name == "pytorch_model.bin")
    return open_hugging_face(path.parent_path());
  if (path.extension() != ".safetensors") return open_openai(path);
  throw Error(ErrorCode::InvalidArgument, path.string(), "safetensors of an unknown layout",
              "name the checkpoint's folder");
}

}  // namespace

Checkpoint open_checkpoint(const fs::path& named) {
  const fs::path path = absolute_path(named);
  if (!fs::exists(path)) throw Error(ErrorCode::NotFound, path.string(), "no such checkpoint");
  Checkpoint checkpoint = open_by_content(path);
  if (checkpoint.names == TensorNames::OpenAi &&
      checkpoint.tensors.contains("text.token_embedding.weight")) {
    checkpoint.text_prefix = "text.";
  }
  expect_no_more_tensors(checkpoint);
  checkpoint.path = path;
  checkpoint.name = fs::is_directory(path) ? path.filename().string() : path.stem().string();
  return checkpoint;
}

namespace {

[[noreturn]] void fail_tensor(const Checkpoint& checkpoint, const std::string& tensor,
                              const std::string& cause) {
  throw Error(ErrorCode::Corruption, checkpoint.weights.string(),
              fmt::format("tensor {} {}", tensor, cause),
              "the weights and the configuration must be of one model");
}

}  // namespace

const TensorView& tensor_of(const Checkpoint& checkpoint, const std::string& name,
                            const std::vector<int64_t>& shape) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) fail_tensor(checkpoint, name, "is missing");
  const TensorView& view = found->second;
  if (view.shape != shape) {
    fail_tensor(checkpoint, name,
                fmt::format("has the shape [{}], not [{}]", fmt::join(view.shape, ", "),
                            fmt::join(shape, ", ")));
  }
  if (view.type == TensorType::Other) {
    fail_tensor(checkpoint, name, "is not of fp32, fp16 or bf16");
  }
  return view;
}

void copy_floats(const TensorView& tensor, std::span<float> out) {
  if (tensor.type == TensorType::F32) {
    assert(tensor.bytes.size() == out.size_bytes());
    std::memcpy(out.data(), tensor.bytes.data(), out.size_bytes());
    return;
  }
  assert(tensor.bytes.size() == 2 * out.size());
  // A file may place a tensor at any byte.
  std::vector<uint16_t> halves;
  std::span<const uint16_t> values(reinterpret_cast<const uint16_t*>(tensor.bytes.data()),
                                   out.size());
  if (reinterpret_cast<uintptr_t>(tensor.bytes.data()) % alignof(uint16_t) != 0) {
    halves.resize(out.size());
    std::memcpy(halves.data(), tensor.bytes.data(), tensor.bytes.size());
    values = halves;
  }
  if (tensor.type == TensorType::F16) return from_fp16(values, out);
  for (size_t i = 0; i < out.size(); ++i) {
    out[i] = std::bit_cast<float>(static_cast<uint32_t>(values[i]) << 16);
  }
}

std::vector<float> floats_of(const Checkpoint& checkpoint, const std::string& name,
                             const std::vector<int64_t>& shape) {
  const TensorView& view = tensor_of(checkpoint, name, shape);
  const size_t element = view.type == TensorType::F32 ? 4 : 2;
  std::vector<float> values(view.bytes.size() / element);
  copy_floats(view, values);
  return values;
}

namespace {

// A scalar, or a vector of one in some files.
float read_number(const Checkpoint& checkpoint, const std::string& name) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) fail_tensor(checkpoint, name, "is missing");
  const std::vector<int64_t> shape =
      found->second.shape.empty() ? std::vector<int64_t>{} : std::vector<int64_t>{1};
  return floats_of(checkpoint, name, shape).front();
}

}  // namespace

float read_logit_scale(const Checkpoint& checkpoint) {
  if (!checkpoint.config.has_image_tower) return 0;
  const float scale = std::exp(read_number(checkpoint, "logit_scale"));
  if (!std::isfinite(scale)) fail_tensor(checkpoint, "logit_scale", "is not finite");
  return scale;
}

float read_logit_bias(const Checkpoint& checkpoint) {
  const float bias = read_number(checkpoint, "logit_bias");
  if (!std::isfinite(bias)) fail_tensor(checkpoint, "logit_bias", "is not finite");
  return bias;
}

}  // namespace zeroshelf
