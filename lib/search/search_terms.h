#pragma once

// What a search asks for: texts, pictures, and pictures of the collection, added with weights.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/search/search.h"

namespace zeroshelf {

struct SearchTerm {
  enum class Kind {
    Text,
    PictureFile,
    PictureBytes,  // those of a picture file
    PictureOfCollection,
    RowOfCollection,  // the view's; of several processes one that the view has is enough
    Vector,  // of a file
    Values,  // a vector
  };
  Kind kind = Kind::Text;
  std::string value;  // the text, the path, or the bytes
  float weight = 1;
  uint64_t row = 0;              // of a file of vectors, or of the collection
  std::vector<float> values{};
};

// "@FILE" is a picture file, "@@..." a text that begins with @, anything else a text.
SearchTerm parse_term(const std::string& argument, float weight);

// The query, and what was needed to make it.
struct MadeQuery {
  SearchQuery query;
  // With texts among the terms: everyday prompts, to tell whether a hit fits at all.
  Matrix background;
  std::vector<Row> liked;  // the rows of terms that are pictures of the collection
};

// The encoder is only asked for when a text or a picture file is among the terms. The vectors of
// several terms are added as weight / spread of the term's cosines over the collection, so that a
// picture (whose cosines with pictures lie far apart) does not drown a text (whose cosines lie
// close).
//
// A picture that the collection has (for a file: one with its content) is compared with pictures by
// its picture vector and with texts by the vector of its text, so that it fits nothing better than
// itself. A picture without text, or a file whose text is not known, says nothing of texts; only in
// SearchSpace::Text, where it would have nothing to say at all, its picture vector is compared with
// them. Words are matched for the texts with positive weight. Throws NotFound for a picture that
// the collection does not have.
//
// A vector is scaled to unit length and compared with both. Throws what NpyReader
// throws, and InvalidArgument for a row that there is not, one without a direction, or another
// dimension.
MadeQuery make_query(const View& collection, const std::vector<SearchTerm>& terms,
                     SearchSpace space, EncoderSource& encoders);

// The vectors of names to tell by whether a hit fits at all, in place of everyday prompts: of any
// names, by the model of the collection. Throws as for a vector from a file.
Matrix background_of_file(const View& collection, const std::filesystem::path& path);

}  // namespace zeroshelf
