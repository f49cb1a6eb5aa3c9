// Drawing samples, and what ranks tell each other of their parts. Tested by
// tests/collection/elsewhere_test.cc and tests/collection/view_test.cc.

#include "lib/collection/elsewhere.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "lib/collection/layout.h"
#include "lib/collection/merged_keys.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// Few enough to look at each: a number of 64 bits of its vector.
constexpr uint64_t kFewTexts = 65'536;
// How many contents are looked at for those with text, where texts are more.
constexpr size_t kMostContents = 65'536;

bool are_drawn_by_vector(uint64_t live_of_all) {
  return live_of_all <= kFewTexts;
}

std::vector<DrawnVector> texts_by_vector(const View& view) {
  const ViewVectors texts = ViewVectors::texts(view);
  std::vector<std::pair<uint64_t, Row>> keys;
  for (uint64_t i = 0; i < texts.size(); ++i) {
    if (view.is_live(texts.owner(i)))
      keys.emplace_back(checksum64(std::as_bytes(texts.row(i))), i);
  }
  const size_t count = std::min(keys.size(), ViewVectors::kMostSampled);
  std::ranges::partial_sort(keys, keys.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<DrawnVector> drawn(count);
  for (size_t i = 0; i < count; ++i) {
    const std::string key = big_endian_key(keys[i].first);
    std::ranges::copy(key, drawn[i].key.begin());
    drawn[i].number = keys[i].second;
  }
  return drawn;
}

std::vector<DrawnVector> texts_by_content(const View& view) {
  std::vector<DrawnVector> drawn;
  size_t texts = 0;
  for_each_content(view, [&](const ContentHash& hash, Row row) {
    drawn.push_back({hash, view.text_index(row)});
    texts += drawn.back().number.has_value();
    return texts < ViewVectors::kMostSampled && drawn.size() < kMostContents;
  });
  return drawn;
}

// --- what a rank tells ----------------------------------------------------------------------------

void write_text(ByteWriter& out, const View& view, std::optional<Row> text) {
  out.number<uint8_t>(text.has_value());
  if (!text) return;
  out.raw(std::as_bytes(ViewVectors::texts(view).row(*text)));
  const TextEvidence evidence = view.text_evidence(*text);
  out.number(evidence.word_count);
  out.number(evidence.confidence);
}

// Each drawn vector: its key, and the rest as read_sample() reads it.
std::string pictures_of(const View& view) {
  ByteWriter out;
  for (const DrawnVector& one : drawn_pictures(view)) {
    out.raw(std::as_bytes(std::span(one.key)));
    ByteWriter picture;
    picture.raw(std::as_bytes(ViewVectors::pictures(view).row(*one.number)));
    write_text(picture, view, view.text_index(*one.number));
    out.text(picture.bytes());
  }
  return std::move(out).bytes();
}

std::string texts_of(const View& view, uint64_t live_of_all) {
  ByteWriter out;
  for (const DrawnVector& one : drawn_texts(view, live_of_all)) {
    out.raw(std::as_bytes(std::span(one.key)));
    ByteWriter text;
    write_text(text, view, one.number);
    out.text(text.bytes());
  }
  return std::move(out).bytes();
}

struct Told {
  std::string_view key;
  std::string_view rest;
};

// What all ranks told, in one order: by key, equal ones in the order of the ranks.
std::vector<Told> merged(const std::vector<std::string>& of_ranks) {
  std::vector<Told> all;
  for (const std::string& bytes : of_ranks) {
    ByteReader in(bytes, kRanksMessage);
    while (in.left() > 0) {
      const std::string_view key = in.take(sizeof(ContentHash));
      all.push_back({key, in.text()});
    }
  }
  std::ranges::stable_sort(all, {}, &Told::key);
  return all;
}

bool has_text(std::string_view rest) {
  return rest.front() != 0;
}

std::string merged_pictures(const std::vector<std::string>& of_ranks) {
  std::vector<Told> all = merged(of_ranks);
  all.resize(std::min(all.size(), ViewVectors::kMostSampled));
  ByteWriter out;
  out.varint(all.size());
  for (const Told& one : all) out.text(one.rest);
  return std::move(out).bytes();
}

std::string merged_texts(const std::vector<std::string>& of_ranks, uint64_t live_of_all) {
  const size_t most_seen =
      are_drawn_by_vector(live_of_all) ? ViewVectors::kMostSampled : kMostContents;
  std::vector<std::string_view> drawn;
  size_t seen = 0;
  for (const Told& one : merged(of_ranks)) {
    if (has_text(one.rest)) drawn.push_back(one.rest);
    if (drawn.size() == ViewVectors::kMostSampled || ++seen == most_seen) break;
  }
  ByteWriter out;
  out.varint(drawn.size());
  for (const std::string_view one : drawn) out.text(one);
  return std::move(out).bytes();
}

// --- what is made of it ---------------------------------------------------------------------------

void append_vector(ByteReader& in, VectorRows& rows) {
  std::vector<uint16_t> vector(rows.dimension());
  const std::string_view bytes = in.take(vector.size() * sizeof(uint16_t));
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  rows.append(vector);
}

// Its place among the texts, if there is one.
std::optional<size_t> append_text(ByteReader& in, Elsewhere& all) {
  if (in.number<uint8_t>() == 0) return std::nullopt;
  append_vector(in, all.texts);
  TextEvidence evidence;
  evidence.word_count = in.number<uint32_t>();
  evidence.confidence = in.number<float>();
  all.text_evidence.push_back(evidence);
  return all.text_evidence.size() - 1;
}

template <class Take>
void for_each_told(std::string_view bytes, const Take& take) {
  ByteReader in(bytes, kRanksMessage);
  for (uint64_t left = in.varint_at_most(ViewVectors::kMostSampled); left > 0; --left) {
    ByteReader one(in.text(), kRanksMessage);
    take(one);
    one.expect_end();
  }
  in.expect_end();
}

void draw_together(const View* own, Ranks& ranks, Elsewhere& all) {
  const uint64_t texts = all.text_sum.count();
  const auto of_texts = ranks.gather(own == nullptr ? "" : texts_of(*own, texts));
  const auto of_pictures = ranks.gather(own == nullptr ? "" : pictures_of(*own));
  for_each_told(ranks.made_by_first([&] { return merged_texts(of_texts, texts); }),
                [&](ByteReader& in) { append_text(in, all); });
  all.sampled_texts = all.text_evidence.size();
  for_each_told(ranks.made_by_first([&] { return merged_pictures(of_pictures); }),
                [&](ByteReader& in) {
                  append_vector(in, all.pictures);
                  all.text_of.push_back(append_text(in, all));
                });
}

void add_up(const View* own, Ranks& ranks, VectorSum& all,
            const VectorSum& (Collection::*sum)() const) {
  if (own != nullptr) {
    for (const View::Part& part : own->parts()) all.add((part.collection.*sum)());
  }
  std::vector<uint64_t> numbers(all.parts().begin(), all.parts().end());
  numbers.push_back(all.count());
  ranks.add_up(numbers);
  const uint64_t count = numbers.back();
  numbers.pop_back();
  all.set(std::move(numbers), count);
}

// What the whole is called and is of: what a rank knows of its own parts.
struct Introduction {
  size_t parts = 0;
  std::string directory;  // of the first one
  std::string manifest;
};

std::string introduced(const View* own) {
  ByteWriter out;
  out.varint(own == nullptr ? 0 : own->parts().size());
  out.text(own == nullptr ? "" : own->directory().string());
  out.text(own == nullptr ? "" : layout::encode_manifest(own->manifest()));
  return std::move(out).bytes();
}

Introduction introduction_of_all(const std::vector<std::string>& of_ranks) {
  Introduction all;
  for (const std::string& bytes : of_ranks) {
    ByteReader in(bytes, kRanksMessage);
    const uint64_t parts = in.varint();
    const std::string_view directory = in.text();
    const std::string_view manifest = in.text();
    if (all.parts == 0 && parts > 0) {
      all.directory = directory;
      all.manifest = manifest;
    }
    all.parts += parts;
  }
  return all;
}

}  // namespace

std::vector<DrawnVector> drawn_pictures(const View& view) {
  std::vector<DrawnVector> drawn;
  for_each_content(view, [&](const ContentHash& hash, Row row) {
    drawn.push_back({hash, row});
    return drawn.size() < ViewVectors::kMostSampled;
  });
  return drawn;
}

std::vector<DrawnVector> drawn_texts(const View& view, uint64_t live_of_all) {
  return are_drawn_by_vector(live_of_all) ? texts_by_vector(view) : texts_by_content(view);
}

View joined_view(std::vector<Collection> own, Ranks& ranks) {
  std::optional<View> mine;
  ranks.agree_after([&] {
    if (!own.empty()) mine.emplace(std::move(own));
  });
  const View* view = mine ? &*mine : nullptr;
  const Introduction whole = introduction_of_all(ranks.exchange(introduced(view)));
  if (whole.parts == 0) throw Error(ErrorCode::NotFound, "", "no collection can be opened");
  const Manifest manifest = layout::decode_manifest(whole.manifest, whole.directory);
  ranks.agree_after([&] {
    if (view != nullptr)
      expect_same_model(manifest, whole.directory, view->parts().front().collection);
  });
  const auto all = std::make_shared<Elsewhere>(manifest.dimension);
  all->ranks = &ranks;
  all->manifest = manifest;
  all->directory = whole.directory;
  all->parts = whole.parts;
  add_up(view, ranks, all->image_sum, &Collection::image_sum);
  add_up(view, ranks, all->text_sum, &Collection::text_sum);
  draw_together(view, ranks, *all);
  std::vector<Collection> parts;
  if (mine) parts = std::move(*mine).take_parts();
  return {std::move(parts), all};
}

}  // namespace zeroshelf
