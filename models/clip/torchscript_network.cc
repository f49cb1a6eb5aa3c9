// Runs TorchScript programs that the user trusts. Beside models/baselines nothing else in zeroshelf
// loads TorchScript. Tested by tests/clip/torchscript_test.cc.

#include "models/clip/torchscript_network.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>
#include <fmt/format.h>
#include <omp.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <torch/script.h>
#include <torch/version.h>

#include <algorithm>
#include <cassert>
#include <cctype>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "models/clip/forward.h"
#include "models/clip/torch_device.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
#if TORCH_VERSION_MAJOR >= 2
namespace warnings = c10::WarningUtils;
#else
namespace warnings = c10::Warning;
#endif

constexpr int64_t kMaxDimension = 16'384;
constexpr size_t kShownBytes = 300;

// libtorch's own words would go to stderr, which is the programs'.
class Silence : public c10::WarningHandler {
 public:
#if TORCH_VERSION_MAJOR >= 2
  void process(const c10::Warning&) override {}
#else
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
#endif
};

// What a program computes must not depend on how often it was called: the profiling executor
// compiles it anew after the first calls. What it prints would get into the results.
void set_up_libtorch() {
  static std::once_flag once;
  std::call_once(once, [] {
    torch::jit::getExecutorMode() = true;
    torch::jit::getProfilingMode() = false;
    torch::jit::setPrintHandler([](const std::string&) {});
  });
}

// While it lives, what this thread calls computes in this thread alone: sums then have one order.
class OneThread {
 public:
  OneThread() : before_(at::get_num_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

// libtorch tells why on the first line, but of what failed in a program where on many lines, and
// why on the last. Frames of its own may follow.
std::string reason_of(const std::exception& error) {
  constexpr std::string_view kInProgram = "The following operation failed in the TorchScript";
  const auto* known = dynamic_cast<const c10::Error*>(&error);
  std::string_view text = known != nullptr ? known->what_without_backtrace() : error.what();
  std::string_view first;
  std::string_view last;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with("frame #") || line.starts_with("Exception raised from ")) break;
    if (line.empty()) continue;
    if (first.empty()) first = line;
    last = line;
  }
  return printable((first.starts_with(kInProgram) ? last : first).substr(0, kShownBytes));
}

[[noreturn]] void refuse(const fs::path& file, const std::string& cause) {
  throw Error(ErrorCode::Incompatible, file.string(), cause,
              "docs/models.md says what a program is given and has to give");
}

// One program.
class Program {
 public:
  Program(const fs::path& file, at::Device device) : file_(file) {
    try {
      module_ = torch::jit::load(file.string(), device);
      module_.eval();
      module_.to(device);
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      throw Error(ErrorCode::Corruption, file.string(),
                  "not a TorchScript program that can be loaded: " + reason_of(error),
                  "make it with torch.jit.trace or torch.jit.script, then .save(FILE)");
    }
  }

  // A vector for each of `count` inputs.
  Matrix run(const torch::jit::IValue& input, size_t count) const {
    torch::jit::IValue given;
    try {
      torch::jit::Module module = module_;  // the same tensors; forward() is no const function
      given = module.forward({input});
    } catch (const std::bad_alloc&) {
      throw;
    } catch (const std::exception& error) {
      if (std::strstr(error.what(), "allocate memory") != nullptr) throw std::bad_alloc();
      refuse(file_, "the program failed: " + reason_of(error));
    }
    if (!given.isTensor()) refuse(file_, "the program gives no tensor, but " + given.tagKind());
    const at::Tensor tensor = given.toTensor();
    const bool is_fit = tensor.dim() == 2 && tensor.size(0) == static_cast<int64_t>(count) &&
                        tensor.size(1) >= 1 && tensor.size(1) <= kMaxDimension &&
                        tensor.is_floating_point() && tensor.layout() == at::kStrided;
    if (!is_fit) {
      refuse(file_, fmt::format("for {} inputs the program gives a tensor [{}] of {}, not [{}, "
                                "dimension] of floating numbers",
                                count, fmt::join(tensor.sizes(), ", "),
                                std::string(tensor.dtype().name()), count));
    }
    return to_matrix(tensor);
  }

  const fs::path& file() const { return file_; }

 private:
  fs::path file_;
  torch::jit::Module module_;
};

class TorchScriptNetwork : public Network {
 public:
  explicit TorchScriptNetwork(const TorchScriptPrograms& programs)
      : programs_(programs),
        device_(device_of(programs.device)),
        batch_(device_.is_cpu() ? 1 : kCudaBatch) {
    set_up_libtorch();
    if (programs.picture) picture_.emplace(*programs.picture, device_);
    if (programs.text) text_.emplace(*programs.text, device_);
  }

  Matrix encode_images(std::span<const Image> images) override {
    return in_batches(*picture_, images, [&](std::span<const Image> batch) {
      return torch::jit::IValue(pixels_of(batch, programs_.preprocessing).to(device_));
    });
  }

  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) override {
    return in_batches(*text_, sequences, [&](std::span<const std::vector<int32_t>> batch) {
      const size_t length = batch.front().size();
      at::Tensor ids =
          at::empty({static_cast<int64_t>(batch.size()), static_cast<int64_t>(length)}, at::kLong);
      for (size_t i = 0; i < batch.size(); ++i) {
        assert(batch[i].size() == length);
        std::copy(batch[i].begin(), batch[i].end(), ids.data_ptr<int64_t>() + i * length);
      }
      return torch::jit::IValue(ids.to(device_));
    });
  }

  Matrix encode_texts(std::span<const std::string> texts) override {
    return in_batches(*text_, texts, [&](std::span<const std::string> batch) {
      c10::List<std::string> list;
      for (const std::string& text : batch) list.push_back(text);
      return torch::jit::IValue(list);
    });
  }

  std::string kernel() const override { return "TorchScript on " + device_.str(); }
  size_t batch_images() const override { return batch_; }

 private:
  // input_of: some of the inputs -> what the program is called with.
  template <class Input, class InputOf>
  Matrix in_batches(const Program& program, std::span<const Input> inputs, InputOf input_of) {
    Matrix result;
    std::mutex mutex;
    const auto run = [&](size_t begin, size_t end) {
      Silence silence;
      const warnings::WarningHandlerGuard guard(&silence);
      const c10::InferenceMode inference;
      const Matrix vectors = program.run(input_of(inputs.subspan(begin, end - begin)), end - begin);
      const std::lock_guard lock(mutex);
      if (result.rows() == 0) result = Matrix(inputs.size(), vectors.columns());
      if (vectors.columns() != result.columns()) {
        refuse(program.file(), fmt::format("the program gives vectors of {} and of {} numbers",
                                           result.columns(), vectors.columns()));
      }
      std::copy_n(vectors.data(), vectors.rows() * vectors.columns(), result.row(begin).data());
    };
    if (device_.is_cpu()) {
      parallel_chunks(inputs.size(), batch_, programs_.threads, [&](size_t begin, size_t end) {
        const OneThread one_thread;
        run(begin, end);
      });
    } else {
      const std::lock_guard lock(device_mutex_);
      for (size_t begin = 0; begin < inputs.size(); begin += batch_)
        run(begin, std::min(begin + batch_, inputs.size()));
    }
    return result;
  }

  TorchScriptPrograms programs_;
  at::Device device_;
  size_t batch_;
  std::optional<Program> picture_;
  std::optional<Program> text_;
  std::mutex device_mutex_;
};

}  // namespace

std::unique_ptr<Network> make_torchscript_network(const TorchScriptPrograms& programs) {
  return std::make_unique<TorchScriptNetwork>(programs);
}

}  // namespace zeroshelf
