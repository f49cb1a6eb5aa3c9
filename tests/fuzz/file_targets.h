#pragma once

// The targets by folder of what they read; see targets.h.

#include <stdexcept>
#include <string>

#include "lib/util/error.h"
#include "models/text/tokenizer.h"
#include "tests/fuzz/targets.h"

namespace zeroshelf::testing {

Target picture_target();
Target heif_target();
Target record_target();
Target manifest_target();
Target current_target();
Target snapshot_target();
Target vectors_target();
Target safetensors_target();
Target torch_archive_target();
Target config_target();
Target tokenizer_target();
Target pieces_target();
Target labels_target();
Target query_target();
Target lexicon_target();
Target ivf_target();
Target kept_target();
Target truth_target();
Target npy_target();
Target import_target();
Target journal_target();
Target serve_json_target();
Target serve_head_target();

// A small vocabulary's.
Tokenizer tokenizer_for_queries();

// A promise of the code under test that does not hold.
inline void promise(bool holds, const char* what) {
  if (!holds) throw std::logic_error(what);
}

// "accepted", or the refusal's cause.
template <class Read>
std::string outcome_of(Read read) {
  try {
    read();
    return "accepted";
  } catch (const Error& error) {
    promise(!error.cause().empty(), "an error says its cause");
    return error.cause().substr(0, 60);
  }
}

}  // namespace zeroshelf::testing
