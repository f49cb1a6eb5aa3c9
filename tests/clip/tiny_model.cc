#include "tests/clip/tiny_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <random>

#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

constexpr float kMean[] = {0.48145466f, 0.4578275f, 0.40821073f};
constexpr float kDeviation[] = {0.26862954f, 0.26130258f, 0.27577711f};

std::vector<double> unit(std::vector<double> vector) {
  double square = 0;
  for (const double value : vector) square += value * value;
  for (double& value : vector) value /= std::sqrt(square);
  return vector;
}

std::string byte_letter(int byte) {
  static const std::vector<std::string> letters = [] {
    std::vector<std::string> result(256);
    int next = 0x100;
    for (int b = 0; b < 256; ++b) {
      const bool plain = (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
      const int c = plain ? b : next++;
      if (c < 0x80) {
        result[b] = {static_cast<char>(c)};
      } else {
        result[b] = {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
      }
    }
    return result;
  }();
  return letters[byte];
}

}  // namespace

TinyModel::TinyModel(unsigned seed, const TinySides& sides) : TinySides(sides) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const auto make = [&](const std::string& name, std::vector<int> shape, float scale,
                        float shift = 0) {
    Tensor tensor{std::move(shape), {}};
    size_t size = 1;
    for (const int side : tensor.shape) size *= static_cast<size_t>(side);
    for (size_t i = 0; i < size; ++i) tensor.values.push_back(normal(random) * scale + shift);
    tensors[name] = tensor;
  };
  const auto norm = [&](const std::string& name) {
    make(name + ".weight", {width}, 0.2f, 1);
    make(name + ".bias", {width}, 0.2f);
  };
  const auto dense = [&](const std::string& name, int in, int out) {
    make(name + ".weight", {out, in}, in > 32 ? 1.2f / std::sqrt(static_cast<float>(in)) : 0.3f);
    make(name + ".bias", {out}, 0.2f);
  };
  for (const std::string tower : {"vision_model", "text_model"}) {
    for (int layer = 0; layer < layers; ++layer) {
      const std::string prefix = fmt::format("{}.encoder.layers.{}.", tower, layer);
      for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"})
        dense(prefix + "self_attn." + part, width, width);
      dense(prefix + "mlp.fc1", width, mlp_width);
      dense(prefix + "mlp.fc2", mlp_width, width);
      norm(prefix + "layer_norm1");
      norm(prefix + "layer_norm2");
    }
  }
  const int grid = image_size / patch;
  make("vision_model.embeddings.class_embedding", {width}, 0.5f);
  make("vision_model.embeddings.patch_embedding.weight", {width, 3, patch, patch}, 0.1f);
  make("vision_model.embeddings.position_embedding.weight", {grid * grid + 1, width}, 0.5f);
  norm("vision_model.pre_layrnorm");
  norm("vision_model.post_layernorm");
  make("visual_projection.weight", {dimension, width}, 0.3f);
  make("text_model.embeddings.token_embedding.weight", {kVocabulary, width}, 0.5f);
  make("text_model.embeddings.position_embedding.weight", {context, width}, 0.5f);
  norm("text_model.final_layer_norm");
  make("text_projection.weight", {dimension, width}, 0.3f);
  tensors["logit_scale"] = {{}, {std::log(50.0f)}};
}

std::string TinyModel::safetensors() const {
  nlohmann::json header;
  std::string data;
  for (const auto& [name, tensor] : tensors) {
    const size_t begin = data.size();
    data.append(reinterpret_cast<const char*>(tensor.values.data()), tensor.values.size() * 4);
    header[name] = {
        {"dtype", "F32"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  return std::string(reinterpret_cast<const char*>(&size), 8) + text + data;
}

void TinyModel::write(const std::filesystem::path& folder) const {
  const nlohmann::json tower = {{"hidden_size", width},
                                {"num_hidden_layers", layers},
                                {"num_attention_heads", heads},
                                {"intermediate_size", mlp_width},
                                {"hidden_act", activation}};
  nlohmann::json config = {{"model_type", "clip"},
                           {"projection_dim", dimension},
                           {"vision_config", tower},
                           {"text_config", tower}};
  config["vision_config"]["image_size"] = image_size;
  config["vision_config"]["patch_size"] = patch;
  config["text_config"]["max_position_embeddings"] = context;
  config["text_config"]["vocab_size"] = kVocabulary;
  write_file(folder / "config.json", config.dump());
  write_file(folder / "model.safetensors", safetensors());
  nlohmann::json vocabulary;
  for (int byte = 0; byte < 256; ++byte) {
    vocabulary[byte_letter(byte)] = byte;
    vocabulary[byte_letter(byte) + "</w>"] = 256 + byte;
  }
  vocabulary["at</w>"] = 512;
  vocabulary["<|startoftext|>"] = 513;
  vocabulary["<|endoftext|>"] = 514;
  write_file(folder / "vocab.json", vocabulary.dump());
  write_file(folder / "merges.txt", "#version: 0.2\na t</w>\n");
}

std::vector<double> TinyModel::linear(const std::string& name, const std::vector<double>& x) const {
  const Tensor& weight = tensors.at(name + ".weight");
  const Tensor& bias = tensors.at(name + ".bias");
  std::vector<double> y(bias.values.begin(), bias.values.end());
  for (size_t i = 0; i < y.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) y[i] += weight.values[i * x.size() + j] * x[j];
  }
  return y;
}

std::vector<double> TinyModel::layer_norm(const std::string& name,
                                          const std::vector<double>& x) const {
  double mean = 0;
  double variance = 0;
  for (const double value : x) mean += value / static_cast<double>(x.size());
  for (const double value : x)
    variance += (value - mean) * (value - mean) / static_cast<double>(x.size());
  std::vector<double> y(x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * tensors.at(name + ".weight").values[i] +
           tensors.at(name + ".bias").values[i];
  }
  return y;
}

void TinyModel::transform(const std::string& tower, Rows& rows, bool causal) const {
  const size_t head_width = static_cast<size_t>(width / heads);
  for (int layer = 0; layer < layers; ++layer) {
    const std::string prefix = fmt::format("{}.encoder.layers.{}.", tower, layer);
    Rows queries;
    Rows keys;
    Rows values;
    for (const auto& row : rows) {
      const auto x = layer_norm(prefix + "layer_norm1", row);
      queries.push_back(linear(prefix + "self_attn.q_proj", x));
      keys.push_back(linear(prefix + "self_attn.k_proj", x));
      values.push_back(linear(prefix + "self_attn.v_proj", x));
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      std::vector<double> mixed(static_cast<size_t>(width));
      for (size_t head = 0; head < static_cast<size_t>(heads); ++head) {
        std::vector<double> weights;
        double sum = 0;
        for (size_t j = 0; j < (causal ? i + 1 : rows.size()); ++j) {
          double score = 0;
          for (size_t k = head * head_width; k < (head + 1) * head_width; ++k)
            score += queries[i][k] * keys[j][k];
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(head_width))));
          sum += weights.back();
        }
        for (size_t j = 0; j < weights.size(); ++j) {
          for (size_t k = head * head_width; k < (head + 1) * head_width; ++k)
            mixed[k] += weights[j] / sum * values[j][k];
        }
      }
      const auto out = linear(prefix + "self_attn.out_proj", mixed);
      for (size_t k = 0; k < out.size(); ++k) rows[i][k] += out[k];
    }
    for (auto& row : rows) {
      auto hidden = linear(prefix + "mlp.fc1", layer_norm(prefix + "layer_norm2", row));
      for (double& x : hidden) {
        x = activation == "gelu" ? x * 0.5 * (1 + std::erf(x / std::sqrt(2.0)))
                                 : x / (1 + std::exp(-1.702 * x));
      }
      const auto out = linear(prefix + "mlp.fc2", hidden);
      for (size_t k = 0; k < out.size(); ++k) row[k] += out[k];
    }
  }
}

std::vector<double> TinyModel::projected(const std::string& name,
                                         const std::vector<double>& x) const {
  const Tensor& weight = tensors.at(name);
  std::vector<double> y(static_cast<size_t>(dimension));
  for (size_t i = 0; i < y.size(); ++i) {
    for (size_t j = 0; j < x.size(); ++j) y[i] += weight.values[i * x.size() + j] * x[j];
  }
  return unit(y);
}

std::vector<double> TinyModel::encode_image(const Image& image) const {
  const auto& patches = tensors.at("vision_model.embeddings.patch_embedding.weight").values;
  const auto& positions = tensors.at("vision_model.embeddings.position_embedding.weight").values;
  const auto& class_token = tensors.at("vision_model.embeddings.class_embedding").values;
  const int grid = image_size / patch;
  Rows rows(static_cast<size_t>(grid * grid + 1), std::vector<double>(static_cast<size_t>(width)));
  for (size_t r = 0; r < rows.size(); ++r) {
    for (int w = 0; w < width; ++w) {
      double sum = positions[r * static_cast<size_t>(width) + static_cast<size_t>(w)];
      if (r == 0) sum += class_token[static_cast<size_t>(w)];
      for (int c = 0; r > 0 && c < 3; ++c) {
        for (int y = 0; y < patch; ++y) {
          for (int x = 0; x < patch; ++x) {
            const int py = (static_cast<int>(r) - 1) / grid * patch + y;
            const int px = (static_cast<int>(r) - 1) % grid * patch + x;
            const double sample =
                image.rgb[static_cast<size_t>((py * image_size + px) * 3 + c)] / 255.0;
            sum += (sample - kMean[c]) / kDeviation[c] *
                   patches[static_cast<size_t>(((w * 3 + c) * patch + y) * patch + x)];
          }
        }
      }
      rows[r][static_cast<size_t>(w)] = sum;
    }
    rows[r] = layer_norm("vision_model.pre_layrnorm", rows[r]);
  }
  transform("vision_model", rows, false);
  return projected("visual_projection.weight", layer_norm("vision_model.post_layernorm", rows[0]));
}

std::vector<double> TinyModel::encode_tokens(const std::vector<int>& ids) const {
  const auto& tokens = tensors.at("text_model.embeddings.token_embedding.weight").values;
  const auto& positions = tensors.at("text_model.embeddings.position_embedding.weight").values;
  Rows rows;
  for (size_t i = 0; i < ids.size(); ++i) {
    rows.emplace_back();
    for (size_t w = 0; w < static_cast<size_t>(width); ++w) {
      rows.back().push_back(tokens[static_cast<size_t>(ids[i]) * static_cast<size_t>(width) + w] +
                            positions[i * static_cast<size_t>(width) + w]);
    }
  }
  transform("text_model", rows, true);
  const auto end = static_cast<size_t>(std::max_element(ids.begin(), ids.end()) - ids.begin());
  return projected("text_projection.weight", layer_norm("text_model.final_layer_norm", rows[end]));
}

}  // namespace zeroshelf::testing
