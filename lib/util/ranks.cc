// What ranks do together, made of what two of them do. Tested by tests/util/ranks_test.cc.

#include "lib/util/ranks.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "lib/util/bytes.h"

namespace zeroshelf {

std::string bytes_of_error(const Error& error) {
  ByteWriter out;
  out.number(static_cast<uint8_t>(error.code()));
  for (const std::string* text : {&error.subject(), &error.cause(), &error.cure()}) out.text(*text);
  return std::move(out).bytes();
}

Error error_of_bytes(std::string_view bytes) {
  ByteReader in(bytes, kRanksMessage);
  const auto code = static_cast<ErrorCode>(in.number<uint8_t>());
  std::string subject(in.text());
  std::string cause(in.text());
  std::string cure(in.text());
  return {code, std::move(subject), std::move(cause), std::move(cure)};
}

std::string Ranks::name_of(size_t rank) const {
  const std::string number = "process " + std::to_string(rank);
  if (rank >= names_.size() || names_[rank].empty()) return number;
  return number + " (" + names_[rank] + ")";
}

std::vector<std::string> Ranks::gather(std::string_view bytes) {
  if (!is_first()) {
    send(0, bytes);
    return {};
  }
  std::vector<std::string> all{std::string(bytes)};
  for (size_t from = 1; from < size(); ++from) all.push_back(receive(from));
  return all;
}

// Along a tree: whoever has it passes it on to as many again.
std::string Ranks::broadcast(std::string bytes) {
  for (size_t have = 1; have < size(); have *= 2) {
    if (rank() < have) {
      if (rank() + have < size()) send(rank() + have, bytes);
    } else if (rank() < 2 * have) {
      bytes = receive(rank() - have);
    }
  }
  return bytes;
}

std::vector<std::string> Ranks::exchange(std::string_view bytes) {
  ByteWriter together;
  for (const std::string& one : gather(bytes)) together.text(one);
  const std::string all = broadcast(std::move(together).bytes());
  ByteReader in(all, kRanksMessage);
  std::vector<std::string> each;
  for (size_t i = 0; i < size(); ++i) each.emplace_back(in.text());
  in.expect_end();
  return each;
}

void Ranks::add_up(std::span<uint64_t> values) {
  if (size() == 1) return;
  const auto own = std::as_bytes(values);
  const std::string_view bytes(reinterpret_cast<const char*>(own.data()), own.size());
  std::vector<uint64_t> sums(values.size());
  for (const std::string& one : gather(bytes)) {
    assert(one.size() == bytes.size());
    for (size_t i = 0; i < sums.size(); ++i) {
      uint64_t value = 0;
      std::memcpy(&value, one.data() + i * sizeof value, sizeof value);
      sums[i] += value;
    }
  }
  const auto of_all = std::as_bytes(std::span(sums));
  const std::string all = broadcast({reinterpret_cast<const char*>(of_all.data()), of_all.size()});
  assert(all.size() == bytes.size());
  std::memcpy(values.data(), all.data(), all.size());
}

float Ranks::largest(float value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  for (const std::string& one : exchange(bytes)) {
    float other = 0;
    assert(one.size() == sizeof other);
    std::memcpy(&other, one.data(), sizeof other);
    value = std::max(value, other);
  }
  return value;
}

void Ranks::agree(const std::optional<Error>& error) {
  for (const std::string& one : exchange(error ? bytes_of_error(*error) : std::string())) {
    if (one.empty()) continue;
    ended_ = true;
    if (!is_first()) throw EndedElsewhere();
    throw error_of_bytes(one);
  }
}

void Ranks::agree_after(const std::function<void()>& work) {
  std::optional<Error> failed;
  try {
    work();
  } catch (const Error& error) {
    failed = error;
  }
  agree(failed);
}

std::string Ranks::made_by_first(const std::function<std::string()>& make) {
  std::string made;
  agree_after([&] {
    if (is_first()) made = make();
  });
  return broadcast(std::move(made));
}

}  // namespace zeroshelf
