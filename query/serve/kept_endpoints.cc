// What is kept with the collection, and what moved between two of them. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "lib/collection/attachments.h"
#include "lib/labelling/current_run.h"
#include "lib/labelling/kept_request.h"
#include "lib/labelling/run.h"
#include "lib/labelling/run_diff.h"
#include "lib/report/kept_things.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/suggest.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

std::string run_json(const std::string& name, const Run& run) {
  std::vector<uint64_t> counts(run.labels.size());
  uint64_t unanswered = 0;
  for (const RunEntry& entry : run.entries) ++(entry.label ? counts[*entry.label] : unanswered);
  std::vector<std::string> labels;
  for (size_t k = 0; k < run.labels.size(); ++k) {
    labels.push_back(json_object([&](JsonWriter& json) {
      json.member("name", run.labels[k].name)
          .member("prompts", run.labels[k].prompts)
          .member("count", counts[k]);
    }));
  }
  return json_object([&](JsonWriter& json) {
    json.member("name", name)
        .member("created", run.created_utc)
        .member("model", run.model_name)
        .member("fusion", run.fusion)
        .member("pictures", run.entries.size())
        .member("labels", raw(labels))
        .member("unanswered", unanswered);
  });
}

HttpResponse remove_kept(const Call& call, std::string_view kind) {
  const View& view = call.snapshot->view;
  const std::string name = checked_name(call.variable, "the name");
  if (!(kind == kRunKind ? remove_run(view, name) : view.attachments().remove(kind, name))) {
    const std::vector<std::string> names = view.attachments().names(kind);
    throw Error(
        ErrorCode::NotFound, name,
        fmt::format("there is nothing of that name in {}{}", kind, did_you_mean(name, names)),
        "GET /v1/runs lists them");
  }
  HttpResponse response;
  response.status = 204;
  return response;
}

Run run_of(Service& service, const Call& call, const AskedLabelling& asked) {
  const Labelling labelling = service.labeller().labelling(call.snapshot, asked, call.go_on);
  const Gate::Pass pass(service.gate, call.go_on);
  Run run = make_run(call.snapshot->view, labelling);
  run.fusion = way_name(asked.request);
  return run;
}

// A kept run by its name, or what a labelling gives now.
Run asked_run(Service& service, const Call& call, Members& members, const char* name) {
  const nlohmann::json& value = members.needed(name, "name a run, or give a labelling");
  if (value.is_string())
    return load_run(call.snapshot->view, checked_name(value.get<std::string>(), name));
  Members labelling(value, std::string(name) + ".");
  const AskedLabelling asked = ask_labelling(labelling);
  labelling.expect_no_others();
  return run_of(service, call, asked);
}

// Only what moved from, or to, this label: absent: any; null: no answer.
struct Wanted {
  bool any = true;
  std::optional<std::string> label;

  bool takes(const std::optional<std::string>& name) const { return any || name == label; }
};

Wanted ask_wanted(const nlohmann::json& body, Members& members, const char* name) {
  members.find(name);
  if (!body.contains(name)) return {};
  return {false, members.text(name, 1000)};
}

}  // namespace

HttpResponse get_runs(Service&, const Call& call) {
  const View& view = call.snapshot->view;
  std::vector<std::string> damaged;
  const auto list = [&](std::string_view kind) {
    std::vector<std::string> kept;
    for (const std::string& name : view.attachments().names(kind)) {
      try {
        kept.push_back(json_object([&, thing = kept_thing(view, kind, name)](JsonWriter& json) {
          write_members(json, message_of(thing));
        }));
      } catch (const Error& error) {
        damaged.push_back(json_object([&](JsonWriter& json) {
          json.member("type", kind).member("name", name).member("cause", error.cause());
        }));
      }
    }
    return kept;
  };
  const auto runs = list(kRunKind);
  const auto calibrations = list(kCalibrationKind);
  const auto classifiers = list(kClassifierKind);
  return json_response(json_object([&](JsonWriter& json) {
    json.member("runs", raw(runs))
        .member("calibrations", raw(calibrations))
        .member("classifiers", raw(classifiers))
        .member("damaged", raw(damaged));
  }));
}

HttpResponse get_run(Service&, const Call& call) {
  const std::string name = checked_name(call.variable, "the name");
  return json_response(run_json(name, load_run(call.snapshot->view, name)));
}

HttpResponse put_run(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const AskedLabelling asked = ask_labelling(members);
  const bool replace = members.flag("replace").value_or(false);
  members.expect_no_others();
  const View& view = call.snapshot->view;
  const std::string name = checked_name(call.variable, "the name");
  const std::vector<std::string> names = view.attachments().names(kRunKind);
  if (!replace && std::ranges::find(names, name) != names.end())
    throw Error(ErrorCode::Incompatible, name, "there is a run of that name",
                "take another name, or say \"replace\": true");
  if (asked.request.several) members.refuse("multi", "a run keeps one label a picture");
  const Run run = run_of(service, call, asked);
  save_run(view, name, run);
  save_request(view, name, asked.request);
  return json_response(run_json(name, run));
}

HttpResponse delete_run(Service&, const Call& call) {
  return remove_kept(call, kRunKind);
}
HttpResponse delete_calibration(Service&, const Call& call) {
  return remove_kept(call, kCalibrationKind);
}
HttpResponse delete_classifier(Service&, const Call& call) {
  return remove_kept(call, kClassifierKind);
}

HttpResponse post_diff(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const Wanted from = ask_wanted(json, members, "from");
  const Wanted to = ask_wanted(json, members, "to");
  const uint64_t offset = members.whole("offset", 0, UINT64_MAX).value_or(0);
  const uint64_t limit = members.whole("limit", 0, 1000).value_or(100);
  members.find("before");
  members.find("after");
  members.expect_no_others();
  const View& view = call.snapshot->view;
  const Run before = asked_run(service, call, members, "before");
  const Run after = asked_run(service, call, members, "after");
  if (from.label) find_labels("from", {*from.label}, before.labels);
  if (to.label) find_labels("to", {*to.label}, after.labels);
  call.go_on();
  const RunDiff diff = diff_runs(view, before, after);
  std::vector<std::string> transitions;
  for (const Transition& it : diff.transitions) {
    transitions.push_back(json_object([&](JsonWriter& out) {
      out.member("from", it.from).member("to", it.to).member("pictures", it.pictures);
    }));
  }
  uint64_t count = 0;
  std::vector<std::string> pictures;
  for (const MovedPicture& moved : diff.moved) {
    const auto old_label = label_name(before, moved.before->label);
    const auto new_label = label_name(after, moved.after->label);
    if (!from.takes(old_label) || !to.takes(new_label)) continue;
    if (count++ < offset || pictures.size() >= limit) continue;
    pictures.push_back(json_object([&](JsonWriter& out) {
      out.member("row", moved.row)
          .member("sha256", to_hex(view.record(moved.row).content_hash))
          .path(moved.path)
          .member("from", old_label)
          .member("to", new_label)
          .member("from_score", moved.before->score)
          .member("to_score", moved.after->score);
    }));
  }
  return json_response(json_object([&](JsonWriter& out) {
    out.member("same", diff.same)
        .member("moved", diff.moved.size())
        .member("only_before", diff.only_before)
        .member("only_after", diff.only_after)
        .member("in_neither", diff.in_neither)
        .member("transitions", raw(transitions))
        .member("count", count)
        .member("offset", offset)
        .member("pictures", raw(pictures));
  }));
}

}  // namespace zeroshelf::serve
