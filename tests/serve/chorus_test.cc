// Processes are threads here.

#include "query/serve/chorus.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "lib/util/error.h"
#include "query/serve/errors.h"
#include "tests/support/thread_ranks.h"

namespace zeroshelf::serve {
namespace {

using testing::run_ranks;

HttpRequest request_of(const std::string& path) {
  HttpRequest request;
  request.method = "GET";
  request.path = path;
  request.is_abandoned = [] { return false; };
  return request;
}

// Three processes that answer; ask is a client of the first one's.
void run_chorus(const std::function<HttpResponse(Ranks&, const HttpRequest&)>& answer,
                const std::function<void(Chorus&)>& ask) {
  run_ranks(3, [&](Ranks& ranks) {
    Chorus chorus(ranks);
    std::thread client;
    if (ranks.is_first()) {
      client = std::thread([&] {
        ask(chorus);
        chorus.end();
      });
    }
    chorus.answer_all([&](const HttpRequest& request) { return answer(ranks, request); });
    if (ranks.is_first()) client.join();
  });
}

bool is_not_there(const Error& error) {
  return error.code() == ErrorCode::NotFound;
}

bool is_unavailable(const Error& error) {
  return error.code() == ErrorCode::Unavailable;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(chorus)

BOOST_AUTO_TEST_CASE(every_process_hears_the_same_questions_and_the_first_one_answers) {
  std::atomic<int> heard = 0;
  const auto answer = [&](Ranks& ranks, const HttpRequest& request) {
    ++heard;
    HttpResponse response;
    for (const std::string& one : ranks.gather(request.path + std::to_string(ranks.rank())))
      response.body += one;
    response.body += request.body + request.parameter("size").value_or("") + request.method;
    return response;
  };
  run_chorus(answer, [](Chorus& chorus) {
    HttpRequest request = request_of("/a");
    request.method = "POST";
    request.body = std::string("b\0c", 3);
    request.query.emplace("size", "7");
    BOOST_TEST(chorus.ask(request).body == "/a0/a1/a2" + request.body + "7POST");
    BOOST_TEST(chorus.ask(request_of("/d")).body == "/d0/d1/d2GET");
  });
  BOOST_TEST(heard == 6);
}

BOOST_AUTO_TEST_CASE(clients_take_turns) {
  const auto answer = [](Ranks& ranks, const HttpRequest& request) {
    HttpResponse response;
    for (const std::string& one : ranks.exchange(request.path)) response.body += one;
    return response;
  };
  run_chorus(answer, [](Chorus& chorus) {
    std::atomic<int> wrong = 0;
    std::vector<std::thread> clients;
    for (int client = 0; client < 8; ++client) {
      clients.emplace_back([&, path = "/" + std::to_string(client)] {
        for (int i = 0; i < 20; ++i)
          wrong += chorus.ask(request_of(path)).body != path + path + path;
      });
    }
    for (std::thread& client : clients) client.join();
    BOOST_TEST(wrong == 0);
  });
}

BOOST_AUTO_TEST_CASE(an_error_that_all_agree_on_leaves_them_ready) {
  const auto answer = [](Ranks& ranks, const HttpRequest& request) {
    ranks.agree_after([&] {
      if (request.path == "/gone" && ranks.rank() == 2)
        throw Error(ErrorCode::NotFound, "it", "no");
    });
    HttpResponse response;
    response.body = std::to_string(ranks.exchange(request.path).size());
    return response;
  };
  run_chorus(answer, [](Chorus& chorus) {
    for (int i = 0; i < 3; ++i) {
      BOOST_CHECK_EXCEPTION(chorus.ask(request_of("/gone")), Error, is_not_there);
      BOOST_TEST(chorus.ask(request_of("/there")).body == "3");
    }
  });
}

BOOST_AUTO_TEST_CASE(a_process_that_hangs_is_told_and_later_questions_are_refused) {
  constexpr auto kPatience = std::chrono::milliseconds(200);
  std::atomic<bool> hangs = true;
  run_ranks(3, [&](Ranks& ranks) {
    Chorus chorus(ranks, kPatience);
    std::thread client;
    if (ranks.is_first()) {
      client = std::thread([&] {
        BOOST_TEST(!chorus.is_stuck());
        std::thread first([&] { BOOST_TEST(chorus.ask(request_of("/first")).body == "3"); });
        std::this_thread::sleep_for(kPatience / 4);
        // One that waits already, and one that comes then.
        BOOST_CHECK_EXCEPTION(chorus.ask(request_of("/waits")), Error, is_unavailable);
        BOOST_TEST(chorus.is_stuck());
        BOOST_CHECK_EXCEPTION(chorus.ask(request_of("/late")), Error, is_unavailable);
        hangs = false;
        first.join();
        BOOST_TEST(chorus.ask(request_of("/again")).body == "3");
        BOOST_TEST(!chorus.is_stuck());
        chorus.end();
      });
    }
    chorus.answer_all([&](const HttpRequest& request) {
      while (hangs && ranks.rank() == 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      HttpResponse response;
      response.body = std::to_string(ranks.exchange(request.path).size());
      return response;
    });
    if (ranks.is_first()) client.join();
  });
}

BOOST_AUTO_TEST_CASE(what_nobody_waits_for_is_not_asked) {
  std::atomic<int> heard = 0;
  const auto answer = [&](Ranks&, const HttpRequest&) {
    ++heard;
    return HttpResponse();
  };
  run_chorus(answer, [](Chorus& chorus) {
    HttpRequest request = request_of("/a");
    request.is_abandoned = [] { return true; };
    BOOST_CHECK_THROW(chorus.ask(request), Abandoned);
  });
  BOOST_TEST(heard == 0);
}

BOOST_AUTO_TEST_CASE(after_the_end_nothing_is_taken) {
  run_chorus([](Ranks&, const HttpRequest&) { return HttpResponse(); },
             [](Chorus& chorus) {
               chorus.end();
               BOOST_CHECK_THROW(chorus.ask(request_of("/a")), Error);
             });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::serve
