// The only user of oneDNN. Tested by tests/clip/network_test.cc.

#include "models/compute/packed_linear.h"

#include <omp.h>

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <oneapi/dnnl/dnnl.hpp>
#include <unordered_map>

#include "models/compute/kernels.h"

namespace zeroshelf {
namespace {

using dnnl::memory;
using Type = memory::data_type;
using Tag = memory::format_tag;

constexpr float kQuickGelu = 1.702f;
constexpr size_t kAlignment = 64;

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::primitive_attr attributes(After after) {
  dnnl::post_ops ops;
  switch (after) {
    case After::Nothing:
      break;
    case After::QuickGelu:
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_swish, kQuickGelu, 0.0f);
      break;
    case After::Gelu:
      ops.append_eltwise(1.0f, dnnl::algorithm::eltwise_gelu_erf, 0.0f, 0.0f);
      break;
    case After::AddToResult:
      ops.append_sum(1.0f);
      break;
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(ops);
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

}  // namespace

void* AlignedBuffer::bytes(size_t count) {
  if (count > size_) {
    memory_.reset();
    size_ = 0;
    const size_t rounded = (count + kAlignment - 1) / kAlignment * kAlignment;
    memory_.reset(std::aligned_alloc(kAlignment, rounded));
    if (!memory_) throw std::bad_alloc();
    std::memset(memory_.get(), 0, rounded);
    size_ = rounded;
  }
  return memory_.get();
}

void AlignedBuffer::Free::operator()(void* memory) const {
  std::free(memory);
}

OneThread::OneThread() : before_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}

OneThread::~OneThread() {
  omp_set_num_threads(before_);
}

// y = after(x W^T + b), by one library or the other.
struct PackedLinear::State {
  explicit State(const Options& given) : options(given) {}
  virtual ~State() = default;
  virtual void run(const void* x, int64_t rows, void* y, AlignedBuffer& scratch) = 0;
  virtual std::string kernel() = 0;

  // The weights as they are to be multiplied: of emulated bfloat16 rounded, in `kept`.
  std::span<const float> computed(std::span<const float> weights, std::vector<float>& kept) const {
    if (options.arithmetic != Arithmetic::EmulatedBf16) return weights;
    kept.assign(weights.begin(), weights.end());
    clip_kernels::best().round_to_bf16(kept.data(), kept.size());
    return kept;
  }

  bool is_rounded() const {
    return options.is_result_multiplied && options.arithmetic == Arithmetic::EmulatedBf16;
  }

  const Options options;
};

namespace {

class OwnState : public PackedLinear::State {
 public:
  OwnState(const PackedLinear::Options& given, std::span<const float> weights,
           std::span<const float> bias)
      : State(given), bias_(bias.begin(), bias.end()) {
    const auto out = static_cast<size_t>(options.out);
    const auto in = static_cast<size_t>(options.in);
    std::vector<float> kept;
    float* packed = packed_.floats(kernels_.packed_size(out, in));
    kernels_.pack(computed(weights, kept).data(), out, in, packed);
  }

  void run(const void* x, int64_t rows, void* y, AlignedBuffer&) override {
    const auto out = static_cast<size_t>(options.out);
    const auto in = static_cast<size_t>(options.in);
    kernels_.multiply(static_cast<const float*>(x), static_cast<size_t>(rows), in,
                      packed_.floats(kernels_.packed_size(out, in)),
                      bias_.empty() ? nullptr : bias_.data(), out, options.after,
                      is_rounded() ? clip_kernels::Store::RoundedFloat : clip_kernels::Store::Float,
                      static_cast<float*>(y));
  }

  std::string kernel() override { return kernels_.name; }

 private:
  const clip_kernels::Kernels& kernels_ = clip_kernels::best();
  std::vector<float> bias_;
  AlignedBuffer packed_;
};

class OneDnnState : public PackedLinear::State {
 public:
  OneDnnState(const PackedLinear::Options& given, std::span<const float> weights,
              std::span<const float> bias)
      : State(given),
        type_(options.arithmetic == Arithmetic::Bf16 ? Type::bf16 : Type::f32),
        bias_(bias.begin(), bias.end()) {
    const OneThread one;
    const memory::desc any({options.out, options.in}, type_, Tag::any);
    packed_ = memory(describe(options.usual_rows, any).weights_desc(), engine());
    std::vector<float> kept;
    const memory plain({{options.out, options.in}, Type::f32, Tag::ab}, engine(),
                       const_cast<float*>(computed(weights, kept).data()));
    dnnl::stream stream(engine());
    dnnl::reorder(plain, packed_).execute(stream, const_cast<memory&>(plain), packed_);
    stream.wait();
  }

  void run(const void* x, int64_t rows, void* y, AlignedBuffer& scratch) override {
    const Plan& plan = plan_for(rows);
    const auto at = [&](const memory::desc& description, const void* data) {
      return memory(description, engine(), const_cast<void*>(data));
    };
    std::unordered_map<int, memory> arguments = {
        {DNNL_ARG_SRC, at(plan.description.src_desc(), x)},
        {DNNL_ARG_WEIGHTS, packed_},
        {DNNL_ARG_DST, at(plan.description.dst_desc(), y)},
        {DNNL_ARG_SCRATCHPAD, at(plan.description.scratchpad_desc(),
                                 scratch.bytes(std::max<size_t>(plan.scratch_bytes, 1)))}};
    if (!bias_.empty()) {
      arguments.emplace(DNNL_ARG_BIAS, at(plan.description.bias_desc(), bias_.data()));
    }
    dnnl::stream stream(engine());
    plan.primitive.execute(stream, arguments);
    stream.wait();
    if (is_rounded()) {
      clip_kernels::best().round_to_bf16(static_cast<float*>(y),
                                         static_cast<size_t>(rows * options.out));
    }
  }

  std::string kernel() override {
    return std::string("oneDNN ") + plan_for(options.usual_rows).description.impl_info_str();
  }

 private:
  // How one number of rows is computed.
  struct Plan {
    dnnl::inner_product_forward primitive;
    dnnl::inner_product_forward::primitive_desc description;
    size_t scratch_bytes = 0;
  };

  dnnl::inner_product_forward::primitive_desc describe(int64_t rows,
                                                       const memory::desc& weights) const {
    const memory::desc x({rows, options.in}, type_, Tag::ab);
    const memory::desc y({rows, options.out}, options.is_result_multiplied ? type_ : Type::f32,
                         Tag::ab);
    const auto kind = dnnl::prop_kind::forward_inference;
    const dnnl::inner_product_forward::desc operation =
        bias_.empty() ? dnnl::inner_product_forward::desc(kind, x, weights, y)
                      : dnnl::inner_product_forward::desc(
                            kind, x, weights, memory::desc({options.out}, Type::f32, Tag::a), y);
    return {operation, attributes(options.after), engine()};
  }

  // Made when a number of rows is asked for the first time.
  const Plan& plan_for(int64_t rows) {
    const std::lock_guard lock(mutex_);
    if (const auto found = plans_.find(rows); found != plans_.end()) return found->second;
    auto description = describe(rows, packed_.get_desc());
    Plan plan{dnnl::inner_product_forward(description), description,
              description.scratchpad_desc().get_size()};
    return plans_.emplace(rows, std::move(plan)).first->second;
  }

  Type type_;
  std::vector<float> bias_;
  memory packed_;
  std::mutex mutex_;
  std::map<int64_t, Plan> plans_;
};

}  // namespace

PackedLinear::PackedLinear(const Options& options, std::span<const float> weights,
                           std::span<const float> bias) {
  assert(weights.size() == static_cast<size_t>(options.in * options.out));
  assert(bias.empty() || bias.size() == static_cast<size_t>(options.out));
  if (options.arithmetic == Arithmetic::Bf16 || options.multiplier == Multiplier::OneDnn) {
    state_ = std::make_unique<OneDnnState>(options, weights, bias);
  } else {
    state_ = std::make_unique<OwnState>(options, weights, bias);
  }
}

PackedLinear::~PackedLinear() = default;
PackedLinear::PackedLinear(PackedLinear&&) noexcept = default;

void PackedLinear::run(const void* x, int64_t rows, void* y, AlignedBuffer& scratch) const {
  assert(rows % static_cast<int64_t>(kRowStep) == 0);
  state_->run(x, rows, y, scratch);
}

std::string PackedLinear::kernel() const {
  return state_->kernel();
}

bool multiplies_bf16() {
  if (!__builtin_cpu_supports("avx512bf16")) return false;
  try {
    constexpr int64_t kSide = 64;
    const std::vector<float> weights(kSide * kSide);
    PackedLinear::Options options;
    options.in = options.out = kSide;
    options.arithmetic = Arithmetic::Bf16;
    return PackedLinear(options, weights, {}).kernel().find("ref") == std::string::npos;
  } catch (const dnnl::error&) {
    return false;
  }
}

}  // namespace zeroshelf
