// zeroshelf-train: makes the bundled model.

#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <filesystem>

#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/util/openblas.h"
#include "lib/util/output_stream.h"
#include "models/clip/load.h"
#include "models/train/figures.h"
#include "models/train/trainer.h"

namespace {

using namespace zeroshelf;
using namespace zeroshelf::train;

std::atomic<bool> stop_wanted = false;

void on_signal(int) {
  stop_wanted = true;
}

struct Options {
  TrainOptions training;
  std::filesystem::path run;
  std::filesystem::path to;
  std::string precision = "auto";
  std::string optimizer = "muon";
  FigureOptions figures;
};

void report(const Progress& progress, int64_t steps, size_t batch) {
  const double done = static_cast<double>(progress.step) * static_cast<double>(batch);
  say("step {}/{}  {:.0f} s  {:.0f} pictures/s  loss {:.3f} = picture {:.3f}, text {:.3f}, "
      "thing {:.3f}",
      progress.step, steps, progress.seconds, done / progress.seconds, progress.loss,
      progress.image_loss, progress.text_loss, progress.thing_loss);
  if (progress.accuracy >= 0) say("  held-out {:.1f} %", 100 * progress.accuracy);
  say("\n");
}

int run(Options& options) {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  TrainOptions& training = options.training;
  training.optimizer = options.optimizer == "adamw" ? Optimizer::AdamW : Optimizer::Muon;
  training.bf16 = options.precision == "bf16" || (options.precision == "auto" && has_fast_bf16());
  const Generator generator({});
  const bool finished = train::train(
      generator, training, options.run, stop_wanted,
      [&](const Progress& progress) { report(progress, training.steps, training.batch.pictures); });
  write_model(generator, training, options.run, options.to);
  say("{}: the model is in {}\n", finished ? "done" : "stopped; the same command goes on",
      options.to.string());
  return kDone;
}

int show_figures(const Options& options) {
  const Generator generator({});
  const auto encoder =
      load_encoder(options.to.empty() ? bundled_model() : find_model(options.to), {});
  OutputStream(stdout, "standard output")
      .write(as_table(measure_figures(generator, *encoder, options.figures)));
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  use_best_openblas_core(argv);
  Program program("zeroshelf-train", "Trains the bundled model on drawn pictures.");
  Options options;
  options.training.model = mini_config();
  TrainOptions& training = options.training;
  CLI::App* mini = program.add_command(
      "mini", "Trains, or goes on where a training stopped; Ctrl-C stops it after the step.",
      [&] { return run(options); });
  mini->add_option("RUN", options.run, "Folder for the state and the curve")->required();
  mini->add_option("--to", options.to, "Folder for the model")->required();
  mini->add_option("--seed", training.batch.seed, "Of the pictures and of the first weights")
      ->capture_default_str();
  mini->add_option("--steps", training.steps, "Steps in all")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  mini->add_option("--batch", training.batch.pictures, "Pictures in a step")
      ->capture_default_str()
      ->check(CLI::Range(2, 8192));
  mini->add_option("--pairs", training.batch.text_pairs, "Pairs of texts in a step")
      ->capture_default_str()
      ->check(CLI::Range(0, 8192));
  mini->add_option("--learning-rate", training.peak_learning_rate, "At its peak")
      ->capture_default_str();
  mini->add_option("--masked-until", training.masked_until,
                   "Share of the steps in which patches are dropped")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1.0));
  mini->add_option("--precision", options.precision, "fp32, bf16, or auto")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32", "bf16", "auto"}));
  mini->add_option("--optimizer", options.optimizer, "Of the matrices inside the blocks")
      ->capture_default_str()
      ->check(CLI::IsMember({"muon", "adamw"}));
  mini->add_option("--easy-steps", training.batch.easy_steps,
                   "Over which the pictures become as hard as they stay")
      ->capture_default_str();
  mini->add_option("--threads", training.threads, "0: every core")->capture_default_str();
  CLI::App* figures =
      program.add_command("figures", "What a model can do on pictures that no training saw.",
                          [&] { return show_figures(options); });
  figures->add_option("--model", options.to, "NAME, DIR or FILE; default: the bundled model");
  figures->add_option("--seed", options.figures.seed, "Of the pictures")->capture_default_str();
  return program.run(argc, argv);
}
