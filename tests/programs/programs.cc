#include "tests/programs/programs.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "lib/util/file.h"

namespace zeroshelf::testing {

ProgramResult zeroshelf_index(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ZEROSHELF_INDEX_PROGRAM);
  return run_program(arguments);
}

ProgramResult zeroshelf_index_killed(std::vector<std::string> arguments,
                                     std::chrono::microseconds after) {
  arguments.insert(arguments.begin(), ZEROSHELF_INDEX_PROGRAM);
  return run_program(arguments, after);
}

ProgramResult zeroshelf_index_interrupted(std::vector<std::string> arguments,
                                          std::chrono::microseconds after) {
  // timeout of the coreutils leaves by the program's exit code, and in the foreground interrupts it
  // once: otherwise it also signals its group, and a second Ctrl-C ends the program at once.
  const double seconds = std::chrono::duration<double>(after).count();
  arguments.insert(arguments.begin(),
                   {"/usr/bin/timeout", "--foreground", "--preserve-status", "--signal=INT",
                    std::to_string(seconds), ZEROSHELF_INDEX_PROGRAM});
  return run_program(arguments);
}

ProgramResult zeroshelf_query(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), ZEROSHELF_QUERY_PROGRAM);
  return run_program(arguments);
}

std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

std::vector<std::pair<std::string, std::string>> files_below(const std::filesystem::path& folder) {
  std::vector<std::pair<std::string, std::string>> files;
  if (!std::filesystem::exists(folder)) return files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    files.emplace_back(entry.path().string(),
                       entry.is_regular_file() ? read_file(entry.path(), uint64_t{1} << 30) : "");
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string noise_pixmap(int number) {
  std::string file = "P6\n16 16\n255\n";
  std::mt19937 random(static_cast<unsigned>(number));
  for (int i = 0; i < 16 * 16 * 3; ++i) file += static_cast<char>(random());
  return file;
}

std::string tinted_pixmap(int number) {
  std::string file = "P6\n16 16\n255\n";
  std::mt19937 random(static_cast<unsigned>(number));
  const unsigned long colour[3] = {random(), random(), random()};
  for (int i = 0; i < 16 * 16 * 3; ++i)
    file += static_cast<char>(colour[i % 3] % 200 + random() % 50);
  return file;
}

double cosine(const std::vector<float>& a, const std::vector<float>& b) {
  double product = 0;
  double a_square = 0;
  double b_square = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    product += static_cast<double>(a[i]) * b[i];
    a_square += static_cast<double>(a[i]) * a[i];
    b_square += static_cast<double>(b[i]) * b[i];
  }
  return product / std::sqrt(a_square * b_square);
}

}  // namespace zeroshelf::testing
