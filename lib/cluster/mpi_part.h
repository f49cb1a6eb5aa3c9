#pragma once

// What the program asks of the part that knows MPI: a table of functions behind one symbol of a
// library of its own, which is loaded only where a launcher started several processes. Nothing here
// throws.

#include <cstddef>
#include <cstdint>

namespace zeroshelf {

// Asked again and again while something is waited for: false gives it up.
struct MpiWait {
  bool (*go_on)(void* state);
  void* state;
};

struct MpiPart {
  // Joins the other processes; false: MPI could not begin. Once, before the rest.
  bool (*begin)(int* rank, int* size);
  // Exactly so many bytes, as the other side sends or takes. false: it was given up, or failed.
  bool (*send)(int to, const void* bytes, size_t size, MpiWait wait);
  bool (*receive)(int from, void* bytes, size_t size, MpiWait wait);
  // Waits for all others to leave.
  void (*leave)();
  // Ends all processes, this one too.
  void (*abort)(int code);
};

inline constexpr const char* kMpiPartSymbol = "zeroshelf_mpi_part";

}  // namespace zeroshelf
