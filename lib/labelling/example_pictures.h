#pragma once

// Pictures that stand among labels' prompts -> their vectors, and the labels' vectors with them.
//
// Two kinds of prompts have two scales: a picture's cosine with pictures is some 0.5 to 0.9, with
// texts some 0.2 to 0.3. With c the mean of a label's n pictures, m the middle and v the spread
// (1 - |m|^2) of the collection, and T the vector of the label's texts, the label's vector is
//
//   texts and pictures, or no label has a text:
//     T + kExampleGain / (v * scale) * n / (n + kExamplePrior) * (c - m), with a bias that makes a
//     picture in the middle say nothing: the linear discriminant, as adapt_labels.h has it, of which
//     the members are told. Where every label has pictures m is the mean of their c, so that how
//     frequent they are in the collection has no part in it.
//   pictures, beside labels that have texts alone:
//     c, scaled and shifted so that its similarities have the mean and the standard deviation, over
//     a sample of the collection, that texts have on average.
//
// Texts in pictures speak to a label by its texts; to one that has none as to the average of the
// others. docs/evaluation.md has what this is worth, and what else was tried.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/labelling/classify.h"
#include "lib/labels/label_vectors.h"

namespace zeroshelf {

inline constexpr double kExampleGain = 10;
inline constexpr double kExamplePrior = 2;  // pictures
// How many pictures of a folder count at the most, spread over it in the order of their paths.
inline constexpr size_t kMostExamples = 100;

struct ExampleVectors {
  Matrix vectors;         // [pictures, dimension], unit vectors; at least one
  std::vector<Row> rows;  // those of the collection
};

// The pictures that a prompt means, by what stands behind its '@'.
using FindExamples = std::function<ExampleVectors(const std::string& value)>;

// "#12" is row 12 of the collection; nothing else is taken, so no file is read. Throws
// InvalidArgument for anything else, NotFound for a row that is not there.
FindExamples examples_by_row(const View& collection);

// And an absolute path: of a picture of the collection, whose vector is there; of a folder with such
// below it; of a folder of picture files, or a file, which are encoded (a file with the content of a
// picture of the collection is that picture). Throws NotFound where there is none,
// InvalidArgument for a file that is no picture, and what EncoderSource::encoder throws.
FindExamples examples_by_path(const View& collection, EncoderSource& encoders);

// "@#12" for a picture of the collection; and back, nothing for any other prompt.
std::string prompt_of_row(Row row);
std::optional<Row> row_of_prompt(std::string_view written);

// The vectors of labels some of whose prompts are pictures. texts: of the same labels, see
// vectors_of_prompts(). fits: labels are judged each for itself, by the model's sigmoid.
LabelVectors with_examples(const View& collection, const std::vector<Label>& labels,
                           const PromptVectors& texts, const FindExamples& find, bool fits);

// Whether any prompt is a picture.
bool has_examples(const std::vector<Label>& labels);

}  // namespace zeroshelf
