#pragma once

// A checkpoint on disk -> an Encoder. Includes no libtorch header, and loads libtorch only for CUDA
// and for TorchScript.
// Every format but the last is read as data: no code that a file carries ever runs.
//
// Formats, told apart by what is there:
//   Hugging Face folder   config.json, model.safetensors, vocabulary, preprocessor_config.json
//   OpenCLIP folder       open_clip_config.json, open_clip_model.safetensors, vocabulary
//   OpenAI file           NAME.pt, a TorchScript archive; bpe_simple_vocab_16e6.txt.gz beside it
//   TorchScript folder    zeroshelf.json, picture.pt, text.pt, vocabulary: two programs, which run only
//                         with LoadOptions::trusts_code, else they throw InvalidArgument unopened
// Weights may also be pytorch_model.bin (open_clip_pytorch_model.bin), or several files with an
// index; fp32, fp16 or bf16. Vocabularies: vocab.json + merges.txt, tokenizer.json, OpenAI's, or a
// SentencePiece model. docs/models.md says which models are read: what is not understood is refused.
// Files are memory-mapped.
//
// A damaged, truncated, wrong-shaped or unknown checkpoint throws Corruption, Incompatible or
// NotFound with the file and what is wrong; sizes are checked before anything is allocated.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "lib/encoder/encoder.h"
#include "lib/encoder/encoder_source.h"

namespace zeroshelf {

enum class Precision {
  Fp32,
  Bf16,
  Auto,  // bf16 where the processor multiplies it natively (AMX or AVX512-BF16), else fp32
};

// Cuda: through libtorch, when it was built with CUDA; Auto is bf16 there.
enum class Device { Cpu, Cuda };

// Whether Auto is bf16 on this processor.
bool has_fast_bf16();

struct LoadOptions {
  EncoderSide side = EncoderSide::Both;  // calling the side that was not loaded is a logic error
  Precision precision = Precision::Auto;
  std::filesystem::path vocabulary;  // empty: found beside the weights
  unsigned threads = 0;              // 0: every core; of one call for many pictures or texts
  Device device = Device::Cpu;
  // Whether a model that is a program may run, with all that the user can do. For a path that the
  // user named as trusted, never for one that a file names.
  bool trusts_code = false;
  const char* named_by = "--model";  // for the error: how the user would name it
  // Called with the model's fingerprint before its weights are used; what it throws ends the load.
  std::function<void(const std::string& fingerprint)> check_fingerprint;
};

// The name of the model that comes with zeroshelf: small, trained on drawn pictures.
inline constexpr const char* kBundledModel = "mini";

// Where it is. Throws NotFound.
std::filesystem::path bundled_model();

// NAME, DIR or FILE -> the path of a checkpoint. A name is looked for in the folders of
// $ZEROSHELF_MODELS (':' separated), in $XDG_DATA_HOME/zeroshelf/models (default ~/.local/share),
// where models/fetch.sh puts what it downloads; "mini" is the bundled model where none of them has
// another. Throws NotFound with the places that were tried and how to get a model.
std::filesystem::path find_model(const std::string& name_or_path);

// Where find_model finds this name, which is never taken for a path; nothing when it is not
// installed.
std::optional<std::filesystem::path> find_installed_model(const std::string& name);

// Whether the path lies in one of those folders or is the bundled model. Links are not followed.
bool is_installed_model(const std::filesystem::path& path);

std::unique_ptr<Encoder> load_encoder(const std::filesystem::path& checkpoint,
                                      const LoadOptions& options);

}  // namespace zeroshelf
