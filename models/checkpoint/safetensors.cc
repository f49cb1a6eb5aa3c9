// Tested by tests/clip/checkpoint_test.cc.

#include "models/checkpoint/safetensors.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/json_object.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr size_t kMaxDimensions = 8;

struct Type {
  std::string_view name;
  TensorType type;
  uint64_t bytes;
};
constexpr Type kTypes[] = {{"F32", TensorType::F32, 4},   {"F16", TensorType::F16, 2},
                           {"BF16", TensorType::BF16, 2}, {"F64", TensorType::Other, 8},
                           {"I64", TensorType::Other, 8}, {"I32", TensorType::Other, 4},
                           {"I16", TensorType::Other, 2}, {"I8", TensorType::Other, 1},
                           {"U8", TensorType::Other, 1},  {"BOOL", TensorType::Other, 1}};

// Where a tensor is given twice, it is not known which one is meant.
class HeaderJson : public JsonBuilder {
 public:
  explicit HeaderJson(std::string_view subject) : subject_(subject) {}

 private:
  void named(size_t depth, const std::string& name, bool is_new) override {
    if (depth != 1 || is_new) return;
    throw Error(ErrorCode::Corruption, std::string(subject_),
                fmt::format("damaged: tensor {} stands there twice", name), "fetch the file again");
  }
  std::string_view subject_;
};

class HeaderReader {
 public:
  HeaderReader(std::string subject, std::span<const std::byte> file)
      : subject_(std::move(subject)), file_(file) {}

  std::map<std::string, TensorView> read() {
    uint64_t header_bytes = 0;
    if (file_.size() < sizeof header_bytes) fail("it is too short to be a safetensors file");
    std::memcpy(&header_bytes, file_.data(), sizeof header_bytes);
    if (header_bytes > kMaxHeaderBytes || header_bytes > file_.size() - sizeof header_bytes) {
      fail(fmt::format("its header claims {} bytes, the file has {}", header_bytes, file_.size()));
    }
    const std::string_view text(reinterpret_cast<const char*>(file_.data()) + sizeof header_bytes,
                                header_bytes);
    data_ = file_.subspan(sizeof header_bytes + header_bytes);
    std::map<std::string, TensorView> tensors;
    const std::optional<nlohmann::json> header = HeaderJson(subject_).parse(text);
    if (!header || !header->is_object()) fail("it is not a JSON object");
    for (const auto& [name, entry] : header->items()) {
      if (name != "__metadata__") tensors.emplace(name, read_tensor(name, entry));
    }
    check_places(tensors);
    return tensors;
  }

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::Corruption, subject_, "damaged: " + cause, "fetch the file again");
  }

  const Type& type_of(const std::string& name, const nlohmann::json& entry) const {
    const auto* type = std::find_if(std::begin(kTypes), std::end(kTypes), [&](const Type& known) {
      return entry["dtype"] == known.name;
    });
    if (type == std::end(kTypes)) fail(fmt::format("tensor {} is of an unknown type", name));
    return *type;
  }

  std::vector<int64_t> shape_of(const std::string& name, const nlohmann::json& entry) const {
    const nlohmann::json& shape = entry["shape"];
    if (!shape.is_array() || shape.size() > kMaxDimensions ||
        !std::all_of(shape.begin(), shape.end(),
                     [](const auto& side) { return side.is_number_unsigned(); })) {
      fail(fmt::format("tensor {} has no usable shape", name));
    }
    return shape.get<std::vector<int64_t>>();
  }

  // Bytes of the tensor, or nothing when the product is larger than any file.
  static std::optional<uint64_t> size_of(const std::vector<int64_t>& shape,
                                         uint64_t element_bytes) {
    // Sides of 0 are left out of the product that is checked: a reader may multiply in any order.
    auto bytes = static_cast<int64_t>(element_bytes);
    bool empty = false;
    for (const int64_t side : shape) {
      if (side < 0 || (side > 0 && __builtin_mul_overflow(bytes, side, &bytes)))
        return std::nullopt;
      empty = empty || side == 0;
    }
    return empty ? 0 : static_cast<uint64_t>(bytes);
  }

  TensorView read_tensor(const std::string& name, const nlohmann::json& entry) const {
    if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets")) {
      fail(fmt::format("tensor {} has no type, shape or place", name));
    }
    const Type& type = type_of(name, entry);
    TensorView view{type.type, shape_of(name, entry), {}};
    const nlohmann::json& offsets = entry["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2 || !offsets[0].is_number_unsigned() ||
        !offsets[1].is_number_unsigned()) {
      fail(fmt::format("tensor {} has no usable place", name));
    }
    const auto begin = offsets[0].get<uint64_t>();
    const auto end = offsets[1].get<uint64_t>();
    if (begin > end || end > data_.size()) {
      fail(fmt::format("tensor {} lies at bytes {} to {} of {}; the file was cut short or changed",
                       name, begin, end, data_.size()));
    }
    if (size_of(view.shape, type.bytes) != end - begin) {
      fail(fmt::format("tensor {} has {} bytes, which is not its shape", name, end - begin));
    }
    view.bytes = data_.subspan(begin, end - begin);
    return view;
  }

  // One behind the other, from the first byte to the last, as the library that writes them has it.
  void check_places(const std::map<std::string, TensorView>& tensors) const {
    std::vector<const TensorView*> order;
    for (const auto& [name, view] : tensors) {
      if (!view.bytes.empty()) order.push_back(&view);
    }
    std::sort(order.begin(), order.end(),
              [](const auto* a, const auto* b) { return a->bytes.data() < b->bytes.data(); });
    const std::byte* end = data_.data();
    for (const TensorView* view : order) {
      if (view->bytes.data() < end) fail("two tensors overlap");
      if (view->bytes.data() > end) fail("some of its bytes belong to no tensor");
      end += view->bytes.size();
    }
    if (end != data_.data() + data_.size()) fail("some of its bytes belong to no tensor");
  }

  std::string subject_;
  std::span<const std::byte> file_;
  std::span<const std::byte> data_;
};

}  // namespace

Safetensors::Safetensors(const std::filesystem::path& path)
    : file_(path), tensors_(HeaderReader(path.string(), file_.bytes()).read()) {}

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  std::string data;
  for (const auto& [name, view] : tensors) {
    const auto* type = std::ranges::find(kTypes, view.type, &Type::type);
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size());
    // At the end, without a look at all the others: the names are different ones.
    header.get_ref<nlohmann::ordered_json::object_t&>().emplace_back(
        name,
        nlohmann::ordered_json{
            {"dtype", type->name}, {"shape", view.shape}, {"data_offsets", {begin, data.size()}}});
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // so that the tensors are aligned
  const uint64_t header_bytes = text.size();
  std::string file(reinterpret_cast<const char*>(&header_bytes), sizeof header_bytes);
  write_file_atomically(path, file + text + data);
}

}  // namespace zeroshelf
