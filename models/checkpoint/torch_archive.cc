// Tested by tests/clip/torch_archive_test.cc, hostile_archive_test.cc and, with mutated archives,
// by tests/fuzz.

#include "models/checkpoint/torch_archive.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "lib/util/error.h"
#include "models/checkpoint/pickle.h"
#include "models/checkpoint/zip_directory.h"

namespace zeroshelf {
namespace {

using Kind = PickleValue::Kind;

constexpr uint64_t kMaxPickleBytes = 16 << 20;
constexpr uint64_t kMaxCodeBytes = 64 << 20;  // of all its source files, unpacked
constexpr size_t kMaxDimensions = 8;
constexpr int kMaxDepth = 32;  // of modules in modules
constexpr size_t kMaxMembers = 1'000'000;

constexpr std::string_view kModulePrefix = "__torch__.";
constexpr std::string_view kRebuildTensor = "torch._utils\n_rebuild_tensor_v2";
constexpr std::string_view kRebuildParameter = "torch._utils\n_rebuild_parameter";

struct Storage {
  std::string_view global;
  TensorType type;
  int64_t element_bytes;
};
constexpr Storage kStorages[] = {
    {"torch\nFloatStorage", TensorType::F32, 4},     {"torch\nHalfStorage", TensorType::F16, 2},
    {"torch\nBFloat16Storage", TensorType::BF16, 2}, {"torch\nDoubleStorage", TensorType::Other, 8},
    {"torch\nLongStorage", TensorType::Other, 8},    {"torch\nIntStorage", TensorType::Other, 4},
    {"torch\nShortStorage", TensorType::Other, 2},   {"torch\nCharStorage", TensorType::Other, 1},
    {"torch\nByteStorage", TensorType::Other, 1},    {"torch\nBoolStorage", TensorType::Other, 1}};

const Storage* find_storage(std::string_view global) {
  const auto* found =
      std::find_if(std::begin(kStorages), std::end(kStorages),
                   [&](const Storage& storage) { return storage.global == global; });
  return found == std::end(kStorages) ? nullptr : found;
}

bool is_known_global(std::string_view global) {
  // Lists of numbers among a module's attributes.
  constexpr std::string_view kList = "torch.jit._pickle\nbuild_";
  return global == kRebuildTensor || global == kRebuildParameter ||
         global == "collections\nOrderedDict" || global.starts_with(kModulePrefix) ||
         global.starts_with(kList) || find_storage(global) != nullptr;
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What a raw deflate stream holds; nothing when it is damaged or holds more than limit bytes.
std::optional<std::string> inflated(std::span<const std::byte> packed, uint64_t limit) {
  z_stream stream{};
  if (::inflateInit2(&stream, -MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(packed.size(), UINT32_MAX));
  std::string text;
  char buffer[1 << 16];
  int state = Z_OK;
  while (state == Z_OK && text.size() <= limit) {
    stream.next_out = reinterpret_cast<Bytef*>(buffer);
    stream.avail_out = sizeof buffer;
    state = ::inflate(&stream, Z_NO_FLUSH);
    text.append(buffer, sizeof buffer - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (state != Z_STREAM_END || text.size() > limit) return std::nullopt;
  return text;
}

class ArchiveReader {
 public:
  ArchiveReader(std::span<const std::byte> file, std::string subject,
                std::vector<std::vector<std::byte>>& copied)
      : subject_(std::move(subject)),
        file_bytes_(file.size()),
        entries_(read_zip_directory(file, subject_)),
        top_(top_folder()),
        pickle_(text_of(content("data.pkl")), subject_, is_known_global),
        copied_(copied) {
    check_byte_order();
    check_code();
    const uint32_t root = pickle_.root();
    if (pickle_.is(root, Kind::Object)) {
      take_module("", root, 0);
    } else if (pickle_.is(root, Kind::Dictionary)) {
      take_members("", root, 0);
    } else {
      fail("it holds neither a module nor named tensors");
    }
  }

  std::map<std::string, TensorView> tensors;
  std::map<std::string, std::string> classes;

 private:
  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::Corruption, subject_, "damaged: " + cause, "fetch the file again");
  }
  [[noreturn]] void refuse(const std::string& cause) const {
    throw Error(ErrorCode::Incompatible, subject_, cause,
                "zeroshelf reads OpenAI's archives and state_dicts of torch.save");
  }

  // --- the archive's files

  // All of them lie in one folder, which has the name of the file that was first written.
  std::string top_folder() const {
    constexpr std::string_view kPickle = "/data.pkl";
    for (const auto& [name, entry] : entries_) {
      if (name.ends_with(kPickle) && name.find('/') == name.size() - kPickle.size())
        return name.substr(0, name.size() - kPickle.size() + 1);
    }
    refuse("a ZIP archive, but none of libtorch's");
  }

  std::span<const std::byte> content(const std::string& name) const {
    const auto found = entries_.find(top_ + name);
    if (found == entries_.end()) fail(fmt::format("'{}' is missing in it", name));
    if (found->second.is_deflated) refuse(fmt::format("'{}' is packed", name));
    if (name == "data.pkl" && found->second.bytes.size() > kMaxPickleBytes)
      fail("its list of tensors is too long");
    return found->second.bytes;
  }

  void check_byte_order() const {
    if (entries_.contains(top_ + "byteorder") && text_of(content("byteorder")) != "little")
      refuse("its numbers are not little endian");
  }

  // A class with __setstate__ makes its state itself, by code.
  void check_code() const {
    uint64_t left = kMaxCodeBytes;
    for (const auto& [name, entry] : entries_) {
      if (!name.starts_with(top_ + "code/")) continue;
      std::optional<std::string> unpacked;
      std::string_view source = text_of(entry.bytes);
      if (entry.is_deflated) {
        unpacked = inflated(entry.bytes, left);
        if (!unpacked) fail(fmt::format("'{}' cannot be unpacked", name));
        source = *unpacked;
      }
      if (source.size() > left) fail("its program is too long");
      left -= source.size();
      if (source.find("__setstate__") != std::string_view::npos)
        refuse("it loads itself by code of its own, which was not run");
    }
  }

  // --- modules and their members

  void take_module(const std::string& name, uint32_t place, int depth) {
    const PickleValue& object = pickle_.at(place);
    const std::string_view global = pickle_.at(object.items[0]).text;
    if (!global.starts_with(kModulePrefix)) fail("an object is no module");
    if (object.items.size() != 2 || !pickle_.is(object.items[1], Kind::Dictionary))
      refuse(fmt::format("the module '{}' has a state that is no list of members", name));
    classes.emplace(name, std::string(global.substr(global.find('\n') + 1)));
    take_members(name.empty() ? "" : name + ".", object.items[1], depth);
  }

  void take_members(const std::string& prefix, uint32_t dictionary, int depth) {
    const std::vector<uint32_t>& items = pickle_.at(dictionary).items;
    for (size_t i = 0; i + 1 < items.size(); i += 2) {
      if (++members_ > kMaxMembers || depth > kMaxDepth) fail("its modules have no end");
      if (!pickle_.is(items[i], Kind::Text)) fail("a member's name is no text");
      const std::string name = prefix + std::string(pickle_.at(items[i]).text);
      take_member(name, items[i + 1], depth);
    }
  }

  void take_member(const std::string& name, uint32_t place, int depth) {
    const bool is_state_dict = pickle_.is(pickle_.root(), Kind::Dictionary);
    switch (pickle_.at(place).kind) {
      case Kind::Object:
        if (is_state_dict) refuse(fmt::format("'{}' is no tensor", name));
        return take_module(name, place, depth + 1);
      case Kind::Call:
        if (!is_list(place)) add(name, place);
        return;
      default:
        // Numbers and flags of a module; a state_dict has none.
        if (is_state_dict) refuse(fmt::format("'{}' is no tensor", name));
    }
  }

  bool is_list(uint32_t call) const {
    return pickle_.at(pickle_.at(call).items[0]).text.starts_with("torch.jit._pickle\n");
  }

  void add(const std::string& name, uint32_t call) {
    if (!tensors.emplace(name, tensor(name, call)).second)
      fail(fmt::format("tensor {} is there twice", name));
  }

  // --- tensors

  // The arguments of a call of this function; nothing for another value.
  const std::vector<uint32_t>* arguments_of(uint32_t place, std::string_view function) const {
    if (!pickle_.is(place, Kind::Call)) return nullptr;
    const PickleValue& call = pickle_.at(place);
    return pickle_.at(call.items[0]).text == function ? &pickle_.at(call.items[1]).items : nullptr;
  }

  TensorView tensor(const std::string& name, uint32_t place) {
    if (const auto* parameter = arguments_of(place, kRebuildParameter)) {
      if (parameter->empty()) fail(fmt::format("tensor {} has no data", name));
      place = parameter->front();
    }
    const std::vector<uint32_t>* arguments = arguments_of(place, kRebuildTensor);
    if (arguments == nullptr || arguments->size() < 4)
      fail(fmt::format("tensor {} has no storage, place, shape and strides", name));
    const auto [storage, bytes] = storage_of(name, (*arguments)[0]);
    const auto offset = number(name, (*arguments)[1]);
    TensorView view{storage->type, numbers(name, (*arguments)[2]), {}};
    std::vector<int64_t> strides = numbers(name, (*arguments)[3]);
    if (strides.size() != view.shape.size())
      fail(fmt::format("tensor {} has {} strides for {} sides", name, strides.size(),
                       view.shape.size()));
    for (size_t i = 0; i < strides.size(); ++i) {
      if (view.shape[i] == 1) strides[i] = 0;  // it may be anything, and is never gone
    }
    view.bytes = elements(name, view.shape, strides, offset, storage->element_bytes, bytes);
    return view;
  }

  // ('storage', type, key, where it was, elements)
  std::pair<const Storage*, std::span<const std::byte>> storage_of(const std::string& name,
                                                                   uint32_t place) const {
    const PickleValue& said =
        pickle_.at(pickle_.is(place, Kind::Persistent) ? pickle_.at(place).items[0] : place);
    const bool is_storage = said.kind == Kind::Tuple && said.items.size() == 5 &&
                            pickle_.is(said.items[0], Kind::Text, "storage") &&
                            pickle_.is(said.items[1], Kind::Global) &&
                            pickle_.is(said.items[2], Kind::Text);
    const Storage* storage = is_storage ? find_storage(pickle_.at(said.items[1]).text) : nullptr;
    if (storage == nullptr) fail(fmt::format("tensor {} has no usable storage", name));
    const auto bytes = content("data/" + std::string(pickle_.at(said.items[2]).text));
    const int64_t elements = number(name, said.items[4]);
    if (bytes.size() % static_cast<uint64_t>(storage->element_bytes) != 0 ||
        bytes.size() / static_cast<uint64_t>(storage->element_bytes) !=
            static_cast<uint64_t>(elements)) {
      fail(fmt::format("the storage of tensor {} has {} bytes, not {} elements", name, bytes.size(),
                       elements));
    }
    return {storage, bytes};
  }

  int64_t number(const std::string& name, uint32_t place) const {
    if (!pickle_.is(place, Kind::Integer) || pickle_.at(place).number < 0)
      fail(fmt::format("tensor {} has a number that is none", name));
    return pickle_.at(place).number;
  }

  std::vector<int64_t> numbers(const std::string& name, uint32_t place) const {
    const PickleValue& tuple = pickle_.at(place);
    if (tuple.kind != Kind::Tuple || tuple.items.size() > kMaxDimensions)
      fail(fmt::format("tensor {} has no usable shape", name));
    std::vector<int64_t> result;
    for (const uint32_t item : tuple.items) result.push_back(number(name, item));
    return result;
  }

  std::span<const std::byte> elements(const std::string& name, const std::vector<int64_t>& shape,
                                      const std::vector<int64_t>& strides, int64_t offset,
                                      int64_t element_bytes, std::span<const std::byte> storage) {
    const auto outside = [&]() { fail(fmt::format("tensor {} is not in its storage", name)); };
    const int64_t all = static_cast<int64_t>(storage.size()) / element_bytes;
    int64_t count = 1;
    int64_t last = offset;  // the place of the last element
    bool is_empty = false;
    bool is_in_order = true;
    for (size_t i = shape.size(); i-- > 0;) {
      is_empty = is_empty || shape[i] == 0;
      if (shape[i] > 1) is_in_order = is_in_order && strides[i] == count;
      int64_t span = 0;
      if (shape[i] > 0 && (__builtin_mul_overflow(count, shape[i], &count) ||
                           __builtin_mul_overflow(shape[i] - 1, strides[i], &span) ||
                           __builtin_add_overflow(last, span, &last))) {
        outside();
      }
    }
    if (is_empty) return {};
    // A stride of 0 repeats elements: a tensor may have more of them than its storage.
    if (last >= all || count > all) outside();
    const auto bytes = static_cast<size_t>(count * element_bytes);
    if (is_in_order) return storage.subspan(static_cast<size_t>(offset * element_bytes), bytes);
    if (bytes > file_bytes_ - copied_bytes_) outside();
    copied_bytes_ += bytes;
    return copied_.emplace_back(
        gathered(shape, strides, offset, static_cast<size_t>(element_bytes), storage, bytes));
  }

  // The elements in the order of their places. All places are in storage.
  static std::vector<std::byte> gathered(const std::vector<int64_t>& shape,
                                         const std::vector<int64_t>& strides, int64_t offset,
                                         size_t element_bytes, std::span<const std::byte> storage,
                                         size_t bytes) {
    std::vector<std::byte> result(bytes);
    std::vector<int64_t> index(shape.size());
    for (size_t out = 0; out < bytes; out += element_bytes) {
      std::memcpy(result.data() + out, storage.data() + static_cast<size_t>(offset) * element_bytes,
                  element_bytes);
      for (size_t i = shape.size(); i-- > 0;) {
        offset += strides[i];
        if (++index[i] < shape[i]) break;
        offset -= strides[i] * shape[i];
        index[i] = 0;
      }
    }
    return result;
  }

  std::string subject_;
  size_t file_bytes_;
  std::map<std::string, ZipEntry> entries_;
  std::string top_;
  Pickle pickle_;
  std::vector<std::vector<std::byte>>& copied_;
  size_t copied_bytes_ = 0;
  size_t members_ = 0;
};

}  // namespace

TorchArchive::TorchArchive(const std::filesystem::path& path) : file_(path) {
  ArchiveReader reader(file_.bytes(), path.string(), copied_);
  tensors_ = std::move(reader.tensors);
  module_classes_ = std::move(reader.classes);
}

}  // namespace zeroshelf
