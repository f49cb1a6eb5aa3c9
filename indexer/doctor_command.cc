// doctor: what zeroshelf finds on this machine, and what is missing. Tested by
// tests/programs/doctor_test.cc.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "lib/ocr/installed_languages.h"
#include "lib/program/version.h"
#include "lib/report/doctor_message.h"
#include "lib/util/cgroup.h"
#include "lib/util/cpu.h"
#include "lib/util/error.h"
#include "lib/util/openblas.h"
#include "lib/util/output_stream.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "lib/vectors/fixed_point.h"
#include "models/clip/installed_models.h"
#include "models/clip/load.h"
#include "models/compute/kernels.h"

namespace zeroshelf {
namespace {

// The value of the first line of a file that begins with this name; empty without one.
std::string value_in(const char* file, std::string_view name, char separator) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(name)) continue;
    std::string value = line.substr(std::min(line.find(separator), line.size() - 1) + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '"')) value.erase(0, 1);
    while (!value.empty() && value.back() == '"') value.pop_back();
    return value;
  }
  return "";
}

std::string system_name() {
  utsname system{};
  ::uname(&system);
  const std::string distribution = value_in("/etc/os-release", "PRETTY_NAME", '=');
  return fmt::format("{}{}{} {} on {}", distribution, distribution.empty() ? "" : ", ",
                     system.sysname, system.release, system.machine);
}

std::vector<std::string> scan_kernels() {
  std::vector<std::string> names;
  for (const FixedPointKernel& kernel : fixed_point_kernels()) names.emplace_back(kernel.name);
  return names;
}

message::Doctor examined() {
  message::Doctor found;
  found.version = version();
  found.commit = commit();
  found.compiler = compiler();
  found.libraries = libraries();
  found.system = system_name();
  found.processor = value_in("/proc/cpuinfo", "model name", ':');
  found.cores = available_cores();
  found.memory_limit_bytes = cgroup_limits().memory_bytes;
  found.instruction_set = instruction_set_name(instruction_set());
  found.scan_kernels = scan_kernels();
  found.fp32_kernel = clip_kernels::fp32_kernels().name;
  found.bf16_kernel = clip_kernels::bf16_kernels().name;
  found.bf16_in_hardware = clip_kernels::multiplies_bf16();
  found.openblas_core = openblas_core();
  InstalledLanguages ocr = installed_languages();
  found.ocr_folder = std::move(ocr.folder);
  found.ocr_languages = std::move(ocr.languages);
  for (InstalledModel& model : installed_models())
    found.models.push_back({std::move(model.name), model.path.string()});
  return found;
}

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

// Folders that the environment names and that do not exist: what is in the usual places is then not
// looked for, or not what the user meant.
void find_lost_folders(message::Doctor& found) {
  const auto look_for = [&](const std::string& folder, const char* variable) {
    std::error_code error;
    if (folder.empty() || std::filesystem::is_directory(folder, error)) return;
    found.missing.push_back({false, fmt::format("the folder {}, which {} names", folder, variable),
                             fmt::format("correct or unset {}", variable)});
  };
  if (const char* folder = std::getenv("TESSDATA_PREFIX")) look_for(folder, "TESSDATA_PREFIX");
  if (const char* value = std::getenv("ZEROSHELF_MODELS")) {
    std::istringstream folders(value);
    for (std::string folder; std::getline(folders, folder, ':');)
      look_for(folder, "ZEROSHELF_MODELS");
  }
}

// What is missing that some command needs, and how to get it; first what every command needs.
void find_missing(message::Doctor& found) {
  const auto miss = [&](bool is_needed, std::string what, std::string cure) {
    found.missing.push_back({is_needed, std::move(what), std::move(cure)});
  };
  const bool bundled = std::ranges::any_of(found.models, [](const message::Doctor::Model& model) {
    return model.name == kBundledModel;
  });
  if (!bundled) {
    miss(true, "the bundled model, which is used without --model",
         "install the package zeroshelf-model-mini, or name a model with --model");
  }
  if (!has(found.ocr_languages, "eng")) {
    miss(true, "Tesseract's data for English, in which text is read by default",
         language_data_cure("eng") + "; or use --ocr-lang or --no-ocr");
  }
  if (!has(found.ocr_languages, "osd")) {
    miss(false, "Tesseract's data for scripts, for --ocr-lang auto and for text that is not read",
         language_data_cure("osd"));
  }
  if (found.openblas_core.empty()) {
    miss(false, "OpenBLAS: FAISS multiplies through another BLAS, perhaps a slow one",
         "apt-get install libopenblas0");
  }
  if (found.models.size() <= (bundled ? 1 : 0)) {
    miss(false, "a model that knows photographs", fetch_command() + " ViT-B-32");
  }
  if (instruction_set() == InstructionSet::Portable) {
    miss(false, "AVX2: this processor lacks it, so everything is several times slower",
         "use a processor with AVX2");
  }
}

std::string doctor_text(const message::Doctor& found) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    fmt::format_to(std::back_inserter(out), "{:<12} {}\n", name, printable(value));
  };
  line("zeroshelf", fmt::format("{}{}", found.version,
                                found.commit.empty() ? "" : fmt::format(" ({})", found.commit)));
  line("built by", fmt::format("{} with {}", found.compiler, found.libraries));
  line("system", found.system);
  line("processor",
       fmt::format("{}, {} cores, {}", found.processor, found.cores, found.instruction_set));
  if (found.memory_limit_bytes)
    line("memory", fmt::format("at most {} MiB for this process", *found.memory_limit_bytes >> 20));
  line("labelling", fmt::format("kernels {}", fmt::join(found.scan_kernels, ", ")));
  line("model", fmt::format("kernels {} (fp32), {} (bf16{})", found.fp32_kernel, found.bf16_kernel,
                            found.bf16_in_hardware ? ", used by default" : ", not in hardware"));
  line("OpenBLAS", found.openblas_core.empty() ? "not loaded" : "core " + found.openblas_core);
  line("OCR",
       found.ocr_languages.empty()
           ? "no languages"
           : fmt::format("{} (in {})", fmt::join(found.ocr_languages, ", "), found.ocr_folder));
  for (const message::Doctor::Model& model : found.models)
    line("found", fmt::format("model {} at {}", model.name, model.path));
  for (const message::Doctor::Missing& missing : found.missing)
    line("missing", fmt::format("{}: {}", missing.what, missing.cure));
  if (found.missing.empty()) line("missing", "nothing");
  return out;
}

int run_doctor(bool json) {
  message::Doctor found = examined();
  find_missing(found);
  find_lost_folders(found);
  OutputStream out(stdout, "standard output");
  out.write(json ? json_line(found) : doctor_text(found));
  out.flush();
  const bool is_whole = std::ranges::none_of(found.missing, &message::Doctor::Missing::is_needed);
  return is_whole ? kDone : kFailed;
}

}  // namespace

void add_doctor(Program& program) {
  const auto json = std::make_shared<bool>(false);
  CLI::App* command = program.add_command(
      "doctor", "Show what zeroshelf finds on this machine, and what is missing",
      [json] { return run_doctor(*json); });
  command->add_flag("--json", *json, "One JSON line");
}

}  // namespace zeroshelf
