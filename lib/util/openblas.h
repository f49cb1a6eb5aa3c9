#pragma once

// Which of its kernels OpenBLAS multiplies with. Debian 12's 0.3.21 does not know every processor
// and takes kernels for SSE3 on one that it does not know, a quarter as fast as those for AVX-512;
// and the environment may name others. Whoever multiplies through it asks for the right ones first.

#include <string>
#include <string_view>

#include "lib/util/cpu.h"

namespace zeroshelf {

// What OpenBLAS calls its kernels, e.g. "Haswell"; empty where this process has no OpenBLAS.
std::string openblas_core();

// The name of the kernels that use the widest vectors of such a processor; empty: leave it be.
std::string_view best_openblas_core(InstructionSet set);

// Whether the kernels of this name use them.
bool uses_vectors_of(std::string_view core, InstructionSet set);

// To be called first in main, before there are threads. OpenBLAS decides when it is loaded, so
// where it decided wrongly the program starts anew with OPENBLAS_CORETYPE set, once: then this does
// not return. An OPENBLAS_CORETYPE that names kernels with narrower vectors is overruled.
void use_best_openblas_core(char** argv);

}  // namespace zeroshelf
