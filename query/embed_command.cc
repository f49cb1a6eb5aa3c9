// embed: texts and pictures -> unit vectors, one JSON line an input, in the order of the command
// line. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/files/npy.h"
#include "lib/image/read_crop.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text_input.h"
#include "models/flags/model_flags.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

struct EmbedInput {
  enum class Kind { Text, TextFile, Image };
  Kind kind = Kind::Text;
  std::string value;
};

struct EmbedOptions {
  std::vector<EmbedInput> inputs;  // in the order of the command line
  bool tokens = false;
  std::filesystem::path npy;  // empty: vectors go into the lines
  ModelOptions model;
};

constexpr size_t kBatch = 64;
constexpr uint64_t kMaxTextFileBytes = uint64_t{1} << 30;

using Kind = EmbedInput::Kind;

// Each line of a text file is an input of its own, an empty one too; the last line break ends the
// last line.
std::vector<EmbedInput> expanded(const std::vector<EmbedInput>& inputs) {
  std::vector<EmbedInput> result;
  for (const EmbedInput& input : inputs) {
    if (input.kind != Kind::TextFile) {
      result.push_back(input);
      continue;
    }
    for_each_line(read_text_input(input.value, kMaxTextFileBytes),
                  [&](size_t, std::string_view line) {
                    result.push_back({Kind::Text, std::string(line)});
                  });
  }
  return result;
}

EncoderSide side_for(const std::vector<EmbedInput>& inputs) {
  bool texts = false;
  bool images = false;
  for (const EmbedInput& input : inputs) (input.kind == Kind::Image ? images : texts) = true;
  return texts && images ? EncoderSide::Both
         : images        ? EncoderSide::ImageOnly
                         : EncoderSide::TextOnly;
}

// Inputs of one kind, at most kBatch of them.
Matrix encode(Encoder& encoder, std::span<const EmbedInput> inputs) {
  if (inputs.front().kind == Kind::Image) {
    std::vector<Image> images;
    for (const EmbedInput& input : inputs) {
      images.push_back(read_crop(input.value, encoder.info().preprocessing));
    }
    return encoder.encode_images(images);
  }
  std::vector<std::string> texts;
  for (const EmbedInput& input : inputs) texts.push_back(input.value);
  warn_of_cut_texts(encoder, texts);
  return encoder.encode_texts(texts, LongText::Truncate);
}

std::string embed_line(const Encoder& encoder, const EmbedInput& input, const EmbedOptions& options,
                       std::span<const float> vector) {
  message::Embedding line;
  if (input.kind == Kind::Image) {
    line.path = input.value;
  } else {
    line.text = input.value;
    if (options.tokens) line.ids = encoder.tokenize(input.value);
  }
  if (options.npy.empty()) line.embedding = vector;
  return json_line(line);
}

// How many inputs from the front are of the same kind.
size_t run_length(std::span<const EmbedInput> inputs) {
  size_t length = 1;
  while (length < inputs.size() && length < kBatch && inputs[length].kind == inputs[0].kind)
    ++length;
  return length;
}

int run_embed(const EmbedOptions& options) {
  const std::vector<EmbedInput> inputs = expanded(options.inputs);
  if (inputs.empty()) {
    throw Error(ErrorCode::InvalidArgument, "embed", "nothing to embed",
                "give --text, --text-file or --image");
  }
  if (!options.npy.empty()) check_new_file(options.npy);
  const auto encoder = load_model(options.model, side_for(inputs));
  OutputStream out(stdout, "standard output");
  std::optional<NpyWriter> npy;
  if (!options.npy.empty()) npy.emplace(options.npy, encoder->info().dimension);
  for (std::span<const EmbedInput> rest(inputs); !rest.empty();) {
    const std::span<const EmbedInput> batch = rest.first(run_length(rest));
    const Matrix vectors = encode(*encoder, batch);
    for (size_t i = 0; i < batch.size(); ++i) {
      out.write(embed_line(*encoder, batch[i], options, vectors.row(i)));
    }
    if (npy) npy->append(vectors);
    rest = rest.subspan(batch.size());
  }
  if (npy) npy->finish();
  out.flush();
  return kDone;
}

// One value an occurrence, so that the order of --text, --text-file and --image can be kept.
CLI::Option* add_input(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                       const std::string& description) {
  return command->add_option(name, values, description)->allow_extra_args(false);
}

struct EmbedFlags {
  std::vector<std::string> texts;
  std::vector<std::string> text_files;
  std::vector<std::string> images;
};

std::vector<EmbedInput> inputs_in_order(const CLI::App& command, const EmbedFlags& flags) {
  std::vector<EmbedInput> inputs;
  size_t text = 0;
  size_t text_file = 0;
  size_t image = 0;
  for (const CLI::Option* option : command.parse_order()) {
    const std::string name = option->get_name();
    if (name == "--text") inputs.push_back({EmbedInput::Kind::Text, flags.texts[text++]});
    if (name == "--text-file")
      inputs.push_back({EmbedInput::Kind::TextFile, flags.text_files[text_file++]});
    if (name == "--image") inputs.push_back({EmbedInput::Kind::Image, flags.images[image++]});
  }
  return inputs;
}

}  // namespace

void add_embed(Program& program) {
  const auto shared = std::make_shared<EmbedOptions>();
  const auto flags = std::make_shared<EmbedFlags>();
  EmbedOptions& options = *shared;
  CLI::App* command =
      program.add_command("embed", "Print a model's vectors of texts and pictures", nullptr);
  command->callback([&program, command, shared, flags] {
    shared->inputs = inputs_in_order(*command, *flags);
    program.choose([shared] { return run_embed(*shared); });
  });
  add_input(command, "--text", flags->texts, "A text; may be repeated")->type_name("TEXT");
  add_input(command, "--text-file", flags->text_files, "A file with one text per line")
      ->type_name("FILE");
  add_input(command, "--image", flags->images, "A picture; may be repeated")->type_name("FILE");
  command->add_flag("--tokens", options.tokens, "Add the token ids of texts");
  command
      ->add_option("--npy", options.npy,
                   "Write the vectors to this file as float32 rows, not into the lines")
      ->type_name("OUT");
  add_model_flags(command, options.model, "Default: the bundled model");
}

}  // namespace zeroshelf
