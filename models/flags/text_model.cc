// A model for questions' texts in place of the collection's own. Tested by
// tests/programs/other_models_test.cc.

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <variant>

#include "lib/collection/settings.h"
#include "lib/image/read_crop.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/fp16.h"
#include "models/flags/model_flags.h"
#include "models/flags/trusted_models.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFlag = "--text-model";

[[noreturn]] void refuse(const fs::path& path, const std::string& cause) {
  throw Error(ErrorCode::Incompatible, path.string(), cause,
              "name one that was trained for the collection's picture vectors: docs/models.md");
}

void check_scores(const ModelInfo& text, const Manifest& manifest) {
  if (text.dimension != manifest.dimension) {
    refuse(text.path, fmt::format("its vectors have {} dimensions, the collection's {}",
                                  text.dimension, manifest.dimension));
  }
  if (text.logit_scale == 0) return;  // a text tower alone has none
  if (text.scoring != manifest.scoring)
    refuse(text.path, "one of it and the collection's model scores by a sigmoid, and one does not");
  constexpr float kSame = 0.02f;  // of one model trained on, or rounded
  if (std::abs(text.logit_scale - manifest.logit_scale) > kSame * manifest.logit_scale) {
    refuse(text.path, fmt::format("its scale of logits is {:.4g}, the collection's model's {:.4g}",
                                  text.logit_scale, manifest.logit_scale));
  }
}

// Its own vector of a picture of the collection with the stored one; nothing when the file is gone,
// changed or cannot be read.
std::optional<float> cosine_with_stored(Encoder& encoder, const View& collection, Row row) {
  const auto crop =
      try_read_crop(collection.record(row).file.path, encoder.info().preprocessing);
  const Image* image = std::get_if<Image>(&crop);
  if (image == nullptr) return std::nullopt;
  const Matrix own = encoder.encode_images(std::span(image, 1));
  std::vector<float> stored(own.columns());
  const View::Part& part = collection.part_of(row);
  from_fp16(part.collection.image_vectors().row(row - part.first_row), stored);
  return std::inner_product(stored.begin(), stored.end(), own.row(0).begin(), 0.0f);
}

// A checkpoint that has a picture tower too shows by it whether its texts fit the collection's
// pictures. Few pictures tell; a file may have changed since it was indexed, so one that fits
// outweighs others.
void check_pictures(const fs::path& path, const ModelOptions& options, const View& collection) {
  constexpr size_t kPictures = 3, kTried = 64;
  constexpr float kLeastCosine = 0.98f;
  const auto encoder = load_from(path, load_options_of_named(options, EncoderSide::ImageOnly));
  size_t tried = 0, compared = 0;
  float best = -1;
  for (Row row = 0; row < collection.rows() && tried < kTried && compared < kPictures; ++row) {
    if (!collection.is_live(row)) continue;
    ++tried;
    try {
      if (const auto cosine = cosine_with_stored(*encoder, collection, row)) {
        best = std::max(best, *cosine);
        ++compared;
      }
    } catch (const Error& error) {  // the file is not there
      if (error.code() != ErrorCode::NotFound && error.code() != ErrorCode::Io) throw;
    }
  }
  if (compared == 0) {
    warn("zeroshelf-query", "no picture could be read, so nothing says that the texts of " +
                                path.string() + " fit the collection's vectors");
  } else if (best < kLeastCosine) {
    refuse(path, fmt::format("its picture tower gives other vectors than the collection has (cosine "
                             "{:.3f} at best), so its texts fit other pictures",
                             best));
  }
}

void remember(const Settings& settings, const ModelInfo& info) {
  try {
    settings.remember_text_model({info.path, info.fingerprint});
  } catch (const Error&) {
    // The collection may be read-only: then the flag is needed again.
  }
}

std::unique_ptr<Encoder> load_newly_named(const View& collection, const ModelOptions& options) {
  const fs::path path = find_model(options.text_model);
  LoadOptions load = load_options_of_named(options, EncoderSide::TextOnly);
  load.named_by = kFlag;
  auto encoder = load_named(path, load);
  const ModelInfo& info = encoder->info();
  check_scores(info, collection.manifest());
  const Settings settings(collection.directory());
  const auto known = settings.text_model();
  const bool is_new = !known || known->fingerprint != info.fingerprint;
  if (is_new && info.has_picture_tower) check_pictures(path, options, collection);
  remember(settings, info);
  return encoder;
}

}  // namespace

std::unique_ptr<Encoder> load_text_model_of(const View& collection, const ModelOptions& options) {
  if (!options.text_model.empty() && options.text_model != kOwnTextModel)
    return load_newly_named(collection, options);
  const Settings settings(collection.directory());
  if (options.text_model == kOwnTextModel) {
    try {
      settings.forget_text_model();
    } catch (const Error&) {
      // As above.
    }
    return nullptr;
  }
  const auto remembered = settings.text_model();
  if (!remembered) return nullptr;
  if (!may_be_taken(remembered->path)) {
    throw Error(ErrorCode::NotFound, remembered->path,
                "the collection remembers this model for its texts, but it is not installed here, "
                "and nobody named this path here before",
                fmt::format("name it with --text-model, or take the collection's own with "
                            "--text-model {}",
                            kOwnTextModel));
  }
  LoadOptions load = load_options(options, EncoderSide::TextOnly);
  load.named_by = kFlag;
  load.check_fingerprint = [&](const std::string& fingerprint) {
    if (fingerprint != remembered->fingerprint)
      refuse(remembered->path, "not the model that was named with --text-model: it has changed");
  };
  return load_from(remembered->path, load);
}

}  // namespace zeroshelf
