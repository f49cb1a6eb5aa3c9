#pragma once

// What happens before main: OpenBLAS, which some of our libraries bring along, starts a thread for
// each core when it is loaded, and interrupts the process where the system lets it start none.

namespace zeroshelf {

// From here on SIGINT means what it meant to who started the program. Until then, OpenBLAS's own
// interruption starts the program again with OPENBLAS_NUM_THREADS=1. To be called once in main, so
// that this is linked.
void end_of_loading() noexcept;

}  // namespace zeroshelf
