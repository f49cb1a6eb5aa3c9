// Part of the programs that never multiply through OpenBLAS, which libraries of theirs bring along:
// for each core it would start a thread while it is loaded. A thread that gets no memory for itself
// (`ulimit -v`) tries for ever, and the end of the process waits for it; one that cannot be started
// (`ulimit -u`) interrupts the process. Tested by tests/programs/few_threads_test.cc.

// OpenBLAS asks this function of its own what OPENBLAS_NUM_THREADS says, and the loader takes the
// program's in its place. Another BLAS never calls it.
extern "C" int openblas_num_threads_env();
extern "C" int openblas_num_threads_env() {
  return 1;
}
