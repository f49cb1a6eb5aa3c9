#pragma once

// A command that several processes answer together, where a launcher (mpirun, srun) started them.
//
// The first one speaks: it prints what one process alone would, and the others print nothing unless
// they must end the work. Commands that do not gain by it are answered by the first one alone.

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>

#include "lib/collection/open_view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/labelling/labelling.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

// For as long as the program runs, to be made first in main: makes a process that is not the first
// one silent, and the first one write as into a pipe, which mpirun does not. Where the launcher is
// gone, killed say, it ends the process.
class Voice {
 public:
  Voice();
  ~Voice();
  Voice(const Voice&) = delete;
  Voice& operator=(const Voice&) = delete;

 private:
  int output_ = -1;  // what standard output was
  std::function<void()> join_;
};

// Whether this process is not the first one. Its exit code is to be 0: a launcher ends all when one
// process fails, and the first one is to tell why.
bool is_silent();

// Whether this process has nothing to do for that command line: it is not the first one, and the
// first one does it alone.
bool is_idle(int argc, char** argv);

// --deadline
void add_deadline_flag(CLI::App* command, std::optional<double>& deadline_s);

// Of a flag in seconds.
std::optional<std::chrono::nanoseconds> nanoseconds(std::optional<double> seconds);

// Calls work in each of the processes, and ends all of them when one fails; null: there is only
// this one. Its exit code counts in the first process.
int together(std::optional<double> deadline_s, const std::function<int(Ranks*)>& work);

// Calls work, and where there are several processes waits until all have done it, or ends all where
// one of them throws an Error.
void in_all(Ranks* ranks, const std::function<void()>& work);

// Opens the collections, each process its share. Where the launcher ends this one, because another
// has died, it tells from then on who had what.
OpenedView open_view(std::span<const std::filesystem::path> collections, Ranks* ranks,
                     std::optional<double> deadline_s, LostParts lost = LostParts::Refuse);

// The answer is whole: where the launcher ends this process after that, it tells nothing.
void end_death_notice();

// Opens all of them in this process, and tells of parts that are not indexed to their end.
View open_to_ask(std::span<const std::filesystem::path> collections);

// What the first one makes of the request, in all of them; null: there is only this one. request:
// of the first one; the others need none.
Labelling labelling_for(const View& collection, const LabellingRequest& request,
                        EncoderSource& encoders, Ranks* ranks);

// What all have counted together.
PictureCounts of_all(PictureCounts counts, Ranks* ranks);

}  // namespace zeroshelf
