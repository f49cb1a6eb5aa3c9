// calibrate: settings of `mix` from labelled pictures. Tested by
// tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/calibrate.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/kept.h"
#include "lib/labelling/labelling.h"
#include "lib/program/message.h"
#include "lib/report/evaluate_output.h"
#include "lib/report/messages.h"
#include "lib/util/output_stream.h"
#include "models/flags/model_source.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

struct CalibrateOptions {
  std::vector<std::filesystem::path> collections;
  TruthOptions truth;
  LabelOptions labels;
  std::string save;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;
};

std::string figure(const Figure& it, double unit) {
  return fmt::format("{:+.3g} ({:+.3g} to {:+.3g})", unit * it.value, unit * it.interval.low,
                     unit * it.interval.high);
}

void write_table(OutputStream& out, const Calibration& calibration, const FusionSettings& start) {
  const CalibrationGain& gain = calibration.gain;
  const FusionSettings& fitted = calibration.settings;
  out.write(fmt::format("{:18} {:>10} {:>10}\n", "SETTING", "DEFAULT", "FITTED"));
  const auto line = [&](const char* name, float before, float after) {
    out.write(fmt::format("{:18} {:>10.3g} {:>10.3g}\n", name, before, after));
  };
  line("image scale", start.image_scale, fitted.image_scale);
  line("text scale", start.text_scale, fitted.text_scale);
  line("alpha", start.alpha, fitted.alpha);
  line("image centring", start.image_centring, fitted.image_centring);
  line("text centring", start.text_centring, fitted.text_centring);
  line("confidence power", start.confidence_power, fitted.confidence_power);
  line("half words", start.half_words, fitted.half_words);
  out.write(fmt::format("\nHeld out on {} folds, {} pictures, {} with text:\n", gain.folds,
                        gain.pictures, gain.with_text));
  const Report& before = gain.result.reports[0];
  const Report& after = gain.result.reports[1];
  out.write(fmt::format("accuracy           {:5.1f} %  -> {:5.1f} %   points {}\n",
                        100 * before.accuracy.value, 100 * after.accuracy.value,
                        figure(gain.result.comparisons[0].difference, 100)));
  out.write(fmt::format("calibration error  {:5.1f} %  -> {:5.1f} %\n",
                        100 * before.calibration_error.value, 100 * after.calibration_error.value));
  out.write(fmt::format("log loss           {:.4f}   -> {:.4f}    gain {}\n", gain.default_log_loss,
                        gain.default_log_loss - gain.log_loss.value, figure(gain.log_loss, 1)));
}

void write_json(OutputStream& out, const Calibration& calibration) {
  const std::string settings = settings_json(calibration.settings);
  out.write(json_line(calibration_message(calibration, settings)));
}

int run_calibrate(const CalibrateOptions& options) {
  if (!options.save.empty()) Attachments::check_name("--save", options.save);
  const LabellingRequest request = labelling_request(options.labels);
  const std::vector<Label>& labels = request.labels;
  const View collection = open_to_ask(options.collections);
  const Truth truth = read_and_tell_truth(options.truth, collection, labels);
  KnownPictures known = known_pictures(collection, labels, truth);
  const auto expect_enough = [&] {
    if (known.pictures.size() >= 10 && labels.size() >= 2) return;
    throw Error(ErrorCode::InvalidArgument, options.truth.name(),
                fmt::format("{} labelled pictures and {} labels are too few",
                            known.pictures.size(), labels.size()),
                "give at least 10 pictures, better 50, and two labels");
  };
  expect_enough();
  ModelSource encoders(collection, options.model);
  const Fusion by_default = default_fusion(collection, "mix");
  const FusionSettings& start = by_default.settings;
  // As `mix` has them, so that what is fitted is fitted to them.
  const LabelVectors vectors = labels_for(
      collection, by_default, label_vectors(collection, request, encoders), options.model.threads);
  if (const uint64_t examples = leave_out_examples(known.pictures, vectors); examples > 0) {
    say("{}\n", examples_note(examples));
    expect_enough();
  }
  const KnownEvidence evidence(collection, vectors, known.pictures);
  const Calibration calibration = calibrate(evidence, labels.size(), start, options.model.threads);
  OutputStream out(stdout, "standard output");
  options.format == OutputFormat::Table ? write_table(out, calibration, start)
                                        : write_json(out, calibration);
  out.flush();
  if (!calibration.gain.is_real()) {
    note(
        "the gain is within noise, so nothing is kept; label more pictures, or go on with the "
        "defaults");
    return kNothingFound;
  }
  if (options.save.empty()) return kDone;
  save_calibration(collection, options.save, kept_calibration(collection, labels, calibration));
  say("kept as calibration {}; use it with --calibration {}\n", options.save, options.save);
  return kDone;
}

}  // namespace

void add_calibrate(Program& program) {
  const auto shared = std::make_shared<CalibrateOptions>();
  CalibrateOptions& options = *shared;
  CLI::App* command = program.add_command(
      "calibrate", "Fit the rule mix to labelled pictures, and show what that gains",
      [shared] { return run_calibrate(*shared); });
  add_collections(command, options.collections);
  add_truth_flags(command, options.truth);
  add_label_flags(command, options.labels, LabelsFrom::Prompts);
  command
      ->add_option("--save", options.save,
                   "Keep the settings under this name, if the gain is beyond noise")
      ->type_name("NAME");
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
