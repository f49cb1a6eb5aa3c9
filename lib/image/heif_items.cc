// Tested by tests/image/decode_test.cc and hostile_test.cc.

#include "lib/image/heif_items.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

namespace zeroshelf {
namespace {

using Type = std::string_view;  // four letters

struct Box {
  Type type;
  Bytes whole;    // with its header
  Bytes content;  // without
};

uint64_t big_endian(Bytes bytes) {
  uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | static_cast<uint64_t>(byte);
  return value;
}

// Takes numbers and boxes from the front. What is not there makes it bad, and all further zero.
class Reader {
 public:
  explicit Reader(Bytes bytes) : bytes_(bytes) {}

  uint64_t number(size_t size) {
    const Bytes taken = take(size);
    return big_endian(taken);
  }
  Bytes take(uint64_t size) {
    if (size > bytes_.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    const Bytes taken = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return taken;
  }
  bool good() const { return good_; }
  bool at_end() const { return bytes_.empty(); }

  // A box that says that it goes to the end of the file is not good: nothing can stand behind it.
  Box box() {
    const Bytes from = bytes_;
    uint64_t size = number(4);
    const Bytes type = take(4);
    size_t header = 8;
    if (size == 1) {
      size = number(8);
      header = 16;
    }
    if (!good_ || size < header || size > from.size()) {
      good_ = false;
      bytes_ = {};
      return {};
    }
    bytes_ = from.subspan(size);
    return {Type(reinterpret_cast<const char*>(type.data()), type.size()), from.first(size),
            from.subspan(header, size - header)};
  }

 private:
  Bytes bytes_;
  bool good_ = true;
};

using Item = uint64_t;

struct Reference {
  Type type;
  Item from = 0;
  std::vector<Item> to;

  bool operator==(const Reference&) const = default;
};

struct Meta {
  Box box;
  std::vector<Box> parts;
  Item primary = 0;
  bool wide_items = false;  // of the references: 4 bytes an item
  std::vector<Reference> references;
  std::set<Item> overlays;
};

void read_primary(Bytes content, Meta& meta, bool& good) {
  Reader reader(content);
  const uint64_t version = reader.number(4) >> 24;
  meta.primary = reader.number(version == 0 ? 2 : 4);
  good = good && reader.good();
}

// The items that are overlays.
void read_overlays(Bytes content, Meta& meta, bool& good) {
  Reader reader(content);
  const uint64_t version = reader.number(4) >> 24;
  reader.number(version == 0 ? 2 : 4);  // how many
  while (reader.good() && !reader.at_end()) {
    Reader entry(reader.box().content);
    const uint64_t entry_version = entry.number(4) >> 24;
    const Item item = entry.number(entry_version < 3 ? 2 : 4);
    entry.number(2);
    const Bytes type = entry.take(4);
    if (!entry.good() || entry_version < 2) continue;  // of a kind without types
    if (Type(reinterpret_cast<const char*>(type.data()), type.size()) == "iovl")
      meta.overlays.insert(item);
  }
  good = good && reader.good();
}

void read_references(Bytes content, Meta& meta, bool& good) {
  Reader reader(content);
  meta.wide_items = reader.number(4) >> 24 != 0;
  const size_t width = meta.wide_items ? 4 : 2;
  while (reader.good() && !reader.at_end()) {
    const Box box = reader.box();
    Reader entry(box.content);
    Reference reference{box.type, entry.number(width), {}};
    for (uint64_t left = entry.number(2); left > 0 && entry.good(); --left)
      reference.to.push_back(entry.number(width));
    good = good && entry.good();
    meta.references.push_back(std::move(reference));
  }
  good = good && reader.good();
}

std::optional<Meta> read_meta(Bytes file) {
  std::optional<Meta> meta;
  for (Reader reader(file); !reader.at_end();) {
    const Box box = reader.box();
    if (!reader.good()) return std::nullopt;
    if (box.type != "meta") continue;
    if (meta) return std::nullopt;
    meta.emplace().box = box;
  }
  if (!meta) return std::nullopt;
  Reader parts(meta->box.content);
  parts.number(4);  // version and flags
  bool good = true;
  while (parts.good() && !parts.at_end()) {
    const Box part = parts.box();
    if (part.type == "pitm") read_primary(part.content, *meta, good);
    if (part.type == "iinf") read_overlays(part.content, *meta, good);
    if (part.type == "iref") read_references(part.content, *meta, good);
    meta->parts.push_back(part);
  }
  // Which one of two lists counts is not for us to say.
  for (const Type once : {"pitm", "iinf", "iref"}) {
    good = good && std::ranges::count(meta->parts, once, &Box::type) <= 1;
  }
  if (!good || !parts.good()) return std::nullopt;
  return meta;
}

// The primary picture and what it is made of.
std::set<Item> items_of_primary(const Meta& meta) {
  std::set<Item> reached{meta.primary};
  for (bool grows = true; grows;) {
    grows = false;
    for (const Reference& reference : meta.references) {
      if (reference.type != "dimg" || !reached.contains(reference.from)) continue;
      for (const Item item : reference.to) grows = reached.insert(item).second || grows;
    }
  }
  return reached;
}

// Whether a part of the primary picture, or of a picture beside it that it needs (its alpha), is
// made of others although it is itself a part.
bool is_nested(const std::vector<Reference>& references) {
  std::set<Item> made;
  std::set<Item> parts;
  for (const Reference& reference : references) {
    if (reference.type != "dimg") continue;
    made.insert(reference.from);
    parts.insert(reference.to.begin(), reference.to.end());
  }
  return std::ranges::any_of(parts, [&](Item part) { return made.contains(part); });
}

// The items that the primary picture needs: what it is made of, and what is said of it alone (its
// transparency, its EXIF), also where it is said of others as well.
std::vector<Reference> needed_references(const Meta& meta) {
  const std::set<Item> reached = items_of_primary(meta);
  std::set<Item> beside;
  std::vector<Reference> needed;
  for (const Reference& reference : meta.references) {
    const bool names_primary = std::ranges::find(reference.to, meta.primary) != reference.to.end();
    if (reached.contains(reference.from)) {
      needed.push_back(reference);
    } else if (names_primary && reference.type != "dimg" && reference.type != "base") {
      needed.push_back({reference.type, reference.from, {meta.primary}});
      beside.insert(reference.from);
    }
  }
  for (const Reference& reference : meta.references) {  // a transparency of tiles
    if (reference.type == "dimg" && beside.contains(reference.from) &&
        !reached.contains(reference.from)) {
      needed.push_back(reference);
    }
  }
  return needed;
}

void append_number(std::string& out, uint64_t value, size_t size) {
  for (size_t i = size; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 0xff);
}

void append_bytes(std::string& out, Bytes bytes) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void append_box(std::string& out, Type type, const std::string& content) {
  append_number(out, content.size() + 8, 4);
  out += type;
  out += content;
}

std::string references_content(const std::vector<Reference>& references, bool wide_items) {
  const size_t width = wide_items ? 4 : 2;
  std::string content;
  append_number(content, wide_items ? uint64_t{1} << 24 : 0, 4);
  for (const Reference& reference : references) {
    std::string entry;
    append_number(entry, reference.from, width);
    append_number(entry, reference.to.size(), 2);
    for (const Item item : reference.to) append_number(entry, item, width);
    append_box(content, reference.type, entry);
  }
  return content;
}

// The old list becomes free space and the new one stands at the end, so that everything else stays
// where the list says that it is.
std::string with_references(Bytes file, const Meta& meta,
                            const std::vector<Reference>& references) {
  std::string content;
  append_bytes(content, meta.box.content.first(4));
  for (const Box& part : meta.parts) {
    if (part.type != "iref") {
      append_bytes(content, part.whole);
    } else if (!references.empty()) {
      append_box(content, "iref", references_content(references, meta.wide_items));
    }
  }
  std::string result;
  result.reserve(file.size() + content.size() + 8);
  append_bytes(result, file);
  const auto type_at = static_cast<size_t>(meta.box.whole.data() - file.data()) + 4;
  result.replace(type_at, 4, "free");
  append_box(result, "meta", content);
  return result;
}

}  // namespace

std::optional<HeifItems> read_heif_items(Bytes file) {
  const std::optional<Meta> meta = read_meta(file);
  if (!meta) return std::nullopt;
  const std::vector<Reference> needed = needed_references(*meta);
  HeifItems items;
  std::set<Item> used = items_of_primary(*meta);
  for (const Reference& reference : needed) used.insert(reference.from);
  items.has_overlay =
      std::ranges::any_of(used, [&](Item item) { return meta->overlays.contains(item); });
  items.is_nested = is_nested(needed);
  if (needed != meta->references) items.pruned = with_references(file, *meta, needed);
  return items;
}

}  // namespace zeroshelf
