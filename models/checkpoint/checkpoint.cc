// Tested by tests/clip/checkpoint_test.cc.

#include "models/checkpoint/checkpoint.h"

#include <fmt/format.h>

#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "lib/util/error.h"
#include "lib/vectors/vector_rows.h"
#include "models/checkpoint/torch_archive.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kHeadWidth = 64;  // of all of OpenAI's ViT models

void take_safetensors(Checkpoint& checkpoint) {
  const auto file = std::make_shared<Safetensors>(checkpoint.weights);
  checkpoint.tensors = file->tensors();
  checkpoint.owner = file;
}

Checkpoint open_hugging_face(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.weights = folder / "model.safetensors";
  checkpoint.folder = folder;
  checkpoint.names = TensorNames::HuggingFace;
  checkpoint.config = read_hugging_face_config(folder);
  take_safetensors(checkpoint);
  return checkpoint;
}

Checkpoint open_open_clip(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.weights = folder / "open_clip_model.safetensors";
  checkpoint.folder = folder;
  checkpoint.config = read_open_clip_config(folder);
  take_safetensors(checkpoint);
  return checkpoint;
}

// OpenAI's files have no configuration: the shapes say it.
class ShapeReader {
 public:
  ShapeReader(const std::map<std::string, TensorView>& tensors, std::string subject)
      : tensors_(tensors), subject_(std::move(subject)) {}

  ClipConfig read() const {
    if (tensors_.contains("visual.layer1.0.conv1.weight")) {
      throw Error(ErrorCode::Incompatible, subject_, "a CLIP model with a ResNet",
                  "zeroshelf reads CLIP models with a plain ViT, e.g. ViT-B-32.pt");
    }
    ClipConfig config;
    config.image.width = side("visual.conv1.weight", 0, 4);
    config.patch_size_px = side("visual.conv1.weight", 3, 4);
    const int64_t patches = side("visual.positional_embedding", 0, 2) - 1;
    const auto grid = static_cast<int64_t>(
        std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(patches, 0)))));
    if (grid * grid != patches) fail("visual.positional_embedding", "is for no square");
    config.image_size_px = grid * config.patch_size_px;
    config.text.width = side("ln_final.weight", 0, 1);
    config.context_length = side("positional_embedding", 0, 2);
    config.vocabulary_size = side("token_embedding.weight", 0, 2);
    config.dimension = side("text_projection", 1, 2);
    complete(config.image, "visual.transformer.");
    complete(config.text, "transformer.");
    check_config(config, subject_);
    config.preprocessing.size_px = static_cast<int>(config.image_size_px);
    return config;
  }

 private:
  [[noreturn]] void fail(const std::string& tensor, const std::string& cause) const {
    throw Error(ErrorCode::Corruption, subject_,
                fmt::format("no CLIP model of OpenAI's: tensor {} {}", tensor, cause),
                "fetch the file again");
  }

  int64_t side(const std::string& name, size_t index, size_t dimensions) const {
    const auto tensor = tensors_.find(name);
    if (tensor == tensors_.end()) fail(name, "is missing");
    if (tensor->second.shape.size() != dimensions) fail(name, "has another number of dimensions");
    return tensor->second.shape[index];
  }

  void complete(TransformerConfig& tower, const std::string& prefix) const {
    tower.activation = Activation::QuickGelu;
    tower.heads = std::max<int64_t>(1, tower.width / kHeadWidth);
    const auto block = [&](int64_t layer) {
      return fmt::format("{}resblocks.{}.mlp.c_fc.weight", prefix, layer);
    };
    tower.mlp_width = side(block(0), 0, 2);
    while (tensors_.contains(block(tower.layers))) ++tower.layers;
  }

  const std::map<std::string, TensorView>& tensors_;
  std::string subject_;
};

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
  const auto archive = std::make_shared<TorchArchive>(file);
  checkpoint.tensors = archive->tensors();
  checkpoint.owner = archive;
  checkpoint.config = ShapeReader(checkpoint.tensors, file.string()).read();
  read_activation(archive->module_classes(), file, checkpoint.config);
  return checkpoint;
}

Checkpoint open_by_content(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::exists(path / "open_clip_config.json")) return open_open_clip(path);
    if (fs::exists(path / "config.json")) return open_hugging_face(path);
    throw Error(ErrorCode::NotFound, path.string(), "no CLIP checkpoint in this folder",
                "it should hold config.json and model.safetensors (Hugging Face), or "
                "open_clip_config.json and "
                "open_clip_model.safetensors (OpenCLIP)");
  }
  if (path.extension() != ".safetensors") return open_openai(path);
  if (path.filename() == "open_clip_model.safetensors") return open_open_clip(path.parent_path());
  if (path.filename() == "model.safetensors") return open_hugging_face(path.parent_path());
  throw Error(ErrorCode::InvalidArgument, path.string(), "safetensors of an unknown layout",
              "name the checkpoint's folder");
}

}  // namespace

Checkpoint open_checkpoint(const fs::path& named) {
  const fs::path path = absolute_path(named);
  if (!fs::exists(path)) throw Error(ErrorCode::NotFound, path.string(), "no such checkpoint");
  Checkpoint checkpoint = open_by_content(path);
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

float read_logit_scale(const Checkpoint& checkpoint) {
  const auto found = checkpoint.tensors.find("logit_scale");
  if (found == checkpoint.tensors.end()) fail_tensor(checkpoint, "logit_scale", "is missing");
  // A scalar, or a vector of one in some files.
  const std::vector<int64_t> shape =
      found->second.shape.empty() ? std::vector<int64_t>{} : std::vector<int64_t>{1};
  const float scale = std::exp(floats_of(checkpoint, "logit_scale", shape).front());
  if (!std::isfinite(scale)) fail_tensor(checkpoint, "logit_scale", "is not finite");
  return scale;
}

}  // namespace zeroshelf
