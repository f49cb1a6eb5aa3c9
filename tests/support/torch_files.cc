#include "tests/support/torch_files.h"

#include <cstring>
#include <map>

#include "lib/util/bytes.h"

namespace zeroshelf::testing {
namespace {

constexpr uint32_t kInZip64 = 0xffffffff;

std::string zip64_field(std::initializer_list<uint64_t> numbers) {
  ByteWriter out;
  out.number<uint16_t>(1);
  out.number(static_cast<uint16_t>(8 * numbers.size()));
  for (const uint64_t number : numbers) out.number(number);
  return std::move(out).bytes();
}

void raw(ByteWriter& out, std::string_view text) {
  out.raw(std::as_bytes(std::span(text)));
}

void put_end(ByteWriter& out, size_t entries, size_t directory, bool with_zip64) {
  const size_t at = out.bytes().size();
  if (with_zip64) {
    raw(out, "PK\x06\x06");
    out.number<uint64_t>(44);
    out.number<uint32_t>(45 | 45 << 16);
    out.number<uint64_t>(0);  // disks
    out.number<uint64_t>(entries);
    out.number<uint64_t>(entries);
    out.number<uint64_t>(at - directory);
    out.number<uint64_t>(directory);
    raw(out, "PK\x06\x07");
    out.number<uint32_t>(0);
    out.number<uint64_t>(at);
    out.number<uint32_t>(1);
  }
  raw(out, "PK\x05\x06");
  out.number<uint32_t>(0);  // disks
  out.number(static_cast<uint16_t>(entries));
  out.number(static_cast<uint16_t>(entries));
  out.number(with_zip64 ? kInZip64 : static_cast<uint32_t>(at - directory));
  out.number(with_zip64 ? kInZip64 : static_cast<uint32_t>(directory));
  out.number<uint16_t>(0);  // no comment
}

// --- pickles

std::string text_value(const std::string& text) {
  const auto size = static_cast<uint32_t>(text.size());
  return "X" + std::string(reinterpret_cast<const char*>(&size), sizeof size) + text;
}

std::string integer_value(int64_t number) {
  if (number >= INT32_MIN && number <= INT32_MAX) {
    const auto small = static_cast<int32_t>(number);
    return "J" + std::string(reinterpret_cast<const char*>(&small), sizeof small);
  }
  return std::string("\x8a\x08", 2) +
         std::string(reinterpret_cast<const char*>(&number), sizeof number);
}

std::string tuple_value(const std::vector<int64_t>& numbers) {
  std::string value = "(";
  for (const int64_t number : numbers) value += integer_value(number);
  return value + "t";
}

std::vector<int64_t> strides_of(const SavedTensor& tensor) {
  if (!tensor.strides.empty()) return tensor.strides;
  std::vector<int64_t> strides(tensor.shape.size(), 1);
  for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * tensor.shape[i];
  return strides;
}

std::string tensor_value(const SavedTensor& tensor, size_t storage) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text_value("storage") +
         "ctorch\nFloatStorage\n" + text_value(std::to_string(tensor.storage.value_or(storage))) +
         text_value("cpu") + integer_value(static_cast<int64_t>(tensor.values.size())) + "tQ" +
         integer_value(tensor.offset) + tuple_value(tensor.shape) +
         tuple_value(strides_of(tensor)) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

struct Module {
  std::map<std::string, Module> children;
  std::string members;
};

std::string module_value(const Module& module) {
  std::string value = "c__torch__.made\nModule\n)\x81}(" + text_value("training") + "\x89";
  for (const auto& [name, child] : module.children) value += text_value(name) + module_value(child);
  return value + module.members + "ub";
}

}  // namespace

std::string stored_zip(const std::vector<std::pair<std::string, std::string>>& files,
                       bool with_zip64) {
  ByteWriter out;
  ByteWriter directory;
  for (const auto& [name, content] : files) {
    const size_t at = out.bytes().size();
    const auto size = with_zip64 ? kInZip64 : static_cast<uint32_t>(content.size());
    const std::string large =
        with_zip64 ? zip64_field({content.size(), content.size()}) : std::string();
    const std::string large_listed =
        with_zip64 ? zip64_field({content.size(), content.size(), at}) : std::string();
    const auto put_common = [&, &name = name](ByteWriter& to, const std::string& extra) {
      to.number<uint16_t>(0);  // flags
      to.number<uint16_t>(0);  // stored
      to.number<uint32_t>(0);  // time
      to.number<uint32_t>(0);  // checksum
      to.number(size);
      to.number(size);
      to.number(static_cast<uint16_t>(name.size()));
      to.number(static_cast<uint16_t>(extra.size()));
    };
    raw(out, "PK\x03\x04");
    out.number<uint16_t>(20);
    put_common(out, large);
    raw(out, name + large + content);
    raw(directory, "PK\x01\x02");
    directory.number<uint32_t>(20);
    put_common(directory, large_listed);
    directory.number<uint16_t>(0);  // comment
    directory.number<uint64_t>(0);  // disk, attributes
    directory.number(with_zip64 ? kInZip64 : static_cast<uint32_t>(at));
    raw(directory, name + large_listed);
  }
  const size_t at = out.bytes().size();
  raw(out, directory.bytes());
  put_end(out, files.size(), at, with_zip64);
  return std::move(out).bytes();
}

std::string state_dict_pickle(const std::vector<SavedTensor>& tensors) {
  std::string pickle =
      "\x80\x02"
      "ccollections\nOrderedDict\n)R(";
  for (size_t i = 0; i < tensors.size(); ++i)
    pickle += text_value(tensors[i].name) + tensor_value(tensors[i], i);
  return pickle + "u}(" + text_value("_metadata") + "Nub.";
}

std::string module_pickle(const std::vector<SavedTensor>& tensors) {
  Module root;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Module* module = &root;
    std::string rest = tensors[i].name;
    for (size_t point; (point = rest.find('.')) != std::string::npos; rest = rest.substr(point + 1))
      module = &module->children[rest.substr(0, point)];
    module->members += text_value(rest) + tensor_value(tensors[i], i);
  }
  return "\x80\x02" + module_value(root) + ".";
}

std::vector<std::pair<std::string, std::string>> archive_files(
    const std::string& pickle, const std::vector<SavedTensor>& tensors) {
  std::vector<std::pair<std::string, std::string>> files = {{"archive/data.pkl", pickle}};
  for (size_t i = 0; i < tensors.size(); ++i) {
    const auto& values = tensors[i].values;
    files.emplace_back(
        "archive/data/" + std::to_string(i),
        std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)));
  }
  files.emplace_back("archive/version", "3\n");
  return files;
}

std::string state_dict_archive(const std::vector<SavedTensor>& tensors) {
  return stored_zip(archive_files(state_dict_pickle(tensors), tensors));
}

std::string module_archive(const std::vector<SavedTensor>& tensors,
                           const std::vector<std::pair<std::string, std::string>>& more) {
  auto files = archive_files(module_pickle(tensors), tensors);
  files.insert(files.end(), more.begin(), more.end());
  return stored_zip(files);
}

}  // namespace zeroshelf::testing
