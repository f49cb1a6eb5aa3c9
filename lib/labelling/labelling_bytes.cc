// Members are taken apart by name, so that a new one does not compile until it is told, too. Tested
// by tests/labelling/labelling_bytes_test.cc.

#include "lib/labelling/labelling_bytes.h"

#include <optional>
#include <utility>

#include "lib/util/bytes.h"
#include "lib/util/value_bytes.h"

namespace zeroshelf {
namespace {

constexpr const char* kSubject = "a labelling between processes";

template <class Number>
void write_optional(ByteWriter& out, const std::optional<Number>& value) {
  out.number<uint8_t>(value.has_value());
  if (value) out.number(*value);
}

template <class Number>
std::optional<Number> read_optional(ByteReader& in) {
  if (in.number<uint8_t>() == 0) return std::nullopt;
  return in.number<Number>();
}

void write_label(ByteWriter& out, const Label& label) {
  const auto& [name, prompts] = label;
  out.text(name);
  write_texts(out, prompts);
}

Label read_label(ByteReader& in) {
  std::string name(in.text());
  return {std::move(name), read_texts(in)};
}

void write_vetoes(ByteWriter& out, const VetoVectors& veto_vectors) {
  const auto& [vetoes, image, text, image_bias] = veto_vectors;
  out.varint(vetoes.size());
  for (const auto& [label, prompt, own, against] : vetoes) {
    for (const uint32_t number : {label, prompt, own, against}) out.number(number);
  }
  write_matrix(out, image);
  write_matrix(out, text);
  write_floats(out, image_bias);
}

VetoVectors read_vetoes(ByteReader& in) {
  VetoVectors vetoes;
  vetoes.vetoes.resize(in.varint_at_most(in.left() / sizeof(Veto)));
  for (auto& [label, prompt, own, against] : vetoes.vetoes) {
    for (uint32_t* number : {&label, &prompt, &own, &against}) *number = in.number<uint32_t>();
  }
  vetoes.image = read_matrix(in);
  vetoes.text = read_matrix(in);
  vetoes.image_bias = read_floats(in);
  return vetoes;
}

void write_vectors(ByteWriter& out, const LabelVectors& vectors) {
  const auto& [image, text, image_bias, text_bias, vetoes, examples] = vectors;
  write_matrix(out, image);
  write_matrix(out, text);
  write_floats(out, image_bias);
  write_floats(out, text_bias);
  write_vetoes(out, vetoes);
  out.varint(examples.size());
  for (const Row row : examples) out.number(row);
}

LabelVectors read_vectors(ByteReader& in) {
  LabelVectors vectors;
  vectors.image = read_matrix(in);
  vectors.text = read_matrix(in);
  vectors.image_bias = read_floats(in);
  vectors.text_bias = read_floats(in);
  vectors.vetoes = read_vetoes(in);
  vectors.examples.resize(in.varint_at_most(in.left() / sizeof(Row)));
  for (Row& row : vectors.examples) row = in.number<Row>();
  return vectors;
}

void write_fusion(ByteWriter& out, const Fusion& fusion) {
  const auto& [rule, settings, sigmoid_bias] = fusion;
  out.text(rule->name());
  write_plain(out, settings);
  write_optional(out, sigmoid_bias);
}

Fusion read_fusion(ByteReader& in) {
  Fusion fusion;
  fusion.rule = &fusion_rule(in.text());
  fusion.settings = read_plain<FusionSettings>(in);
  fusion.sigmoid_bias = read_optional<float>(in);
  return fusion;
}

void write_tree(ByteWriter& out, const LabelTree& tree) {
  const auto& [places, nodes] = tree;
  out.varint(places.size());
  for (const auto& [parent, depth] : places) {
    write_optional(out, parent);
    out.number(depth);
  }
  write_texts(out, nodes);
}

LabelTree read_tree(ByteReader& in) {
  LabelTree tree;
  for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
    auto& [parent, depth] = tree.places.emplace_back();
    parent = read_optional<uint32_t>(in);
    depth = in.number<uint32_t>();
  }
  tree.nodes = read_texts(in);
  return tree;
}

}  // namespace

std::string bytes_of_labelling(const Labelling& labelling) {
  const auto& [labels, vectors, fusion, none, threshold, none_is_rest, tree, depth, least] =
      labelling;
  ByteWriter out;
  out.varint(labels.size());
  for (const Label& label : labels) write_label(out, label);
  write_vectors(out, vectors);
  write_fusion(out, fusion);
  write_optional(out, none);
  write_optional(out, threshold);
  out.number<uint8_t>(none_is_rest);
  write_tree(out, tree);
  write_optional(out, depth);
  write_optional(out, least);
  return std::move(out).bytes();
}

Labelling labelling_of_bytes(std::string_view bytes) {
  ByteReader in(bytes, kSubject);
  Labelling labelling;
  for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left)
    labelling.labels.push_back(read_label(in));
  labelling.vectors = read_vectors(in);
  labelling.fusion = read_fusion(in);
  labelling.none = read_optional<uint32_t>(in);
  labelling.threshold = read_optional<float>(in);
  labelling.none_is_rest = in.number<uint8_t>() != 0;
  labelling.tree = read_tree(in);
  labelling.depth = read_optional<uint32_t>(in);
  labelling.least = read_optional<float>(in);
  in.expect_end();
  return labelling;
}

}  // namespace zeroshelf
