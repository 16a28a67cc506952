// SPDX-License-Identifier: MIT
#include "server/api/tag_texts.h"

#include <future>
#include <memory>
#include <utility>

#include "test/support/catch.h"
#include "test/support/fault_store.h"

namespace featherid {

namespace {

// The texts of a store with the tag `order`, whose format is `A{id}`.
struct Texts {
  Texts() {
    NewTag made(10);
    made.options.format = "A{id}";
    REQUIRE(store->create("order", made).ok());
  }
  ~Texts() { calls.join(); }

  Status ask(const std::string& tag) {
    // Shared: set_value() may still run when the answer has arrived.
    const auto answer = std::make_shared<std::promise<Status>>();
    texts.ask(tag, [answer](const Status& status) { answer->set_value(status); });
    return answer->get_future().get();
  }

  std::shared_ptr<test::FaultStore> store = std::make_shared<test::FaultStore>();
  StoreCalls calls;
  TagTexts texts{store, calls, {}};
};

}  // namespace

TEST_CASE("the text of a tag is known after it was asked for", "[tag_texts]") {
  Texts texts;
  CHECK(texts.texts.find("order") == nullptr);
  CHECK(texts.ask("order").ok());
  REQUIRE(texts.texts.find("order") != nullptr);
  CHECK(*texts.texts.find("order")->write(7) == "A7");

  CHECK(texts.ask("nothing").code() == StatusCode::kNotFound);
  CHECK(texts.texts.find("nothing", true) == nullptr);
}

TEST_CASE("a store that is down leaves the text that was read before", "[tag_texts]") {
  Texts texts;
  REQUIRE(texts.ask("order").ok());
  texts.store->on_info = [](std::string_view) {
    return Result<TagInfo>(Status(StatusCode::kUnavailable, "it is down"));
  };
  CHECK(texts.ask("order").ok());
  CHECK(texts.texts.find("order") != nullptr);
  CHECK(texts.ask("user").code() == StatusCode::kUnavailable);

  texts.store->on_info = [](std::string_view tag) {
    return Result<TagInfo>(Status(StatusCode::kNotFound, std::string(tag)));
  };
  CHECK(texts.ask("order").code() == StatusCode::kNotFound);
  CHECK(texts.texts.find("order", true) == nullptr);
}

TEST_CASE("many who ask for one tag share a call of the store", "[tag_texts]") {
  Texts texts;
  std::promise<void> go_on;
  std::atomic<int> asked{0};
  texts.store->on_info = [&, go = go_on.get_future().share()](std::string_view tag) {
    ++asked;
    go.wait();
    return texts.store->memory().info(tag);
  };
  std::atomic<int> answered{0};
  for (int i = 0; i < 100; ++i) {
    texts.texts.ask("order", [&](const Status& status) { answered += status.ok() ? 1 : 0; });
  }
  go_on.set_value();
  CHECK(texts.ask("order").ok());
  texts.calls.join();
  CHECK(answered == 100);
  CHECK(asked <= 2);
}

}  // namespace featherid
