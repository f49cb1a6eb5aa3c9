// Tested by tests/xmp/packet_keywords_test.cc.

#include "lib/xmp/packet_keywords.h"

#include <exiv2/error.hpp>
#include <exiv2/properties.hpp>
#include <exiv2/value.hpp>
#include <exiv2/xmp_exiv2.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr const char* kTags = "Xmp.digiKam.TagsList";
constexpr const char* kHierarchy = "Xmp.lr.hierarchicalSubject";
constexpr const char* kSubject = "Xmp.dc.subject";
constexpr const char* kOwnSubjects = "Xmp.zeroshelf.subjects";
constexpr std::string_view kRdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";
// Some of the parser's steps look at all properties for each of them.
constexpr ptrdiff_t kMostMarks = 20'000;

using Words = std::vector<std::string>;

[[noreturn]] void refuse(const std::string& cause) {
  throw Error(ErrorCode::Corruption, "", cause, "look at it, or remove it");
}

// The parser has a state for the whole process: one at a time.
class Exiv2Use {
 public:
  Exiv2Use() : lock_(mutex()) {
    [[maybe_unused]] static const bool once = [] {
      Exiv2::LogMsg::setLevel(Exiv2::LogMsg::mute);
      Exiv2::XmpProperties::registerNs("urn:zeroshelf:xmp/1.0/", "zeroshelf");
      // Makes the namespace known below, so that a packet can give its prefix to no other.
      Exiv2::XmpData data;
      data[kOwnSubjects] = "known";
      std::string ignored;
      Exiv2::XmpParser::encode(ignored, data);
      return true;
    }();
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  std::lock_guard<std::mutex> lock_;
};

void check_size(std::string_view packet) {
  if (packet.size() > kMostPacketBytes) refuse("larger than 16 MiB, so no XMP of a picture");
  const auto marks = std::ranges::count(packet, '<') + std::ranges::count(packet, '=');
  if (marks > kMostMarks) refuse("has more properties than XMP of a picture has");
}

Exiv2::XmpData decoded(std::string_view packet) {
  check_size(packet);
  Exiv2::XmpData data;
  try {
    if (Exiv2::XmpParser::decode(data, std::string(packet)) != 0) refuse("cannot be read as XMP");
  } catch (const Exiv2::Error&) {
    refuse("cannot be read as XMP");
  }
  // Well-formed XML of another kind, which the parser finds nothing in.
  if (data.empty() && packet.find(kRdf) == std::string_view::npos) refuse("is not XMP");
  return data;
}

std::string encoded(const Exiv2::XmpData& data, int format) {
  std::string packet;
  try {
    if (Exiv2::XmpParser::encode(packet, data, static_cast<uint16_t>(format)) == 0) return packet;
  } catch (const Exiv2::Error&) {
  }
  refuse("could not be written again as it is");
}

// --- properties ---------------------------------------------------------------------------------

Words words_of(const Exiv2::XmpData& data, const char* key) {
  const auto found = data.findKey(Exiv2::XmpKey(key));
  Words words;
  if (found == data.end()) return words;
  const Exiv2::Value& value = found->value();
  if (value.typeId() != Exiv2::xmpText) {
    const auto count = static_cast<long>(value.count());
    for (long i = 0; i < count; ++i) words.push_back(value.toString(i));
  } else if (value.count() > 0) {
    words.push_back(value.toString(0));
  } else {
    // Each with something of its own, which a plain list would lose.
    refuse("its keywords are no plain lists");
  }
  return words;
}

void set_words(Exiv2::XmpData& data, const char* key, Exiv2::TypeId type, const Words& words) {
  const auto found = data.findKey(Exiv2::XmpKey(key));
  if (found != data.end() && found->typeId() != Exiv2::xmpText) type = found->typeId();
  if (words.empty()) {
    if (found != data.end()) data.erase(found);
    return;
  }
  Exiv2::XmpArrayValue value(type);
  for (const std::string& word : words) value.read(word);
  data[key].setValue(&value);
}

bool contains(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

void add_missing(Words& words, const Words& wanted) {
  for (const std::string& word : wanted) {
    if (!contains(words, word)) words.push_back(word);
  }
}

// --- merging ------------------------------------------------------------------------------------

struct Keywords {
  Words tags;
  Words hierarchy;
  Words subject;
  Words own_subjects;

  bool operator==(const Keywords&) const = default;
};

Keywords keywords_of(const Exiv2::XmpData& data) {
  return {words_of(data, kTags), words_of(data, kHierarchy), words_of(data, kSubject),
          words_of(data, kOwnSubjects)};
}

// Takes out what lies below the root, separated like that, and is not wanted.
void keep_wanted(Words& words, char separator, const KeywordPath& root, const Words& wanted) {
  std::erase_if(words, [&](const std::string& word) {
    return is_below(split_keyword(word, separator), root) && !contains(wanted, word);
  });
}

std::string leaf_of(std::string_view path, char separator) {
  const KeywordPath parts = split_keyword(path, separator);
  return parts.empty() ? "" : parts.back();
}

// The last parts of all keywords in the hierarchies that do not lie below the root.
std::set<std::string> others_leaves(const Keywords& keywords, const KeywordPath& root) {
  std::set<std::string> leaves;
  const auto note = [&](const Words& words, char separator) {
    for (const std::string& word : words) {
      const KeywordPath path = split_keyword(word, separator);
      if (!path.empty() && !is_below(path, root)) leaves.insert(path.back());
    }
  };
  note(keywords.tags, '/');
  note(keywords.hierarchy, '|');
  return leaves;
}

void merge_subject(Keywords& keywords, const KeywordPath& root, const Words& wanted) {
  const std::set<std::string> others = others_leaves(keywords, root);
  Words stale;
  std::erase_if(keywords.own_subjects, [&](const std::string& path) {
    if (!is_below(split_keyword(path, '/'), root) || contains(wanted, path)) return false;
    stale.push_back(leaf_of(path, '/'));
    return true;
  });
  std::set<std::string> owned;  // below any root of ours
  for (const std::string& path : keywords.own_subjects) owned.insert(leaf_of(path, '/'));
  const auto stays = [&](const std::string& leaf) {
    return owned.contains(leaf) || others.contains(leaf);
  };
  // A keyword that changes its place below the root keeps the one in the flat list.
  for (const std::string& path : wanted) {
    const std::string leaf = leaf_of(path, '/');
    const bool is_new = !contains(keywords.own_subjects, path);
    const bool was_ours = owned.contains(leaf) || contains(stale, leaf);
    const bool is_theirs = contains(keywords.subject, leaf) && !was_ours;
    if (is_new && is_theirs) continue;
    if (is_new) keywords.own_subjects.push_back(path);
    add_missing(keywords.subject, {leaf});
    owned.insert(leaf);
  }
  std::erase_if(keywords.subject, [&](const std::string& word) {
    return contains(stale, word) && !stays(word);
  });
}

Keywords merged(Keywords keywords, const OwnKeywords& own) {
  Words tags;
  Words hierarchy;
  for (const KeywordPath& below : own.paths) {
    KeywordPath path = own.root;
    path.insert(path.end(), below.begin(), below.end());
    tags.push_back(with_slashes(path));
    hierarchy.push_back(with_bars(path));
  }
  keep_wanted(keywords.tags, '/', own.root, tags);
  keep_wanted(keywords.hierarchy, '|', own.root, hierarchy);
  merge_subject(keywords, own.root, tags);
  add_missing(keywords.tags, tags);
  add_missing(keywords.hierarchy, hierarchy);
  return keywords;
}

// --- losing nothing -----------------------------------------------------------------------------

// Texts that are empty are not written, and nothing is lost with them.
std::multimap<std::string, std::string> values_of(const Exiv2::XmpData& data) {
  std::multimap<std::string, std::string> values;
  for (const Exiv2::Xmpdatum& datum : data) {
    if (const auto* texts = dynamic_cast<const Exiv2::LangAltValue*>(&datum.value())) {
      for (const auto& [language, text] : texts->value_) {
        if (!text.empty()) values.emplace(datum.key() + " " + language, text);
      }
    } else if (std::string value = datum.toString(); !value.empty()) {
      values.emplace(datum.key(), std::move(value));
    }
  }
  return values;
}

void expect_same(const Exiv2::XmpData& wanted, const std::string& packet) {
  if (packet.size() > kMostPacketBytes || values_of(decoded(packet)) != values_of(wanted))
    refuse("could not be written again without a loss");
}

}  // namespace

std::optional<std::string> with_keywords(std::string_view before, const OwnKeywords& own,
                                         PacketForm form) {
  const Exiv2Use use;
  Exiv2::XmpData data;
  if (!before.empty()) data = decoded(before);
  const Keywords found = keywords_of(data);
  const Keywords wanted = merged(found, own);
  if (wanted == found) return std::nullopt;
  set_words(data, kTags, Exiv2::xmpSeq, wanted.tags);
  set_words(data, kHierarchy, Exiv2::xmpBag, wanted.hierarchy);
  set_words(data, kSubject, Exiv2::xmpBag, wanted.subject);
  set_words(data, kOwnSubjects, Exiv2::xmpBag, wanted.own_subjects);
  if (data.empty()) return "";
  using Parser = Exiv2::XmpParser;
  std::string packet;
  if (form == PacketForm::Picture) {
    packet = encoded(data, Parser::useCompactFormat | Parser::omitAllFormatting);
  } else if (before.find("<?xpacket") != std::string_view::npos) {
    packet = encoded(data, Parser::useCompactFormat);
  } else {
    packet = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" +
             encoded(data, Parser::useCompactFormat | Parser::omitPacketWrapper) + "\n";
  }
  expect_same(data, packet);
  return packet;
}

std::vector<KeywordPath> others_keywords(std::string_view packet, const KeywordPath& root) {
  const Exiv2Use use;
  const Keywords found = keywords_of(decoded(packet));
  std::vector<KeywordPath> others;
  const auto note = [&](const Words& words, char separator) {
    for (const std::string& word : words) {
      KeywordPath path = split_keyword(word, separator);
      if (path.empty() || is_below(path, root) || contains(found.own_subjects, with_slashes(path)))
        continue;
      if (std::ranges::find(others, path) == others.end()) others.push_back(std::move(path));
    }
  };
  note(found.tags, '/');
  note(found.hierarchy, '|');
  std::set<std::string> own;
  for (const std::string& path : found.own_subjects) own.insert(leaf_of(path, '/'));
  for (const std::string& word : found.subject) {
    if (word.empty() || own.contains(word)) continue;
    KeywordPath alone = {word};
    if (std::ranges::find(others, alone) == others.end()) others.push_back(std::move(alone));
  }
  return others;
}

std::string_view empty_packet() {
  return R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>)";
}

}  // namespace zeroshelf
