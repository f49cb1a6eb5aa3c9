// Tested by tests/search/search_test.cc.

#include "lib/search/search_terms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/collection/elsewhere.h"
#include "lib/files/npy_reader.h"
#include "lib/image/decode.h"
#include "lib/image/read_crop.h"
#include "lib/search/background.h"
#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/input.h"
#include "lib/util/unicode.h"
#include "lib/util/value_bytes.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

using Kind = SearchTerm::Kind;

// One term as it is compared with the pictures, and with the texts.
struct TermVectors {
  std::vector<float> picture;
  std::vector<float> text;  // empty: it says nothing of texts
};

std::vector<float> stored_vector(const ViewVectors& vectors, Row row) {
  std::vector<float> values(vectors.dimension());
  from_fp16(vectors.row(row), values);
  normalise(values);
  return values;
}

std::vector<float> row_of(const Matrix& matrix) {
  return {matrix.row(0).begin(), matrix.row(0).end()};
}

TermVectors vectors_of_row(const View& collection, Row row) {
  TermVectors vectors;
  vectors.picture = stored_vector(ViewVectors::pictures(collection), row);
  if (const auto text = collection.text_index(row))
    vectors.text = stored_vector(ViewVectors::texts(collection), *text);
  return vectors;
}

// A picture that some part has.
struct Found {
  TermVectors vectors;
  std::optional<Row> row;  // absent: it is another process's
};

std::string bytes_of(const View& collection, std::optional<Row> row) {
  if (!row) return {};
  const TermVectors vectors = vectors_of_row(collection, *row);
  ByteWriter out;
  write_floats(out, vectors.picture);
  write_floats(out, vectors.text);
  return std::move(out).bytes();
}

// Looks in the own parts, and takes what the first of all processes found.
std::optional<Found> find_first(const View& collection,
                                const std::function<std::optional<Row>()>& look) {
  Ranks* ranks = ranks_of(collection);
  if (ranks == nullptr) {
    const auto row = look();
    return row ? std::optional(Found{vectors_of_row(collection, *row), row}) : std::nullopt;
  }
  std::optional<Row> own;
  std::string told;
  ranks->agree_after([&] {
    own = look();
    told = bytes_of(collection, own);
  });
  const std::vector<std::string> all = ranks->exchange(told);
  const auto first = std::ranges::find_if(all, [](const std::string& it) { return !it.empty(); });
  if (first == all.end()) return std::nullopt;
  Found found;
  ByteReader in(*first, kRanksMessage);
  found.vectors.picture = read_floats(in);
  found.vectors.text = read_floats(in);
  if (static_cast<size_t>(first - all.begin()) == ranks->rank()) found.row = own;
  return found;
}

// Pictures' paths that may be meant by one.
struct Named {
  std::vector<std::string> same;     // by other bytes for the same letters
  std::vector<std::string> by_name;  // of a bare name: by the name alone
};

Named own_named(const View& collection, const std::string& path) {
  const bool is_name = path.find('/') == std::string::npos;
  const std::string name = nfc(path);
  const std::string whole = nfc(absolute_path(path).string());
  Named named;
  collection.for_each_record([&](Row, const PictureRecord& record) {
    const std::string composed = nfc(record.file.path);
    if (composed == whole) named.same.push_back(record.file.path);
    if (is_name && composed.substr(composed.rfind('/') + 1) == name)
      named.by_name.push_back(record.file.path);
  });
  return named;
}

// In all processes.
Named named_anywhere(const View& collection, const std::string& path) {
  Ranks* ranks = ranks_of(collection);
  if (ranks == nullptr) return own_named(collection, path);
  ByteWriter out;
  ranks->agree_after([&] {
    const Named own = own_named(collection, path);
    write_texts(out, own.same);
    write_texts(out, own.by_name);
  });
  Named all;
  for (const std::string& bytes : ranks->exchange(out.bytes())) {
    ByteReader in(bytes, kRanksMessage);
    for (auto* paths : {&all.same, &all.by_name})
      std::ranges::move(read_texts(in), std::back_inserter(*paths));
  }
  return all;
}

std::vector<std::string> paths_named(const View& collection, const std::string& path) {
  Named named = named_anywhere(collection, path);
  return named.same.empty() ? std::move(named.by_name) : std::move(named.same);
}

// What all processes know alike.
[[noreturn]] void refuse_in_all(const View& collection, const Error& error) {
  if (Ranks* ranks = ranks_of(collection)) ranks->agree(error);
  throw Error(error);
}

Found liked_picture(const View& collection, const std::string& path) {
  const auto find = [&](const std::string& one) {
    return find_first(collection, [&] { return collection.find_path(one); });
  };
  if (auto found = find(path)) return *std::move(found);
  if (auto found = find(absolute_path(path).string())) return *std::move(found);
  constexpr size_t kMostShown = 3;
  const std::vector<std::string> named = paths_named(collection, path);
  if (named.size() == 1) {
    if (auto found = find(named.front())) return *std::move(found);
  }
  if (named.size() > 1) {
    const size_t shown = std::min(named.size(), kMostShown);
    refuse_in_all(
        collection,
        {ErrorCode::InvalidArgument, path,
         fmt::format("{} pictures of the collection have that name", named.size()),
         fmt::format("name one with its folder: {}{}",
                     fmt::join(named.begin(), named.begin() + static_cast<ptrdiff_t>(shown), ", "),
                     shown < named.size() ? ", ..." : "")});
  }
  refuse_in_all(collection, {ErrorCode::NotFound, path, "not a picture of the collection",
                             "for any other picture file use --image FILE"});
}

std::optional<Row> row_of_bytes(const View& collection, const std::string& file) {
  return collection.find_content(content_hash(std::as_bytes(std::span(file))));
}

// Some row with the content of that file; a pipe can be read only once.
std::optional<Row> row_of_file(const View& collection, const std::string& path) {
  if (!is_regular_input(path)) return std::nullopt;
  return row_of_bytes(collection, read_file(path, DecodeLimits().max_bytes));
}

// False: it has no direction, because it is zero or not finite.
bool scale_to_unit(std::vector<float>& vector) {
  double squares = 0;
  for (const float value : vector) squares += static_cast<double>(value) * value;
  if (!std::isfinite(squares) || squares == 0) return false;
  normalise(vector);
  return true;
}

// Vectors that somebody made with the collection's model.
class VectorFile {
 public:
  VectorFile(const View& collection, const std::filesystem::path& path) : reader_(path) {
    const uint32_t dimension = collection.manifest().dimension;
    if (reader_.columns() != dimension)
      refuse(fmt::format("rows of {} values; the collection's vectors have {}", reader_.columns(),
                         dimension),
             "make them with the model that made the collection's vectors");
  }

  size_t rows() const { return reader_.rows(); }

  // Scaled to unit length.
  std::vector<float> row(uint64_t row) const {
    if (row >= rows())
      refuse(fmt::format("there is no row {}: it has {}", row, rows()), "rows are counted from 0");
    std::vector<float> vector(reader_.columns());
    reader_.read_row(row, vector);
    if (!scale_to_unit(vector))
      refuse(fmt::format("row {} has no direction: it is zero or not finite", row),
             "make the file again");
    return vector;
  }

 private:
  [[noreturn]] void refuse(const std::string& cause, const std::string& cure) const {
    throw Error(ErrorCode::InvalidArgument, reader_.path().string(), cause, cure);
  }

  NpyReader reader_;
};

std::vector<float> given_vector(const View& collection, std::vector<float> values) {
  const uint32_t dimension = collection.manifest().dimension;
  if (values.size() != dimension)
    throw Error(
        ErrorCode::InvalidArgument, "vector",
        fmt::format("{} values; the collection's vectors have {}", values.size(), dimension),
        "make it with the model that made the collection's vectors");
  if (!scale_to_unit(values))
    throw Error(ErrorCode::InvalidArgument, "vector",
                "it has no direction: it is zero or not finite");
  return values;
}

Error no_such_row(Row row) {
  return {ErrorCode::NotFound, fmt::format("row {}", row), "not a picture of the collection"};
}

std::optional<Row> own_live_row(const View& collection, Row row) {
  const bool is_there = row < collection.rows() && collection.is_live(row);
  return is_there ? std::optional(row) : std::nullopt;
}

// The picture of the collection that the term is, or that has its content; all processes together.
std::optional<Found> found_for(const View& collection, const SearchTerm& term) {
  switch (term.kind) {
    case Kind::PictureOfCollection:
      return liked_picture(collection, term.value);
    case Kind::RowOfCollection: {
      if (auto found = find_first(collection, [&] { return own_live_row(collection, term.row); }))
        return found;
      refuse_in_all(collection, no_such_row(term.row));
    }
    case Kind::PictureFile:
      return find_first(collection, [&] { return row_of_file(collection, term.value); });
    case Kind::PictureBytes:
      return find_first(collection, [&] { return row_of_bytes(collection, term.value); });
    default:
      return std::nullopt;
  }
}

bool is_of_collection(const SearchTerm& term) {
  return term.kind == Kind::PictureOfCollection || term.kind == Kind::RowOfCollection;
}

TermVectors vectors_of(const View& collection, const SearchTerm& term, Encoder* encoder) {
  if (term.kind == Kind::Values) {
    const std::vector<float> vector = given_vector(collection, term.values);
    return {vector, vector};
  }
  if (term.kind == Kind::Vector) {
    const std::vector<float> vector = VectorFile(collection, term.value).row(term.row);
    return {vector, vector};
  }
  if (term.kind == Kind::PictureFile) {
    const Image crop = read_crop(term.value, encoder->info().preprocessing);
    return {row_of(encoder->encode_images(std::span(&crop, 1))), {}};
  }
  if (term.kind == Kind::PictureBytes) {
    const Image crop = crop_of_bytes(std::as_bytes(std::span(term.value)), "the picture",
                                     encoder->info().preprocessing);
    return {row_of(encoder->encode_images(std::span(&crop, 1))), {}};
  }
  std::string text = term.value;
  std::erase(text, '"');  // they mark phrases
  const std::vector<float> vector =
      row_of(encoder->encode_texts(std::span(&text, 1), LongText::Truncate));
  return {vector, vector};
}

void add(std::vector<float>& sum, const std::vector<float>& vector, float weight) {
  sum.resize(std::max(sum.size(), vector.size()));
  for (size_t i = 0; i < vector.size(); ++i) sum[i] += weight * vector[i];
}

}  // namespace

SearchTerm parse_term(const std::string& argument, float weight) {
  if (argument.starts_with("@@")) return {Kind::Text, argument.substr(1), weight};
  if (argument.starts_with("@")) return {Kind::PictureFile, argument.substr(1), weight};
  return {Kind::Text, argument, weight};
}

Matrix background_of_file(const View& collection, const std::filesystem::path& path) {
  const VectorFile file(collection, path);
  constexpr size_t kFewest = 20;  // of which a standard deviation says something
  if (file.rows() < kFewest) {
    throw Error(
        ErrorCode::InvalidArgument, path.string(),
        fmt::format("{} vectors are too few to tell good matches from weak ones", file.rows()),
        fmt::format("give the vectors of at least {} everyday names, better of some hundred",
                    kFewest));
  }
  Matrix background(file.rows(), collection.manifest().dimension);
  for (size_t i = 0; i < file.rows(); ++i)
    std::ranges::copy(file.row(i), background.row(i).begin());
  return background;
}

namespace {

// The query of the terms, of which some were found in the collection.
MadeQuery query_of(const View& collection, const std::vector<SearchTerm>& terms,
                   const std::vector<std::optional<Found>>& found, SearchSpace space,
                   EncoderSource& encoders) {
  const auto has = [&](Kind kind) {
    return std::any_of(terms.begin(), terms.end(),
                       [&](const SearchTerm& term) { return term.kind == kind; });
  };
  for (const SearchTerm& term : terms) {
    if (term.kind == Kind::Text && is_punctuation(term.value))
      throw Error(ErrorCode::InvalidArgument, "search", "a text of blanks and punctuation alone",
                  "give words to search for");
  }
  Encoder* encoder = nullptr;
  const bool has_picture = has(Kind::PictureFile) || has(Kind::PictureBytes);
  if (has(Kind::Text) || has_picture) {
    const EncoderSide side = !has_picture      ? EncoderSide::TextOnly
                             : has(Kind::Text) ? EncoderSide::Both
                                               : EncoderSide::ImageOnly;
    encoder = &encoders.encoder(side);
  }
  MadeQuery made;
  SearchQuery& query = made.query;
  for (size_t i = 0; i < terms.size(); ++i) {
    const SearchTerm& term = terms[i];
    TermVectors vectors = found[i] ? found[i]->vectors : vectors_of(collection, term, encoder);
    if (vectors.text.empty() && space == SearchSpace::Text) vectors.text = vectors.picture;
    float picture_spread = 1;
    float text_spread = 1;
    if (terms.size() > 1) {
      constexpr size_t kSample = 2048;
      picture_spread =
          sampled_spread(ViewVectors::pictures(collection), vectors.picture, kSample).spread;
      if (!vectors.text.empty())
        text_spread = sampled_spread(ViewVectors::texts(collection), vectors.text, kSample).spread;
    }
    add(query.picture, vectors.picture, term.weight / picture_spread);
    add(query.text, vectors.text, term.weight / text_spread);
    if (term.kind == Kind::Text && term.weight > 0) {
      const std::string& languages = collection.manifest().ocr_languages;
      LexicalQuery lexical = lexical_query(term.value, languages.empty() ? "eng" : languages);
      std::ranges::move(lexical.words, std::back_inserter(query.lexical.words));
      std::ranges::move(lexical.phrases, std::back_inserter(query.lexical.phrases));
      std::ranges::move(lexical.function_words, std::back_inserter(query.lexical.function_words));
      query.lexical.languages = std::move(lexical.languages);
    }
  }
  normalise(query.picture);
  normalise(query.text);
  if (has(Kind::Text)) made.background = background_vectors(collection, encoders);
  return made;
}

// Members are taken apart by name, so that a new one does not compile until it is told, too.
std::string bytes_of(const MadeQuery& made) {
  const auto& [query, background, liked] = made;
  const auto& [picture, text, lexical] = query;
  const auto& [words, phrases, function_words, languages] = lexical;
  static_cast<void>(liked);  // each knows its own
  ByteWriter out;
  write_floats(out, picture);
  write_floats(out, text);
  write_texts(out, words);
  out.varint(phrases.size());
  for (const std::vector<std::string>& phrase : phrases) write_texts(out, phrase);
  write_texts(out, function_words);
  out.text(languages);
  write_matrix(out, background);
  return std::move(out).bytes();
}

MadeQuery query_of_bytes(std::string_view bytes) {
  ByteReader in(bytes, kRanksMessage);
  MadeQuery made;
  made.query.picture = read_floats(in);
  made.query.text = read_floats(in);
  LexicalQuery& lexical = made.query.lexical;
  lexical.words = read_texts(in);
  for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left)
    lexical.phrases.push_back(read_texts(in));
  lexical.function_words = read_texts(in);
  lexical.languages = in.text();
  made.background = read_matrix(in);
  in.expect_end();
  return made;
}

}  // namespace

MadeQuery make_query(const View& collection, const std::vector<SearchTerm>& terms,
                     SearchSpace space, EncoderSource& encoders) {
  std::vector<std::optional<Found>> found;
  for (const SearchTerm& term : terms) found.push_back(found_for(collection, term));
  const auto make = [&] { return query_of(collection, terms, found, space, encoders); };
  Ranks* ranks = ranks_of(collection);
  MadeQuery made = ranks == nullptr
                       ? make()
                       : query_of_bytes(ranks->made_by_first([&] { return bytes_of(make()); }));
  for (size_t i = 0; i < terms.size(); ++i) {
    if (found[i] && found[i]->row && is_of_collection(terms[i]))
      made.liked.push_back(*found[i]->row);
  }
  return made;
}

}  // namespace zeroshelf
