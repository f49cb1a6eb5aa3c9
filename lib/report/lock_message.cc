// Tested by tests/programs/lock_test.cc.

#include "lib/report/lock_message.h"

namespace zeroshelf::message {

void write_members(JsonWriter& json, const LockFinding& finding) {
  json.member("what", finding.what).member("same", finding.same).member("detail", finding.detail);
}

void write_members(JsonWriter& json, const LockVerdict& verdict) {
  json.member("same_answers", verdict.same_answers)
      .member("added", verdict.added)
      .member("removed", verdict.removed)
      .member("changed", verdict.changed)
      .member("answered_otherwise", verdict.answered_otherwise);
}

}  // namespace zeroshelf::message
