#pragma once

// Models that are TorchScript programs, written by the test with libtorch. For targets that link
// it.

#include <torch/script.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

// source: "def forward(self, x):\n  return ...\n"
inline void write_program(const std::filesystem::path& file, const std::string& source) {
  torch::jit::Module module("__torch__.Program");
  module.define(source);
  module.save(file.string());
}

// Loading it makes the file `written`; then it computes as `source` says.
inline void write_hostile_program(const std::filesystem::path& file,
                                  const std::filesystem::path& written,
                                  const std::string& source = "") {
  torch::jit::Module module("__torch__.Hostile");
  module.register_attribute("x", c10::TensorType::get(), torch::zeros({1}));
  module.define("def __getstate__(self):\n  return 7\n");
  module.define("def __setstate__(self, state: int):\n  self.x = torch.from_file(\"" +
                written.string() + "\", True, 4)\n");
  if (!source.empty()) module.define(source);
  module.save(file.string());
}

// Pictures by their mean colour, and texts by the colour that they name, in 24 dimensions: what a
// person would answer about plain pictures.
struct ColourModel {
  nlohmann::json config = {{"size", 8},
                           {"resize", "squash"},
                           {"mean", {0.5, 0.5, 0.5}},
                           {"deviation", {0.5, 0.5, 0.5}},
                           {"tokenizer", {{"kind", "program"}}},
                           {"scoring", {{"kind", "softmax"}, {"scale", 20}}}};
  std::string picture = "def forward(self, x):\n  return x.mean([2, 3]).repeat(1, 8)\n";
  std::string text =
      "def forward(self, texts: List[str]):\n"
      "  rows = torch.full([len(texts), 3], 0.1)\n"
      "  for i in range(len(texts)):\n"
      "    if texts[i].find(\"red\") >= 0:\n"
      "      rows[i] = torch.tensor([1.0, -1.0, -1.0])\n"
      "    elif texts[i].find(\"green\") >= 0:\n"
      "      rows[i] = torch.tensor([-1.0, 1.0, -1.0])\n"
      "    elif texts[i].find(\"blue\") >= 0:\n"
      "      rows[i] = torch.tensor([-1.0, -1.0, 1.0])\n"
      "  return rows.repeat(1, 8)\n";

  void write(const std::filesystem::path& folder) const {
    std::filesystem::create_directories(folder);
    write_file(folder / "zeroshelf.json", config.dump());
    write_program(folder / "picture.pt", picture);
    write_program(folder / "text.pt", text);
  }
};

}  // namespace zeroshelf::testing
