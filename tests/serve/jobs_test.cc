// Work that goes on: in order, told of while it runs, ended when somebody asks or the server stops.

#include "query/serve/jobs.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "query/serve/errors.h"

namespace zeroshelf::serve {
namespace {

Job named(const std::string& name) {
  Job job;
  job.kind = "export";
  job.name = name;
  return job;
}

// Work that goes on until it is cancelled.
void until_cancelled(const Jobs::Progress& progress) {
  while (!progress.is_cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  throw Abandoned();
}

Job wait_for(const Jobs& jobs, const Job& job) {
  while (jobs.find(job.id)->state == JobState::Running)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return *jobs.find(job.id);
}

BOOST_AUTO_TEST_SUITE(jobs_that_go_on)

BOOST_AUTO_TEST_CASE(they_run_one_after_the_other_and_say_how_far) {
  Jobs jobs;
  std::string order;
  const Job first = jobs.start(named("a"), [&](const Jobs::Progress& progress) {
    progress.update([](Job& job) { job.done = 3; });
    order += 'a';
  });
  const Job second = jobs.start(named("b"), [&](const Jobs::Progress&) { order += 'b'; });
  BOOST_TEST(first.id != second.id);
  BOOST_TEST((wait_for(jobs, second).state == JobState::Done));
  BOOST_TEST(order == "ab");
  BOOST_TEST(jobs.find(first.id)->done == 3u);
  BOOST_TEST(jobs.all().front().id == second.id);
  BOOST_TEST(!jobs.find("none").has_value());
}

BOOST_AUTO_TEST_CASE(what_one_throws_is_its_end_alone) {
  Jobs jobs;
  const Job lost = jobs.start(named("lost"), [](const Jobs::Progress&) {
    throw Error(ErrorCode::NotFound, "it", "is gone");
  });
  const Job odd = jobs.start(named("odd"), [](const Jobs::Progress&) { throw std::runtime_error("odd"); });
  const Job well = jobs.start(named("well"), [](const Jobs::Progress&) {});
  BOOST_TEST((wait_for(jobs, well).state == JobState::Done));
  BOOST_TEST((jobs.find(lost.id)->state == JobState::Failed));
  BOOST_TEST(jobs.find(lost.id)->error->subject() == "it");
  BOOST_TEST(jobs.find(odd.id)->error->cause() == "odd");
}

BOOST_AUTO_TEST_CASE(one_that_runs_and_one_that_waits_can_be_cancelled) {
  Jobs jobs;
  const Job runs = jobs.start(named("runs"), until_cancelled);
  std::atomic<bool> began = false;
  const Job waits = jobs.start(named("waits"), [&](const Jobs::Progress&) { began = true; });
  BOOST_TEST(jobs.cancel(waits.id));
  BOOST_TEST(jobs.cancel(runs.id));
  BOOST_TEST(!jobs.cancel("none"));
  BOOST_TEST((wait_for(jobs, waits).state == JobState::Cancelled));
  BOOST_TEST((jobs.find(runs.id)->state == JobState::Cancelled));
  BOOST_TEST(!began);
}

BOOST_AUTO_TEST_CASE(a_hundred_may_wait_and_a_hundred_that_ended_are_known) {
  Jobs jobs;
  const Job runs = jobs.start(named("runs"), until_cancelled);
  for (int i = 1; i < 100; ++i) jobs.start(named("waits"), [](const Jobs::Progress&) {});
  BOOST_CHECK_EXCEPTION(jobs.start(named("one too many"), [](const Jobs::Progress&) {}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Unavailable; });
  jobs.cancel(runs.id);
  wait_for(jobs, jobs.all().front());
  for (int i = 0; i < 10; ++i)
    wait_for(jobs, jobs.start(named("later"), [](const Jobs::Progress&) {}));
  BOOST_TEST(jobs.all().size() <= 102u);
  BOOST_TEST(!jobs.find(runs.id).has_value());
}

BOOST_AUTO_TEST_CASE(the_end_of_the_server_is_theirs) {
  Jobs jobs;
  const Job runs = jobs.start(named("runs"), until_cancelled);
  const Job waits = jobs.start(named("waits"), [](const Jobs::Progress&) {});
  jobs.end_all();
  BOOST_TEST((jobs.find(runs.id)->state == JobState::Cancelled));
  BOOST_TEST((jobs.find(waits.id)->state == JobState::Cancelled));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
