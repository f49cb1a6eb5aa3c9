// import: embeddings made elsewhere -> a collection. Tested by tests/programs/import_test.cc.

#include "indexer/adding.h"
#include "indexer/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/image/read_crop.h"
#include "lib/ingest/import.h"
#include "lib/program/message.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"
#include "lib/util/utc.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct ImportFlags {
  fs::path collection;
  std::vector<fs::path> npy;
  std::vector<fs::path> text_npy;
  fs::path clip_retrieval;
  fs::path paths;
  fs::path paths0;
  fs::path metadata;
  fs::path root;  // empty: the folder of the list
  bool allow_missing = false;
  float logit_scale = 100;
  std::optional<float> logit_bias;  // of a model with a sigmoid
  ModelOptions model;
};

// img_emb_0.npy, img_emb_1.npy, ..., img_emb_10.npy: in the order of the numbers.
std::vector<fs::path> numbered_files(const fs::path& folder, const std::string& prefix) {
  std::vector<std::pair<uint64_t, fs::path>> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix) || entry.path().extension() != ".npy") continue;
    const std::string number = name.substr(prefix.size(), name.size() - prefix.size() - 4);
    const bool digits = !number.empty() && number.size() < 18 &&
                        number.find_first_not_of("0123456789") == std::string::npos;
    if (digits) found.emplace_back(std::stoull(number), entry.path());
  }
  std::ranges::sort(found);
  std::vector<fs::path> files;
  for (auto& [number, path] : found) files.push_back(std::move(path));
  return files;
}

// clip-retrieval's output: https://github.com/rom1504/clip-retrieval#clip-inference
void take_clip_retrieval(ImportFlags& flags) {
  const fs::path& folder = flags.clip_retrieval;
  flags.npy = numbered_files(folder / "img_emb", "img_emb_");
  flags.text_npy = numbered_files(folder / "text_emb", "text_emb_");
  if (flags.npy.empty()) {
    throw Error(ErrorCode::NotFound, (folder / "img_emb").string(), "no img_emb_<number>.npy in it",
                "name the folder that clip-retrieval inference wrote");
  }
  if (flags.paths.empty() && flags.paths0.empty() && flags.metadata.empty()) {
    throw Error(
        ErrorCode::InvalidArgument, (folder / "metadata").string(),
        "its Parquet files cannot be read here",
        "write the paths out and give them with --paths: python3 -c \"import glob, pandas, re; "
        "[print(p) for f in sorted(glob.glob('metadata/*.parquet'), key=lambda f: "
        "int(re.findall(r'[0-9]+', f)[-1])) for p in pandas.read_parquet(f)['image_path']]\" "
        "> paths.txt");
  }
}

std::vector<ImportRow> read_rows(const ImportFlags& flags) {
  const fs::path list = !flags.paths.empty()    ? flags.paths
                        : !flags.paths0.empty() ? flags.paths0
                                                : flags.metadata;
  const fs::path root = flags.root.empty() ? folder_of_input(list) : flags.root;
  if (!flags.paths.empty()) return read_import_paths(list, PathSeparator::Line, root);
  if (!flags.paths0.empty()) return read_import_paths(list, PathSeparator::Nul, root);
  return read_import_metadata(list, root);
}

Manifest manifest_for(const ImportFlags& flags, uint32_t dimension, const Encoder* encoder) {
  if (encoder != nullptr) {
    const ModelInfo& model = encoder->info();
    if (model.dimension == dimension) return manifest_of(model);
    throw Error(ErrorCode::Incompatible, model.path,
                fmt::format("its vectors have {} dimensions, the imported ones {}", model.dimension,
                            dimension),
                "name the model that made them with --model");
  }
  Manifest manifest;
  manifest.model_name = "imported";
  manifest.model_fingerprint = Manifest::kUnknownModel;
  manifest.dimension = dimension;
  manifest.logit_scale = flags.logit_scale;
  if (flags.logit_bias) {
    manifest.scoring = Scoring::Sigmoid;
    manifest.logit_bias = *flags.logit_bias;
  }
  manifest.created_utc = now_utc();
  return manifest;
}

// What the model itself says of a picture, if the picture can be read.
std::optional<Matrix> encoded(Encoder& encoder, const std::string& path) {
  const auto crop = try_read_crop(path, encoder.info().preprocessing);
  const Image* image = std::get_if<Image>(&crop);
  if (image == nullptr) return std::nullopt;
  return encoder.encode_images(std::span(image, 1));
}

// Vectors of another model look as good as any: only encoding some pictures tells.
void check_model(Encoder& encoder, const std::vector<std::string>& paths, const Matrix& vectors) {
  constexpr float kLeastCosine = 0.9f;  // another decoder or resizing costs less
  size_t compared = 0;
  for (size_t i = 0; i < paths.size(); ++i) {
    const auto own = encoded(encoder, paths[i]);
    if (!own) continue;
    float cosine = 0;
    for (size_t j = 0; j < vectors.columns(); ++j) cosine += own->row(0)[j] * vectors.row(i)[j];
    if (!(cosine >= kLeastCosine)) {
      throw Error(ErrorCode::Incompatible, paths[i],
                  fmt::format("its vector is not what {} gives: cosine {:.3f}", encoder.info().path,
                              cosine),
                  "name the model that made the vectors, check that paths and rows have the same "
                  "order, or leave --model out");
    }
    ++compared;
  }
  if (compared > 0) {
    say("{} pictures encoded and compared: the vectors are this model's\n", compared);
  } else {
    warn("zeroshelf-index",
         "no picture could be read, so nothing says that the vectors are of "
         "this model");
  }
}

void print_report(const ImportReport& report, const Manifest& manifest) {
  say("{} pictures imported ({} with text), {} dimensions\n", with_thousands(report.pictures),
      with_thousands(report.with_text), manifest.dimension);
  const auto note = [](uint64_t count, const char* what) {
    if (count > 0) say("note: {} {}\n", with_thousands(count), what);
  };
  if (!report.leftover.empty()) {
    say("note: {} is there, perhaps of an import that was cut short; it is left as it is\n",
        printable(report.leftover.string()));
  }
  note(report.normalised, "vectors had another length than 1 and were scaled to it");
  note(report.missing, "files are not there; a later add of their folder removes them");
  note(report.unreadable, "files cannot be decoded here; their size in pixels is not known");
  if (!manifest.has_known_model()) {
    say("note: the model is not known: queries need --model, and can only check that its "
        "dimensions fit\n");
  }
}

int run_import(ImportFlags flags) {
  if (!flags.clip_retrieval.empty()) take_clip_retrieval(flags);
  ImportOptions options;
  options.image_files = flags.npy;
  options.text_files = flags.text_npy;
  options.allow_missing = flags.allow_missing;
  options.threads = flags.model.threads;
  const uint32_t dimension = import_dimension(options);
  std::vector<ImportRow> rows = read_rows(flags);
  std::unique_ptr<Encoder> encoder;
  if (!flags.model.model.empty()) encoder = load_model(flags.model, EncoderSide::Both);
  const Manifest manifest = manifest_for(flags, dimension, encoder.get());
  const ImportReport report =
      import_vectors(flags.collection, manifest, std::move(rows), options,
                     [&](const std::vector<std::string>& paths, const Matrix& vectors) {
                       if (encoder) check_model(*encoder, paths, vectors);
                     });
  print_report(report, manifest);
  return kDone;
}

}  // namespace

void add_import(Program& program) {
  const auto shared = std::make_shared<ImportFlags>();
  ImportFlags& flags = *shared;
  CLI::App* command =
      program.add_command("import", "Make a collection from embeddings that another program made",
                          [shared] { return run_import(*shared); });
  command->add_option("COLLECTION", flags.collection, "The collection's folder; must be new")
      ->required();
  CLI::Option_group* vectors = command->add_option_group("Vectors", "Exactly one of");
  CLI::Option* npy =
      vectors
          ->add_option("--npy", flags.npy,
                       "Picture vectors, float32 or float16, one row per picture; may be repeated")
          ->type_name("FILE")
          ->allow_extra_args(false);
  vectors
      ->add_option("--clip-retrieval", flags.clip_retrieval,
                   "The folder that clip-retrieval inference wrote; with --paths")
      ->type_name("DIR");
  vectors->require_option(1);
  command
      ->add_option("--text-npy", flags.text_npy,
                   "Vectors of the text in the pictures, likewise; a row of zeros means no text")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->needs(npy);
  CLI::Option_group* list = command->add_option_group("Paths", "At most one of");
  list->add_option("--paths", flags.paths, "One path per line, in the order of the rows")
      ->type_name("FILE");
  list->add_option("--paths0", flags.paths0, "The same, each path ended by NUL; -: standard input")
      ->type_name("FILE");
  list->add_option("--metadata", flags.metadata,
                   "JSON Lines as zeroshelf-query vectors --metadata writes them")
      ->type_name("FILE");
  list->require_option(0, 1);
  command
      ->add_option("--root", flags.root,
                   "Folder that relative paths start from; default: the list's folder")
      ->type_name("DIR");
  command->add_flag("--allow-missing", flags.allow_missing,
                    "Accept rows whose file does not exist");
  command
      ->add_option("--logit-scale", flags.logit_scale,
                   "The model's logit scale, if --model is not given")
      ->check(CLI::Range(0.01f, 10'000.0f))
      ->capture_default_str();
  command
      ->add_option(
          "--logit-bias", flags.logit_bias,
          "The model's logit bias, if --model is not given and the model has a sigmoid, as "
          "SigLIP does")
      ->check(CLI::Range(-1'000.0f, 1'000.0f));
  add_model_flags(command, flags.model,
                  "The model that made the vectors; some pictures are encoded to check it");
}

}  // namespace zeroshelf
