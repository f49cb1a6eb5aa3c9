// The files and the records of a collection.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "lib/collection/codec.h"
#include "lib/collection/layout.h"
#include "lib/collection/state.h"
#include "lib/lexicon/lexicon.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/vectors/ivf.h"
#include "tests/fuzz/file_targets.h"
#include "tests/fuzz/worker.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr uint32_t kDimension = 8;
constexpr size_t kMaxSealedDepth = 64;

// One file in a folder of its own, written anew for each input.
struct Place {
  TemporaryDirectory folder;

  fs::path put(const char* name, const std::string& bytes) const {
    const fs::path path = folder / name;
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path;
  }
  std::string get(const fs::path& path) const { return read_file(path, 1 << 20); }
};

std::shared_ptr<Place> make_place() {
  return std::make_shared<Place>();
}

Manifest manifest() {
  Manifest manifest;
  manifest.model_name = "fuzz";
  manifest.model_path = "/fuzz";
  manifest.model_fingerprint = "f055";
  manifest.dimension = kDimension;
  manifest.logit_scale = 100;
  manifest.ocr_languages = "eng";
  manifest.created_utc = "2026-01-01T00:00:00Z";
  return manifest;
}

std::string masking_manifest() {
  Manifest masking = manifest();
  masking.mask_text = true;
  return layout::encode_manifest(masking);
}

size_t depth_of(const std::string& text) {
  size_t depth = 0;
  size_t deepest = 0;
  for (const char c : text) {
    if (c == '[' || c == '{') deepest = std::max(deepest, ++depth);
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return deepest;
}

// The checksum over all other members, as lib/collection/layout.cc writes it.
void seal_json(std::string& text) {
  if (depth_of(text) > kMaxSealedDepth) return;
  json value = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!value.is_object()) return;
  value.erase("checksum");
  Checksum128 checksum;
  checksum.update(value.dump());
  value["checksum"] = checksum.hex();
  text = value.dump();
}

RowTable some_rows(size_t count) {
  RowTable rows(kDimension);
  for (size_t i = 0; i < count; ++i) {
    const std::vector<uint16_t> vector(kDimension, static_cast<uint16_t>(0x3c00 + i));
    if (i % 3 == 0) {
      rows.append(vector, RowText{vector, {static_cast<uint32_t>(i), 0.5f}});
    } else {
      rows.append(vector, std::nullopt);
    }
    if (i % 5 == 0) rows.remove(i);
  }
  return rows;
}

// Reads every row, so that a sanitizer sees what lies outside. As bytes: rows lie where FAISS's
// header ends, which is no even address.
void touch(const VectorRows& rows) {
  std::vector<uint16_t> copy(rows.dimension());
  for (Row row = 0; row < rows.size(); ++row) {
    std::memcpy(copy.data(), rows.row(row).data(), copy.size() * sizeof copy[0]);
  }
  uint64_t counted = 0;
  for (const auto& segment : rows.segments()) counted += segment.rows;
  promise(counted == rows.size(), "the segments have all rows");
}

// --- records ------------------------------------------------------------------------------------

// What decodes must encode to something that decodes to the same.
template <class Decode, class Encode>
void round_trip(std::string_view bytes, Decode decode, Encode encode) {
  const std::string again = encode(decode(bytes));
  promise(encode(decode(again)) == again, "a record is the same after writing and reading it");
}

// The first byte says which decoder reads the rest.
std::string read_record(const std::string& input) {
  if (input.empty()) return "empty";
  const std::string_view bytes = std::string_view(input).substr(1);
  return outcome_of([&] {
    switch (input[0]) {
      case 'r':
        return round_trip(bytes, codec::decode_record, codec::encode_record);
      case 'w':
        for (const Word& word : codec::decode_words(bytes)) {
          promise(std::isfinite(word.confidence), "a confidence is a number");
        }
        return round_trip(bytes, codec::decode_words, codec::encode_words);
      case 's':
        return round_trip(
            bytes, [](std::string_view one) { return codec::decode_skip("/path", one); },
            codec::encode_skip);
      case 'x':
        return round_trip(bytes, codec::decode_rows, codec::encode_rows);
      case 'p':
        return round_trip(bytes, codec::decode_row, codec::encode_row);
      case '!':
        return round_trip(bytes, codec::decode_state, codec::encode_state);
      case 'i':
        promise(codec::decode_vector(bytes, kDimension).size() == kDimension, "a whole vector");
        return;
      case 'k':
        codec::row_of_key(bytes);
        return;
      case 'h':
        codec::row_of_content_key(bytes);
        return;
      default:
        return;
    }
  });
}

std::vector<std::string> record_seeds() {
  PictureRecord record;
  record.file = {"/a/picture.jpg", 12345, 1'700'000'000'000'000'000};
  record.width_px = 640;
  record.height_px = 480;
  record.word_count = 2;
  record.text_confidence = 0.75f;
  const std::vector<Word> words = {{"hello", 0.9f, {1, 2, 30, 12}}, {"world", 0.5f, {-4, 2, 3, 1}}};
  const SkippedFile skip{record.file, {SkipReason::Damaged, "damaged: the file is cut short"}};
  return {"r" + codec::encode_record(record),
          "w" + codec::encode_words(words),
          "s" + codec::encode_skip(skip),
          "x" + codec::encode_rows({1, 300, uint64_t{1} << 40}),
          "p" + codec::encode_row(7),
          "!" + codec::encode_state({9, 20, 15, 4, 2, 3}),
          "i" + codec::encode_vector(std::vector<uint16_t>(kDimension, 0x3c00)),
          "k" + codec::row_key(codec::kRecordPrefix, 5),
          "h" + codec::content_key({}, 5)};
}

// --- the snapshot -------------------------------------------------------------------------------

struct Snapshot {
  Place place;
  layout::Current current;
  std::string parts[3];  // image, text, rows

  static const char* name(size_t part) {
    constexpr const char* kNames[] = {"image", "text", "rows"};
    return kNames[part];
  }
  fs::path path(size_t part) const {
    return layout::snapshot_file(place.folder.path(), name(part), current.epoch, 1);
  }

  Snapshot() {
    current = write_snapshot(place.folder.path(), {}, some_rows(20), 1);
    for (size_t i = 0; i < 3; ++i) parts[i] = place.get(path(i));
  }
};

// The first byte says which of the three files is the input; the others are sound.
std::string read_snapshot_with(Snapshot& snapshot, const std::string& input) {
  const size_t part = input.empty() ? 0 : static_cast<uint8_t>(input[0]) % 3;
  layout::Current current = snapshot.current;
  for (size_t i = 0; i < 3; ++i) {
    const std::string bytes = i == part && !input.empty() ? input.substr(1) : snapshot.parts[i];
    snapshot.place.put(snapshot.path(i).filename().c_str(), bytes);
    (i == 0 ? current.image : i == 1 ? current.text : current.rows).bytes = bytes.size();
  }
  return outcome_of([&] {
    const RowTable rows = read_snapshot(snapshot.place.folder.path(), current, kDimension);
    touch(rows.image);
    touch(rows.text);
    promise(rows.removed.size() == rows.image.size(), "one mark a row");
    promise(rows.text_owners.size() == rows.text.size(), "one owner a text");
    promise(rows.text_evidence.size() == rows.text.size(), "a confidence a text");
    for (const TextEvidence& text : rows.text_evidence) {
      promise(text.confidence >= 0 && text.confidence <= 1, "a confidence is 0 to 1");
    }
    for (const float value : rows.image_sum.mean()) promise(std::isfinite(value), "a mean");
    for (const Row owner : rows.text_owners) {
      promise(owner < rows.image.size(), "a text belongs to a row");
    }
  });
}

void seal_rows_file(std::string& input) {
  if (input.size() < 9 || static_cast<uint8_t>(input[0]) % 3 != 2) return;
  const std::string_view body = std::string_view(input).substr(1, input.size() - 9);
  const uint64_t checksum = checksum64(std::as_bytes(std::span(body)));
  std::memcpy(input.data() + input.size() - 8, &checksum, sizeof checksum);
}

// --- the lexicon ---------------------------------------------------------------------------------

std::string lexicon_seed(size_t texts) {
  LexiconBuilder builder;
  const std::vector<std::string> words = {"hello", "world", "wor\u0142d", "to", "be", "or", "not"};
  for (size_t i = 0; i < texts; ++i) {
    std::vector<Word> text;
    for (size_t j = 0; j <= i; ++j) text.push_back({words[i * j % words.size()], 1, {}});
    builder.add(3 * i, text);
  }
  return std::move(builder).finish({1, 2, 3 * texts + 1});
}

// All that search asks of a term.
void check_term(const Lexicon& lexicon, uint32_t term) {
  promise(lexicon.texts_with(term) <= lexicon.texts(), "a term is in no more texts than there are");
  const size_t letters = lexicon.term(term).size();
  promise(letters < kMaxInputBytes, "a term's letters lie in the file");
  std::optional<uint32_t> last_text;
  lexicon.for_each_text(term, [&](uint32_t text, std::span<const uint32_t> positions) {
    promise(text < lexicon.texts() && (!last_text || *last_text < text), "texts ascend");
    promise(!positions.empty() && positions.back() < lexicon.length(text), "positions lie in it");
    promise(std::ranges::adjacent_find(positions, std::greater_equal()) == positions.end(),
            "positions ascend");
    last_text = text;
  });
}

std::string read_lexicon(const fs::path& path) {
  return outcome_of([&] {
    const Lexicon lexicon = Lexicon::map(path);
    for (uint32_t text = 0; text < lexicon.texts(); ++text) {
      promise(lexicon.owner(text) < lexicon.origin().rows, "a text belongs to a row");
    }
    const std::string searched = outcome_of([&] {
      for (const char* word : {"hello", "wrold", "be", ""}) {
        lexicon.find(word);
        lexicon.near(word, 2, [&](uint32_t term, int) { check_term(lexicon, term); });
      }
    });
    for (uint32_t term = 0; term < lexicon.terms(); ++term) check_term(lexicon, term);
    lexicon.check();
    if (searched != "accepted") throw Error(ErrorCode::Corruption, "search", searched);
  });
}

// The last 8 bytes are the checksum of all before.
void seal_index(std::string& input) {
  if (input.size() < 8) return;
  const std::string_view body = std::string_view(input).substr(0, input.size() - 8);
  const uint64_t checksum = checksum64(std::as_bytes(std::span(body)));
  std::memcpy(input.data() + body.size(), &checksum, sizeof checksum);
}

// --- the approximate index -------------------------------------------------------------------

constexpr IvfOrigin kIvfOrigin = {1, 2};

std::string ivf_seed(size_t count) {
  return trained_ivf(
      some_rows(count).image, [](Row) { return true; }, kIvfOrigin, 1);
}

void search_ivf(const Ivf& ivf) {
  const std::vector<float> query(kDimension, 0.5f);
  const auto odd = [](Row row) { return row % 2 == 1; };
  const std::vector<Row> some = ivf.candidates(query, {3, 1, 1}, odd);
  promise(std::ranges::all_of(some, odd), "only what is kept");
  const std::vector<Row> all =
      ivf.candidates(query, {ivf.size(), ivf.size(), 1}, [](Row) { return true; });
  promise(all.size() == ivf.size(), "each row is in a list");
  for (size_t i = 0; i < all.size(); ++i) promise(all[i] == i, "each row once");
}

std::string read_ivf(const fs::path& path) {
  return outcome_of([&] {
    const Ivf ivf = Ivf::map(path, kDimension);
    search_ivf(ivf);
    for (const float scale : ivf.scales()) promise(scale >= 0 && scale <= 2, "a scale");
    for (const uint32_t list : ivf.list_of_vectors()) promise(list < ivf.lists(), "a list");
    constexpr size_t kMore = 30;
    if (ivf.size() <= kMore)
      Ivf::of_bytes(extended_ivf(ivf, some_rows(kMore).image, kIvfOrigin, 1), kDimension).check();
    ivf.check();
  });
}

}  // namespace

Target record_target() {
  return {"",
          record_seeds(),
          {"\x7f", "\x80\x80\x80\x80\x10", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"},
          nullptr,
          read_record};
}

Target manifest_target() {
  const auto read = [](const std::string& text) {
    return outcome_of([&] {
      const Manifest one = layout::decode_manifest(text, "MANIFEST.json");
      promise(one.dimension >= 1 && one.dimension <= 65'536, "a dimension that vectors can have");
      promise(std::isfinite(one.logit_scale), "a scale is a number");
      const std::string again = layout::encode_manifest(one);
      promise(layout::encode_manifest(layout::decode_manifest(again, "")) == again,
              "a manifest is the same after writing and reading it");
    });
  };
  return {"",
          {layout::encode_manifest(manifest()), masking_manifest()},
          {"\"dimension\":", "\"checksum\":\"\",", "\"zeroshelf_collection\":", "[",
           "{\"a\":", "null", "\"\\ud800\""},
          seal_json,
          read};
}

Target current_target() {
  const auto place = make_place();
  layout::Current current{3, 1, 2, {10, "a"}, {20, "b"}, {30, "c"}, 1};
  layout::write_current(place->folder.path(), current);
  const std::string seed = place->get(place->folder / layout::kCurrentFile);
  const auto read = [place](const std::string& text) {
    place->put(layout::kCurrentFile, text);
    return outcome_of([&] { layout::read_current(place->folder.path()); });
  };
  return {"",
          {seed},
          {"\"snapshot\":", "\"generation\":", "\"bytes\":", "[", "{\"a\":"},
          seal_json,
          read};
}

Target snapshot_target() {
  const auto snapshot = std::make_shared<Snapshot>();
  std::vector<std::string> seeds;
  for (size_t i = 0; i < 3; ++i) seeds.push_back(static_cast<char>(i) + snapshot->parts[i]);
  return {"", seeds, {"zsrows02", "IxSQ"}, seal_rows_file, [snapshot](const std::string& input) {
            return read_snapshot_with(*snapshot, input);
          }};
}

Target lexicon_target() {
  const auto place = make_place();
  return {"",
          {lexicon_seed(0), lexicon_seed(1), lexicon_seed(8)},
          {"zslexi01", std::string(8, '\xff'), std::string(8, '\0'), "\x80", "hello"},
          seal_index,
          [place](const std::string& input) { return read_lexicon(place->put("lexicon", input)); }};
}

Target ivf_target() {
  const auto place = make_place();
  return {
      "",
      {ivf_seed(0), ivf_seed(1), ivf_seed(9), ivf_seed(100)},
      {"zsivf002", std::string(8, '\xff'), std::string(8, '\0'), std::string("\0\0\xc0\x7f", 4)},
      seal_index,
      [place](const std::string& input) { return read_ivf(place->put("ivf", input)); }};
}

Target vectors_target() {
  const auto place = make_place();
  std::vector<std::string> seeds;
  for (const size_t count : {0, 1, 9}) {
    const fs::path path = place->folder / "seed.faiss";
    some_rows(count).image.write_faiss_file(path);
    seeds.push_back(place->get(path));
  }
  const auto read = [place](const std::string& input) {
    const fs::path path = place->put("vectors.faiss", input);
    return outcome_of([&] { touch(VectorRows::map_faiss_file(path, kDimension)); });
  };
  return {"", seeds, {"IxSQ", "IxFI", "IxM2"}, nullptr, read};
}

}  // namespace zeroshelf::testing
