// Tested by tests/programs/watch_test.cc.

#include "lib/report/watch_message.h"

namespace zeroshelf::message {

void write_members(JsonWriter& json, const Watching& watching) {
  json.member("folders", watching.folders).member("pictures", watching.pictures);
}

void write_members(JsonWriter& json, const RunPrediction& answer) {
  json.member("run", answer.run);
  write_members(json, answer.prediction);
}

}  // namespace zeroshelf::message
