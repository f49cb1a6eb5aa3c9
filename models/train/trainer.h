#pragma once

// Trains a small CLIP from nothing on the generator's pictures, with the network that inference
// runs, and writes it as a Hugging Face checkpoint. Includes no libtorch header.
//
// The loss is the sum of
//   - CLIP's symmetric contrastive loss between pictures and captions (Radford et al. 2021), where
//     every caption that describes a picture counts as right for it (Yang et al. 2022, UniCL);
//   - the same between texts that mean the same;
//   - the cross-entropy of pictures and of captions against one learned direction for every thing
//     and world, which only training knows.
// Through the first part of the training the image encoder sees only some patches of each picture
// (Li et al. 2023).

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "models/checkpoint/config.h"
#include "models/train/batches.h"
#include "models/train/generator.h"

namespace zeroshelf::train {

// What moves the matrices inside the blocks; everything else is AdamW's (Loshchilov and Hutter
// 2019).
enum class Optimizer { AdamW, Muon };

struct TrainOptions {
  ClipConfig model;                 // vocabulary_size is set from the vocabulary
  size_t vocabulary = 3072;         // at most this many entries
  size_t vocabulary_pairs = 30000;  // of drawn texts, from which it is made, with all names
  BatchOptions batch;
  int64_t steps = 2400;
  double peak_learning_rate = 1.5e-3;
  Optimizer optimizer = Optimizer::Muon;
  double weight_decay = 0.05;
  double warm_up = 0.03;      // share of the steps
  double masked_until = 0.7;  // share of the steps
  double patches_kept = 0.5;  // while masked
  int64_t save_every = 250;   // steps
  bool bf16 = false;          // matrix multiplications
  unsigned threads = 0;       // 0: every core
  std::filesystem::path wordnet = "/usr/share/wordnet";
};

// The bundled model's geometry.
ClipConfig mini_config();

struct Progress {
  int64_t step = 0;
  double seconds = 0;  // of training, over all runs
  double learning_rate = 0;
  double loss = 0;  // mean since the report before
  double image_loss = 0;
  double text_loss = 0;
  double thing_loss = 0;
  double accuracy = 0;  // of held-out pictures of one thing among all names; -1 where not measured
};

// Trains until options.steps or until stop becomes true. The run's folder keeps
//   vocab.json, merges.txt   made when the training begins
//   state.pt                 everything needed to go on, replaced every save_every steps
//   curve.csv, curve.svg     a line for each report, and their plot
// and a training that finds a state there goes on from it with the same pictures; other options
// than before throw Incompatible. Returns true when all steps are done.
bool train(const Generator& generator, const TrainOptions& options,
           const std::filesystem::path& run, const std::atomic<bool>& stop,
           const std::function<void(const Progress&)>& report);

// The model as it stands in the run's state, as a Hugging Face folder: model.safetensors in fp16,
// config.json, preprocessor_config.json, vocab.json, merges.txt. Throws NotFound or Io.
void write_model(const Generator& generator, const TrainOptions& options,
                 const std::filesystem::path& run, const std::filesystem::path& folder);

}  // namespace zeroshelf::train
